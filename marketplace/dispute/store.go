package dispute

import (
	"database/sql"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
)

const columns = `id, file, request, researcher, dataset, member, kind, text, state, answer, steward, reason, note, amount,
	opened_at, answered_at, decided_at`

const sqlInsert = `INSERT INTO dispute_cases (` + columns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

func insert(tx *db.Tx, c Case) error {
	return desk.Failed("insert dispute", tx.ExecOne(sqlInsert, c.ID, c.File, c.Request, c.Researcher, c.Dataset, c.Member, c.Kind, c.Text,
		c.State, c.Answer, c.Steward, c.Reason, c.Note, c.Amount, c.OpenedAt, c.AnsweredAt, c.DecidedAt))
}

const sqlUpdate = `UPDATE dispute_cases SET state = ?, answer = ?, steward = ?, reason = ?, note = ?, amount = ?, answered_at = ?, decided_at = ?
	WHERE id = ?`

func update(tx *db.Tx, c Case) error {
	return desk.Failed("update dispute", tx.ExecOne(sqlUpdate, c.State, c.Answer, c.Steward, c.Reason, c.Note, c.Amount, c.AnsweredAt, c.DecidedAt, c.ID))
}

const (
	sqlByID         = `SELECT ` + columns + ` FROM dispute_cases WHERE id = ?`
	sqlByResearcher = `SELECT ` + columns + ` FROM dispute_cases WHERE researcher = ? ORDER BY id DESC`
	sqlByMember     = `SELECT ` + columns + ` FROM dispute_cases WHERE member = ? ORDER BY id DESC`
	sqlUndecided    = `SELECT ` + columns + ` FROM dispute_cases WHERE state IN ('opened', 'in_review') ORDER BY id DESC`
	sqlDecided      = `SELECT ` + columns + ` FROM dispute_cases WHERE state IN ('upheld', 'dismissed') ORDER BY id DESC LIMIT 500`
	sqlUpheld       = `SELECT ` + columns + ` FROM dispute_cases WHERE state = 'upheld' ORDER BY id`
)

func scan(row desk.Row) (c Case, err error) {
	err = row.Scan(&c.ID, &c.File, &c.Request, &c.Researcher, &c.Dataset, &c.Member, &c.Kind, &c.Text, &c.State, &c.Answer, &c.Steward,
		&c.Reason, &c.Note, &c.Amount, &c.OpenedAt, &c.AnsweredAt, &c.DecidedAt)
	return c, err
}

func scanRows(rows *sql.Rows) (Case, error) { return scan(rows) }

func byID(tx *db.Tx, id string) (Case, error) {
	c, err := scan(tx.QueryRow(sqlByID, id))
	return c, desk.Found(err, "dispute")
}

func byResearcher(tx *db.Tx, r coop.ResearcherID) ([]Case, error) {
	return desk.Collect(tx, "disputes of a researcher", scanRows, sqlByResearcher, r)
}

func byMember(tx *db.Tx, m coop.MemberID) ([]Case, error) {
	return desk.Collect(tx, "disputes of a member", scanRows, sqlByMember, m)
}

// everything is what waits for a decision, however old, and then what was decided.
func everything(tx *db.Tx) ([]Case, error) {
	open, err := desk.Collect(tx, "undecided disputes", scanRows, sqlUndecided)
	if err != nil {
		return nil, err
	}
	decided, err := desk.Collect(tx, "decided disputes", scanRows, sqlDecided)
	return append(open, decided...), err
}

func upheld(tx *db.Tx) ([]Case, error) {
	return desk.Collect(tx, "upheld disputes", scanRows, sqlUpheld)
}

const sqlAgainst = `SELECT count(*) FROM dispute_cases WHERE dataset = ? AND state = 'upheld'`

// Against counts the upheld disputes about a dataset.
func (c *Counter) Against(tx *db.Tx, ds coop.DatasetID) (int, error) {
	return desk.Number[int](tx, "disputes about a dataset", sqlAgainst, ds)
}

// use is a delivered file, as the market keeps it.
type use struct {
	request    coop.RequestID
	researcher coop.ResearcherID
	dataset    coop.DatasetID
	member     coop.MemberID
	price      coop.Money
	firstAt    int64
}

const sqlUse = `SELECT f.request, r.researcher, f.dataset, f.member, f.price, f.first_at
	FROM marketplace_files f JOIN marketplace_requests r ON r.id = f.request WHERE f.id = ?`

func useOf(tx *db.Tx, id coop.FileID) (u use, err error) {
	err = tx.QueryRow(sqlUse, id).Scan(&u.request, &u.researcher, &u.dataset, &u.member, &u.price, &u.firstAt)
	return u, desk.Found(err, "disputed file")
}

const sqlVettedBy = `SELECT vetted_by FROM marketplace_researchers WHERE id = ?`

func vettedBy(tx *db.Tx, r coop.ResearcherID) (by coop.MemberID, err error) {
	err = tx.QueryRow(sqlVettedBy, r).Scan(&by)
	return by, desk.Found(err, "researcher")
}

// States of a period, as the market keeps them.
const (
	stateOpen   = "open"
	stateClosed = "closed"
)

const sqlPeriodOf = `SELECT id, state FROM marketplace_periods WHERE opened_at <= ? AND (state = 'open' OR closed_at > ?) ORDER BY id DESC LIMIT 1`

// periodOf is the period that a delivery belongs to.
func periodOf(tx *db.Tx, at int64) (id coop.PeriodID, state string, err error) {
	err = tx.QueryRow(sqlPeriodOf, at, at).Scan(&id, &state)
	return id, state, desk.Found(err, "period of a dispute")
}

const sqlConfirmed = `SELECT DISTINCT f.dataset, f.member FROM marketplace_files f
	WHERE f.first_at > 0 AND f.first_at < ? AND f.price > 0
	AND NOT EXISTS (SELECT 1 FROM dispute_cases d WHERE d.file = f.id AND d.state = 'upheld')
	AND NOT EXISTS (SELECT 1 FROM marketplace_requests r JOIN marketplace_researchers w ON w.id = r.researcher WHERE r.id = f.request
		AND COALESCE((SELECT n.related FROM marketplace_relations n WHERE n.researcher = w.id AND n.since <= f.first_at ORDER BY n.since DESC LIMIT 1), w.related) = 1)
	ORDER BY f.dataset`

// Owned is a dataset and whose it is.
type Owned struct {
	Dataset coop.DatasetID
	Member  coop.MemberID
}

// Confirmed lists the datasets that a paying use had read before a time without
// an upheld dispute about it; a use that a related party paid for confirms nothing.
func (c *Counter) Confirmed(tx *db.Tx, before int64) ([]Owned, error) {
	return desk.Collect(tx, "confirmed datasets", func(rows *sql.Rows) (o Owned, err error) {
		err = rows.Scan(&o.Dataset, &o.Member)
		return o, err
	}, sqlConfirmed, before)
}
