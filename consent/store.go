package consent

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"distributed.ai/datacoop/consent/proof"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

const sqlInsertDataset = `INSERT INTO consent_datasets (id, member, pool, categories, region, sealed, closed, enrolled)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

func insertDataset(tx *db.Tx, e Enrolment) error {
	categories, err := proof.Canonical(append([]string{}, e.Categories...))
	if err != nil {
		return err
	}
	seq, err := nextSeq(tx)
	if err != nil {
		return err
	}
	return tx.ExecOne(sqlInsertDataset, e.Dataset, e.Member, e.Pool, string(categories), e.Region, e.Sealed, coop.Forever, seq)
}

const sqlCloseDataset = `UPDATE consent_datasets SET closed = CASE
WHEN ? >= closed THEN closed WHEN ? <= sealed THEN sealed ELSE ? END, closing = CASE WHEN closing = 0 THEN ? ELSE closing END WHERE id = ?`

func closeDataset(tx *db.Tx, ds coop.DatasetID, at int64) error {
	seq, err := nextSeq(tx)
	if err != nil {
		return err
	}
	return tx.ExecOne(sqlCloseDataset, at, at, at, seq, ds)
}

const sqlDatasetColumns = `SELECT id, member, pool, categories, region, sealed, closed FROM consent_datasets`

func scanDataset(row interface{ Scan(...any) error }) (enrolled, error) {
	var e enrolled
	var categories string
	err := row.Scan(&e.Dataset, &e.Member, &e.Pool, &categories, &e.Region, &e.Sealed, &e.closed)
	if err != nil {
		return enrolled{}, err
	}
	return e, json.Unmarshal([]byte(categories), &e.Categories)
}

const sqlDatasetByID = sqlDatasetColumns + ` WHERE id = ?`

func datasetByID(tx *db.Tx, ds coop.DatasetID) (enrolled, error) {
	e, err := scanDataset(tx.QueryRow(sqlDatasetByID, ds))
	return e, foundDataset(err)
}

func foundDataset(err error) error {
	switch {
	case errors.Is(err, db.ErrNoRow):
		return ErrNoDataset
	case err != nil:
		return fmt.Errorf("consent: reading a dataset: %w", err)
	}
	return nil
}

const sqlMatter = `SELECT id, member, pool, categories, region, sealed, closed,
coalesce((SELECT p.paused FROM consent_pauses p WHERE p.member = consent_datasets.member ORDER BY p.seq DESC LIMIT 1), 0),
(` + sqlHeadSeq + `), (` + sqlHasRevision + `) FROM consent_datasets WHERE id = ?`

// matterOf reads what deciding about a dataset under a law rests on, at once.
func matterOf(tx *db.Tx, law *policies.Revision, ds coop.DatasetID) (matter, error) {
	m := matter{law: law}
	var categories string
	var paused, kept int64
	err := tx.QueryRow(sqlMatter, hashOf(law), ds).Scan(&m.Dataset, &m.Member, &m.Pool, &categories, &m.Region, &m.Sealed, &m.closed,
		&paused, &m.head, &kept)
	if err == nil {
		err = json.Unmarshal([]byte(categories), &m.Categories)
	}
	m.paused, m.lawKept = paused != 0, kept != 0
	return m, foundDataset(err)
}

const (
	sqlHeadSeq = `SELECT seq FROM consent_head`
	sqlNextSeq = `UPDATE consent_head SET seq = seq + 1 RETURNING seq`
)

// headSeq is the position of the newest event.
func headSeq(tx *db.Tx) (seq int64, err error) {
	err = tx.QueryRow(sqlHeadSeq).Scan(&seq)
	return seq, err
}

// nextSeq takes the next position.
func nextSeq(tx *db.Tx) (seq int64, err error) {
	err = tx.QueryRow(sqlNextSeq).Scan(&seq)
	return seq, err
}

const sqlInsertRecord = `INSERT INTO consent_records
(seq, id, member, pool, dataset, effect, terms, not_before, expires, withdrawn, at, leaf, as_pool)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

func insertRecord(tx *db.Tx, r Record, leaf int64) error {
	terms, err := proof.Canonical(r.Terms)
	if err != nil {
		return err
	}
	effect := r.effect
	if r.asPool() {
		effect = policies.Withdrawn
	}
	return tx.ExecOne(sqlInsertRecord, r.Seq, r.ID, r.Member, r.Pool, r.Dataset, effect, string(terms),
		r.NotBefore, r.Expires, r.WithdrawnAt, r.CreatedAt, leaf, bit(r.asPool()))
}

const sqlRecordColumns = `SELECT seq, id, member, pool, dataset, effect, terms, not_before, expires, withdrawn, at, as_pool
FROM consent_records`

func scanRecord(row interface{ Scan(...any) error }) (Record, error) {
	var r Record
	var terms string
	var asPool int64
	err := row.Scan(&r.Seq, &r.ID, &r.Member, &r.Pool, &r.Dataset, &r.effect, &terms,
		&r.NotBefore, &r.Expires, &r.WithdrawnAt, &r.CreatedAt, &asPool)
	if err != nil {
		return Record{}, err
	}
	if asPool != 0 {
		r.effect = StateAsPool
	}
	return r, json.Unmarshal([]byte(terms), &r.Terms)
}

func scanRecords(r *sql.Rows) (Record, error) { return scanRecord(r) }

// governingRecords reads records that count: one that says "as the pool" is none.
func governingRecords(tx *db.Tx, query string, args ...any) ([]Record, error) {
	list, err := db.Collect(tx, scanRecords, query, args...)
	return slices.DeleteFunc(list, Record.asPool), err
}

const sqlRecordByID = sqlRecordColumns + ` WHERE id = ? AND member = ?`

func recordByID(tx *db.Tx, m coop.MemberID, id string) (Record, error) {
	return scanRecord(tx.QueryRow(sqlRecordByID, id, m))
}

const sqlRecordsByMember = sqlRecordColumns + ` WHERE member = ? ORDER BY seq`

func recordsByMember(tx *db.Tx, m coop.MemberID) ([]Record, error) {
	return db.Collect(tx, scanRecords, sqlRecordsByMember, m)
}

const sqlNewestOfMember = sqlRecordColumns + ` WHERE seq IN
(SELECT max(seq) FROM consent_records WHERE member = ? AND pool = ? GROUP BY dataset)`

// recordsOf returns the newest record of each of a member's scopes in a pool,
// by dataset; "" is the pool itself.
func recordsOf(tx *db.Tx, m coop.MemberID, p coop.PoolID) (map[coop.DatasetID]Record, error) {
	list, err := governingRecords(tx, sqlNewestOfMember, m, p)
	if err != nil {
		return nil, err
	}
	out := make(map[coop.DatasetID]Record, len(list))
	for _, r := range list {
		out[r.Dataset] = r
	}
	return out, nil
}

// SQLite plans a statement anew at every execution if one of the plans it has
// weighed leaves an equality with a bare parameter unused, which costs several
// times what the statement does. A CAST keeps the plan.
const inScope = ` member = CAST(? AS TEXT) AND pool = CAST(? AS TEXT) AND dataset = CAST(? AS TEXT)`

const sqlNewestOfScope = sqlRecordColumns + ` WHERE` + inScope + ` ORDER BY seq DESC LIMIT 1`

// recordOf returns the newest record of one scope, or false if there is none.
func recordOf(tx *db.Tx, at scope) (Record, bool, error) {
	r, err := scanRecord(tx.QueryRow(sqlNewestOfScope, at.member, at.pool, at.dataset))
	if errors.Is(err, db.ErrNoRow) || r.asPool() {
		return Record{}, false, nil
	}
	return r, err == nil, err
}

const sqlNewestFor = sqlRecordColumns + ` WHERE seq IN
((SELECT max(seq) FROM consent_records WHERE` + inScope + `), (SELECT max(seq) FROM consent_records WHERE` + inScope + `))`

// recordsFor returns the newest records of a dataset's own scope and of its
// pool's; the zero one where there is none.
func recordsFor(tx *db.Tx, e enrolled) (own, pool Record, err error) {
	list, err := governingRecords(tx, sqlNewestFor, e.Member, e.Pool, e.Dataset, e.Member, e.Pool, "")
	for _, r := range list {
		if r.Dataset == "" {
			pool = r
		} else {
			own = r
		}
	}
	return own, pool, err
}

const sqlInsertPause = `INSERT INTO consent_pauses (seq, member, paused, at, leaf) VALUES (?, ?, ?, ?, ?)`

func insertPause(tx *db.Tx, e pauseEvent, leaf int64) error {
	return tx.ExecOne(sqlInsertPause, e.Seq, e.Member, bit(e.Paused), e.At, leaf)
}

const sqlPausedMember = `SELECT coalesce((SELECT paused FROM consent_pauses WHERE member = ? ORDER BY seq DESC LIMIT 1), 0)`

func pausedMember(tx *db.Tx, m coop.MemberID) (bool, error) {
	var paused int64
	err := tx.QueryRow(sqlPausedMember, m).Scan(&paused)
	return paused != 0, err
}

const sqlNewestPause = `SELECT coalesce(max(seq), 0) FROM consent_pauses WHERE member = ?`

// NewestPause reports whether a member's sharing is paused, and the position of
// the newest pause or resumption. Who pauses for a member ends only that pause:
// where the position is another by then, somebody has said something since.
func (s *Service) NewestPause(tx *db.Tx, m coop.MemberID) (at int64, paused bool, err error) {
	unread := tx.QueryRow(sqlNewestPause, m).Scan(&at)
	paused, err = pausedMember(tx, m)
	return at, paused, errors.Join(unread, err)
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
