package web

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

// tokenPrefix marks a member's bearer token, so that a leaked one is
// recognised for what it is.
const tokenPrefix = "dcm_"

// token is what is kept of a bearer token: never the token itself.
type token struct {
	ID        string
	Label     string
	CreatedAt int64
	ExpiresAt int64
}

// tokenStore keeps members' bearer tokens. Their lifetime is machine time.
type tokenStore struct{ db *db.DB }

const sqlInsertToken = `INSERT INTO web_tokens (id, member, label, sha256, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)`

func (t *tokenStore) insert(ctx context.Context, m coop.MemberID, tok token, sum [32]byte) error {
	err := t.db.Update(ctx, func(tx *db.Tx) error {
		return tx.ExecOne(sqlInsertToken, tok.ID, m, tok.Label, sum[:], tok.CreatedAt, tok.ExpiresAt)
	})
	if err != nil {
		return fmt.Errorf("web: insert token: %w", err)
	}
	return nil
}

const sqlTokenMember = `SELECT member FROM web_tokens WHERE sha256 = ? AND expires_at > ?`

// member finds whose token this is; a fault if it is nobody's.
func (t *tokenStore) member(ctx context.Context, sum [32]byte) (id coop.MemberID, err error) {
	err = t.db.View(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(sqlTokenMember, sum[:], time.Now().UnixMilli()).Scan(&id)
	})
	if errors.Is(err, db.ErrNoRow) {
		return "", errToken
	}
	if err != nil {
		return "", fmt.Errorf("web: token: %w", err)
	}
	return id, nil
}

const sqlListTokens = `SELECT id, label, created_at, expires_at FROM web_tokens WHERE member = ? AND expires_at > ? ORDER BY id`

func (t *tokenStore) list(ctx context.Context, m coop.MemberID) (out []token, err error) {
	err = t.db.View(ctx, func(tx *db.Tx) error {
		out, err = db.Collect(tx, func(rows *sql.Rows) (tok token, err error) {
			err = rows.Scan(&tok.ID, &tok.Label, &tok.CreatedAt, &tok.ExpiresAt)
			return tok, err
		}, sqlListTokens, m, time.Now().UnixMilli())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("web: tokens: %w", err)
	}
	return out, nil
}

const sqlDropToken = `DELETE FROM web_tokens WHERE id = ? AND member = ?`

var errNoToken = fault.New(fault.NotFound, "not-found", "There is no such token of yours.")

func (t *tokenStore) drop(ctx context.Context, m coop.MemberID, id string) error {
	err := t.db.Update(ctx, func(tx *db.Tx) error { return tx.ExecOne(sqlDropToken, id, m) })
	if errors.Is(err, db.ErrNoRow) {
		return errNoToken
	}
	return err
}
