package inbox

import (
	"database/sql"
	"errors"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const (
	addressColumns = `SELECT id, member, address, cadence, muted, nonce, asked_at, confirmed_at, told, due_at, attempt, bounced FROM inbox_addresses`

	sqlSubscriptionOf   = addressColumns + ` WHERE member = ?`
	sqlSubscriptionByID = addressColumns + ` WHERE id = ?`
	sqlDue              = addressColumns + ` WHERE due_at > 0 AND due_at <= ? AND id > ? ORDER BY id LIMIT ?`
)

func scanSubscription(row interface{ Scan(...any) error }) (s subscription, err error) {
	var muted string
	err = row.Scan(&s.id, &s.member, &s.address, &s.cadence, &muted, &s.nonce, &s.askedAt, &s.confirmedAt, &s.told, &s.dueAt, &s.attempt, &s.bounced)
	s.muted = []Topic{}
	for t := range strings.SplitSeq(muted, ",") {
		if t != "" {
			s.muted = append(s.muted, Topic(t))
		}
	}
	return s, err
}

func subscriptionOf(tx *db.Tx, m coop.MemberID) (subscription, error) {
	return scanSubscription(tx.QueryRow(sqlSubscriptionOf, m))
}

func subscriptionByID(tx *db.Tx, id string) (subscription, error) {
	return scanSubscription(tx.QueryRow(sqlSubscriptionByID, id))
}

func dueSubscriptions(tx *db.Tx, now int64, after string, limit int) ([]subscription, error) {
	return db.Collect(tx, func(rows *sql.Rows) (subscription, error) { return scanSubscription(rows) }, sqlDue, now, after, limit)
}

const sqlInsertSubscription = `INSERT INTO inbox_addresses (id, member, address, cadence, muted, nonce, asked_at, told) VALUES (?, ?, ?, ?, '', '', 0, ?)`

func insertSubscription(tx *db.Tx, s subscription) error {
	return tx.ExecOne(sqlInsertSubscription, s.id, s.member, s.address, s.cadence, s.told)
}

const sqlUpdateSubscription = `UPDATE inbox_addresses SET cadence = ?, muted = ?, nonce = ?, asked_at = ?, confirmed_at = ?, told = ?, due_at = ?, attempt = ?, bounced = ?
	WHERE id = ?`

func updateSubscription(tx *db.Tx, s subscription) error {
	muted := make([]string, 0, len(s.muted))
	for _, t := range s.muted {
		muted = append(muted, string(t))
	}
	return tx.ExecOne(sqlUpdateSubscription, s.cadence, strings.Join(muted, ","), s.nonce, s.askedAt, s.confirmedAt, s.told, s.dueAt, s.attempt, s.bounced, s.id)
}

const sqlDeleteSubscription = `DELETE FROM inbox_addresses WHERE member = ?`

func deleteSubscription(tx *db.Tx, m coop.MemberID) error {
	_, err := tx.Exec(sqlDeleteSubscription, m)
	return err
}

const sqlNewest = `SELECT coalesce(max(id), '') FROM inbox_items`

// newestItem is where letters to a new address begin to count.
func newestItem(tx *db.Tx) (id string, err error) {
	err = tx.QueryRow(sqlNewest).Scan(&id)
	return id, err
}

const (
	sqlAsks    = `SELECT asked_at, asks FROM inbox_marks WHERE member = ?`
	sqlPutAsks = `INSERT INTO inbox_marks (member, asked_at, asks) VALUES (?, ?, ?)
	ON CONFLICT (member) DO UPDATE SET asked_at = excluded.asked_at, asks = excluded.asks`
)

// countAsk counts one more letter of confirmation, and answers how many there are
// since a time.
func countAsk(tx *db.Tx, m coop.MemberID, now, since int64) (n int, err error) {
	var at int64
	err = tx.QueryRow(sqlAsks, m).Scan(&at, &n)
	if err != nil && !errors.Is(err, db.ErrNoRow) {
		return 0, err
	}
	if at <= since {
		at, n = now, 0
	}
	n++
	_, err = tx.Exec(sqlPutAsks, m, at, n)
	return n, err
}
