package shadow

import (
	"database/sql"
	"encoding/json"
	"errors"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
)

const candidateColumns = `id, author, title, why, form, sha256, state, entered_at`

const (
	sqlInsertCandidate = `INSERT INTO shadow_candidates (` + candidateColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	sqlSetState        = `UPDATE shadow_candidates SET state = ? WHERE id = ? AND state = 'running'`
	sqlGetCandidate    = `SELECT ` + candidateColumns + ` FROM shadow_candidates WHERE id = ?`
	sqlAllCandidates   = `SELECT ` + candidateColumns + ` FROM shadow_candidates ORDER BY id DESC`
	sqlInState         = `SELECT ` + candidateColumns + ` FROM shadow_candidates WHERE state = ? ORDER BY id`
)

func insertCandidate(tx *db.Tx, c Candidate, form string) error {
	return desk.Failed("insert candidate", tx.ExecOne(sqlInsertCandidate, c.ID, c.author, c.Title, c.Why, form, c.SHA256, c.State, c.EnteredAt))
}

func setState(tx *db.Tx, c Candidate) error {
	return desk.Failed("candidate's state", tx.ExecOne(sqlSetState, c.State, c.ID))
}

func scanCandidate(row desk.Row) (c Candidate, err error) {
	var form string
	if err := row.Scan(&c.ID, &c.author, &c.Title, &c.Why, &form, &c.SHA256, &c.State, &c.EnteredAt); err != nil {
		return c, err
	}
	return c, json.Unmarshal([]byte(form), &c.Form)
}

func scanCandidates(rows *sql.Rows) (Candidate, error) { return scanCandidate(rows) }

func getCandidate(tx *db.Tx, id string) (Candidate, error) {
	c, err := scanCandidate(tx.QueryRow(sqlGetCandidate, id))
	return c, desk.Found(err, "candidate")
}

func allCandidates(tx *db.Tx) ([]Candidate, error) {
	return desk.Collect(tx, "candidates", scanCandidates, sqlAllCandidates)
}

func running(tx *db.Tx) ([]Candidate, error) {
	return desk.Collect(tx, "running candidates", scanCandidates, sqlInState, Running)
}

func offered(tx *db.Tx) ([]Candidate, error) {
	return desk.Collect(tx, "offered candidates", scanCandidates, sqlInState, Offered)
}

const runColumns = `candidate, period, state, note, tries, run, at`

const (
	sqlPutRun = `INSERT INTO shadow_runs (` + runColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (candidate, period) DO UPDATE SET state = excluded.state, note = excluded.note, tries = excluded.tries, run = excluded.run, at = excluded.at`
	sqlGetRun   = `SELECT ` + runColumns + ` FROM shadow_runs WHERE candidate = ? AND period = ?`
	sqlListRuns = `SELECT ` + runColumns + ` FROM shadow_runs WHERE candidate = ? ORDER BY period`
)

func putRun(tx *db.Tx, k kept) error {
	return desk.Failed("put run", tx.ExecOne(sqlPutRun, k.Candidate, k.Period, k.State, k.Note, k.Tries, append([]byte{}, k.Run...), k.At))
}

func scanRun(row desk.Row) (k kept, err error) {
	err = row.Scan(&k.Candidate, &k.Period, &k.State, &k.Note, &k.Tries, &k.Run, &k.At)
	return k, err
}

// getRun finds a run; the one given where there is none yet.
func getRun(tx *db.Tx, k kept) (kept, error) {
	out, err := scanRun(tx.QueryRow(sqlGetRun, k.Candidate, k.Period))
	if errors.Is(err, db.ErrNoRow) {
		return k, nil
	}
	return out, desk.Failed("run", err)
}

func listRuns(tx *db.Tx, candidate string) ([]kept, error) {
	return desk.Collect(tx, "runs", func(rows *sql.Rows) (kept, error) { return scanRun(rows) }, sqlListRuns, candidate)
}

const (
	sqlPutComparison = `INSERT INTO shadow_comparisons (candidate, answer, sha256, document, at, leaf) VALUES (?, ?, ?, ?, ?, ?)
	ON CONFLICT (candidate) DO UPDATE SET answer = excluded.answer, sha256 = excluded.sha256, document = excluded.document, at = excluded.at, leaf = excluded.leaf`
	sqlLeafOf        = `SELECT leaf FROM shadow_comparisons WHERE candidate = ?`
	sqlGetComparison = `SELECT document, answer FROM shadow_comparisons WHERE candidate = ?`
)

func putComparison(tx *db.Tx, candidate, answer string, document []byte, at, leaf int64) error {
	return desk.Failed("put comparison", tx.ExecOne(sqlPutComparison, candidate, answer, coop.Digest(document), document, at, leaf))
}

func getComparison(tx *db.Tx, candidate string) (document []byte, answer string, err error) {
	err = tx.QueryRow(sqlGetComparison, candidate).Scan(&document, &answer)
	return document, answer, desk.Found(err, "comparison")
}

// leafOf is where the log has a candidate's comparison; -1 where that is not known.
func leafOf(tx *db.Tx, candidate string) (int64, error) {
	return desk.Number[int64](tx, "comparison's leaf", sqlLeafOf, candidate)
}
