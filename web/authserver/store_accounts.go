package authserver

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/web/authserver/passkey"
)

const (
	selectHolder          = `SELECT subject, handle, name, recovery_sha256 FROM authserver_accounts`
	selectHolderByHandle  = selectHolder + ` WHERE handle = ?`
	selectHolderBySubject = selectHolder + ` WHERE subject = ?`
	selectHolderByCode    = selectHolder + ` WHERE recovery_sha256 = ?`
	selectKeys            = `
SELECT id, public_key, flags, sign_count FROM authserver_credentials WHERE subject = ? ORDER BY created_at, id`
)

// loadHolder finds an account by one of the queries above, with its passkeys,
// or answers db.ErrNoRow.
func loadHolder(tx *db.Tx, query string, by any) (*holder, error) {
	h := new(holder)
	err := tx.QueryRow(query, by).Scan(&h.subject, &h.Handle, &h.Name, &h.recovery)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, db.ErrNoRow
	}
	if err != nil {
		return nil, fmt.Errorf("load account: %w", err)
	}
	h.Keys, err = db.Collect(tx, scanKey, selectKeys, h.subject)
	if err != nil {
		return nil, fmt.Errorf("load passkeys: %w", err)
	}
	return h, nil
}

func scanKey(rows *db.Rows) (k passkey.Key, err error) {
	err = rows.Scan(&k.ID, &k.Public, &k.Flags, &k.Count)
	return k, err
}

const insertHolderSQL = `
INSERT INTO authserver_accounts (subject, handle, name, recovery_sha256, created_at) VALUES (?, ?, ?, ?, ?)`

func insertHolder(tx *db.Tx, h *holder) error {
	err := tx.ExecOne(insertHolderSQL, h.subject, h.Handle, h.Name, h.recovery, time.Now().UnixMilli())
	if db.IsUnique(err) {
		return errSubjectTaken
	}
	if err != nil {
		return fmt.Errorf("insert account: %w", err)
	}
	return nil
}

const insertKeySQL = `
INSERT INTO authserver_credentials (id, subject, public_key, flags, sign_count, created_at) VALUES (?, ?, ?, ?, ?, ?)`

func insertKey(tx *db.Tx, subject string, k passkey.Key) error {
	err := tx.ExecOne(insertKeySQL, k.ID, subject, k.Public, int64(k.Flags), int64(k.Count), time.Now().UnixMilli())
	if db.IsUnique(err) {
		return errPasskeyTaken
	}
	if err != nil {
		return fmt.Errorf("insert passkey: %w", err)
	}
	return nil
}

// A counter that stays at 0 is an authenticator that does not count.
const countUse = `
UPDATE authserver_credentials SET sign_count = ?, flags = ?
WHERE id = ? AND subject = ? AND (sign_count < ? OR sign_count = 0 AND ? = 0)`

// useKey notes that a passkey signed. It answers ErrCopied when the counter did
// not move on meanwhile, or the passkey is gone by now.
func useKey(tx *db.Tx, subject string, k passkey.Key) error {
	count := int64(k.Count)
	err := tx.ExecOne(countUse, count, int64(k.Flags), k.ID, subject, count, count)
	if errors.Is(err, db.ErrNoRow) {
		return passkey.ErrCopied
	}
	if err != nil {
		return fmt.Errorf("use passkey: %w", err)
	}
	return nil
}

const (
	deleteKeys      = `DELETE FROM authserver_credentials WHERE subject = ?`
	deleteTicketsOf = `DELETE FROM authserver_tickets WHERE subject = ?`
	deleteOpenedBy  = `DELETE FROM authserver_sessions WHERE subject = ?`
)

// dropKeys removes every passkey of an account, and what they opened: codes that
// nobody has come with yet as well.
func dropKeys(tx *db.Tx, subject string) error {
	for _, query := range []string{deleteTicketsOf, deleteOpenedBy, deleteKeys} {
		if _, err := tx.Exec(query, subject); err != nil {
			return fmt.Errorf("drop passkeys: %w", err)
		}
	}
	return nil
}

const replaceRecovery = `
UPDATE authserver_accounts SET recovery_sha256 = ? WHERE subject = ? AND recovery_sha256 = ?`

// changeRecovery replaces the digest of a recovery code, unless it is not the
// one of now any more: errRecovery.
func changeRecovery(tx *db.Tx, subject string, from, to []byte) error {
	err := tx.ExecOne(replaceRecovery, to, subject, from)
	if errors.Is(err, db.ErrNoRow) {
		return errRecovery
	}
	if err != nil {
		return fmt.Errorf("replace recovery code: %w", err)
	}
	return nil
}

const (
	deleteUnused = `DELETE FROM authserver_invitations WHERE subject = ? AND used_at = 0`
	insertCode   = `INSERT INTO authserver_invitations (code_sha256, subject, expires_at, used_at) VALUES (?, ?, ?, 0)`
)

// reserve keeps a subject for who comes with a code; an older code for it is
// no longer good.
func reserve(tx *db.Tx, subject string, digest []byte, expires time.Time) error {
	if _, err := tx.Exec(deleteUnused, subject); err != nil {
		return fmt.Errorf("replace invitation: %w", err)
	}
	if err := tx.ExecOne(insertCode, digest, subject, expires.UnixMilli()); err != nil {
		return fmt.Errorf("insert invitation: %w", err)
	}
	return nil
}

const selectCode = `SELECT subject, expires_at, used_at FROM authserver_invitations WHERE code_sha256 = ?`

// reserved tells whom a code is for; "" if it is none of ours. It refuses one
// that was used or has expired.
func reserved(tx *db.Tx, digest []byte) (subject string, err error) {
	var expires, used int64
	err = tx.QueryRow(selectCode, digest).Scan(&subject, &expires, &used)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("find invitation: %w", err)
	case used != 0:
		return "", errInvitationUsed
	case expires <= time.Now().UnixMilli():
		return "", errInvitationExpired
	}
	return subject, nil
}

const useCodeSQL = `UPDATE authserver_invitations SET used_at = ? WHERE code_sha256 = ? AND used_at = 0`

func useReserved(tx *db.Tx, digest []byte) error {
	if err := tx.ExecOne(useCodeSQL, time.Now().UnixMilli(), digest); err != nil {
		return fmt.Errorf("use invitation: %w", err)
	}
	return nil
}

const (
	insertChallenge  = `INSERT INTO authserver_challenges (challenge, expires_at) VALUES (?, ?)`
	deleteChallenges = `DELETE FROM authserver_challenges WHERE expires_at < ?`
)

// spend makes sure that a challenge is answered once: errReplayed. It forgets
// those that are too old to be answered again.
func spend(tx *db.Tx, f form) error {
	if _, err := tx.Exec(deleteChallenges, time.Now().UnixMilli()); err != nil {
		return fmt.Errorf("prune challenges: %w", err)
	}
	err := tx.ExecOne(insertChallenge, f.Session.Challenge, f.Expires*1000)
	if db.IsUnique(err) {
		return errReplayed
	}
	if err != nil {
		return fmt.Errorf("spend challenge: %w", err)
	}
	return nil
}

const (
	upsertTicket = `
INSERT INTO authserver_tickets (browser, subject, expires_at) VALUES (?, ?, ?)
ON CONFLICT (browser) DO UPDATE SET subject = excluded.subject, expires_at = excluded.expires_at`
	selectTicket  = `SELECT subject FROM authserver_tickets WHERE browser = ? AND expires_at > ?`
	deleteTicket  = `DELETE FROM authserver_tickets WHERE browser = ?`
	deleteTickets = `DELETE FROM authserver_tickets WHERE expires_at < ?`
)

func putTicket(tx *db.Tx, browser, subject string) error {
	err := tx.ExecOne(upsertTicket, browser, subject, time.Now().Add(ticketLifetime).UnixMilli())
	if err != nil {
		return fmt.Errorf("put ticket: %w", err)
	}
	return nil
}

// ticket tells whose ticket a browser holds; "" if none.
func ticket(tx *db.Tx, browser string) (subject string, err error) {
	err = tx.QueryRow(selectTicket, browser, time.Now().UnixMilli()).Scan(&subject)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find ticket: %w", err)
	}
	return subject, nil
}

func dropTicket(tx *db.Tx, browser string) error {
	if _, err := tx.Exec(deleteTicket, browser); err != nil {
		return fmt.Errorf("drop ticket: %w", err)
	}
	return nil
}
