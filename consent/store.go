package consent

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"distributed.ai/datacoop/consent/proof"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

const sqlInsertDataset = `INSERT INTO consent_datasets (id, member, pool, categories, region, sealed, closed)
VALUES (?, ?, ?, ?, ?, ?, ?)`

func insertDataset(tx *db.Tx, e Enrolment) error {
	categories, err := proof.Canonical(append([]string{}, e.Categories...))
	if err != nil {
		return err
	}
	return tx.ExecOne(sqlInsertDataset, e.Dataset, e.Member, e.Pool, string(categories), e.Region, e.Sealed, coop.Forever)
}

const sqlCloseDataset = `UPDATE consent_datasets SET closed = CASE
WHEN ? >= closed THEN closed WHEN ? <= sealed THEN sealed ELSE ? END WHERE id = ?`

func closeDataset(tx *db.Tx, ds coop.DatasetID, at int64) error {
	return tx.ExecOne(sqlCloseDataset, at, at, at, ds)
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

const sqlDatasetsOfPool = sqlDatasetColumns + ` WHERE pool = ? AND closed > ? AND sealed <= ? ORDER BY id`

// datasetsOfPool lists the datasets that are open at now, by id.
func datasetsOfPool(tx *db.Tx, p coop.PoolID, now int64) ([]enrolled, error) {
	return db.Collect(tx, func(r *sql.Rows) (enrolled, error) { return scanDataset(r) }, sqlDatasetsOfPool, p, now, now)
}

const sqlHeadSeq = `SELECT coalesce(max(seq), 0) FROM
(SELECT max(seq) AS seq FROM consent_records UNION ALL SELECT max(seq) AS seq FROM consent_pauses) AS head`

// headSeq is the position of the newest record or pause.
func headSeq(tx *db.Tx) (seq int64, err error) {
	err = tx.QueryRow(sqlHeadSeq).Scan(&seq)
	return seq, err
}

func nextSeq(tx *db.Tx) (int64, error) {
	seq, err := headSeq(tx)
	return seq + 1, err
}

const sqlInsertRecord = `INSERT INTO consent_records
(seq, id, member, pool, dataset, effect, terms, not_before, expires, withdrawn, at, leaf)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

func insertRecord(tx *db.Tx, r Record, leaf int64) error {
	terms, err := proof.Canonical(r.Terms)
	if err != nil {
		return err
	}
	return tx.ExecOne(sqlInsertRecord, r.Seq, r.ID, r.Member, r.Pool, r.Dataset, r.effect, string(terms),
		r.NotBefore, r.Expires, r.WithdrawnAt, r.CreatedAt, leaf)
}

const sqlRecordColumns = `SELECT seq, id, member, pool, dataset, effect, terms, not_before, expires, withdrawn, at
FROM consent_records`

func scanRecord(row interface{ Scan(...any) error }) (Record, error) {
	var r Record
	var terms string
	err := row.Scan(&r.Seq, &r.ID, &r.Member, &r.Pool, &r.Dataset, &r.effect, &terms,
		&r.NotBefore, &r.Expires, &r.WithdrawnAt, &r.CreatedAt)
	if err != nil {
		return Record{}, err
	}
	return r, json.Unmarshal([]byte(terms), &r.Terms)
}

func scanRecords(r *sql.Rows) (Record, error) { return scanRecord(r) }

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
	list, err := db.Collect(tx, scanRecords, sqlNewestOfMember, m, p)
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
	if errors.Is(err, db.ErrNoRow) {
		return Record{}, false, nil
	}
	return r, err == nil, err
}

const sqlNewestFor = sqlRecordColumns + ` WHERE seq IN
((SELECT max(seq) FROM consent_records WHERE` + inScope + `), (SELECT max(seq) FROM consent_records WHERE` + inScope + `))`

// recordsFor returns the newest records of a dataset's own scope and of its
// pool's; the zero one where there is none.
func recordsFor(tx *db.Tx, e enrolled) (own, pool Record, err error) {
	list, err := db.Collect(tx, scanRecords, sqlNewestFor, e.Member, e.Pool, e.Dataset, e.Member, e.Pool, "")
	for _, r := range list {
		if r.Dataset == "" {
			pool = r
		} else {
			own = r
		}
	}
	return own, pool, err
}

const sqlNewestOfPool = sqlRecordColumns + ` WHERE seq IN
(SELECT max(seq) FROM consent_records WHERE pool = ? GROUP BY member, dataset)`

// recordsOfPool returns the newest record of each scope in a pool.
func recordsOfPool(tx *db.Tx, p coop.PoolID) (map[scope]Record, error) {
	list, err := db.Collect(tx, scanRecords, sqlNewestOfPool, p)
	if err != nil {
		return nil, err
	}
	out := make(map[scope]Record, len(list))
	for _, r := range list {
		out[scope{r.Member, p, r.Dataset}] = r
	}
	return out, nil
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

const sqlPausedMembers = `SELECT member FROM consent_pauses WHERE paused = 1 AND seq IN
(SELECT max(seq) FROM consent_pauses GROUP BY member)`

func pausedMembers(tx *db.Tx) (map[coop.MemberID]bool, error) {
	list, err := db.Collect(tx, func(r *sql.Rows) (m coop.MemberID, err error) {
		err = r.Scan(&m)
		return m, err
	}, sqlPausedMembers)
	out := make(map[coop.MemberID]bool, len(list))
	for _, m := range list {
		out[m] = true
	}
	return out, err
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
