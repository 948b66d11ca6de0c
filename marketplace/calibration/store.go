package calibration

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal/spotcheck"
	"distributed.ai/datacoop/marketplace/desk"
)

const setColumns = `period, state, called, leaf, checkpoint, pairs, why, record, halves, holdout, commitment, asked_at, sealed_at, sealed_leaf, disclosed_at,
	seals, seat_leaf, seat_checkpoint`

const (
	sqlInsertSet = `INSERT INTO calibration_periods (period, state, called, leaf, checkpoint, pairs, why, record, halves, holdout, commitment, asked_at, sealed_at, sealed_leaf, disclosed_at)
	VALUES (?, ?, ?, ?, '', 0, '', ?, ?, ?, '', 0, 0, 0, 0)`
	sqlPutPaired = `UPDATE calibration_periods SET checkpoint = ?, pairs = ?, why = ?, seals = ?, seat_leaf = ? WHERE period = ?`
	sqlPutSeated = `UPDATE calibration_periods SET state = ?, seat_checkpoint = ?, asked_at = ? WHERE period = ?`
	sqlPutSealed = `UPDATE calibration_periods SET state = ?, record = ?, halves = ?, holdout = ?, commitment = ?, sealed_at = ?, sealed_leaf = ? WHERE period = ?`
	sqlGetSet    = `SELECT ` + setColumns + ` FROM calibration_periods WHERE period = ?`
	sqlAllSets   = `SELECT ` + setColumns + ` FROM calibration_periods ORDER BY period DESC`
	sqlCountSets = `SELECT count(*) FROM calibration_periods WHERE period = ?`
)

func insertSet(tx *db.Tx, p set) error {
	called, err := json.Marshal(p.Call)
	if err != nil {
		return desk.Failed("call", err)
	}
	return desk.Failed("insert set", tx.ExecOne(sqlInsertSet, p.Period, p.State, string(called), p.Leaf, []byte{}, []byte{}, []byte{}))
}

// putPaired stores which pairs were drawn, and what their rolls are made from.
func putPaired(tx *db.Tx, p set, roll []byte) error {
	seals, err := json.Marshal(p.seals)
	if err != nil {
		return desk.Failed("seals", err)
	}
	if _, err := tx.Exec(sqlDropRoll, p.Period); err != nil {
		return desk.Failed("drop roll", err)
	}
	if err := tx.ExecOne(sqlPutPaired, p.Checkpoint, p.Pairs, p.Why, string(seals), p.seatLeaf, p.Period); err != nil {
		return desk.Failed("put pairs", err)
	}
	return putRoll(tx, p.Period, roll)
}

// putRoll keeps whom the rolls of a period's pairs list.
func putRoll(tx *db.Tx, id coop.PeriodID, roll []byte) error {
	return desk.Failed("put roll", tx.ExecOne(sqlPutRoll, id, roll))
}

// putSeated stores that people were drawn, and forgets from what.
func putSeated(tx *db.Tx, p set) error {
	_, err := tx.Exec(sqlDropRoll, p.Period)
	return desk.Failed("put seated", errors.Join(err, tx.ExecOne(sqlPutSeated, p.State, p.seatCheckpoint, p.asked, p.Period)))
}

func putSealed(tx *db.Tx, p set) error {
	some := func(b []byte) []byte { return append([]byte{}, b...) }
	return desk.Failed("put sealed", tx.ExecOne(sqlPutSealed, p.State, some(p.record), some(p.open), some(p.holdout), p.commitment, p.sealed, p.sealedLeaf, p.Period))
}

const (
	sqlPutRoll  = `INSERT INTO calibration_rolls (period, roll) VALUES (?, ?)`
	sqlGetRoll  = `SELECT roll FROM calibration_rolls WHERE period = ?`
	sqlDropRoll = `DELETE FROM calibration_rolls WHERE period = ?`
)

func getRoll(tx *db.Tx, id coop.PeriodID) (text []byte, err error) {
	err = tx.QueryRow(sqlGetRoll, id).Scan(&text)
	return text, desk.Found(err, "roll")
}

func scanSet(row desk.Row) (p set, err error) {
	var called, seals string
	err = row.Scan(&p.Period, &p.State, &called, &p.Leaf, &p.Checkpoint, &p.Pairs, &p.Why, &p.record, &p.open, &p.holdout, &p.commitment,
		&p.asked, &p.sealed, &p.sealedLeaf, &p.disclosed, &seals, &p.seatLeaf, &p.seatCheckpoint)
	if err != nil {
		return p, err
	}
	if seals != "" {
		err = json.Unmarshal([]byte(seals), &p.seals)
	}
	if err := errors.Join(err, json.Unmarshal([]byte(called), &p.Call)); err != nil {
		return p, fmt.Errorf("call: %w", err)
	}
	return p, nil
}

func countSets(tx *db.Tx, id coop.PeriodID) (int, error) {
	return desk.Number[int](tx, "count sets", sqlCountSets, id)
}

func getSet(tx *db.Tx, id coop.PeriodID) (set, error) {
	p, err := scanSet(tx.QueryRow(sqlGetSet, id))
	return p, desk.Found(err, "calibration set")
}

func getSetIn(ctx context.Context, d *desk.Desk, id coop.PeriodID) (set, error) {
	return desk.Read(ctx, d.DB, func(tx *db.Tx) (set, error) { return getSet(tx, id) })
}

func scanSets(rows *sql.Rows) (set, error) { return scanSet(rows) }

func allSets(tx *db.Tx) ([]set, error) {
	return desk.Collect(tx, "calibration sets", scanSets, sqlAllSets)
}

// closed is a set whose sealed half is to be disclosed.
type closed struct {
	Period     coop.PeriodID
	Commitment string
}

const (
	// Those older than the newest before a period, whose halves are not disclosed:
	// the documents themselves are not read, and not written again.
	sqlToDisclose = `SELECT period, commitment FROM calibration_periods WHERE state = 'sealed' AND disclosed_at = 0 AND period IN
	(SELECT period FROM calibration_periods WHERE period < ? ORDER BY period DESC LIMIT 1000000 OFFSET ?) ORDER BY period DESC`
	sqlDisclose = `UPDATE calibration_periods SET disclosed_at = ? WHERE period = ? AND disclosed_at = 0`
)

// toDisclose lists the sealed sets that so many others, or more, lie between and a
// period.
func toDisclose(tx *db.Tx, id coop.PeriodID, between int) ([]closed, error) {
	return desk.Collect(tx, "sets to disclose", func(rows *sql.Rows) (c closed, err error) {
		err = rows.Scan(&c.Period, &c.Commitment)
		return c, err
	}, sqlToDisclose, id, between)
}

func putDisclosed(tx *db.Tx, id coop.PeriodID, at int64) error {
	return desk.Failed("disclose", tx.ExecOne(sqlDisclose, at, id))
}

const checkColumns = `place, kind, class, sheet, first, second, first_ref, second_ref, start, passed`

const (
	sqlInsertCheck = `INSERT INTO calibration_checks (period, ` + checkColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlGetCheck    = `SELECT ` + checkColumns + ` FROM calibration_checks WHERE period = ? AND place = ?`
	sqlListChecks  = `SELECT ` + checkColumns + ` FROM calibration_checks WHERE period = ? ORDER BY place`
	sqlInsertDraw  = `INSERT INTO calibration_draws (period, place, drawn) VALUES (?, ?, ?)`
	sqlListDraws   = `SELECT drawn FROM calibration_draws WHERE period = ? ORDER BY place`
	sqlCountAsked  = `SELECT count(*) FROM calibration_seats WHERE period = ? AND seat = 0`
)

func insertCheck(tx *db.Tx, id coop.PeriodID, c check) error {
	drawn, err := json.Marshal(c.Check)
	if err != nil {
		return desk.Failed("drawn", err)
	}
	return desk.Failed("insert check", errors.Join(tx.ExecOne(sqlInsertCheck, id, c.Place, c.Kind, c.Class, c.Sheet, c.First, c.Second, c.Refs[0], c.Refs[1], 0, 0),
		tx.ExecOne(sqlInsertDraw, id, c.Place, string(drawn))))
}

// listDraws are the places that were drawn for each pair of a period, in the order
// of the pairs.
func listDraws(tx *db.Tx, id coop.PeriodID) ([]spotcheck.Check, error) {
	return desk.Collect(tx, "draws", func(rows *sql.Rows) (c spotcheck.Check, err error) {
		var text string
		if err = rows.Scan(&text); err == nil {
			err = json.Unmarshal([]byte(text), &c)
		}
		return c, err
	}, sqlListDraws, id)
}

func scanCheck(row desk.Row) (c check, err error) {
	err = row.Scan(&c.Place, &c.Kind, &c.Class, &c.Sheet, &c.First, &c.Second, &c.Refs[0], &c.Refs[1], &c.earlier.From, &c.earlier.Passed)
	return c, err
}

func getCheck(tx *db.Tx, id coop.PeriodID, place int) (check, error) {
	c, err := scanCheck(tx.QueryRow(sqlGetCheck, id, place))
	return c, desk.Found(err, "check")
}

func listChecks(tx *db.Tx, id coop.PeriodID) ([]check, error) {
	return desk.Collect(tx, "checks", func(rows *sql.Rows) (check, error) { return scanCheck(rows) }, sqlListChecks, id)
}

// countAsked counts the pairs that somebody is asked about.
func countAsked(tx *db.Tx, id coop.PeriodID) (int, error) {
	return desk.Number[int](tx, "count checks", sqlCountAsked, id)
}

const seatColumns = `period, place, seat, member, name, state, said, deadline`

const (
	sqlInsertSeat  = `INSERT INTO calibration_seats (` + seatColumns + `, answered_at) VALUES (?, ?, ?, ?, ?, ?, '', ?, 0)`
	sqlGetSeat     = `SELECT ` + seatColumns + ` FROM calibration_seats WHERE period = ? AND place = ? AND seat = ?`
	sqlSeatOf      = `SELECT ` + seatColumns + ` FROM calibration_seats WHERE period = ? AND place = ? AND member = ? AND state <> 'reserve'`
	sqlSeatsOf     = `SELECT ` + seatColumns + ` FROM calibration_seats WHERE member = ? AND state <> 'reserve' ORDER BY period DESC, place`
	sqlListSeats   = `SELECT ` + seatColumns + ` FROM calibration_seats WHERE period = ? ORDER BY place, seat`
	sqlNextReserve = `SELECT ` + seatColumns + ` FROM calibration_seats WHERE period = ? AND place = ? AND state = 'reserve' ORDER BY seat LIMIT 1`
	sqlAnswerSeat  = `UPDATE calibration_seats SET state = ?, said = ?, answered_at = ? WHERE period = ? AND place = ? AND seat = ? AND state = 'waiting'`
	sqlAskSeat     = `UPDATE calibration_seats SET state = 'waiting', deadline = ? WHERE period = ? AND place = ? AND seat = ? AND state = 'reserve'`
	sqlWaiting     = `SELECT count(*) FROM calibration_seats WHERE member = ? AND state = 'waiting' AND deadline > ?`
	sqlOpen        = `SELECT count(*) FROM calibration_seats WHERE period = ? AND state = 'waiting'`
	sqlAnswered    = `SELECT ` + seatColumns + ` FROM calibration_seats WHERE state = 'scored' AND answered_at >= ? AND answered_at < ? ORDER BY period, place, seat`
)

func insertSeat(tx *db.Tx, s seat) error {
	return desk.Failed("insert seat", tx.ExecOne(sqlInsertSeat, s.Period, s.Place, s.Seat, s.Member, s.Name, s.State, s.Deadline))
}

func scanSeat(row desk.Row) (s seat, err error) {
	err = row.Scan(&s.Period, &s.Place, &s.Seat, &s.Member, &s.Name, &s.State, &s.Said, &s.Deadline)
	return s, err
}

func scanSeats(rows *sql.Rows) (seat, error) { return scanSeat(rows) }

func getSeat(tx *db.Tx, id coop.PeriodID, place, at int) (seat, error) {
	s, err := scanSeat(tx.QueryRow(sqlGetSeat, id, place, at))
	return s, desk.Found(err, "seat")
}

// seatOf finds a member's seat at a pair, ErrNotAsked without one.
func seatOf(tx *db.Tx, id coop.PeriodID, place int, m coop.MemberID) (seat, error) {
	s, err := scanSeat(tx.QueryRow(sqlSeatOf, id, place, m))
	if errors.Is(err, db.ErrNoRow) {
		return seat{}, ErrNotAsked
	}
	return s, desk.Failed("seat", err)
}

func seatsOf(tx *db.Tx, m coop.MemberID) ([]seat, error) {
	return desk.Collect(tx, "member's seats", scanSeats, sqlSeatsOf, m)
}

func listSeats(tx *db.Tx, id coop.PeriodID) ([]seat, error) {
	return desk.Collect(tx, "seats", scanSeats, sqlListSeats, id)
}

func nextReserve(tx *db.Tx, id coop.PeriodID, place int) (seat, error) {
	s, err := scanSeat(tx.QueryRow(sqlNextReserve, id, place))
	return s, desk.Found(err, "reserve")
}

func answerSeat(tx *db.Tx, s seat, at int64) error {
	return desk.Failed("answer seat", tx.ExecOne(sqlAnswerSeat, s.State, s.Said, at, s.Period, s.Place, s.Seat))
}

func askSeat(tx *db.Tx, s seat) error {
	return desk.Failed("ask seat", tx.ExecOne(sqlAskSeat, s.Deadline, s.Period, s.Place, s.Seat))
}

func countWaiting(tx *db.Tx, m coop.MemberID, now int64) (int, error) {
	return desk.Number[int](tx, "waiting seats", sqlWaiting, m, now)
}

// countOpen counts the seats of a period that wait for an answer.
func countOpen(tx *db.Tx, id coop.PeriodID) (int, error) {
	return desk.Number[int](tx, "open seats", sqlOpen, id)
}

func answered(tx *db.Tx, from, to int64) ([]seat, error) {
	return desk.Collect(tx, "answers", scanSeats, sqlAnswered, from, to)
}
