package appeals

import (
	"database/sql"
	"encoding/json"
	"errors"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/desk"
)

const caseColumns = `appeal, period, member, tier, state, kind, ref, paid, name, dossier, questions, roll, excluded, leaf, checkpoint, score, award, passed`

const (
	sqlPutCase = `INSERT INTO appeals_cases (` + caseColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (appeal) DO UPDATE SET tier = excluded.tier, state = excluded.state, kind = excluded.kind, ref = excluded.ref,
	name = excluded.name, dossier = excluded.dossier, questions = excluded.questions, roll = excluded.roll,
	excluded = excluded.excluded, leaf = excluded.leaf, checkpoint = excluded.checkpoint, score = excluded.score, passed = excluded.passed`
	sqlGetCase  = `SELECT ` + caseColumns + ` FROM appeals_cases WHERE appeal = ?`
	sqlPanelsOf = `SELECT ` + caseColumns + ` FROM appeals_cases WHERE period = ? AND tier = 2 ORDER BY leaf`
	sqlHeard    = `SELECT count(*) FROM appeals_cases WHERE period = ? AND member = ? AND dossier = ? AND tier = 2 AND appeal <> ?`
	sqlSetAward = `UPDATE appeals_cases SET award = ? WHERE appeal = ?`
)

// words is a list as it lies in a column.
func words(list []string) string {
	if list == nil {
		list = []string{}
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic(err) // strings always encode
	}
	return string(text)
}

func putCase(tx *db.Tx, k hearing) error {
	passed, err := json.Marshal(append([]jury.Passed{}, k.Passed...))
	if err != nil {
		return desk.Failed("put case", err)
	}
	err = tx.ExecOne(sqlPutCase, k.Appeal, k.Period, k.Member, k.Tier, k.State, k.About.Kind, k.About.Ref, k.Paid, k.Name,
		k.Dossier, words(k.Questions), words(k.Roll), k.Excluded, k.Leaf, k.Checkpoint, k.Score, k.Award, string(passed))
	if db.IsUnique(err) {
		return ErrAppealTwice
	}
	return desk.Failed("put case", err)
}

func scanCase(row desk.Row) (k hearing, err error) {
	var questions, roll, passed string
	err = row.Scan(&k.Appeal, &k.Period, &k.Member, &k.Tier, &k.State, &k.About.Kind, &k.About.Ref, &k.Paid, &k.Name,
		&k.Dossier, &questions, &roll, &k.Excluded, &k.Leaf, &k.Checkpoint, &k.Score, &k.Award, &passed)
	if err != nil {
		return k, err
	}
	return k, errors.Join(json.Unmarshal([]byte(questions), &k.Questions), json.Unmarshal([]byte(roll), &k.Roll), json.Unmarshal([]byte(passed), &k.Passed))
}

func getCase(tx *db.Tx, appeal string) (hearing, error) {
	k, err := scanCase(tx.QueryRow(sqlGetCase, appeal))
	return k, desk.Found(err, "case")
}

func panelsOf(tx *db.Tx, id coop.PeriodID) ([]hearing, error) {
	return desk.Collect(tx, "panels", func(rows *sql.Rows) (hearing, error) { return scanCase(rows) }, sqlPanelsOf, id)
}

// countHeard counts the other appeals that took a case's dossier to a panel.
func countHeard(tx *db.Tx, k hearing) (int, error) {
	return desk.Number[int](tx, "count panels", sqlHeard, k.Period, k.Member, k.Dossier, k.Appeal)
}

func setAward(tx *db.Tx, appeal string, award int64) error {
	return desk.Failed("set award", tx.ExecOne(sqlSetAward, award, appeal))
}

const seatColumns = `appeal, place, turn, member, name, state, yes, deadline`

const (
	sqlInsertSeat = `INSERT INTO appeals_seats (` + seatColumns + `, answered_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)`
	sqlDropSeats  = `DELETE FROM appeals_seats WHERE appeal = ?`
	sqlSeats      = `SELECT ` + seatColumns + ` FROM appeals_seats WHERE appeal = ? ORDER BY place`
	sqlGetSeat    = `SELECT ` + seatColumns + ` FROM appeals_seats WHERE appeal = ? AND place = ?`
	sqlSeatOf     = `SELECT ` + seatColumns + ` FROM appeals_seats WHERE appeal = ? AND member = ?`
	sqlSeatsOf    = `SELECT ` + seatColumns + ` FROM appeals_seats WHERE member = ? ORDER BY deadline DESC, appeal DESC`
	sqlAnswerSeat = `UPDATE appeals_seats SET state = ?, yes = ?, answered_at = ? WHERE appeal = ? AND place = ? AND state = 'waiting'`
	sqlWaiting    = `SELECT count(*) FROM appeals_seats WHERE member = ? AND state = 'waiting' AND deadline > ?`
	sqlServed     = `SELECT appeal, member FROM appeals_seats WHERE state = 'scored' AND answered_at >= ? AND answered_at < ? ORDER BY appeal, member`
)

func insertSeat(tx *db.Tx, s seat) error {
	return desk.Failed("insert seat", tx.ExecOne(sqlInsertSeat, s.Appeal, s.Place, s.Turn, s.Member, s.Name, s.State, words(s.Yes), s.Deadline))
}

func dropSeats(tx *db.Tx, appeal string) error {
	_, err := tx.Exec(sqlDropSeats, appeal)
	return desk.Failed("drop seats", err)
}

func scanSeat(row desk.Row) (s seat, err error) {
	var yes string
	if err := row.Scan(&s.Appeal, &s.Place, &s.Turn, &s.Member, &s.Name, &s.State, &yes, &s.Deadline); err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(yes), &s.Yes)
}

func scanSeats(rows *sql.Rows) (seat, error) { return scanSeat(rows) }

func seats(tx *db.Tx, appeal string) ([]seat, error) {
	return desk.Collect(tx, "seats", scanSeats, sqlSeats, appeal)
}

func seatsOf(tx *db.Tx, m coop.MemberID) ([]seat, error) {
	return desk.Collect(tx, "member's seats", scanSeats, sqlSeatsOf, m)
}

func getSeat(tx *db.Tx, appeal string, place int) (seat, error) {
	s, err := scanSeat(tx.QueryRow(sqlGetSeat, appeal, place))
	return s, desk.Found(err, "seat")
}

// seatOf finds a member's seat, ErrNotOnPanel without one.
func seatOf(tx *db.Tx, appeal string, m coop.MemberID) (seat, error) {
	s, err := scanSeat(tx.QueryRow(sqlSeatOf, appeal, m))
	if errors.Is(err, db.ErrNoRow) {
		return seat{}, ErrNotOnPanel
	}
	return s, desk.Failed("seat", err)
}

func answerSeat(tx *db.Tx, s seat, at int64) error {
	return desk.Failed("answer seat", tx.ExecOne(sqlAnswerSeat, s.State, words(s.Yes), at, s.Appeal, s.Place))
}

func countWaiting(tx *db.Tx, m coop.MemberID, now int64) (int, error) {
	return desk.Number[int](tx, "waiting seats", sqlWaiting, m, now)
}

func served(tx *db.Tx, from, to int64) ([]Served, error) {
	return desk.Collect(tx, "panel service", func(rows *sql.Rows) (s Served, err error) {
		err = rows.Scan(&s.Appeal, &s.Member)
		return s, err
	}, sqlServed, from, to)
}

const (
	sqlDropReady = `DELETE FROM appeals_ready WHERE appeal = ?`
	sqlPutReady  = `INSERT INTO appeals_ready (appeal, name, member) VALUES (?, ?, ?)`
	sqlGetReady  = `SELECT member FROM appeals_ready WHERE appeal = ? AND name = ?`
)

func putReady(tx *db.Tx, appeal string, ready map[string]coop.MemberID) error {
	if _, err := tx.Exec(sqlDropReady, appeal); err != nil {
		return desk.Failed("drop ready", err)
	}
	for name, m := range ready {
		if err := tx.ExecOne(sqlPutReady, appeal, name, m); err != nil {
			return desk.Failed("put ready", err)
		}
	}
	return nil
}

// getReady finds who stands behind a name of a draw; nobody, where that is not
// known.
func getReady(tx *db.Tx, appeal, name string) (m coop.MemberID, err error) {
	err = tx.QueryRow(sqlGetReady, appeal, name).Scan(&m)
	if errors.Is(err, db.ErrNoRow) {
		return coop.MemberID("gone-" + name), nil
	}
	return m, desk.Failed("ready", err)
}
