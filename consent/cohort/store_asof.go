package cohort

import (
	"database/sql"
	"encoding/json"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// Entry is a dataset of a cohort, and the place of its answer there.
type Entry struct {
	Dataset        coop.DatasetID
	Member         coop.MemberID
	Pool           coop.PoolID
	Categories     []string
	Region         string
	Sealed, Closed int64
	Who            int64 // its member, as a number
	Pattern
}

// A dataset that was closed after a position was open there.
const (
	sqlOpen = `SELECT id, member, pool, categories, region, sealed, closed, who, 0, 0 FROM consent_datasets
WHERE pool = ? AND closed > ? AND sealed <= ? AND id > ? ORDER BY id LIMIT ?`
	sqlEntries = `SELECT d.id, d.member, d.pool, d.categories, d.region, d.sealed, CASE WHEN d.closing > ? THEN ? ELSE d.closed END,
o.who, o.law, o.bits FROM consent_outcomes o JOIN consent_datasets d ON d.id = o.dataset
WHERE o.cohort = ? AND o.dataset > ? ORDER BY o.dataset LIMIT ?`
	sqlOpenThen = `SELECT count(*) FROM consent_datasets
WHERE pool = ? AND sealed <= ? AND enrolled <= ? AND (closed > ? OR closing > ?)`
)

func scanEntry(r *sql.Rows) (e Entry, err error) {
	var categories string
	err = r.Scan(&e.Dataset, &e.Member, &e.Pool, &categories, &e.Region, &e.Sealed, &e.Closed, &e.Who, &e.Law, &e.Bits)
	if err != nil {
		return Entry{}, err
	}
	return e, json.Unmarshal([]byte(categories), &e.Categories)
}

// Open lists datasets of a pool that are open at a time, by id, from behind one
// on.
func Open(tx *db.Tx, p coop.PoolID, now int64, after coop.DatasetID, limit int) ([]Entry, error) {
	return db.Collect(tx, scanEntry, sqlOpen, p, now, now, after, limit)
}

// Entries lists the datasets of a record in the same way, as they were at its
// position.
func (r Record) Entries(tx *db.Tx, after coop.DatasetID, limit int) ([]Entry, error) {
	return db.Collect(tx, scanEntry, sqlEntries, r.ConsentSeq, coop.Forever, r.Seq, after, limit)
}

// Open counts the datasets that were open at the time and position of a record.
func (r Record) Open(tx *db.Tx) (n int, err error) {
	err = tx.QueryRow(sqlOpenThen, r.Pool, r.At, r.ConsentSeq, r.At, r.ConsentSeq).Scan(&n)
	return n, err
}

// What members had said by a position, the newest last.
const (
	sqlPausesThen  = `SELECT member, paused FROM consent_pauses WHERE seq <= ? AND member IN (?`
	sqlUsedThen    = `SELECT dataset, record FROM consent_used WHERE seq <= ? AND dataset IN (?`
	sqlAnswersThen = `SELECT dataset, answer FROM consent_answers WHERE request = ? AND seq <= ? AND dataset IN (?`
	sqlInOrder     = `) ORDER BY seq`
)

// Among is the end of a query that asks for some values among many, in order of
// position.
func Among(n int) string { return strings.Repeat(", ?", n-1) + sqlInOrder }

// Pair is two texts of a row.
type Pair struct{ Of, Is string }

func collectPairs(tx *db.Tx, query string, of []any, before ...any) ([]Pair, error) {
	return db.Collect(tx, func(r *sql.Rows) (p Pair, err error) {
		err = r.Scan(&p.Of, &p.Is)
		return p, err
	}, query+Among(len(of)), append(before, of...)...)
}

// PausesThen lists members and whether they had paused, "1" for yes; the last of
// a member counts.
func PausesThen(tx *db.Tx, members []any, seq int64) ([]Pair, error) {
	return collectPairs(tx, sqlPausesThen, members, seq)
}

// UsedThen lists datasets and the records of theirs that had been used up.
func UsedThen(tx *db.Tx, datasets []any, seq int64) ([]Pair, error) {
	return collectPairs(tx, sqlUsedThen, datasets, seq)
}

// AnswersThen lists datasets and what their members had said to a request; the
// last of a dataset counts.
func AnswersThen(tx *db.Tx, datasets []any, request string, seq int64) ([]Pair, error) {
	return collectPairs(tx, sqlAnswersThen, datasets, request, seq)
}
