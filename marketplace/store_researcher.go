package marketplace

import (
	"database/sql"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const sqlInsertResearcher = `INSERT INTO marketplace_researchers (id, name, kind, region, email, vetted_by, vetted_at, institution, related) VALUES (?, ?, ?, ?, ?, ?, ?, ?, CASE WHEN ? THEN 1 ELSE 0 END)`

func insertResearcher(tx *db.Tx, r Researcher, by coop.MemberID) error {
	return failed("insert researcher", tx.ExecOne(sqlInsertResearcher, r.ID, r.Name, r.Kind, r.Region, r.Email, by, r.VettedAt, r.Institution, r.Related))
}

const (
	sqlResearchers     = `SELECT id, name, kind, region, email, vetted_at, institution, COALESCE((SELECT n.related FROM marketplace_relations n WHERE n.researcher = w.id ORDER BY n.since DESC LIMIT 1), w.related) = 1 FROM marketplace_researchers w`
	sqlGetResearcher   = sqlResearchers + ` WHERE id = ?`
	sqlListResearchers = sqlResearchers + ` ORDER BY id`
)

func scanResearcher(row scanner) (r Researcher, err error) {
	err = row.Scan(&r.ID, &r.Name, &r.Kind, &r.Region, &r.Email, &r.VettedAt, &r.Institution, &r.Related)
	return r, err
}

func getResearcher(tx *db.Tx, id coop.ResearcherID) (Researcher, error) {
	r, err := scanResearcher(tx.QueryRow(sqlGetResearcher, id))
	return r, found(err, "researcher")
}

func listResearchers(tx *db.Tx) ([]Researcher, error) {
	return collect(tx, "researchers", func(rows *sql.Rows) (Researcher, error) { return scanResearcher(rows) }, sqlListResearchers)
}

const sqlInsertRecipient = `INSERT INTO marketplace_recipients
	(id, researcher, recipient, nonce_sha256, challenge, created_at) VALUES (?, ?, ?, ?, ?, ?)
	ON CONFLICT (researcher, recipient) DO NOTHING`

const sqlSameRecipient = `SELECT id, researcher, recipient, challenge, created_at, proven_at
	FROM marketplace_recipients WHERE researcher = ? AND recipient = ?`

// insertRecipient stores rec, or answers the one already registered.
func insertRecipient(tx *db.Tx, rec Recipient, nonce [32]byte) (Recipient, error) {
	_, err := tx.Exec(sqlInsertRecipient, rec.ID, rec.Researcher, rec.Recipient, nonce[:], rec.Challenge, rec.CreatedAt)
	if err != nil {
		return Recipient{}, failed("insert recipient", err)
	}
	out, err := scanRecipient(tx.QueryRow(sqlSameRecipient, rec.Researcher, rec.Recipient))
	return out, found(err, "same recipient")
}

func scanRecipient(row scanner, more ...any) (r Recipient, err error) {
	err = row.Scan(append([]any{&r.ID, &r.Researcher, &r.Recipient, &r.Challenge, &r.CreatedAt, &r.ProvenAt}, more...)...)
	return r, err
}

const sqlGetRecipient = `SELECT id, researcher, recipient, challenge, created_at, proven_at, nonce_sha256
	FROM marketplace_recipients WHERE id = ? AND researcher = ?`

func getRecipient(tx *db.Tx, r coop.ResearcherID, id coop.RecipientID) (Recipient, []byte, error) {
	var nonce []byte
	rec, err := scanRecipient(tx.QueryRow(sqlGetRecipient, id, r), &nonce)
	return rec, nonce, found(err, "recipient")
}

const sqlListRecipients = `SELECT id, researcher, recipient, challenge, created_at, proven_at
	FROM marketplace_recipients WHERE researcher = ? ORDER BY id DESC`

func listRecipients(tx *db.Tx, r coop.ResearcherID) ([]Recipient, error) {
	return collect(tx, "recipients", func(rows *sql.Rows) (Recipient, error) { return scanRecipient(rows) }, sqlListRecipients, r)
}

const sqlSetProven = `UPDATE marketplace_recipients SET proven_at = ?, challenge = '' WHERE id = ?`

func setProven(tx *db.Tx, id coop.RecipientID, at int64) error {
	return failed("prove recipient", tx.ExecOne(sqlSetProven, at, id))
}
