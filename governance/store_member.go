package governance

import (
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

type scanner interface{ Scan(dest ...any) error }

const selectMember = `
SELECT id, issuer, subject, name, recipient, signing_key, joined_at, closed_at, leaf
FROM governance_members`

const (
	selectMemberByID       = selectMember + ` WHERE id = ?`
	selectMemberByIdentity = selectMember + ` WHERE issuer = ? AND subject = ? AND closed_at = 0`
)

var openMembers = queries{
	older: selectMember + ` WHERE closed_at = 0 AND id < ? ORDER BY id DESC LIMIT ?`,
	newer: selectMember + ` WHERE closed_at = 0 AND id > ? ORDER BY id LIMIT ?`,
}

func scanMember[R scanner](row R) (m Member, err error) {
	err = row.Scan(&m.ID, &m.Issuer, &m.Subject, &m.Name, &m.Recipient, &m.SigningKey,
		&m.JoinedAt, &m.ClosedAt, &m.leaf)
	return m, err
}

func memberByID(tx *db.Tx, id coop.MemberID) (Member, error) {
	return scanMember(tx.QueryRow(selectMemberByID, id))
}

func memberByIdentity(tx *db.Tx, issuer, subject string) (Member, error) {
	return scanMember(tx.QueryRow(selectMemberByIdentity, issuer, subject))
}

const insertMemberSQL = `
INSERT INTO governance_members
    (id, issuer, subject, name, recipient, signing_key, joined_at, closed_at, leaf)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`

func insertMember(tx *db.Tx, m Member) error {
	return tx.ExecOne(insertMemberSQL, m.ID, m.Issuer, m.Subject, m.Name, m.Recipient,
		m.SigningKey, m.JoinedAt, m.ClosedAt, m.leaf)
}

const renameMemberSQL = `UPDATE governance_members SET name = ? WHERE id = ?`

func renameMember(tx *db.Tx, m Member) error { return tx.ExecOne(renameMemberSQL, m.Name, m.ID) }

const setRecipientSQL = `UPDATE governance_members SET recipient = ? WHERE id = ? AND recipient IN (?, ?)`

func setRecipient(tx *db.Tx, id coop.MemberID, seen, recipient string) error {
	return tx.ExecOne(setRecipientSQL, recipient, id, seen, recipient)
}

const setSigningKeySQL = `UPDATE governance_members SET signing_key = ? WHERE id = ? AND signing_key IN (?, ?)`

func setSigningKey(tx *db.Tx, id coop.MemberID, seen, key []byte) error {
	return tx.ExecOne(setSigningKeySQL, key, id, append([]byte{}, seen...), key)
}

const closeMemberSQL = `
UPDATE governance_members
SET issuer = '', subject = '', name = '', recipient = '', signing_key = ?, closed_at = ?
WHERE id = ? AND closed_at = 0`

func closeMember(tx *db.Tx, id coop.MemberID, at int64) error {
	return tx.ExecOne(closeMemberSQL, []byte{}, at, id)
}

const insertInvitationSQL = `
INSERT INTO governance_invitations (code_sha256, inviter, expires_at, used_at)
VALUES (?, ?, ?, 0)`

func insertInvitation(tx *db.Tx, digest string, by coop.MemberID, expires int64) error {
	return tx.ExecOne(insertInvitationSQL, digest, by, expires)
}

const selectInvitation = `
SELECT expires_at, used_at FROM governance_invitations WHERE code_sha256 = ?`

func invitation(tx *db.Tx, digest string) (expires, used int64, err error) {
	err = tx.QueryRow(selectInvitation, digest).Scan(&expires, &used)
	return expires, used, err
}

const useInvitationSQL = `
UPDATE governance_invitations SET used_at = ? WHERE code_sha256 = ? AND used_at = 0`

func useInvitation(tx *db.Tx, digest string, at int64) error {
	return tx.ExecOne(useInvitationSQL, at, digest)
}
