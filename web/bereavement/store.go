package bereavement

import (
	"database/sql"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const (
	columns = `id, reference, member, evidence, state, pause, waits, reported_by, reported_at, confirmed_by, confirmed_at, ended_at`

	sqlInsert   = `INSERT INTO bereavement_reports (` + columns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlUpdate   = `UPDATE bereavement_reports SET state = ?, pause = ?, waits = ?, confirmed_by = ?, confirmed_at = ?, ended_at = ? WHERE id = ?`
	sqlByID     = `SELECT ` + columns + ` FROM bereavement_reports WHERE id = ?`
	sqlStanding = `SELECT ` + columns + ` FROM bereavement_reports WHERE member = ? AND state IN ('reported', 'confirmed')`
	sqlList     = `SELECT ` + columns + ` FROM bereavement_reports ORDER BY reported_at DESC, id DESC`
	sqlOf       = `SELECT ` + columns + ` FROM bereavement_reports WHERE member = ? ORDER BY reported_at, id`
)

// insert stores a new report: ErrAlready where another stands for the member.
func insert(tx *db.Tx, r Report) error {
	err := tx.ExecOne(sqlInsert, r.ID, r.Reference, r.Member, r.Evidence, r.State, r.Pause, waits(r), r.ReportedBy, r.ReportedAt, r.ConfirmedBy, r.ConfirmedAt, r.EndedAt)
	if db.IsUnique(err) {
		return ErrAlready
	}
	return err
}

func waits(r Report) int64 {
	if r.Waits {
		return 1
	}
	return 0
}

func update(tx *db.Tx, r Report) error {
	return tx.ExecOne(sqlUpdate, r.State, r.Pause, waits(r), r.ConfirmedBy, r.ConfirmedAt, r.EndedAt, r.ID)
}

func scan(row interface{ Scan(...any) error }) (r Report, err error) {
	var waits int64
	err = row.Scan(&r.ID, &r.Reference, &r.Member, &r.Evidence, &r.State, &r.Pause, &waits, &r.ReportedBy, &r.ReportedAt, &r.ConfirmedBy, &r.ConfirmedAt, &r.EndedAt)
	r.Waits = waits == 1
	return r, err
}

func byID(tx *db.Tx, id string) (Report, error) { return scan(tx.QueryRow(sqlByID, id)) }

func standing(tx *db.Tx, m coop.MemberID) (Report, error) { return scan(tx.QueryRow(sqlStanding, m)) }

func list(tx *db.Tx) ([]Report, error) {
	return db.Collect(tx, func(rows *sql.Rows) (Report, error) { return scan(rows) }, sqlList)
}

// of lists what was reported of a member, oldest first.
func of(tx *db.Tx, m coop.MemberID) ([]Report, error) {
	return db.Collect(tx, func(rows *sql.Rows) (Report, error) { return scan(rows) }, sqlOf, m)
}

const sqlForget = `DELETE FROM bereavement_reports WHERE member = ? AND state IN ('stopped', 'withdrawn', 'lapsed')`

// Forget removes, in the caller's transaction, what was wrongly reported of a
// member who leaves. A report that stands, or by which they left, stays.
func Forget(tx *db.Tx, m coop.MemberID) error {
	_, err := tx.Exec(sqlForget, m)
	return err
}
