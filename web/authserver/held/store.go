// Package held is what the issuer keeps of one person with an account of its
// own, to be shown to them.
//
// It is also where all of it is forgotten, when an account is closed.
//
// Keys and codes are never shown, because only digests and public keys are
// kept. What a sign-in left behind ends by itself within minutes and is not
// counted here.
package held

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/db"
)

// Account is one person's account.
type Account struct {
	Name      string    `json:"name"`
	CreatedAt int64     `json:"created_at"` // Unix ms
	Passkeys  []Passkey `json:"passkeys"`
}

// Passkey is one of an account's passkeys.
type Passkey struct {
	CreatedAt int64 `json:"created_at"` // Unix ms
	Uses      int64 `json:"uses"`       // 0 where its authenticator does not count
}

const (
	sqlAccount  = `SELECT name, created_at FROM authserver_accounts WHERE subject = ?`
	sqlPasskeys = `SELECT created_at, sign_count FROM authserver_credentials WHERE subject = ? ORDER BY created_at, id`
)

// Of finds the account of a subject; found is false for who signs in elsewhere.
func Of(ctx context.Context, d *db.DB, subject string) (a Account, found bool, err error) {
	err = d.View(ctx, func(tx *db.Tx) error {
		if err := tx.QueryRow(sqlAccount, subject).Scan(&a.Name, &a.CreatedAt); err != nil {
			return err
		}
		a.Passkeys, err = db.Collect(tx, func(rows *db.Rows) (k Passkey, err error) {
			err = rows.Scan(&k.CreatedAt, &k.Uses)
			return k, err
		}, sqlPasskeys, subject)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Account{}, false, nil
	}
	if err != nil {
		return Account{}, false, fmt.Errorf("held: account: %w", err)
	}
	return a, true, nil
}

const (
	dropTickets     = `DELETE FROM authserver_tickets WHERE subject = ?`
	dropOpened      = `DELETE FROM authserver_sessions WHERE subject = ?`
	dropPasskeys    = `DELETE FROM authserver_credentials WHERE subject = ?`
	dropInvitations = `DELETE FROM authserver_invitations WHERE subject = ?`
	dropAccount     = `DELETE FROM authserver_accounts WHERE subject = ?`
)

// Forget removes a subject's account, passkeys and recovery code, the
// invitations kept for them, and the codes and tokens they were given, in the
// caller's transaction. It does not mind where there is nothing.
func Forget(tx *db.Tx, subject string) error {
	for _, query := range []string{dropTickets, dropOpened, dropPasskeys, dropInvitations, dropAccount} {
		if _, err := tx.Exec(query, subject); err != nil {
			return fmt.Errorf("held: forget: %w", err)
		}
	}
	return nil
}
