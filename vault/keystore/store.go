package keystore

import (
	"database/sql"
	"errors"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

type epoch struct {
	Number      int64
	Recipient   string // of the epoch's own key, which seals the rows
	Master      string // public half of the master that the epoch's key file is sealed to
	CreatedAt   int64
	EndsAt      int64
	DestroyedAt int64
}

type scanner interface{ Scan(dest ...any) error }

type key struct {
	Dataset   coop.DatasetID
	Epoch     int64
	Sealed    []byte
	CreatedAt int64
}

const epochColumns = `epoch, recipient, master, created_at, ends_at, destroyed_at`

func scanEpoch(r scanner) (e epoch, err error) {
	err = r.Scan(&e.Number, &e.Recipient, &e.Master, &e.CreatedAt, &e.EndsAt, &e.DestroyedAt)
	return e, err
}

const sqlNewestEpoch = `SELECT ` + epochColumns + ` FROM keystore_epochs ORDER BY epoch DESC LIMIT 1`

func newestEpoch(tx *db.Tx) (e epoch, found bool, err error) {
	e, err = scanEpoch(tx.QueryRow(sqlNewestEpoch))
	if errors.Is(err, db.ErrNoRow) {
		return epoch{}, false, nil
	}
	return e, err == nil, err
}

const sqlGetEpoch = `SELECT ` + epochColumns + ` FROM keystore_epochs WHERE epoch = ?`

func getEpoch(tx *db.Tx, number int64) (epoch, error) {
	return scanEpoch(tx.QueryRow(sqlGetEpoch, number))
}

const sqlEpochs = `SELECT ` + epochColumns + ` FROM keystore_epochs ORDER BY epoch`

func allEpochs(tx *db.Tx) ([]epoch, error) {
	return db.Collect(tx, func(r *sql.Rows) (epoch, error) { return scanEpoch(r) }, sqlEpochs)
}

const sqlInsertEpoch = `INSERT INTO keystore_epochs (` + epochColumns + `) VALUES (?, ?, ?, ?, ?, 0)`

func insertEpoch(tx *db.Tx, e epoch) error {
	return tx.ExecOne(sqlInsertEpoch, e.Number, e.Recipient, e.Master, e.CreatedAt, e.EndsAt)
}

const sqlEndEpoch = `UPDATE keystore_epochs SET destroyed_at = ? WHERE epoch = ? AND destroyed_at = 0`

func endEpoch(tx *db.Tx, number, at int64) error { return tx.ExecOne(sqlEndEpoch, at, number) }

const sqlCountKeys = `SELECT COUNT(*) FROM keystore_keys WHERE epoch = ?`

func countKeys(tx *db.Tx, number int64) (n int64, err error) {
	err = tx.QueryRow(sqlCountKeys, number).Scan(&n)
	return n, err
}

const sqlInsertKey = `INSERT INTO keystore_keys (dataset, epoch, sealed, created_at) VALUES (?, ?, ?, ?)`

func insertKey(tx *db.Tx, k key) error {
	return tx.ExecOne(sqlInsertKey, k.Dataset, k.Epoch, k.Sealed, k.CreatedAt)
}

const sqlGetKey = `SELECT dataset, epoch, sealed, created_at FROM keystore_keys WHERE dataset = ?`

func getKey(tx *db.Tx, ds coop.DatasetID) (key, error) { return scanKey(tx.QueryRow(sqlGetKey, ds)) }

func scanKey(r scanner) (k key, err error) {
	err = r.Scan(&k.Dataset, &k.Epoch, &k.Sealed, &k.CreatedAt)
	return k, err
}

const sqlKeysBefore = `SELECT dataset, epoch, sealed, created_at FROM keystore_keys
	WHERE epoch < ? AND dataset > ? ORDER BY dataset LIMIT ?`

// keysBefore lists keys of earlier epochs than number, after the given dataset.
func keysBefore(tx *db.Tx, number int64, after coop.DatasetID, limit int) ([]key, error) {
	return db.Collect(tx, func(r *sql.Rows) (key, error) { return scanKey(r) }, sqlKeysBefore, number, after, limit)
}

const sqlResealKey = `UPDATE keystore_keys SET epoch = ?, sealed = ? WHERE dataset = ? AND epoch = ?`

// resealKey moves a key from an epoch to a later one; a key that is no longer
// there stays away.
func resealKey(tx *db.Tx, k key, from int64) error {
	_, err := tx.Exec(sqlResealKey, k.Epoch, k.Sealed, k.Dataset, from)
	return err
}

const sqlDeleteKey = `DELETE FROM keystore_keys WHERE dataset = ?`

func deleteKey(tx *db.Tx, ds coop.DatasetID) error {
	_, err := tx.Exec(sqlDeleteKey, ds)
	return err
}

const sqlKeyHolders = `SELECT dataset FROM keystore_keys ORDER BY dataset`

func keyHolders(tx *db.Tx) ([]coop.DatasetID, error) {
	return db.Collect(tx, func(r *sql.Rows) (ds coop.DatasetID, err error) {
		err = r.Scan(&ds)
		return ds, err
	}, sqlKeyHolders)
}
