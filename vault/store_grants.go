package vault

import (
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

type grant struct {
	Request   coop.RequestID
	Dataset   coop.DatasetID
	Recipient string
	Header    []byte
	CreatedAt int64
	ExpiresAt int64
}

// living reports whether a header serves a recipient at a time.
func (g grant) living(recipient string, now int64) bool {
	return g.Recipient == recipient && g.ExpiresAt > now && len(g.Header) > 0
}

const sqlPutGrant = `INSERT INTO vault_grants (request, dataset, recipient, header, created_at, expires_at)
	VALUES (?, ?, ?, ?, ?, ?)
	ON CONFLICT (request, dataset) DO UPDATE SET recipient = excluded.recipient, header = excluded.header,
	created_at = excluded.created_at, expires_at = excluded.expires_at`

func putGrant(tx *db.Tx, g grant) error {
	return tx.ExecOne(sqlPutGrant, g.Request, g.Dataset, g.Recipient, g.Header, g.CreatedAt, g.ExpiresAt)
}

// deliverable is what a delivery needs to know, read at once.
type deliverable struct {
	Dataset
	original []byte // header
	grant    grant  // its Request is empty if there is none yet
}

// The CAST keeps SQLite from planning this anew at every execution, as it does
// with an equality that one of the plans it has weighed leaves unused.
const sqlDeliverable = `SELECT d.id, d.member, d.state, d.custody, d.vault_recipient, d.blob, d.header_sha256,
	d.payload_sha256, d.payload_size, d.terms, d.signature, d.signing_key, COALESCE(h.header, ''),
	COALESCE(g.request, ''), COALESCE(g.recipient, ''), COALESCE(g.header, ''), COALESCE(g.created_at, 0), COALESCE(g.expires_at, 0)
	FROM vault_datasets d LEFT JOIN vault_headers h ON h.dataset = d.id
	LEFT JOIN vault_grants g ON g.dataset = d.id AND g.request = CAST(? AS TEXT) WHERE d.id = CAST(? AS TEXT)`

func getDeliverable(tx *db.Tx, r coop.RequestID, ds coop.DatasetID) (d deliverable, err error) {
	var custody string
	var key []byte
	err = tx.QueryRow(sqlDeliverable, r, ds).Scan(&d.ID, &d.Member, &d.State, &custody, &d.VaultRecipient, &d.blob, &d.HeaderSHA256,
		&d.PayloadSHA256, &d.PayloadSize, &d.Terms, &d.Signature, &key, &d.original,
		&d.grant.Request, &d.grant.Recipient, &d.grant.Header, &d.grant.CreatedAt, &d.grant.ExpiresAt)
	d.grant.Dataset = d.ID
	d.SigningKey, d.SelfCustody = key, custody == custodySelf
	return d, err
}

const (
	sqlDeleteGrants  = `DELETE FROM vault_grants WHERE dataset = ?`
	sqlExpireRequest = `UPDATE vault_grants SET header = '' WHERE request = ?`
	sqlExpireBefore  = `UPDATE vault_grants SET header = '' WHERE expires_at <= ? AND LENGTH(header) > 0`
)

func deleteGrants(tx *db.Tx, ds coop.DatasetID) (n int64, err error) {
	return tx.Exec(sqlDeleteGrants, ds)
}

func expireGrants(tx *db.Tx, r coop.RequestID) error {
	_, err := tx.Exec(sqlExpireRequest, r)
	return err
}

func expireGrantsBefore(tx *db.Tx, now int64) error {
	_, err := tx.Exec(sqlExpireBefore, now)
	return err
}
