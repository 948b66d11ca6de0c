package vault

import (
	"database/sql"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

type upload struct {
	ID            coop.UploadID
	Dataset       coop.DatasetID
	Member        coop.MemberID
	Blob          string
	Complete      bool
	Total         int64
	Received      int64
	Head          []byte
	HeadWhole     bool
	HashState     []byte
	PayloadSHA256 string
	CreatedAt     int64
	ExpiresAt     int64
}

const uploadColumns = `id, dataset, member, blob, complete, total, received, head, head_whole, hash_state,
	payload_sha256, created_at, expires_at`

func scanUpload(r scanner) (u upload, err error) {
	err = r.Scan(&u.ID, &u.Dataset, &u.Member, &u.Blob, &u.Complete, &u.Total, &u.Received, &u.Head, &u.HeadWhole,
		&u.HashState, &u.PayloadSHA256, &u.CreatedAt, &u.ExpiresAt)
	return u, err
}

const sqlGetUpload = `SELECT ` + uploadColumns + ` FROM vault_uploads WHERE id = ?`

func getUpload(tx *db.Tx, id coop.UploadID) (upload, error) {
	return scanUpload(tx.QueryRow(sqlGetUpload, id))
}

const (
	sqlMemberUploads  = `SELECT COUNT(*), COALESCE(SUM(total), 0) FROM vault_uploads WHERE member = ?`
	sqlMemberPayloads = `SELECT COALESCE(SUM(payload_size), 0) FROM vault_datasets WHERE member = ? AND state = 'available'`
)

// holdings adds up what a member has here: uploads, and bytes sealed or to come.
func holdings(tx *db.Tx, m coop.MemberID) (uploads int, bytes int64, err error) {
	var sealed int64
	if err := tx.QueryRow(sqlMemberUploads, m).Scan(&uploads, &bytes); err != nil {
		return 0, 0, err
	}
	err = tx.QueryRow(sqlMemberPayloads, m).Scan(&sealed)
	return uploads, bytes + sealed, err
}

const sqlExpiredUploads = `SELECT ` + uploadColumns + ` FROM vault_uploads WHERE expires_at <= ? ORDER BY id`

func expiredUploads(tx *db.Tx, now int64) ([]upload, error) {
	return db.Collect(tx, func(r *sql.Rows) (upload, error) { return scanUpload(r) }, sqlExpiredUploads, now)
}

const sqlInsertUpload = `INSERT INTO vault_uploads (` + uploadColumns + `)
	VALUES (?, ?, ?, ?, FALSE, ?, 0, '', FALSE, '', '', ?, ?)`

func insertUpload(tx *db.Tx, u upload) error {
	return tx.ExecOne(sqlInsertUpload, u.ID, u.Dataset, u.Member, u.Blob, u.Total, u.CreatedAt, u.ExpiresAt)
}

const sqlUpdateUpload = `UPDATE vault_uploads SET complete = ?, received = ?, head = ?, head_whole = ?,
	hash_state = ?, payload_sha256 = ?, expires_at = ?
	WHERE id = ? AND received = ? AND complete = FALSE`

// updateUpload records a part that began at offset from.
func updateUpload(tx *db.Tx, u upload, from int64) error {
	return tx.ExecOne(sqlUpdateUpload, u.Complete, u.Received, u.Head, u.HeadWhole, u.HashState, u.PayloadSHA256,
		u.ExpiresAt, u.ID, from)
}

const sqlDeleteUpload = `DELETE FROM vault_uploads WHERE id = ? AND expires_at <= ?`

func deleteUpload(tx *db.Tx, id coop.UploadID, expiresBy int64) error {
	return tx.ExecOne(sqlDeleteUpload, id, expiresBy)
}
