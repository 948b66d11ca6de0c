package vault

import (
	"database/sql"
	"errors"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// The tables of the keystore database.

type epoch struct {
	Number    int64
	Recipient string
	CreatedAt int64
}

type key struct {
	Dataset   coop.DatasetID
	Epoch     int64
	Sealed    []byte
	CreatedAt int64
}

const sqlNewestEpoch = `SELECT epoch, recipient, created_at FROM vault_epochs ORDER BY epoch DESC LIMIT 1`

func newestEpoch(tx *db.Tx) (e epoch, found bool, err error) {
	err = tx.QueryRow(sqlNewestEpoch).Scan(&e.Number, &e.Recipient, &e.CreatedAt)
	if errors.Is(err, db.ErrNoRow) {
		return epoch{}, false, nil
	}
	return e, err == nil, err
}

const sqlInsertEpoch = `INSERT INTO vault_epochs (epoch, recipient, created_at) VALUES (?, ?, ?)`

func insertEpoch(tx *db.Tx, e epoch) error {
	return tx.ExecOne(sqlInsertEpoch, e.Number, e.Recipient, e.CreatedAt)
}

const sqlInsertKey = `INSERT INTO vault_keys (dataset, epoch, sealed, created_at) VALUES (?, ?, ?, ?)`

func insertKey(tx *db.Tx, k key) error {
	return tx.ExecOne(sqlInsertKey, k.Dataset, k.Epoch, k.Sealed, k.CreatedAt)
}

const sqlSealedKey = `SELECT sealed FROM vault_keys WHERE dataset = ?`

func sealedKey(tx *db.Tx, ds coop.DatasetID) (sealed []byte, err error) {
	err = tx.QueryRow(sqlSealedKey, ds).Scan(&sealed)
	return sealed, err
}

const sqlDeleteKey = `DELETE FROM vault_keys WHERE dataset = ?`

func deleteKey(tx *db.Tx, ds coop.DatasetID) error {
	_, err := tx.Exec(sqlDeleteKey, ds)
	return err
}

const sqlKeyHolders = `SELECT dataset FROM vault_keys ORDER BY dataset`

func keyHolders(tx *db.Tx) ([]coop.DatasetID, error) {
	return db.Collect(tx, func(r *sql.Rows) (ds coop.DatasetID, err error) {
		err = r.Scan(&ds)
		return ds, err
	}, sqlKeyHolders)
}
