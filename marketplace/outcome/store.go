package outcome

import (
	"database/sql"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
)

const sqlInsertDuty = `INSERT INTO outcome_duties (request, researcher, pool, report) VALUES (?, ?, ?, ?)`

func insertDuty(tx *db.Tx, id coop.RequestID, r coop.ResearcherID, pool coop.PoolID, report bool) error {
	return desk.Failed("insert duty", tx.ExecOne(sqlInsertDuty, id, r, pool, map[bool]int{true: 1}[report]))
}

const sqlDeleted = `UPDATE outcome_duties SET deleted_at = ? WHERE request = ?`

func setDeleted(tx *db.Tx, id coop.RequestID, at int64) error {
	return desk.Failed("attest deletion", tx.ExecOne(sqlDeleted, at, id))
}

// owing is a duty as it is kept.
type owing struct {
	Duty
	owes      bool
	lastFetch int64
}

const (
	dutyColumns = `d.request, d.researcher, w.name, d.pool, r.title, r.retention_days, d.report, d.deleted_at,
	(SELECT coalesce(max(f.first_at), 0) FROM marketplace_files f WHERE f.request = d.request AND f.first_at > 0)
	FROM outcome_duties d JOIN marketplace_requests r ON r.id = d.request JOIN marketplace_researchers w ON w.id = d.researcher`

	sqlDutyOf   = `SELECT ` + dutyColumns + ` WHERE d.request = ?`
	sqlDutiesOf = `SELECT ` + dutyColumns + ` WHERE d.researcher = ? ORDER BY d.request DESC`

	// Only what has been open long enough can be due: a file is fetched after
	// its request has been opened, and no copy is kept for less than a day.
	sqlDutiesEnding = `SELECT ` + dutyColumns + ` WHERE r.opened_at > 0 AND r.opened_at + r.retention_days * 86400000 <= ?
	ORDER BY r.opened_at + r.retention_days * 86400000, d.request`
)

func scanDuty(row desk.Row) (o owing, err error) {
	var days int64
	err = row.Scan(&o.Request, &o.Researcher, &o.Who, &o.Pool, &o.Title, &days, &o.owes, &o.DeletedAt, &o.lastFetch)
	if o.lastFetch > 0 {
		o.Ends = o.lastFetch + days*24*time.Hour.Milliseconds()
	}
	return o, err
}

func dutyRows(rows *sql.Rows) (owing, error) { return scanDuty(rows) }

func dutyOf(tx *db.Tx, id coop.RequestID) (owing, error) {
	o, err := scanDuty(tx.QueryRow(sqlDutyOf, id))
	return o, desk.Found(err, "duty")
}

func dutiesOf(tx *db.Tx, r coop.ResearcherID) ([]owing, error) {
	return desk.Collect(tx, "duties of a researcher", dutyRows, sqlDutiesOf, r)
}

func dutiesEnding(tx *db.Tx, now int64) ([]owing, error) {
	return desk.Collect(tx, "duties that end", dutyRows, sqlDutiesEnding, now)
}

const sqlInsertReport = `INSERT INTO outcome_reports (id, request, researcher, pool, summary, link, at) VALUES (?, ?, ?, ?, ?, ?, ?)`

func insertReport(tx *db.Tx, r Report) error {
	return desk.Failed("insert report", tx.ExecOne(sqlInsertReport, r.ID, r.Request, r.Researcher, r.Pool, r.Summary, r.Link, r.At))
}

const (
	reportColumns = `p.id, p.request, p.researcher, w.name, p.pool, r.title, p.summary, p.link, p.at, p.hidden_at, p.hidden_reason
	FROM outcome_reports p JOIN marketplace_requests r ON r.id = p.request JOIN marketplace_researchers w ON w.id = p.researcher`

	newest = ` AND NOT EXISTS (SELECT 1 FROM outcome_reports n WHERE n.request = p.request AND n.id > p.id)`
	paged  = ` AND (? = '' OR p.id < ?) ORDER BY p.id DESC LIMIT ?`

	sqlLastReport  = `SELECT ` + reportColumns + ` WHERE p.request = ?` + newest
	sqlReportByID  = `SELECT ` + reportColumns + ` WHERE p.id = ?` + newest
	sqlPoolReports = `SELECT ` + reportColumns + ` WHERE p.pool = ?` + newest + paged

	sqlAllReports = `SELECT ` + reportColumns + ` WHERE p.pool <> ''` + newest + paged

	sqlDatasetReports = `SELECT ` + reportColumns + ` WHERE p.request IN (SELECT f.request FROM marketplace_files f
	WHERE f.dataset = ? AND f.member = ? AND f.first_at > 0)` + newest + ` ORDER BY p.id DESC LIMIT 100`
	sqlMemberReports = `SELECT ` + reportColumns + ` WHERE p.request IN (SELECT f.request FROM marketplace_files f
	WHERE f.member = ? AND f.first_at > 0)` + newest + paged
)

func scanReport(row desk.Row) (r Report, err error) {
	err = row.Scan(&r.ID, &r.Request, &r.Researcher, &r.Who, &r.Pool, &r.Title, &r.Summary, &r.Link, &r.At, &r.HiddenAt, &r.HiddenReason)
	return r, err
}

func reportRows(rows *sql.Rows) (Report, error) { return scanReport(rows) }

func lastReport(tx *db.Tx, id coop.RequestID) (Report, error) {
	r, err := scanReport(tx.QueryRow(sqlLastReport, id))
	return r, desk.Found(err, "report of a request")
}

func reportByID(tx *db.Tx, id string) (Report, error) {
	r, err := scanReport(tx.QueryRow(sqlReportByID, id))
	return r, desk.Found(err, "report")
}

func poolReports(tx *db.Tx, pool coop.PoolID, before string, limit int) ([]Report, error) {
	return desk.Collect(tx, "reports of a pool", reportRows, sqlPoolReports, pool, before, before, limit)
}

func allReports(tx *db.Tx, before string, limit int) ([]Report, error) {
	return desk.Collect(tx, "all reports", reportRows, sqlAllReports, before, before, limit)
}

func datasetReports(tx *db.Tx, m coop.MemberID, ds coop.DatasetID) ([]Report, error) {
	return desk.Collect(tx, "reports of a dataset", reportRows, sqlDatasetReports, ds, m)
}

func memberReports(tx *db.Tx, m coop.MemberID, before string, limit int) ([]Report, error) {
	return desk.Collect(tx, "reports of a member", reportRows, sqlMemberReports, m, before, before, limit)
}

const sqlHide = `UPDATE outcome_reports SET hidden_at = ?, hidden_by = ?, hidden_reason = ? WHERE id = ? AND hidden_at = 0`

func hide(tx *db.Tx, r Report, by coop.MemberID) error {
	return desk.Failed("hide report", tx.ExecOne(sqlHide, r.HiddenAt, by, r.HiddenReason, r.ID))
}

const sqlReaders = `SELECT DISTINCT member FROM marketplace_files WHERE request = ? AND first_at > 0 AND member > ? ORDER BY member LIMIT ?`

// readers lists the members whose data were fetched for a request, by id.
func readers(tx *db.Tx, id coop.RequestID, after coop.MemberID, limit int) ([]coop.MemberID, error) {
	return desk.Collect(tx, "members a request reached", func(rows *sql.Rows) (m coop.MemberID, err error) {
		err = rows.Scan(&m)
		return m, err
	}, sqlReaders, id, after, limit)
}
