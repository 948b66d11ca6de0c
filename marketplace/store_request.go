package marketplace

import (
	"database/sql"
	"encoding/json"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const requestColumns = `id, researcher, recipient, pool, title, duo, dpv, retention_days, price,
	state, revision, granted, refused, note, submitted_at, opened_at, expires_at, study, reviewed`

const sqlInsertRequest = `INSERT INTO marketplace_requests (` + requestColumns + `)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`

func insertRequest(tx *db.Tx, r Request) error {
	study, err := json.Marshal(r.Study)
	if err != nil {
		return failed("insert request", err)
	}
	return failed("insert request", tx.ExecOne(sqlInsertRequest, r.ID, r.Researcher, r.Recipient, r.Pool, r.Title,
		r.Purpose.DUO, r.Purpose.DPV, r.RetentionDays, r.Price, r.State, r.Revision, r.Granted, r.Refused, r.Note,
		r.SubmittedAt, r.OpenedAt, r.ExpiresAt, string(study)))
}

func scanRequest(row scanner) (r Request, err error) {
	var study string
	err = row.Scan(&r.ID, &r.Researcher, &r.Recipient, &r.Pool, &r.Title, &r.Purpose.DUO, &r.Purpose.DPV,
		&r.RetentionDays, &r.Price, &r.State, &r.Revision, &r.Granted, &r.Refused, &r.Note,
		&r.SubmittedAt, &r.OpenedAt, &r.ExpiresAt, &study, &r.Reviewed)
	if err == nil {
		err = json.Unmarshal([]byte(study), &r.Study)
	}
	return r, err
}

const sqlConclude = `UPDATE marketplace_requests SET state = ?, revision = ?, granted = ?, refused = ?, note = ?, reviewed = ?
	WHERE id = ? AND state = '` + StateInReview + `'`

// concludeRequest stores what became of a request that waited for people.
func concludeRequest(tx *db.Tx, r Request) error {
	reviewed := map[bool]int{true: 1}[r.Reviewed]
	return failed("conclude request", tx.ExecOne(sqlConclude, r.State, r.Revision, r.Granted, r.Refused, r.Note, reviewed, r.ID))
}

const sqlGetRequest = `SELECT ` + requestColumns + ` FROM marketplace_requests WHERE id = ?`

func getRequest(tx *db.Tx, id coop.RequestID) (Request, error) {
	r, err := scanRequest(tx.QueryRow(sqlGetRequest, id))
	return r, found(err, "request")
}

const sqlListRequests = `SELECT ` + requestColumns + ` FROM marketplace_requests
	WHERE researcher = ? AND (? = '' OR id < ?) ORDER BY id DESC LIMIT ?`

func listRequests(tx *db.Tx, r coop.ResearcherID, before string, limit int) ([]Request, error) {
	return collect(tx, "requests", func(rows *sql.Rows) (Request, error) { return scanRequest(rows) },
		sqlListRequests, r, before, before, limit)
}

const sqlSetState = `UPDATE marketplace_requests SET state = ?, opened_at = ?, expires_at = ? WHERE id = ? AND state = ?`

// setState moves a request on, if it is still in the state from.
func setState(tx *db.Tx, r Request, from string) error {
	return failed("request state", tx.ExecOne(sqlSetState, r.State, r.OpenedAt, r.ExpiresAt, r.ID, from))
}

const sqlInsertFile = `INSERT INTO marketplace_files (id, request, dataset, member, price) VALUES (?, ?, ?, ?, ?)`

func insertFile(tx *db.Tx, r Request, d consent.Release) error {
	return failed("insert file", tx.ExecOne(sqlInsertFile, coop.NewID(), r.ID, d.Dataset, d.Member, r.Price))
}

const fileColumns = `id, request, dataset, member, price, first_at, self_custody`

func scanFile(row scanner) (f File, err error) {
	err = row.Scan(&f.ID, &f.Request, &f.Dataset, &f.Member, &f.Price, &f.FirstAt, &f.SelfCustody)
	return f, err
}

const (
	sqlListFiles = `SELECT ` + fileColumns + ` FROM marketplace_files WHERE request = ? ORDER BY id`
	sqlGetFile   = `SELECT ` + fileColumns + ` FROM marketplace_files WHERE id = ?`
	sqlFileOf    = `SELECT ` + fileColumns + ` FROM marketplace_files WHERE request = ? AND dataset = ?`
)

func listFiles(tx *db.Tx, id coop.RequestID) ([]File, error) {
	return collect(tx, "files", func(rows *sql.Rows) (File, error) { return scanFile(rows) }, sqlListFiles, id)
}

func getFile(tx *db.Tx, id coop.FileID) (File, error) {
	f, err := scanFile(tx.QueryRow(sqlGetFile, id))
	return f, found(err, "file")
}

func fileOf(tx *db.Tx, r coop.RequestID, ds coop.DatasetID) (File, error) {
	f, err := scanFile(tx.QueryRow(sqlFileOf, r, ds))
	return f, found(err, "file of a dataset")
}

const sqlKeepFile = `UPDATE marketplace_files SET self_custody = 1 WHERE request = ? AND dataset = ?`

// keepFiles notes which of a request's files wait for their members.
func keepFiles(tx *db.Tx, r coop.RequestID, kept []coop.DatasetID) error {
	for _, ds := range kept {
		if err := tx.ExecOne(sqlKeepFile, r, ds); err != nil {
			return failed("keep file", err)
		}
	}
	return nil
}

const (
	sqlFirstFetch = `UPDATE marketplace_files SET first_at = ?, fetches = 1 WHERE id = ? AND first_at = 0`
	sqlNextFetch  = `UPDATE marketplace_files SET fetches = fetches + 1 WHERE id = ?`
)

// countFetch notes a fetch and tells whether it is the file's first.
func countFetch(tx *db.Tx, id coop.FileID, at int64) (first bool, err error) {
	n, err := tx.Exec(sqlFirstFetch, at, id)
	if err != nil || n == 1 {
		return n == 1, failed("first fetch", err)
	}
	return false, failed("next fetch", tx.ExecOne(sqlNextFetch, id))
}

const sqlFirstFetched = `SELECT ` + fileColumns + ` FROM marketplace_files
	WHERE first_at >= ? AND first_at < ? AND first_at > 0 ORDER BY id`

// firstFetched lists the files first delivered in [from, to).
func firstFetched(tx *db.Tx, from, to int64) ([]File, error) {
	return collect(tx, "delivered files", func(rows *sql.Rows) (File, error) { return scanFile(rows) }, sqlFirstFetched, from, to)
}

const sqlUndelivered = `SELECT coalesce(sum(price), 0) FROM marketplace_files WHERE request = ? AND first_at = 0`

// undelivered is the price of a request's files that were never fetched.
func undelivered(tx *db.Tx, id coop.RequestID) (coop.Money, error) {
	return number[coop.Money](tx, "undelivered", sqlUndelivered, id)
}
