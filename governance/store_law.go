package governance

import (
	"database/sql"
	"errors"
	"math"

	"distributed.ai/datacoop/internal/db"
)

const (
	selectEnactments = `SELECT seq, revision, source_sha256, proposal, enacted_at FROM governance_enactments`

	selectLastEnactment  = selectEnactments + ` ORDER BY seq DESC LIMIT 1`
	selectEnactmentsPage = selectEnactments + ` WHERE seq < ? ORDER BY seq DESC LIMIT ?`
	selectEveryEnactment = selectEnactments + ` ORDER BY seq`
)

func scanEnactment[R scanner](row R) (e Enactment, err error) {
	err = row.Scan(&e.Seq, &e.Revision, &e.SourceSHA256, &e.Proposal, &e.EnactedAt)
	return e, err
}

func lastEnactment(tx *db.Tx) (Enactment, error) {
	return scanEnactment(tx.QueryRow(selectLastEnactment))
}

// lawDigest is the digest of the source in force, empty where none is stored.
func lawDigest(tx *db.Tx) (string, error) {
	last, err := lastEnactment(tx)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return last.SourceSHA256, err
}

func enactments(tx *db.Tx, before int64, limit int) ([]Enactment, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	return db.Collect(tx, scanEnactment[*sql.Rows], selectEnactmentsPage, before, limit)
}

func everyEnactment(tx *db.Tx) ([]Enactment, error) {
	return db.Collect(tx, scanEnactment[*sql.Rows], selectEveryEnactment)
}

const insertEnactmentSQL = `
INSERT INTO governance_enactments (seq, revision, source_sha256, proposal, enacted_at)
VALUES (?, ?, ?, ?, ?)`

func insertEnactment(tx *db.Tx, e Enactment) error {
	return tx.ExecOne(insertEnactmentSQL, e.Seq, e.Revision, e.SourceSHA256, e.Proposal, e.EnactedAt)
}

const keepLawSQL = `
INSERT INTO governance_laws (revision, source, archive) VALUES (?, ?, ?)
ON CONFLICT (revision) DO NOTHING`

func keepLaw(tx *db.Tx, revision string, source, archive []byte) error {
	_, err := tx.Exec(keepLawSQL, revision, source, archive)
	return err
}

const selectLaw = `SELECT source, archive FROM governance_laws WHERE revision = ?`

func lawText(tx *db.Tx, revision string) (source, archive []byte, err error) {
	err = tx.QueryRow(selectLaw, revision).Scan(&source, &archive)
	return source, archive, err
}
