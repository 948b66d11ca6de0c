package split

import (
	"database/sql"
	"encoding/json"
	"errors"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/desk"
)

const (
	sqlPutBallot = `INSERT INTO split_ballots (member, data, work, governance) VALUES (?, ?, ?, ?)
	ON CONFLICT (member) DO UPDATE SET data = excluded.data, work = excluded.work, governance = excluded.governance`
	sqlDropBallot   = `DELETE FROM split_ballots WHERE member = ?`
	sqlBallotOf     = `SELECT data, work, governance FROM split_ballots WHERE member = ?`
	sqlAllBallots   = `SELECT member, data, work, governance FROM split_ballots`
	sqlCountBallots = `SELECT count(*) FROM split_ballots`
)

func putBallot(tx *db.Tx, m coop.MemberID, c Cut) error {
	return desk.Failed("put split", tx.ExecOne(sqlPutBallot, m, c.Data, c.Work, c.Governance))
}

func dropBallot(tx *db.Tx, m coop.MemberID) error {
	_, err := tx.Exec(sqlDropBallot, m)
	return desk.Failed("drop split", err)
}

// ballotOf is what a member said, or nil.
func ballotOf(tx *db.Tx, m coop.MemberID) (*Cut, error) {
	var c Cut
	err := tx.QueryRow(sqlBallotOf, m).Scan(&c.Data, &c.Work, &c.Governance)
	if errors.Is(err, db.ErrNoRow) {
		return nil, nil
	}
	return &c, desk.Failed("split", err)
}

func allBallots(tx *db.Tx) (map[coop.MemberID]Cut, error) {
	out := map[coop.MemberID]Cut{}
	_, err := desk.Collect(tx, "splits", func(rows *sql.Rows) (struct{}, error) {
		var m coop.MemberID
		var c Cut
		err := rows.Scan(&m, &c.Data, &c.Work, &c.Governance)
		out[m] = c
		return struct{}{}, err
	}, sqlAllBallots)
	return out, err
}

func countBallots(tx *db.Tx) (int, error) {
	return desk.Number[int](tx, "count splits", sqlCountBallots)
}

// closing is what was counted when a period closed.
type closing struct {
	period  coop.PeriodID
	at      int64
	ballots appraisal.Ballots
	sha256  string
	leaf    int64
}

const (
	sqlInsertClosing = `INSERT INTO split_closings (period, closed_at, ballots, sha256, leaf) VALUES (?, ?, ?, ?, ?)`
	sqlClosings      = `SELECT period, closed_at, ballots, sha256, leaf FROM split_closings`
	sqlClosingOf     = sqlClosings + ` WHERE period = ?`
	sqlLastClosing   = sqlClosings + ` ORDER BY closed_at DESC, leaf DESC LIMIT 1`
	sqlAllClosings   = sqlClosings + ` ORDER BY closed_at, leaf`
)

func insertClosing(tx *db.Tx, c closing) error {
	text, err := json.Marshal(c.ballots)
	if err != nil {
		return err
	}
	return desk.Failed("insert split", tx.ExecOne(sqlInsertClosing, c.period, c.at, string(text), c.sha256, c.leaf))
}

func scanClosing(row desk.Row) (c closing, err error) {
	var text string
	if err = row.Scan(&c.period, &c.at, &text, &c.sha256, &c.leaf); err == nil {
		err = json.Unmarshal([]byte(text), &c.ballots)
	}
	return c, err
}

func closingOf(tx *db.Tx, id coop.PeriodID) (closing, error) {
	c, err := scanClosing(tx.QueryRow(sqlClosingOf, id))
	return c, desk.Found(err, "split closing")
}

func lastClosing(tx *db.Tx) (closing, error) {
	c, err := scanClosing(tx.QueryRow(sqlLastClosing))
	return c, desk.Found(err, "last split")
}

func closings(tx *db.Tx) ([]closing, error) {
	return desk.Collect(tx, "splits", func(rows *sql.Rows) (closing, error) { return scanClosing(rows) }, sqlAllClosings)
}
