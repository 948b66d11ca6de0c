package outlook

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/desk"
)

//go:embed schema/*.sql
var schema embed.FS

// Migrate makes the tables.
func Migrate(ctx context.Context, d *db.DB) error { return d.Migrate(ctx, "outlook", schema) }

const (
	sqlForget = `DELETE FROM outlook_spreads WHERE period = ?`
	sqlPut    = `INSERT INTO outlook_spreads (pool, period, span, periods, members, quarter1, quarter2, quarter3) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	sqlNewest = `SELECT pool, period, span, periods, members, quarter1, quarter2, quarter3 FROM outlook_spreads WHERE period =
		(SELECT id FROM marketplace_periods WHERE settled_at > 0 ORDER BY id DESC LIMIT 1)`
)

// Put replaces what is known of a period.
func Put(tx *db.Tx, id coop.PeriodID, all []Spread) error {
	if _, err := tx.Exec(sqlForget, id); err != nil {
		return desk.Failed("forget spreads", err)
	}
	for _, s := range all {
		if err := tx.ExecOne(sqlPut, s.Pool, id, s.Span, s.Periods, s.Members, s.Quarter1, s.Quarter2, s.Quarter3); err != nil {
			return desk.Failed("put spread", err)
		}
	}
	return nil
}

// newest lists what is known of the newest settled period.
func newest(tx *db.Tx) ([]Spread, error) {
	return desk.Collect(tx, "spreads", func(rows *sql.Rows) (s Spread, err error) {
		err = rows.Scan(&s.Pool, &s.Period, &s.Span, &s.Periods, &s.Members, &s.Quarter1, &s.Quarter2, &s.Quarter3)
		return s, err
	}, sqlNewest)
}

const (
	sqlExplained = `SELECT member, share FROM marketplace_shares WHERE period = ?`
	sqlSettled   = `SELECT id FROM marketplace_periods WHERE settled_at > 0 AND closed_at > ? AND id <> ? ORDER BY id`
)

// settled lists the settled periods that closed after a moment, but not one.
func settled(tx *db.Tx, after int64, but coop.PeriodID) ([]coop.PeriodID, error) {
	return desk.Collect(tx, "settled periods", func(rows *sql.Rows) (id coop.PeriodID, err error) {
		err = rows.Scan(&id)
		return id, err
	}, sqlSettled, after, but)
}

// explained calls fn with what each member got in a period, line by line.
func explained(tx *db.Tx, id coop.PeriodID, fn func(coop.MemberID, []appraisal.Line) error) error {
	_, err := desk.Collect(tx, "explained shares", func(rows *sql.Rows) (none struct{}, err error) {
		var m coop.MemberID
		var text []byte
		var share appraisal.MemberShare
		if err := rows.Scan(&m, &text); err != nil {
			return none, err
		}
		if err := json.Unmarshal(text, &share); err != nil {
			return none, err
		}
		return none, fn(m, share.Lines)
	}, sqlExplained, id)
	return err
}
