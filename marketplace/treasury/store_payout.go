package treasury

import (
	"database/sql"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
)

const sqlInsertRelease = `INSERT INTO marketplace_releases (period, member, at) VALUES (?, ?, ?)
	ON CONFLICT (period, member) DO NOTHING`

// insertRelease notes a release and tells whether it is this person's first.
func insertRelease(tx *db.Tx, id coop.PeriodID, by coop.MemberID, at int64) (fresh bool, err error) {
	n, err := tx.Exec(sqlInsertRelease, id, by, at)
	return n == 1, desk.Failed("insert release", err)
}

const sqlPutPayoutAccount = `INSERT INTO marketplace_payout_accounts (member, holder, iban, updated_at) VALUES (?, ?, ?, ?)
	ON CONFLICT (member) DO UPDATE SET holder = excluded.holder, iban = excluded.iban, updated_at = excluded.updated_at`

func putPayoutAccount(tx *db.Tx, a PayoutAccount) error {
	return tx.ExecOne(sqlPutPayoutAccount, a.Member, a.Holder, a.IBAN, a.UpdatedAt)
}

const (
	sqlGetPayoutAccount   = `SELECT member, holder, iban, updated_at FROM marketplace_payout_accounts WHERE member = ?`
	sqlListPayoutAccounts = `SELECT member, holder, iban, updated_at FROM marketplace_payout_accounts ORDER BY member`
	sqlDropPayoutAccount  = `DELETE FROM marketplace_payout_accounts WHERE member = ?`
)

func scanPayoutAccount(row desk.Row) (a PayoutAccount, err error) {
	err = row.Scan(&a.Member, &a.Holder, &a.IBAN, &a.UpdatedAt)
	return a, err
}

func getPayoutAccount(tx *db.Tx, m coop.MemberID) (PayoutAccount, error) {
	a, err := scanPayoutAccount(tx.QueryRow(sqlGetPayoutAccount, m))
	return a, desk.Found(err, "payout account")
}

func listPayoutAccounts(tx *db.Tx) ([]PayoutAccount, error) {
	return desk.Collect(tx, "payout accounts", func(rows *sql.Rows) (PayoutAccount, error) { return scanPayoutAccount(rows) }, sqlListPayoutAccounts)
}

func dropPayoutAccount(tx *db.Tx, m coop.MemberID) error {
	return desk.Failed("drop payout account", tx.ExecOne(sqlDropPayoutAccount, m))
}

// forgetPayoutAccount is dropPayoutAccount where there may be none.
func forgetPayoutAccount(tx *db.Tx, m coop.MemberID) error {
	_, err := tx.Exec(sqlDropPayoutAccount, m)
	return desk.Failed("drop payout account", err)
}

const (
	sqlInsertPayout = `INSERT INTO marketplace_payouts (period, member, holder, iban, amount, end_to_end, file) VALUES (?, ?, ?, ?, ?, ?, ?)`
	sqlListPayouts  = `SELECT period, member, holder, iban, amount, end_to_end FROM marketplace_payouts WHERE period = ? ORDER BY end_to_end`
)

func insertPayout(tx *db.Tx, p Payout) error {
	return desk.Failed("insert payout", tx.ExecOne(sqlInsertPayout, p.Period, p.Member, p.Holder, p.IBAN, p.Amount, p.EndToEnd, orderID(p.Period)))
}

func listPayouts(tx *db.Tx, id coop.PeriodID) ([]Payout, error) {
	return desk.Collect(tx, "payouts", scanPayout, sqlListPayouts, id)
}

func scanPayout(rows *sql.Rows) (p Payout, err error) {
	err = rows.Scan(&p.Period, &p.Member, &p.Holder, &p.IBAN, &p.Amount, &p.EndToEnd)
	return p, err
}

const (
	sqlOrderedPayouts  = `SELECT coalesce(sum(amount), 0) FROM marketplace_payouts WHERE carried_at = 0 AND (file = ? OR end_to_end = ?)`
	sqlCarryOutPayouts = `UPDATE marketplace_payouts SET carried_at = ? WHERE carried_at = 0 AND (file = ? OR end_to_end = ?)`
)

// orderedPayouts is what the bank has been ordered under an id, of a payment
// file or a single payment, and not yet carried out.
func orderedPayouts(tx *db.Tx, order string) (coop.Money, error) {
	return desk.Number[coop.Money](tx, "ordered payouts", sqlOrderedPayouts, order, order)
}

const sqlOrderedFor = `SELECT count(*) FROM marketplace_payouts WHERE carried_at = 0 AND member = ?`

// ordered counts the payouts to a member that have not been carried out.
func ordered(tx *db.Tx, m coop.MemberID) (int, error) {
	return desk.Number[int](tx, "payouts to a member", sqlOrderedFor, m)
}

const sqlCarrying = `SELECT period, member, holder, iban, amount, end_to_end FROM marketplace_payouts
	WHERE carried_at = 0 AND (file = ? OR end_to_end = ?) ORDER BY end_to_end`

// carrying lists what carryOutPayouts would carry out.
func carrying(tx *db.Tx, order string) ([]Payout, error) {
	return desk.Collect(tx, "payouts a debit carries out", scanPayout, sqlCarrying, order, order)
}

const sqlArrivedPayouts = `SELECT period, member, holder, iban, amount, end_to_end FROM marketplace_payouts
	WHERE carried_at > 0 AND carried_at < ? AND end_to_end NOT IN (SELECT end_to_end FROM treasury_returns WHERE at < ?) ORDER BY period`

// arrivedPayouts lists what had been carried out before a time and had not come
// back by then, in the order of the periods.
func arrivedPayouts(tx *db.Tx, before int64) ([]Payout, error) {
	return desk.Collect(tx, "payouts that arrived", scanPayout, sqlArrivedPayouts, before, before)
}

func carryOutPayouts(tx *db.Tx, order string, at int64) error {
	_, err := tx.Exec(sqlCarryOutPayouts, at, order, order)
	return desk.Failed("carry out payouts", err)
}
