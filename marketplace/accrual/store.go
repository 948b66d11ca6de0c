package accrual

import (
	"database/sql"
	"errors"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
)

const sqlRunning = `SELECT id FROM marketplace_periods WHERE state = 'open'`

func running(tx *db.Tx) (id coop.PeriodID, err error) {
	err = tx.QueryRow(sqlRunning).Scan(&id)
	return id, desk.Found(err, "running period")
}

const (
	sqlPartOf = `SELECT weight FROM accrual_parts WHERE member = ? AND period = ? AND request = ?`
	sqlPut    = `INSERT INTO accrual_parts (member, period, request, weight) VALUES (?, ?, ?, ?)
		ON CONFLICT (member, period, request) DO UPDATE SET weight = excluded.weight`
	sqlAdd = `INSERT INTO accrual_streams (period, request, money, weight) VALUES (?, ?, ?, ?)
		ON CONFLICT (period, request) DO UPDATE SET money = accrual_streams.money + excluded.money,
		weight = accrual_streams.weight + excluded.weight`
)

// partOf is a member's weight in a request so far, 0 before any.
func partOf(tx *db.Tx, m coop.MemberID, p coop.PeriodID, r coop.RequestID) (weight int64, err error) {
	err = tx.QueryRow(sqlPartOf, m, p, r).Scan(&weight)
	if errors.Is(err, db.ErrNoRow) {
		return 0, nil
	}
	return weight, desk.Failed("accrued part", err)
}

func putPart(tx *db.Tx, m coop.MemberID, p coop.PeriodID, r coop.RequestID, weight int64) error {
	return desk.Failed("accrue part", tx.ExecOne(sqlPut, m, p, r, weight))
}

func addStream(tx *db.Tx, p coop.PeriodID, r coop.RequestID, change Stream) error {
	return desk.Failed("accrue", tx.ExecOne(sqlAdd, p, r, change.Money, change.Weight))
}

// part is a member's weight in a stream.
type part struct {
	weight int64
	stream Stream
}

const sqlParts = `SELECT p.weight, s.money, s.weight FROM accrual_parts p
	JOIN accrual_streams s ON s.period = p.period AND s.request = p.request
	WHERE p.member = ? AND p.period = ?
	AND NOT EXISTS (SELECT 1 FROM marketplace_requests r JOIN marketplace_researchers w ON w.id = r.researcher WHERE r.id = p.request
		AND COALESCE((SELECT n.related FROM marketplace_relations n WHERE n.researcher = w.id ORDER BY n.since DESC LIMIT 1), w.related) = 1)`

func parts(tx *db.Tx, m coop.MemberID, id coop.PeriodID) ([]part, error) {
	return desk.Collect(tx, "accrued parts", func(rows *sql.Rows) (p part, err error) {
		err = rows.Scan(&p.weight, &p.stream.Money, &p.stream.Weight)
		return p, err
	}, sqlParts, m, id)
}
