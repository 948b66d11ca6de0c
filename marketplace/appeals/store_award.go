package appeals

import (
	"context"
	"database/sql"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
)

// Paid is an award that a settlement has paid.
type Paid struct {
	Award
	Period coop.PeriodID
	At     int64
}

const sqlAwards = `SELECT c.member, c.award, c.period, p.settled_at FROM appeals_cases c JOIN marketplace_periods p ON p.id = c.period
	WHERE c.award > 0 AND p.settled_at > 0 AND (? OR c.member = ?) ORDER BY p.settled_at, c.appeal`

// Awards lists what a member was awarded, or all of it.
func (d *Docket) Awards(tx *db.Tx, m coop.MemberID, all bool) ([]Paid, error) {
	return desk.Collect(tx, "awards", func(rows *sql.Rows) (p Paid, err error) {
		err = rows.Scan(&p.Member, &p.Amount, &p.Period, &p.At)
		return p, err
	}, sqlAwards, all, m)
}

// Awarded adds up what each member was awarded.
func (d *Docket) Awarded(ctx context.Context) (map[coop.MemberID]coop.Money, error) {
	return desk.Read(ctx, d.desk.DB, func(tx *db.Tx) (map[coop.MemberID]coop.Money, error) {
		out := map[coop.MemberID]coop.Money{}
		list, err := d.Awards(tx, "", true)
		for _, a := range list {
			out[a.Member] += a.Amount
		}
		return out, err
	})
}
