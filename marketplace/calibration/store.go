package calibration

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
)

const setColumns = `period, state, called, leaf, checkpoint, pairs, why, record, halves, holdout, commitment, asked_at, sealed_at, sealed_leaf, disclosed_at`

const (
	sqlInsertSet = `INSERT INTO calibration_periods (` + setColumns + `) VALUES (?, ?, ?, ?, '', 0, '', ?, ?, ?, '', 0, 0, 0, 0)`
	sqlPutSet    = `UPDATE calibration_periods SET state = ?, checkpoint = ?, pairs = ?, why = ?, record = ?, halves = ?, holdout = ?, commitment = ?,
	asked_at = ?, sealed_at = ?, sealed_leaf = ?, disclosed_at = ? WHERE period = ?`
	sqlGetSet      = `SELECT ` + setColumns + ` FROM calibration_periods WHERE period = ?`
	sqlAllSets     = `SELECT ` + setColumns + ` FROM calibration_periods ORDER BY period DESC`
	sqlEarlierSets = `SELECT ` + setColumns + ` FROM calibration_periods WHERE period < ? ORDER BY period DESC`
)

func insertSet(tx *db.Tx, p set) error {
	called, err := json.Marshal(p.Call)
	if err != nil {
		return desk.Failed("call", err)
	}
	return desk.Failed("insert set", tx.ExecOne(sqlInsertSet, p.Period, p.State, string(called), p.Leaf, []byte{}, []byte{}, []byte{}))
}

func putSet(tx *db.Tx, p set) error {
	some := func(b []byte) []byte { return append([]byte{}, b...) }
	return desk.Failed("put set", tx.ExecOne(sqlPutSet, p.State, p.Checkpoint, p.Pairs, p.Why, some(p.record), some(p.open), some(p.holdout), p.commitment,
		p.asked, p.sealed, p.sealedLeaf, p.disclosed, p.Period))
}

func scanSet(row desk.Row) (p set, err error) {
	var called string
	err = row.Scan(&p.Period, &p.State, &called, &p.Leaf, &p.Checkpoint, &p.Pairs, &p.Why, &p.record, &p.open, &p.holdout, &p.commitment,
		&p.asked, &p.sealed, &p.sealedLeaf, &p.disclosed)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal([]byte(called), &p.Call); err != nil {
		return p, fmt.Errorf("call: %w", err)
	}
	return p, nil
}

func getSet(tx *db.Tx, id coop.PeriodID) (set, error) {
	p, err := scanSet(tx.QueryRow(sqlGetSet, id))
	return p, desk.Found(err, "calibration set")
}

func scanSets(rows *sql.Rows) (set, error) { return scanSet(rows) }

func allSets(tx *db.Tx) ([]set, error) {
	return desk.Collect(tx, "calibration sets", scanSets, sqlAllSets)
}

func earlierSets(tx *db.Tx, id coop.PeriodID) ([]set, error) {
	return desk.Collect(tx, "earlier sets", scanSets, sqlEarlierSets, id)
}

const checkColumns = `place, kind, class, sheet, first, second, first_ref, second_ref, start, passed`

const (
	sqlInsertCheck = `INSERT INTO calibration_checks (period, ` + checkColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlGetCheck    = `SELECT ` + checkColumns + ` FROM calibration_checks WHERE period = ? AND place = ?`
	sqlListChecks  = `SELECT ` + checkColumns + ` FROM calibration_checks WHERE period = ? ORDER BY place`
	sqlCountAsked  = `SELECT count(*) FROM calibration_seats WHERE period = ? AND seat = 0`
)

func insertCheck(tx *db.Tx, id coop.PeriodID, c check) error {
	return desk.Failed("insert check", tx.ExecOne(sqlInsertCheck, id, c.Place, c.Kind, c.Class, c.Sheet, c.First, c.Second, c.Refs[0], c.Refs[1], c.From, c.Passed))
}

func scanCheck(row desk.Row) (c check, err error) {
	err = row.Scan(&c.Place, &c.Kind, &c.Class, &c.Sheet, &c.First, &c.Second, &c.Refs[0], &c.Refs[1], &c.From, &c.Passed)
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
