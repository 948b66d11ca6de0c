package signin

import (
	"errors"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const sqlLinkedMember = `SELECT member FROM signin_identities WHERE issuer = ? AND subject = ?`

// linkedMember finds who has linked an identity, or db.ErrNoRow.
func linkedMember(tx *db.Tx, issuer, subject string) (m coop.MemberID, err error) {
	err = tx.QueryRow(sqlLinkedMember, issuer, subject).Scan(&m)
	return m, err
}

const sqlLinkedBy = `SELECT issuer, subject, linked_at FROM signin_identities WHERE member = ? ORDER BY linked_at, issuer`

func linkedBy(tx *db.Tx, m coop.MemberID) ([]Identity, error) {
	return db.Collect(tx, func(rows *db.Rows) (i Identity, err error) {
		err = rows.Scan(&i.Issuer, &i.Subject, &i.LinkedAt)
		return i, err
	}, sqlLinkedBy, m)
}

const sqlInsertIdentity = `INSERT INTO signin_identities (issuer, subject, member, linked_at) VALUES (?, ?, ?, ?)`

func insertIdentity(tx *db.Tx, m coop.MemberID, i Identity) error {
	err := tx.ExecOne(sqlInsertIdentity, i.Issuer, i.Subject, m, i.LinkedAt)
	if db.IsUnique(err) {
		return ErrLinked
	}
	return err
}

const sqlDeleteIdentity = `DELETE FROM signin_identities WHERE member = ? AND issuer = ?`

func deleteIdentity(tx *db.Tx, m coop.MemberID, issuer string) error {
	err := tx.ExecOne(sqlDeleteIdentity, m, issuer)
	if errors.Is(err, db.ErrNoRow) {
		return ErrNoWay
	}
	return err
}

const sqlForgetIdentities = `DELETE FROM signin_identities WHERE member = ?`

// Forget removes what a member has linked, in the caller's transaction.
func Forget(tx *db.Tx, m coop.MemberID) error {
	_, err := tx.Exec(sqlForgetIdentities, m)
	return err
}
