package marketplace

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/ledger"
)

const sqlCountPeriods = `SELECT count(*) FROM marketplace_periods`

func countPeriods(tx *db.Tx) (int, error) { return number[int](tx, "count periods", sqlCountPeriods) }

const sqlRunningSince = `SELECT opened_at FROM marketplace_periods WHERE state = 'open'`

// runningSince is when the open period began.
func runningSince(tx *db.Tx) (int64, error) {
	return number[int64](tx, "running period", sqlRunningSince)
}

const sqlInsertPeriod = `INSERT INTO marketplace_periods (id, state, opened_at, bundle, terms) VALUES (?, ?, ?, ?, ?)`

func insertPeriod(tx *db.Tx, p Period, terms appraisal.Params) error {
	text, err := json.Marshal(terms)
	if err != nil {
		return failed("terms", err)
	}
	return failed("insert period", tx.ExecOne(sqlInsertPeriod, p.ID, p.State, p.OpenedAt, []byte{}, string(text)))
}

const periodColumns = `id, state, opened_at, closed_at, challenge_ends_at, revenue, bundle_sha256, settled_at, reopened,
	(SELECT count(*) FROM marketplace_releases r WHERE r.period = marketplace_periods.id)`

func periodFields(p *Period) []any {
	return []any{&p.ID, &p.State, &p.OpenedAt, &p.ClosedAt, &p.ChallengeEndsAt, &p.Revenue, &p.BundleSHA256, &p.SettledAt, &p.reopened, &p.Released}
}

const (
	sqlGetPeriod   = `SELECT ` + periodColumns + ` FROM marketplace_periods WHERE id = ?`
	sqlListPeriods = `SELECT ` + periodColumns + ` FROM marketplace_periods ORDER BY id DESC`
)

func getPeriod(tx *db.Tx, id coop.PeriodID) (p Period, err error) {
	err = tx.QueryRow(sqlGetPeriod, id).Scan(periodFields(&p)...)
	return p, found(err, "period")
}

func listPeriods(tx *db.Tx) ([]Period, error) {
	return collect(tx, "periods", func(rows *sql.Rows) (p Period, err error) {
		err = rows.Scan(periodFields(&p)...)
		return p, err
	}, sqlListPeriods)
}

const (
	sqlEndPeriod     = `UPDATE marketplace_periods SET state = 'closed', closed_at = ? WHERE id = ? AND state = 'open'`
	sqlPublishPeriod = `UPDATE marketplace_periods SET revenue = ?, bundle = ?, bundle_sha256 = ?, challenge_ends_at = ?, steps = ?
		WHERE id = ? AND state = 'closed' AND challenge_ends_at = 0 AND reopened = ? AND bundle_sha256 = ?`
	sqlReopenPeriod   = `UPDATE marketplace_periods SET challenge_ends_at = 0, reopened = reopened + 1 WHERE id = ? AND state = 'closed'`
	sqlSettlePeriod   = `UPDATE marketplace_periods SET state = 'settled', settled_at = ? WHERE id = ? AND state = 'closed'`
	sqlSetPeriodState = `UPDATE marketplace_periods SET state = ? WHERE id = ? AND state = ?`
)

func endPeriod(tx *db.Tx, p Period) error {
	return failed("end period", tx.ExecOne(sqlEndPeriod, p.ClosedAt, p.ID))
}

// publishPeriod stores a statement where one is due and the period was neither
// reopened nor got another statement since it was read, and tells whether.
func publishPeriod(tx *db.Tx, was, p Period, bundle []byte, steps []appraisal.Step) (stored bool, err error) {
	text, err := json.Marshal(steps)
	if err != nil {
		return false, failed("steps", err)
	}
	n, err := tx.Exec(sqlPublishPeriod, p.Revenue, bundle, p.BundleSHA256, p.ChallengeEndsAt, string(text), p.ID, was.reopened, was.BundleSHA256)
	return n == 1, failed("publish period", err)
}

// reopenPeriod makes a new statement due, also where one is being computed. The
// old one stays to be read.
func reopenPeriod(tx *db.Tx, id coop.PeriodID) error {
	return failed("reopen period", tx.ExecOne(sqlReopenPeriod, id))
}

func settlePeriod(tx *db.Tx, p Period) error {
	return failed("settle period", tx.ExecOne(sqlSettlePeriod, p.SettledAt, p.ID))
}

func setPeriodState(tx *db.Tx, id coop.PeriodID, from, to string) error {
	return failed("period state", tx.ExecOne(sqlSetPeriodState, to, id, from))
}

const sqlGetBundle = `SELECT bundle FROM marketplace_periods WHERE id = ?`

// getBundle reads a published bundle; ErrNotFound before publication.
func getBundle(tx *db.Tx, id coop.PeriodID) (text []byte, err error) {
	err = tx.QueryRow(sqlGetBundle, id).Scan(&text)
	if err == nil && len(text) == 0 {
		return nil, ErrNotFound
	}
	return text, found(err, "bundle")
}

func getStatement(tx *db.Tx, id coop.PeriodID) (appraisal.Statement, error) {
	text, err := getBundle(tx, id)
	if err != nil {
		return appraisal.Statement{}, err
	}
	bundle, err := appraisal.ParseBundle(text)
	return bundle.Statement, failed("stored bundle", err)
}

const sqlGetSteps = `SELECT steps FROM marketplace_periods WHERE id = ?`

// getSteps reads what a statement's waterfall set; that of an old period from
// the statement.
func getSteps(tx *db.Tx, id coop.PeriodID) (steps []appraisal.Step, err error) {
	var text string
	if err := tx.QueryRow(sqlGetSteps, id).Scan(&text); err != nil {
		return nil, found(err, "steps")
	}
	if text == "" {
		st, err := getStatement(tx, id)
		return st.Waterfall, err
	}
	err = json.Unmarshal([]byte(text), &steps)
	return steps, failed("steps", err)
}

const sqlEachShare = `SELECT member, amount FROM marketplace_shares WHERE period = ? AND amount > 0 ORDER BY member`

// eachShare calls fn with the members that get something, in pages that the next
// overwrites, until it says no.
func eachShare(tx *db.Tx, id coop.PeriodID, fn func([]ledger.Due) bool) (err error) {
	const size = 4096
	rows, err := tx.Query(sqlEachShare, id)
	if err != nil {
		return failed("shares", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var member string // types of one's own are scanned by reflection, which is slow
	var amount int64
	row, page := []any{&member, &amount}, make([]ledger.Due, 0, size)
	for rows.Next() {
		if err := rows.Scan(row...); err != nil {
			return failed("shares", err)
		}
		if page = append(page, ledger.Due{Member: coop.MemberID(member), Amount: coop.Money(amount)}); len(page) == size {
			if !fn(page) {
				return nil
			}
			page = page[:0]
		}
	}
	if len(page) > 0 {
		fn(page)
	}
	return failed("shares", rows.Err())
}

const (
	sqlDropShares  = `DELETE FROM marketplace_shares WHERE period = ?`
	sqlInsertShare = `INSERT INTO marketplace_shares (period, member, amount, share) VALUES (?, ?, ?, ?)`
	sqlListShares  = `SELECT member, amount FROM marketplace_shares WHERE period = ? ORDER BY member`
)

// putShares replaces the shares of a period.
func putShares(tx *db.Tx, id coop.PeriodID, shares []Share) error {
	if _, err := tx.Exec(sqlDropShares, id); err != nil {
		return failed("drop shares", err)
	}
	for _, share := range shares {
		text, err := json.Marshal(share.MemberShare)
		if err != nil {
			return failed("share", err)
		}
		if err := tx.ExecOne(sqlInsertShare, id, share.Member, share.Amount, text); err != nil {
			return failed("insert share", err)
		}
	}
	return nil
}

// listShares reads members and amounts, without the explanation.
func listShares(tx *db.Tx, id coop.PeriodID) ([]Share, error) {
	return collect(tx, "shares", func(rows *sql.Rows) (s Share, err error) {
		err = rows.Scan(&s.Member, &s.Amount)
		return s, err
	}, sqlListShares, id)
}

const sqlMemberStatements = `SELECT ` + periodColumns + `, s.amount, s.share FROM marketplace_shares s
	JOIN marketplace_periods ON marketplace_periods.id = s.period WHERE s.member = ? ORDER BY s.period DESC`

func memberStatements(tx *db.Tx, m coop.MemberID) ([]MemberStatement, error) {
	return collect(tx, "member's statements", func(rows *sql.Rows) (st MemberStatement, err error) {
		var text []byte
		if err := rows.Scan(append(periodFields(&st.Period), &st.Share.Amount, &text)...); err != nil {
			return st, err
		}
		st.Share.Member = m
		return st, json.Unmarshal(text, &st.Share.MemberShare)
	}, sqlMemberStatements, m)
}

// Populate closes the open period with a statement that pays made-up members,
// by id in ascending order, past the time to contest it: what a benchmark
// settles. The statement itself is empty, so its bundle does not verify.
func (s *Service) Populate(ctx context.Context, id coop.PeriodID, members []ledger.Due, steps []appraisal.Step) error {
	revenue := coop.Money(0)
	for _, step := range steps {
		revenue += coop.Money(step.Amount)
	}
	return s.DB.Update(ctx, func(tx *db.Tx) error {
		if err := s.post(tx, "access", "populate:"+string(id), ledger.Transfer{From: ledger.Access, To: ledger.Bank, Amount: revenue}); err != nil {
			return err
		}
		if err := s.endPeriod(tx, id); err != nil {
			return err
		}
		p := Period{ID: id, Revenue: revenue, ChallengeEndsAt: s.now()}
		if _, err := publishPeriod(tx, Period{}, p, []byte("{}"), steps); err != nil {
			return err
		}
		for _, m := range members {
			if err := tx.ExecOne(sqlInsertShare, id, m.Member, m.Amount, []byte("{}")); err != nil {
				return failed("populate", err)
			}
		}
		return nil
	})
}
