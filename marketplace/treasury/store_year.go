package treasury

import (
	"database/sql"
	"errors"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
)

const sqlInsertGift = `INSERT INTO treasury_gifts (id, member, amount, at) VALUES (?, ?, ?, ?)`

func insertGift(tx *db.Tx, g Gift) error {
	return desk.Failed("insert gift", tx.ExecOne(sqlInsertGift, g.ID, g.Member, g.Amount, g.At))
}

const sqlCarriedPayout = `SELECT member, (SELECT count(*) FROM treasury_returns r WHERE r.end_to_end = p.end_to_end)
	FROM marketplace_payouts p WHERE end_to_end = ? AND amount = ? AND carried_at > 0`

// carriedPayout finds whose payment was carried out under an id, "" for
// nobody's, and whether it is known to have come back.
func carriedPayout(tx *db.Tx, order string, amount coop.Money) (m coop.MemberID, known bool, err error) {
	var returns int
	err = tx.QueryRow(sqlCarriedPayout, order, amount).Scan(&m, &returns)
	if errors.Is(err, db.ErrNoRow) {
		return "", false, nil
	}
	return m, returns > 0, desk.Failed("carried payout", err)
}

const (
	sqlInsertReturn = `INSERT INTO treasury_returns (end_to_end, member, amount, at) VALUES (?, ?, ?, ?)`
	sqlBounce       = `INSERT INTO treasury_bounced (member, at) VALUES (?, ?) ON CONFLICT (member) DO UPDATE SET at = excluded.at`
	sqlMend         = `DELETE FROM treasury_bounced WHERE member = ?`
	sqlBounced      = `SELECT count(*) FROM treasury_bounced WHERE member = ?`
)

// insertReturn notes that a payment came back and that its account is no good.
func insertReturn(tx *db.Tx, order string, m coop.MemberID, amount coop.Money, at int64) error {
	if err := tx.ExecOne(sqlInsertReturn, order, m, amount, at); err != nil {
		return desk.Failed("insert return", err)
	}
	_, err := tx.Exec(sqlBounce, m, at)
	return desk.Failed("bounce account", err)
}

// mend forgets that money came back.
func mend(tx *db.Tx, m coop.MemberID) error {
	_, err := tx.Exec(sqlMend, m)
	return desk.Failed("mend account", err)
}

func bounced(tx *db.Tx, m coop.MemberID) (bool, error) {
	n, err := desk.Number[int](tx, "bounced account", sqlBounced, m)
	return n > 0, err
}

const (
	sqlShareLines = `SELECT p.settled_at, p.id, s.amount FROM marketplace_shares s JOIN marketplace_periods p ON p.id = s.period
		WHERE s.member = ? AND p.settled_at > 0 AND s.amount > 0 ORDER BY p.settled_at, p.id`
	sqlPayoutLines = `SELECT (SELECT max(r.at) FROM marketplace_releases r WHERE r.period = p.period), p.end_to_end, -p.amount
		FROM marketplace_payouts p WHERE p.member = ? ORDER BY p.end_to_end`
	sqlReturnLines = `SELECT at, end_to_end, amount FROM treasury_returns WHERE member = ? ORDER BY at, end_to_end`
	sqlGiftLines   = `SELECT at, id, -amount FROM treasury_gifts WHERE member = ? ORDER BY at, id`
)

func lines(tx *db.Tx, kind, query string, m coop.MemberID) ([]Line, error) {
	return desk.Collect(tx, kind+" lines", func(rows *sql.Rows) (Line, error) {
		l := Line{Kind: kind}
		err := rows.Scan(&l.At, &l.Ref, &l.Amount)
		return l, err
	}, query, m)
}

func shareLines(tx *db.Tx, m coop.MemberID) ([]Line, error) {
	return lines(tx, LineShare, sqlShareLines, m)
}

func payoutLines(tx *db.Tx, m coop.MemberID) ([]Line, error) {
	return lines(tx, LinePayout, sqlPayoutLines, m)
}

func returnLines(tx *db.Tx, m coop.MemberID) ([]Line, error) {
	return lines(tx, LineReturned, sqlReturnLines, m)
}

func giftLines(tx *db.Tx, m coop.MemberID) ([]Line, error) {
	return lines(tx, LineGift, sqlGiftLines, m)
}

const (
	sqlSumShares = `SELECT s.member, sum(s.amount) FROM marketplace_shares s JOIN marketplace_periods p ON p.id = s.period
		WHERE p.settled_at > 0 GROUP BY s.member`
	sqlSumPayouts = `SELECT member, -sum(amount) FROM marketplace_payouts GROUP BY member`
	sqlSumReturns = `SELECT member, sum(amount) FROM treasury_returns GROUP BY member`
	sqlSumGifts   = `SELECT member, -sum(amount) FROM treasury_gifts GROUP BY member`
)

func kept(tx *db.Tx) (map[coop.MemberID]coop.Money, error) {
	type sum struct {
		member coop.MemberID
		amount coop.Money
	}
	out := map[coop.MemberID]coop.Money{}
	for _, query := range []string{sqlSumShares, sqlSumPayouts, sqlSumReturns, sqlSumGifts} {
		list, err := desk.Collect(tx, "sums", func(rows *sql.Rows) (s sum, err error) {
			err = rows.Scan(&s.member, &s.amount)
			return s, err
		}, query)
		if err != nil {
			return nil, err
		}
		for _, s := range list {
			out[s.member] += s.amount
		}
	}
	return out, nil
}
