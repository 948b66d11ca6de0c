package review

import (
	"database/sql"
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const sqlInsert = `INSERT INTO review_requests (request, steward, member, until, said_at) VALUES (?, ?, '', ?, 0)`

func insert(tx *db.Tx, w Wait) error {
	return tx.ExecOne(sqlInsert, w.Request, w.Steward, w.Until)
}

const (
	sqlColumns = `SELECT request, steward, until, reason FROM review_requests`
	sqlByID    = sqlColumns + ` WHERE request = ?`
	sqlAsked   = sqlColumns + ` WHERE steward = 'asked' ORDER BY until, request`
)

func scan(row interface{ Scan(...any) error }) (w Wait, err error) {
	err = row.Scan(&w.Request, &w.Steward, &w.Until, &w.Reason)
	return w, err
}

func byID(tx *db.Tx, id coop.RequestID) (Wait, error) {
	w, err := scan(tx.QueryRow(sqlByID, id))
	switch {
	case errors.Is(err, db.ErrNoRow):
		return Wait{}, ErrNotAsked
	case err != nil:
		return Wait{}, fmt.Errorf("review: reading: %w", err)
	}
	return w, nil
}

func asked(tx *db.Tx) ([]Wait, error) {
	return db.Collect(tx, func(r *sql.Rows) (Wait, error) { return scan(r) }, sqlAsked)
}

const sqlSay = `UPDATE review_requests SET steward = ?, member = ?, reason = ?, said_at = ? WHERE request = ? AND steward = 'asked'`

func say(tx *db.Tx, id coop.RequestID, by coop.MemberID, verdict, reason string, at int64) error {
	err := tx.ExecOne(sqlSay, verdict, by, reason, at, id)
	if errors.Is(err, db.ErrNoRow) {
		return ErrNotAsked
	}
	return err
}
