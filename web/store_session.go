package web

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"

	"distributed.ai/datacoop/internal/db"
)

// sessionStore keeps sessions in the co-op's database, by the hash of their
// token.
type sessionStore struct{ db *db.DB }

var _ scs.CtxStore = (*sessionStore)(nil)

const sqlFindSession = `SELECT data FROM web_sessions WHERE token = ? AND expires_at > ?`

// FindCtx finds a session that has not expired.
func (s *sessionStore) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(sqlFindSession, token, time.Now().UnixMilli()).Scan(&data)
	})
	if errors.Is(err, db.ErrNoRow) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("web: session: %w", err)
	}
	return data, true, nil
}

const sqlPutSession = `INSERT INTO web_sessions (token, data, expires_at) VALUES (?, ?, ?)
	ON CONFLICT (token) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at`

const sqlPruneSessions = `DELETE FROM web_sessions WHERE expires_at < ?`

// CommitCtx stores a session and forgets those that have expired.
func (s *sessionStore) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	err := s.db.Update(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(sqlPruneSessions, time.Now().UnixMilli()); err != nil {
			return err
		}
		_, err := tx.Exec(sqlPutSession, token, data, expiry.UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("web: session: %w", err)
	}
	return nil
}

const sqlDropSession = `DELETE FROM web_sessions WHERE token = ?`

// DeleteCtx ends a session.
func (s *sessionStore) DeleteCtx(ctx context.Context, token string) error {
	return s.db.Update(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(sqlDropSession, token)
		return err
	})
}

// Find, Commit and Delete serve callers without a context.
func (s *sessionStore) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit stores a session.
func (s *sessionStore) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

// Delete ends a session.
func (s *sessionStore) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
