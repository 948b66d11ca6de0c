package vault

import (
	"database/sql"
	"encoding/json"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const datasetColumns = `d.id, d.member, d.pool, d.state, d.vault_recipient, d.member_recipient, d.blob,
	d.header_sha256, d.payload_sha256, d.payload_size, d.terms, d.signature, d.signing_key, d.profile, d.raw,
	d.deliveries + (SELECT COUNT(*) FROM vault_grants g WHERE g.dataset = d.id), d.created_at, d.sealed_at, d.revoked_at, d.shredded_at, d.custody, COALESCE(u.id, '')`

const fromDatasets = ` FROM vault_datasets d LEFT JOIN vault_uploads u ON u.dataset = d.id `

type scanner interface{ Scan(dest ...any) error }

func scanDataset(r scanner) (d Dataset, err error) {
	var profile, custody string
	var key []byte
	err = r.Scan(&d.ID, &d.Member, &d.Pool, &d.State, &d.VaultRecipient, &d.MemberRecipient, &d.blob,
		&d.HeaderSHA256, &d.PayloadSHA256, &d.PayloadSize, &d.Terms, &d.Signature, &key, &profile, &d.Raw,
		&d.Deliveries, &d.CreatedAt, &d.SealedAt, &d.RevokedAt, &d.ShreddedAt, &custody, &d.Upload)
	if err != nil {
		return Dataset{}, err
	}
	d.SigningKey, d.SelfCustody = key, custody == custodySelf
	return d, json.Unmarshal([]byte(profile), &d.Profile)
}

const sqlGetDataset = `SELECT ` + datasetColumns + fromDatasets + `WHERE d.id = ?`

func getDataset(tx *db.Tx, ds coop.DatasetID) (Dataset, error) {
	return scanDataset(tx.QueryRow(sqlGetDataset, ds))
}

const sqlDatasetsOf = `SELECT ` + datasetColumns + fromDatasets + `WHERE d.member = ? ORDER BY d.id`

func datasetsOf(tx *db.Tx, m coop.MemberID) ([]Dataset, error) {
	return db.Collect(tx, func(r *sql.Rows) (Dataset, error) { return scanDataset(r) }, sqlDatasetsOf, m)
}

const sqlStateOf = `SELECT state FROM vault_datasets WHERE id = ?`

func stateOf(tx *db.Tx, ds coop.DatasetID) (state string, err error) {
	err = tx.QueryRow(sqlStateOf, ds).Scan(&state)
	return state, err
}

const (
	sqlAvailable = `SELECT id FROM vault_datasets WHERE state = 'available' ORDER BY id`
	sqlLiving    = `SELECT id FROM vault_datasets WHERE state NOT IN ('shredding', 'shredded') ORDER BY id`
	sqlShredding = `SELECT id FROM vault_datasets WHERE state = 'shredding' ORDER BY id`
)

func availableDatasets(tx *db.Tx) ([]coop.DatasetID, error) { return datasetIDs(tx, sqlAvailable) }
func livingDatasets(tx *db.Tx) ([]coop.DatasetID, error)    { return datasetIDs(tx, sqlLiving) }
func shreddingDatasets(tx *db.Tx) ([]coop.DatasetID, error) { return datasetIDs(tx, sqlShredding) }

func datasetIDs(tx *db.Tx, query string) ([]coop.DatasetID, error) {
	return db.Collect(tx, func(r *sql.Rows) (ds coop.DatasetID, err error) {
		err = r.Scan(&ds)
		return ds, err
	}, query)
}

const sqlInsertDataset = `INSERT INTO vault_datasets (id, member, pool, state, vault_recipient, member_recipient,
	blob, header_sha256, payload_sha256, payload_size, terms, signature, signing_key, profile, raw, deliveries,
	created_at, sealed_at, revoked_at, shredded_at, custody)
	VALUES (?, ?, ?, ?, ?, ?, '', '', '', 0, '', '', '', '{}', FALSE, 0, ?, 0, 0, 0, ?)`

// The values of the column custody.
const (
	custodyVault = "vault"
	custodySelf  = "self"
)

func insertDataset(tx *db.Tx, d Dataset) error {
	custody := custodyVault
	if d.SelfCustody {
		custody = custodySelf
	}
	return tx.ExecOne(sqlInsertDataset, d.ID, d.Member, d.Pool, d.State, d.VaultRecipient, d.MemberRecipient, d.CreatedAt, custody)
}

const sqlSetState = `UPDATE vault_datasets SET state = ? WHERE id = ? AND state = ?`

func setState(tx *db.Tx, ds coop.DatasetID, from, to string) error {
	return tx.ExecOne(sqlSetState, to, ds, from)
}

const sqlReopenDataset = `UPDATE vault_datasets SET state = 'open' WHERE id = ? AND state IN ('uploading', 'received')`

func reopenDataset(tx *db.Tx, ds coop.DatasetID) error { return tx.ExecOne(sqlReopenDataset, ds) }

const sqlSealDataset = `UPDATE vault_datasets SET state = 'available', blob = ?, header_sha256 = ?, payload_sha256 = ?,
	payload_size = ?, terms = ?, signature = ?, signing_key = ?, profile = ?, raw = ?, sealed_at = ?
	WHERE id = ? AND state = 'received'`

func sealDataset(tx *db.Tx, d Dataset) error {
	profile, err := json.Marshal(d.Profile)
	if err != nil {
		return err
	}
	return tx.ExecOne(sqlSealDataset, d.blob, d.HeaderSHA256, d.PayloadSHA256, d.PayloadSize, d.Terms,
		bytesOrEmpty(d.Signature), bytesOrEmpty(d.SigningKey), string(profile), d.Raw, d.SealedAt, d.ID)
}

// bytesOrEmpty keeps nil out of columns that are NOT NULL.
func bytesOrEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

const sqlRevokeDataset = `UPDATE vault_datasets SET state = 'shredding', blob = '', revoked_at = ?, deliveries = ?
	WHERE id = ? AND state NOT IN ('shredding', 'shredded')`

// revokeDataset keeps the number of deliveries, whose rows are deleted.
func revokeDataset(tx *db.Tx, ds coop.DatasetID, at, deliveries int64) error {
	return tx.ExecOne(sqlRevokeDataset, at, deliveries, ds)
}

const (
	sqlShredded = `UPDATE vault_datasets SET state = 'shredded', shredded_at = ?, signature = '', signing_key = ''
	WHERE id = ? AND state = 'shredding'`
	sqlBury = `UPDATE vault_tombstones SET blob = '', receipt = ? WHERE dataset = ?`
)

func finishShredding(tx *db.Tx, d Dataset, receipt []byte) error {
	if err := tx.ExecOne(sqlShredded, d.ShreddedAt, d.ID); err != nil {
		return err
	}
	return tx.ExecOne(sqlBury, receipt, d.ID)
}

type tombstone struct {
	Dataset      coop.DatasetID
	Blob         string
	BlobSHA256   string
	HeaderSHA256 string
	Grants       int64
	LogIndex     int64
	CreatedAt    int64
	Receipt      []byte
}

const sqlInsertTombstone = `INSERT INTO vault_tombstones
	(dataset, blob, blob_sha256, header_sha256, grants, log_index, created_at, receipt)
	VALUES (?, ?, ?, ?, ?, ?, ?, '')`

func insertTombstone(tx *db.Tx, t tombstone) error {
	return tx.ExecOne(sqlInsertTombstone, t.Dataset, t.Blob, t.BlobSHA256, t.HeaderSHA256, t.Grants, t.LogIndex, t.CreatedAt)
}

const sqlGetTombstone = `SELECT dataset, blob, blob_sha256, header_sha256, grants, log_index, created_at, receipt
	FROM vault_tombstones WHERE dataset = ?`

func getTombstone(tx *db.Tx, ds coop.DatasetID) (t tombstone, err error) {
	err = tx.QueryRow(sqlGetTombstone, ds).Scan(&t.Dataset, &t.Blob, &t.BlobSHA256, &t.HeaderSHA256,
		&t.Grants, &t.LogIndex, &t.CreatedAt, &t.Receipt)
	return t, err
}

const (
	sqlKnownBlobs = `SELECT blob FROM vault_datasets WHERE blob <> ''
	UNION ALL SELECT blob FROM vault_uploads`
	sqlGrowingBlobs = `SELECT blob FROM vault_uploads WHERE complete = FALSE`
)

// knownBlobs names the payloads that belong to somebody, whole or not.
func knownBlobs(tx *db.Tx) ([]string, error) { return blobNames(tx, sqlKnownBlobs) }

// growingBlobs names those of uploads under way.
func growingBlobs(tx *db.Tx) ([]string, error) { return blobNames(tx, sqlGrowingBlobs) }

func blobNames(tx *db.Tx, query string) ([]string, error) {
	return db.Collect(tx, func(r *sql.Rows) (name string, err error) {
		err = r.Scan(&name)
		return name, err
	}, query)
}

// headerTables hold headers, whole or in part.
var headerTables = []string{"vault_headers", "vault_grants", "vault_uploads"}

const (
	sqlInsertHeader   = `INSERT INTO vault_headers (dataset, header) VALUES (?, ?)`
	sqlOriginalHeader = `SELECT header FROM vault_headers WHERE dataset = ?`
	sqlDeleteHeader   = `DELETE FROM vault_headers WHERE dataset = ?`
)

func insertHeader(tx *db.Tx, ds coop.DatasetID, hdr []byte) error {
	return tx.ExecOne(sqlInsertHeader, ds, hdr)
}

func originalHeader(tx *db.Tx, ds coop.DatasetID) (hdr []byte, err error) {
	err = tx.QueryRow(sqlOriginalHeader, ds).Scan(&hdr)
	return hdr, err
}

func deleteHeader(tx *db.Tx, ds coop.DatasetID) error {
	_, err := tx.Exec(sqlDeleteHeader, ds)
	return err
}
