package entry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

// prefix marks a member's bearer token, so that a leaked one is recognised for
// what it is.
const prefix = "dcm_"

// IsToken reports whether text looks like a member's bearer token.
func IsToken(text string) bool { return strings.HasPrefix(text, prefix) }

// What a token may do.
const (
	Act      = "act"      // everything its member can
	Everyday = "everyday" // everything but what its member confirms with a passkey
)

// Token is what is kept of a bearer token: never the token itself.
type Token struct {
	ID        string
	Label     string
	Scope     string // Act or Everyday
	CreatedAt int64  // Unix ms
	ExpiresAt int64  // Unix ms
}

// Tokens keeps members' bearer tokens.
type Tokens struct{ db *db.DB }

// NewTokens keeps tokens in d, whose tables the hall has made.
func NewTokens(d *db.DB) *Tokens { return &Tokens{d} }

// Make makes a token that is good for some time. The secret is answered here
// and nowhere else.
func (t *Tokens) Make(ctx context.Context, m coop.MemberID, label, scope string, good time.Duration) (tok Token, secret string, err error) {
	secret = prefix + rand.Text() + rand.Text()
	now := time.Now().UTC().Truncate(time.Millisecond)
	tok = Token{coop.NewID(), label, scope, now.UnixMilli(), now.Add(good).UnixMilli()}
	return tok, secret, t.insert(ctx, m, tok, sha256.Sum256([]byte(secret)))
}

const sqlInsertToken = `INSERT INTO web_tokens (id, member, label, scope, sha256, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`

func (t *Tokens) insert(ctx context.Context, m coop.MemberID, tok Token, sum [32]byte) error {
	err := t.db.Update(ctx, func(tx *db.Tx) error {
		return tx.ExecOne(sqlInsertToken, tok.ID, m, tok.Label, tok.Scope, sum[:], tok.CreatedAt, tok.ExpiresAt)
	})
	if err != nil {
		return fmt.Errorf("entry: insert token: %w", err)
	}
	return nil
}

const sqlTokenMember = `SELECT member, scope FROM web_tokens WHERE sha256 = ? AND expires_at > ?`

// ErrToken is answered for a token that is nobody's.
var ErrToken = fault.New(fault.Unauthenticated, "token-invalid", "This token is unknown, expired or revoked.")

// Member finds whose token this is and what it may do, or [ErrToken].
func (t *Tokens) Member(ctx context.Context, secret string) (id coop.MemberID, scope string, err error) {
	sum := sha256.Sum256([]byte(secret))
	err = t.db.View(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(sqlTokenMember, sum[:], time.Now().UnixMilli()).Scan(&id, &scope)
	})
	if errors.Is(err, db.ErrNoRow) {
		return "", "", ErrToken
	}
	if err != nil {
		return "", "", fmt.Errorf("entry: token: %w", err)
	}
	return id, scope, nil
}

const sqlListTokens = `SELECT id, label, scope, created_at, expires_at FROM web_tokens WHERE member = ? AND expires_at > ? ORDER BY id`

// List returns a member's tokens that have not expired, oldest first.
func (t *Tokens) List(ctx context.Context, m coop.MemberID) (out []Token, err error) {
	err = t.db.View(ctx, func(tx *db.Tx) error {
		out, err = db.Collect(tx, func(rows *sql.Rows) (tok Token, err error) {
			err = rows.Scan(&tok.ID, &tok.Label, &tok.Scope, &tok.CreatedAt, &tok.ExpiresAt)
			return tok, err
		}, sqlListTokens, m, time.Now().UnixMilli())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("entry: tokens: %w", err)
	}
	return out, nil
}

const sqlDropToken = `DELETE FROM web_tokens WHERE id = ? AND member = ?`

// ErrNoToken is answered for a token that is not the member's.
var ErrNoToken = fault.New(fault.NotFound, "not-found", "There is no such token of yours.")

// Drop revokes a token: [ErrNoToken] where the member has none of that id.
func (t *Tokens) Drop(ctx context.Context, m coop.MemberID, id string) error {
	err := t.db.Update(ctx, func(tx *db.Tx) error { return tx.ExecOne(sqlDropToken, id, m) })
	if errors.Is(err, db.ErrNoRow) {
		return ErrNoToken
	}
	return err
}

const sqlDropTokens = `DELETE FROM web_tokens WHERE member = ?`

// DropAll revokes all tokens of a member.
func (t *Tokens) DropAll(ctx context.Context, m coop.MemberID) error {
	err := t.db.Update(ctx, func(tx *db.Tx) error { return DropTokensTx(tx, m) })
	if err != nil {
		return fmt.Errorf("entry: drop tokens: %w", err)
	}
	return nil
}

// DropTokensTx revokes all tokens of a member in the caller's transaction.
func DropTokensTx(tx *db.Tx, m coop.MemberID) error {
	_, err := tx.Exec(sqlDropTokens, m)
	return err
}
