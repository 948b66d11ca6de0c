package cohort

import (
	"database/sql"
	"errors"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// What records the answers about all datasets of a group: the pattern of each
// row, without carrying one of them here.
const (
	sqlFill    = `INSERT INTO consent_outcomes (cohort, dataset, who, law, bits) SELECT CAST(? AS BIGINT), id, who, CAST(? AS BIGINT), ` + sqlCohortBits
	sqlFillEnd = ` ORDER BY id`
	sqlForget  = `DELETE FROM consent_outcomes WHERE cohort = ?`
)

// fill records the rows of a group in a cohort under a number of its law.
func fill(tx *db.Tx, seq, law int64, w Where, bits Expression) error {
	query, args := w.sql(sqlFill+bits.SQL+" END", append([]any{seq, law, Layout}, bits.Args...))
	_, err := tx.Exec(query+sqlFillEnd, args...)
	return err
}

// Forget takes back what was filled in, before anything is recorded of it.
func Forget(tx *db.Tx, seq int64) error {
	_, err := tx.Exec(sqlForget, seq)
	return err
}

// Outcome is the answer of a cohort about one dataset.
type Outcome struct {
	Dataset coop.DatasetID
	Who     int64 // the member, as a number
	Pattern
}

const (
	sqlPut  = `INSERT INTO consent_outcomes (cohort, dataset, who, law, bits) VALUES `
	sqlEach = `(?, ?, ?, ?, ?)`
)

// Put records answers that were found one by one; few enough to be bound.
func Put(tx *db.Tx, seq int64, list []Outcome) error {
	if len(list) == 0 {
		return nil
	}
	args := make([]any, 0, 5*len(list))
	for _, o := range list {
		args = append(args, seq, o.Dataset, o.Who, o.Law, o.Bits)
	}
	_, err := tx.Exec(sqlPut+sqlEach+strings.Repeat(", "+sqlEach, len(list)-1), args...)
	return err
}

const sqlSetOutcome = `UPDATE consent_outcomes SET law = ?, bits = ? WHERE cohort = ? AND dataset = ?`

// Replace gives a dataset another answer than the filter's, if it is in the cohort.
func Replace(tx *db.Tx, seq int64, ds coop.DatasetID, p Pattern) error {
	_, err := tx.Exec(sqlSetOutcome, p.Law, p.Bits, seq, ds)
	return err
}

const sqlRows = `SELECT dataset, who, law, bits FROM consent_outcomes WHERE cohort = ? ORDER BY dataset`

// eachRow calls fn with every row of a cohort, by dataset; the text is fn's for
// the time of the call alone.
func eachRow(tx *db.Tx, seq int64, fn func(dataset []byte, who uint32, p Pattern)) error {
	var ds sql.RawBytes
	var who uint32
	var p Pattern
	return stream(tx, sqlRows, []any{seq}, func(r *sql.Rows) error {
		err := r.Scan(&ds, &who, &p.Law, &p.Bits)
		if err == nil {
			fn(ds, who, p)
		}
		return err
	})
}

const sqlInsertVerdict = `INSERT INTO consent_verdicts (cohort, law, bits, allow, outcome) VALUES (?, ?, ?, ?, ?)`

// PutVerdicts records what the patterns of a cohort mean.
func PutVerdicts(tx *db.Tx, seq int64, verdicts []Verdict) error {
	for _, v := range verdicts {
		outcome, err := Said(v.Outcome)
		if err != nil {
			return err
		}
		if err := tx.ExecOne(sqlInsertVerdict, seq, v.Law, v.Bits, map[bool]int64{true: 1}[v.Allow], outcome); err != nil {
			return err
		}
	}
	return nil
}

const sqlVerdicts = `SELECT law, bits, allow, outcome FROM consent_verdicts WHERE cohort = ? ORDER BY law, bits`

var errVerdict = errors.New("cohort: a verdict that contradicts itself")

// Verdicts lists what the patterns of a cohort mean.
func Verdicts(tx *db.Tx, seq int64) ([]Verdict, error) {
	return db.Collect(tx, func(r *sql.Rows) (v Verdict, err error) {
		var allow int64
		var text string
		if err := r.Scan(&v.Law, &v.Bits, &allow, &text); err != nil {
			return v, err
		}
		if v.Outcome, err = readSaid(text); err == nil && v.Allow != (allow != 0) {
			err = errVerdict
		}
		return v, err
	}, sqlVerdicts, seq)
}

// Meaning is what each pattern of a cohort means.
func Meaning(tx *db.Tx, seq int64) (map[Pattern]policies.Outcome, error) {
	verdicts, err := Verdicts(tx, seq)
	out := make(map[Pattern]policies.Outcome, len(verdicts))
	for _, v := range verdicts {
		out[v.Pattern] = v.Outcome
	}
	return out, err
}

const sqlInsertRecord = `INSERT INTO consent_cohorts
(id, request, pool, revision, granted, refused, digest, consent_seq, at, leaf, seq, question, question_sha256, filter, counts)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// Insert keeps a record with the place of its entry in the audit log.
func Insert(tx *db.Tx, r Record, leaf int64) error {
	counts, err := r.Counts()
	if err != nil {
		return err
	}
	return tx.ExecOne(sqlInsertRecord, r.ID, r.Request, r.Pool, r.Revision, r.Granted, r.Refused, r.Digest, r.ConsentSeq, r.At, leaf,
		r.Seq, r.Question, r.QuestionSHA256, r.Filter, string(counts))
}

// The filter of a record may be long. It is kept to be looked at and decides
// nothing afterwards: a replay makes it anew from the law and the question.
const (
	sqlRecordColumns = `id, request, pool, revision, granted, refused, digest, consent_seq, at, seq, question, question_sha256, counts,
CASE WHEN filter IN ('class-wise', 'sealed') THEN filter ELSE '' END FROM consent_cohorts`
	sqlRecordsAfter = `SELECT ` + sqlRecordColumns + ` WHERE seq > ? AND at >= ? ORDER BY seq LIMIT ?`
	sqlOldAfter     = `SELECT ` + sqlRecordColumns + ` WHERE seq = 0 AND id > ? ORDER BY id LIMIT ?`
	sqlRecordOf     = `SELECT ` + sqlRecordColumns + ` WHERE request = ? ORDER BY seq DESC, at DESC, id DESC LIMIT 1`
)

func scanRecord(row interface{ Scan(...any) error }) (r Record, err error) {
	var counts string
	err = row.Scan(&r.ID, &r.Request, &r.Pool, &r.Revision, &r.Granted, &r.Refused, &r.Digest, &r.ConsentSeq, &r.At,
		&r.Seq, &r.Question, &r.QuestionSHA256, &counts, &r.Filter)
	if err != nil || r.Seq == 0 {
		return r, err
	}
	return r, errors.Join(r.readQuestion(), r.readCounts(counts))
}

// RecordsAfter lists cohorts that were decided at since or later, by place.
func RecordsAfter(tx *db.Tx, seq, since int64, limit int) ([]Record, error) {
	return db.Collect(tx, func(r *sql.Rows) (Record, error) { return scanRecord(r) }, sqlRecordsAfter, seq, since, limit)
}

// OldAfter lists cohorts from before there were records, by id.
func OldAfter(tx *db.Tx, id string, limit int) ([]Record, error) {
	return db.Collect(tx, func(r *sql.Rows) (Record, error) { return scanRecord(r) }, sqlOldAfter, id, limit)
}

// RecordOf finds the newest cohort of a request; its Seq is 0 if it was decided
// before there were records, and then it has neither question nor counts.
func RecordOf(tx *db.Tx, id coop.RequestID) (r Record, ok bool, err error) {
	r, err = scanRecord(tx.QueryRow(sqlRecordOf, id))
	if errors.Is(err, db.ErrNoRow) {
		return Record{}, false, nil
	}
	return r, err == nil, err
}

// Release is a dataset that a cohort passes.
type Release struct {
	Dataset coop.DatasetID
	Member  coop.MemberID
}

const sqlReleases = `SELECT o.dataset, m.member FROM consent_outcomes o
JOIN consent_verdicts v ON v.cohort = o.cohort AND v.law = o.law AND v.bits = o.bits
JOIN consent_members m ON m.who = o.who
WHERE o.cohort = ? AND o.dataset > ? AND v.allow = 1 ORDER BY o.dataset LIMIT ?`

// EachRelease calls fn with the datasets that a cohort passes, by id. It may use
// the transaction.
func EachRelease(tx *db.Tx, c Record, fn func(Release) error) error {
	for after := coop.DatasetID(""); ; {
		some, err := db.Collect(tx, func(r *sql.Rows) (out Release, err error) {
			err = r.Scan(&out.Dataset, &out.Member)
			return out, err
		}, sqlReleases, c.Seq, after, page)
		if err != nil {
			return err
		}
		for _, release := range some {
			if err := fn(release); err != nil {
				return err
			}
			after = release.Dataset
		}
		if len(some) < page {
			return nil
		}
	}
}

const sqlQuestion = `INSERT INTO consent_questions (request, dataset, member, decision, answer, asked_at, answered_at)
SELECT CAST(? AS TEXT), o.dataset, m.member, CAST(? AS TEXT), '', CAST(? AS BIGINT), 0
FROM consent_outcomes o JOIN consent_members m ON m.who = o.who
WHERE o.cohort = ? AND o.law = ? AND o.bits = ? ON CONFLICT (request, dataset) DO NOTHING`

// AskMembers puts a question to the members of all datasets of a pattern.
func AskMembers(tx *db.Tx, r Record, p Pattern) error {
	_, err := tx.Exec(sqlQuestion, r.Request, r.ID, r.At, r.Seq, p.Law, p.Bits)
	return err
}

// Told is what a cohort answered about one dataset. Of the cohort it knows no
// counts.
type Told struct {
	Of      Record
	Dataset coop.DatasetID
	Outcome policies.Outcome
}

const (
	sqlToldFrom = ` FROM consent_datasets d JOIN consent_cohorts c ON c.pool = d.pool
JOIN consent_outcomes o ON o.cohort = c.seq AND o.dataset = d.id
JOIN consent_verdicts v ON v.cohort = o.cohort AND v.law = o.law AND v.bits = o.bits`
	sqlTold = `SELECT c.id, c.request, c.pool, c.revision, c.consent_seq, c.at, c.seq, c.question, o.dataset, v.outcome` + sqlToldFrom + `
WHERE d.member = ? AND (c.seq < ? OR c.seq = ? AND o.dataset < ?) AND c.seq > 0 ORDER BY c.seq DESC, o.dataset DESC LIMIT ?`
	sqlToldAt = `SELECT c.id, c.request, c.pool, c.revision, c.consent_seq, c.at, c.seq, c.question, o.dataset, v.outcome` + sqlToldFrom + `
WHERE d.member = ? AND c.at = ? AND c.seq > 0`
)

func scanTold(r *sql.Rows) (t Told, err error) {
	var outcome string
	c := &t.Of
	err = r.Scan(&c.ID, &c.Request, &c.Pool, &c.Revision, &c.ConsentSeq, &c.At, &c.Seq, &c.Question, &t.Dataset, &outcome)
	if err != nil {
		return t, err
	}
	t.Outcome, err = readSaid(outcome)
	return t, errors.Join(err, c.readQuestion())
}

// ToldBefore lists what cohorts answered about a member's datasets, newest
// first: those before a place, and of the cohort at the place those before a
// dataset.
func ToldBefore(tx *db.Tx, m coop.MemberID, seq int64, ds coop.DatasetID, limit int) ([]Told, error) {
	return db.Collect(tx, scanTold, sqlTold, m, seq, seq, ds, limit)
}

// ToldAt lists what cohorts answered about a member's datasets at a time.
func ToldAt(tx *db.Tx, m coop.MemberID, at int64) ([]Told, error) {
	return db.Collect(tx, scanTold, sqlToldAt, m, at)
}
