package appeals

import (
	"database/sql"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
)

const (
	appealColumns = `a.id, a.period, a.member, a.text, a.state, a.answer, a.opened_at, a.decided_at,
	coalesce(c.tier, 1), coalesce(c.kind, ''), coalesce(c.ref, ''), coalesce(c.paid, 0), coalesce(c.award, 0)`
	selectAppeals = `SELECT ` + appealColumns + ` FROM marketplace_appeals a LEFT JOIN appeals_cases c ON c.appeal = a.id`

	sqlInsertAppeal = `INSERT INTO marketplace_appeals (id, period, member, text, state, answer, opened_at) VALUES (?, ?, ?, ?, ?, '', ?)`
	sqlGetAppeal    = selectAppeals + ` WHERE a.id = ?`
	sqlListAppeals  = selectAppeals + ` WHERE (? OR a.member = ?) ORDER BY a.id DESC`
	sqlAnswerAppeal = `UPDATE marketplace_appeals SET state = ?, answer = ?, decided_at = ? WHERE id = ? AND state = 'open'`
	sqlReopenAppeal = `UPDATE marketplace_appeals SET state = 'open', decided_at = 0 WHERE id = ? AND state = 'dismissed'`
	sqlAppellants   = `SELECT DISTINCT member FROM marketplace_appeals WHERE period = ? ORDER BY member`
)

func insertAppeal(tx *db.Tx, a Appeal) error {
	return desk.Failed("insert appeal", tx.ExecOne(sqlInsertAppeal, a.ID, a.Period, a.Member, a.Text, a.State, a.OpenedAt))
}

func scanAppeal(row desk.Row) (a Appeal, err error) {
	err = row.Scan(&a.ID, &a.Period, &a.Member, &a.Text, &a.State, &a.Answer, &a.OpenedAt, &a.DecidedAt,
		&a.Tier, &a.About.Kind, &a.About.Ref, &a.Paid, &a.Award)
	if a.Tier == Fact && a.State == Dismissed {
		a.Escalates = a.DecidedAt + Escalation.Milliseconds()
	}
	return a, err
}

func getAppeal(tx *db.Tx, id string) (Appeal, error) {
	a, err := scanAppeal(tx.QueryRow(sqlGetAppeal, id))
	return a, desk.Found(err, "appeal")
}

func listAppeals(tx *db.Tx, m coop.MemberID, all bool) ([]Appeal, error) {
	return desk.Collect(tx, "appeals", func(rows *sql.Rows) (Appeal, error) { return scanAppeal(rows) }, sqlListAppeals, all, m)
}

func answerAppeal(tx *db.Tx, a Appeal) error {
	return desk.Failed("answer appeal", tx.ExecOne(sqlAnswerAppeal, a.State, a.Answer, a.DecidedAt, a.ID))
}

func reopenAppeal(tx *db.Tx, id string) error {
	return desk.Failed("reopen appeal", tx.ExecOne(sqlReopenAppeal, id))
}

func appellants(tx *db.Tx, id coop.PeriodID) ([]coop.MemberID, error) {
	return desk.Collect(tx, "appellants", func(rows *sql.Rows) (m coop.MemberID, err error) {
		err = rows.Scan(&m)
		return m, err
	}, sqlAppellants, id)
}

const sqlCountUnsettled = `SELECT count(*) FROM marketplace_appeals a LEFT JOIN appeals_cases c ON c.appeal = a.id
	WHERE a.period = ? AND (a.state = 'open' OR a.state = 'dismissed' AND coalesce(c.tier, 1) = 1 AND a.decided_at > ?)`

// countUnsettled counts a period's appeals that are open, or were dismissed by
// a steward after that moment.
func countUnsettled(tx *db.Tx, id coop.PeriodID, after int64) (int, error) {
	return desk.Number[int](tx, "count appeals", sqlCountUnsettled, id, after)
}

const (
	sqlInsertCorrection = `INSERT INTO appeals_corrections (appeal, period, kind, ref, member, field, was, value, source, steward, at, basis)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlCorrections = `SELECT kind, ref, member, field, was, value, source, basis <> '' FROM appeals_corrections WHERE period = ? ORDER BY at, appeal, kind, ref, field`
)

func insertCorrection(tx *db.Tx, a Appeal, steward coop.MemberID, f Correction, at int64, basis string) error {
	err := tx.ExecOne(sqlInsertCorrection, a.ID, a.Period, f.Kind, f.Ref, a.Member, f.Field, f.From, f.Value, f.Source, steward, at, basis)
	if db.IsUnique(err) {
		return ErrCorrection.With(f.Kind + ": " + f.Field + " twice")
	}
	return desk.Failed("insert correction", err)
}

// verdict is a member who was taken out of a cluster.
type verdict struct {
	member coop.MemberID
	period coop.PeriodID
	basis  string
}

const sqlVerdicts = `SELECT member, period, basis FROM appeals_corrections WHERE basis <> '' AND (period = ? OR period < ? AND at < ?) ORDER BY period DESC, at DESC`

const sqlClosed = `SELECT closed_at FROM marketplace_periods WHERE id = ?`

// closedAt is when a period ended.
func closedAt(tx *db.Tx, id coop.PeriodID) (int64, error) {
	return desk.Number[int64](tx, "end of a period", sqlClosed, id)
}

// verdicts lists what was decided about a period, and about earlier ones before a time.
func verdicts(tx *db.Tx, id coop.PeriodID, before int64) ([]verdict, error) {
	return desk.Collect(tx, "verdicts", func(rows *sql.Rows) (v verdict, err error) {
		err = rows.Scan(&v.member, &v.period, &v.basis)
		return v, err
	}, sqlVerdicts, id, id, before)
}

// mended is a correction with whose evidence it is.
type mended struct {
	Correction
	Member coop.MemberID
	person bool // it decided that the member is a person of their own
}

func corrections(tx *db.Tx, id coop.PeriodID) ([]mended, error) {
	return desk.Collect(tx, "corrections", func(rows *sql.Rows) (f mended, err error) {
		err = rows.Scan(&f.Kind, &f.Ref, &f.Member, &f.Field, &f.From, &f.Value, &f.Source, &f.person)
		return f, err
	}, sqlCorrections, id)
}

const (
	sqlInsertRecord = `INSERT INTO appeals_records (period, sha256, record) VALUES (?, ?, ?)`
	sqlGetRecord    = `SELECT record, sha256 FROM appeals_records WHERE period = ?`
)

func insertRecord(tx *db.Tx, id coop.PeriodID, sha string, record []byte) error {
	return desk.Failed("insert record", tx.ExecOne(sqlInsertRecord, id, sha, record))
}

func getRecord(tx *db.Tx, id coop.PeriodID) (record []byte, sha string, err error) {
	err = tx.QueryRow(sqlGetRecord, id).Scan(&record, &sha)
	return record, sha, desk.Found(err, "record of appeals")
}
