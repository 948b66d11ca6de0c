package entry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// sessionStore keeps sessions by the hash of their token.
type sessionStore struct{ db *db.DB }

var _ scs.CtxStore = (*sessionStore)(nil)

// A session that was ended, or began before its member ended all of them, stays
// ended, even where an answer that was under way stores it once more.
const sqlFindSession = `SELECT data FROM web_sessions s WHERE token = ? AND expires_at > ? AND ended = 0
	AND NOT EXISTS (SELECT 1 FROM web_sessions_ended e WHERE e.member = s.member AND e.ended_at >= s.began_at)`

// FindCtx finds a session that has neither expired nor been ended.
func (s *sessionStore) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(sqlFindSession, token, time.Now().UnixMilli()).Scan(&data)
	})
	if errors.Is(err, db.ErrNoRow) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("entry: session: %w", err)
	}
	return data, true, nil
}

const sqlPutSession = `INSERT INTO web_sessions (token, data, expires_at, member, began_at) VALUES (?, ?, ?, ?, ?)
	ON CONFLICT (token) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at, member = excluded.member, began_at = excluded.began_at
	WHERE web_sessions.ended = 0`

const sqlPruneSessions = `DELETE FROM web_sessions WHERE expires_at < ?`

// CommitCtx stores a session and forgets those that have expired. Whose it is
// and when it began stand beside the data, so that all of a member's can be
// ended.
func (s *sessionStore) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	deadline, values, err := scs.GobCodec{}.Decode(data)
	if err != nil {
		return fmt.Errorf("entry: session: %w", err)
	}
	member, _ := values[Member].(string)
	err = s.db.Update(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(sqlPruneSessions, time.Now().UnixMilli()); err != nil {
			return err
		}
		_, err := tx.Exec(sqlPutSession, token, data, expiry.UnixMilli(), member, deadline.Add(-lifetime).UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("entry: session: %w", err)
	}
	return nil
}

const sqlDropSession = `UPDATE web_sessions SET ended = 1, data = ?, member = '', expires_at = ? WHERE token = ?`

// DeleteCtx ends a session. That it has ended is kept for as long as any session
// lasts; nothing else of it is.
func (s *sessionStore) DeleteCtx(ctx context.Context, token string) error {
	return s.db.Update(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(sqlDropSession, []byte{}, time.Now().Add(lifetime).UnixMilli(), token)
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

const sqlCountSessions = `SELECT COUNT(*) FROM web_sessions s WHERE member = ? AND expires_at > ? AND ended = 0
	AND NOT EXISTS (SELECT 1 FROM web_sessions_ended e WHERE e.member = s.member AND e.ended_at >= s.began_at)`

// Sessions counts the sessions that a member has now.
func Sessions(ctx context.Context, d *db.DB, m coop.MemberID) (n int, err error) {
	err = d.View(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(sqlCountSessions, m, time.Now().UnixMilli()).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("entry: sessions: %w", err)
	}
	return n, nil
}

const (
	sqlEndSessions = `DELETE FROM web_sessions WHERE member = ?`
	sqlRememberEnd = `INSERT INTO web_sessions_ended (member, ended_at) VALUES (?, ?) ON CONFLICT (member) DO UPDATE SET ended_at = excluded.ended_at`
	sqlPruneEnds   = `DELETE FROM web_sessions_ended WHERE ended_at < ?`
)

// EndSessions ends all sessions of a member, in every browser, for good.
func EndSessions(ctx context.Context, d *db.DB, m coop.MemberID) error {
	err := d.Update(ctx, func(tx *db.Tx) error { return EndSessionsTx(tx, m) })
	if err != nil {
		return fmt.Errorf("entry: end sessions: %w", err)
	}
	return nil
}

// EndSessionsTx is EndSessions in the caller's transaction.
func EndSessionsTx(tx *db.Tx, m coop.MemberID) error {
	now := time.Now()
	if _, err := tx.Exec(sqlEndSessions, m); err != nil {
		return err
	}
	if _, err := tx.Exec(sqlPruneEnds, now.Add(-lifetime).UnixMilli()); err != nil {
		return err
	}
	return tx.ExecOne(sqlRememberEnd, m, now.UnixMilli())
}
