package patronage

import (
	"database/sql"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
)

const (
	sqlCredits = `SELECT p.id, p.settled_at, s.amount FROM marketplace_shares s JOIN marketplace_periods p ON p.id = s.period
		WHERE s.member = ? AND p.settled_at > 0 AND s.amount > 0 ORDER BY p.id DESC`
	sqlAll = `SELECT coalesce(sum(s.amount), 0) FROM marketplace_shares s JOIN marketplace_periods p ON p.id = s.period
		WHERE p.settled_at > 0`
	sqlSums = `SELECT s.member, sum(s.amount) FROM marketplace_shares s JOIN marketplace_periods p ON p.id = s.period
		WHERE p.settled_at > 0 AND s.amount > 0 GROUP BY s.member`
)

func credits(tx *db.Tx, m coop.MemberID) ([]Credit, error) {
	return desk.Collect(tx, "patronage", func(rows *sql.Rows) (c Credit, err error) {
		err = rows.Scan(&c.Period, &c.At, &c.Units)
		return c, err
	}, sqlCredits, m)
}

func all(tx *db.Tx) (int64, error) { return desk.Number[int64](tx, "all patronage", sqlAll) }

func sums(tx *db.Tx) (map[coop.MemberID]int64, error) {
	out := map[coop.MemberID]int64{}
	_, err := desk.Collect(tx, "patronage of all", func(rows *sql.Rows) (struct{}, error) {
		var m coop.MemberID
		var units int64
		err := rows.Scan(&m, &units)
		out[m] = units
		return struct{}{}, err
	}, sqlSums)
	return out, err
}
