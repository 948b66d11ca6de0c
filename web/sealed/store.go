package sealed

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

//go:embed schema/*.sql
var schema embed.FS

// Migrate brings the table up to date.
func Migrate(ctx context.Context, d *db.DB) error { return d.Migrate(ctx, "sealed", schema) }

// Faults of what is kept.
var (
	ErrNone  = fault.New(fault.NotFound, "no-sealed-identity", "You have not stored a sealed key here.")
	ErrStale = fault.New(fault.Conflict, "sealed-identity-changed", "Your sealed key was changed in the meantime, perhaps in another tab. Nothing was saved; load it again first.")
)

const sqlRead = `SELECT revision, document FROM sealed_identities WHERE member = ?`

// read answers a member's document and its revision, or [ErrNone].
func (a API) read(ctx context.Context, m coop.MemberID) (doc Document, revision int64, err error) {
	var text []byte
	err = a.DB.View(ctx, func(tx *db.Tx) error { return tx.QueryRow(sqlRead, m).Scan(&revision, &text) })
	if errors.Is(err, db.ErrNoRow) {
		return doc, 0, ErrNone
	}
	if err == nil {
		err = json.Unmarshal(text, &doc)
	}
	if err != nil {
		return doc, 0, fmt.Errorf("sealed: read: %w", err)
	}
	return doc, revision, nil
}

const (
	sqlKept   = `SELECT revision, recipient FROM sealed_identities WHERE member = ?`
	sqlInsert = `INSERT INTO sealed_identities (member, revision, recipient, document, updated_at) VALUES (?, 1, ?, ?, ?) ON CONFLICT DO NOTHING`
	sqlUpdate = `UPDATE sealed_identities SET revision = revision + 1, recipient = ?, document = ?, updated_at = ? WHERE member = ? AND revision = ?`
)

// write replaces the revision that the caller has seen, 0 for none, and answers
// the new one. A document is for the key that the account has, or for the one
// that was sealed before: [ErrOthers]. Another revision is there: [ErrStale].
// The member is told if a lock is lost.
func (a API) write(ctx context.Context, m coop.MemberID, doc Document, seen int64, registered string, loses bool) (int64, error) {
	text, err := json.Marshal(doc)
	if err != nil {
		return 0, fmt.Errorf("sealed: write: %w", err)
	}
	now := time.Now().UnixMilli()
	err = a.DB.Update(ctx, func(tx *db.Tx) error {
		var revision int64
		var before string
		err := tx.QueryRow(sqlKept, m).Scan(&revision, &before)
		switch {
		case err != nil && !errors.Is(err, db.ErrNoRow):
			return err
		case revision != seen:
			return ErrStale
		case registered != "" && doc.Recipient != registered && doc.Recipient != before:
			return ErrOthers
		case revision == 0:
			return tx.ExecOne(sqlInsert, m, doc.Recipient, text, now)
		}
		if err := tx.ExecOne(sqlUpdate, doc.Recipient, text, now, m, seen); err != nil || !loses {
			return err
		}
		return a.Tell(tx, coop.Notice{Kind: coop.NoticeLock, Occasion: coop.NewID(), To: []coop.Addressee{{Member: m}}})
	})
	if errors.Is(err, db.ErrNoRow) { // somebody else wrote between the two
		return 0, ErrStale
	}
	if err != nil {
		return 0, fmt.Errorf("sealed: write: %w", err)
	}
	return seen + 1, nil
}

const sqlForget = `DELETE FROM sealed_identities WHERE member = ?`

// Forget removes what a member has stored, in the caller's transaction, as when
// their account is closed.
func Forget(tx *db.Tx, m coop.MemberID) error {
	_, err := tx.Exec(sqlForget, m)
	return err
}
