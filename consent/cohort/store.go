package cohort

import (
	"database/sql"
	"errors"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const (
	sqlPart       = `SELECT id FROM consent_parts WHERE kind = ? AND body = ?`
	sqlInsertPart = `INSERT INTO consent_parts (id, kind, body)
VALUES ((SELECT coalesce(max(id), 0) + 1 FROM consent_parts), ?, ?) RETURNING id`
)

// PartID finds or gives the number of a part; 0 is none.
func PartID(tx *db.Tx, kind string, body Body) (id int64, err error) {
	if body == "" {
		return 0, nil
	}
	err = tx.QueryRow(sqlPart, kind, string(body)).Scan(&id)
	if errors.Is(err, db.ErrNoRow) {
		err = tx.QueryRow(sqlInsertPart, kind, string(body)).Scan(&id)
	}
	return id, err
}

const sqlParts = `SELECT id, kind, body FROM consent_parts ORDER BY id`

// Parts lists all numbered parts.
func Parts(tx *db.Tx) ([]Stored, error) {
	return db.Collect(tx, func(r *sql.Rows) (p Stored, err error) {
		err = r.Scan(&p.ID, &p.Kind, &p.Body)
		return p, err
	}, sqlParts)
}

// The pieces of the queries that ask about all datasets of a pool that are open
// and sealed at a time. Between them stand expressions of this package, which
// name columns of this table and bind all values. A row of another layout
// answers -1.
const (
	sqlCohort      = ` FROM consent_datasets WHERE pool = ? AND closed > ? AND sealed <= ?`
	sqlCohortHolds = ` AND holds IN (?`
	sqlCohortBits  = `CASE WHEN layout <> ? THEN -1 ELSE `
	sqlCohortWho   = `SELECT who, ` + sqlCohortBits
	sqlCohortID    = `SELECT id, member, ` + sqlCohortBits
	sqlCohortCount = `SELECT count(*), count(DISTINCT who), coalesce(min(id), ''), coalesce(max(id), ''), coalesce(sum(CASE WHEN layout <> ? THEN 1 ELSE 0 END), 0)`
	sqlCohortFirst = `SELECT min(id)`
	sqlCohortAllow = ` AND (layout <> ? OR `
	sqlCohortOf    = ` AND member = (SELECT member FROM consent_members WHERE who = ?) AND `
)

// Where is which rows are asked about.
type Where struct {
	Pool  coop.PoolID
	Now   int64
	Holds []any // numbers of categories; nil is any
}

func (w Where) sql(start string, before []any) (string, []any) {
	query, args := start+sqlCohort, append(before, w.Pool, w.Now, w.Now)
	if w.Holds != nil {
		query += sqlCohortHolds + strings.Repeat(", ?", len(w.Holds)-1) + ")"
		args = append(args, w.Holds...)
	}
	return query, args
}

// EachPattern calls fn with the member's number and the pattern of every row.
func EachPattern(tx *db.Tx, w Where, bits Expression, fn func(who uint32, pattern int64)) error {
	query, args := w.sql(sqlCohortWho+bits.SQL+" END", append([]any{Layout}, bits.Args...))
	return stream(tx, query, args, func(r *sql.Rows) error {
		var who uint32
		var pattern int64
		if err := r.Scan(&who, &pattern); err != nil {
			return err
		}
		fn(who, pattern)
		return nil
	})
}

// EachDataset calls fn with every dataset, its member and the pattern of its row.
func EachDataset(tx *db.Tx, w Where, bits Expression, fn func(ds coop.DatasetID, m coop.MemberID, pattern int64)) error {
	query, args := w.sql(sqlCohortID+bits.SQL+" END", append([]any{Layout}, bits.Args...))
	return stream(tx, query, args, func(r *sql.Rows) error {
		var ds coop.DatasetID
		var m coop.MemberID
		var pattern int64
		if err := r.Scan(&ds, &m, &pattern); err != nil {
			return err
		}
		fn(ds, m, pattern)
		return nil
	})
}

func stream(tx *db.Tx, query string, args []any, fn func(*sql.Rows) error) (err error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// OneOf finds a dataset of the member with the number whose row has a pattern.
func OneOf(tx *db.Tx, w Where, bits Expression, who uint32, pattern int64) (ds coop.DatasetID, err error) {
	query, args := w.sql(sqlCohortFirst, nil)
	args = append(append(append(args, int64(who)), bits.Args...), pattern)
	err = tx.QueryRow(query+sqlCohortOf+bits.SQL+" = ?", args...).Scan(&ds)
	return ds, err
}

// passed is what an allow-only question answers.
type passed struct {
	Datasets, Members int
	First, Last       coop.DatasetID // by id; "" for none
	Unread            int            // rows of another layout
}

// countPassing counts the rows for which allow holds.
func countPassing(tx *db.Tx, w Where, allow Expression) (p passed, err error) {
	query, args := w.sql(sqlCohortCount, []any{Layout})
	args = append(append(args, Layout), allow.Args...)
	err = tx.QueryRow(query+sqlCohortAllow+allow.SQL+")", args...).Scan(&p.Datasets, &p.Members, &p.First, &p.Last, &p.Unread)
	return p, err
}

const sqlFlat = `SELECT region, effect, later, paused, commercial, not_before, expires, withdrawn, min_price,
purposes, excepted, dpv, kinds, regions, limits, later_purposes, layout FROM consent_datasets
WHERE pool = ? AND closed > ? AND sealed <= ?`

// EachFlat calls fn with every row of a pool that is open and sealed.
func EachFlat(tx *db.Tx, w Where, fn func(Flat)) error {
	return stream(tx, sqlFlat, []any{w.Pool, w.Now, w.Now}, func(r *sql.Rows) error {
		var f Flat
		var layout int64
		err := r.Scan(&f.Region, &f.Effect, &f.Later, &f.Paused, &f.Commercial, &f.NotBefore, &f.Expires, &f.Withdrawn, &f.MinPrice,
			&f.Purposes, &f.Except, &f.DPV, &f.Kinds, &f.Regions, &f.Limits, &f.LaterPurposes, &layout)
		if err == nil && layout != Layout {
			err = ErrFilter
		}
		if err == nil {
			fn(f)
		}
		return err
	})
}

// The key of a row is what can tell it from others, in one text: three words of
// letters, then numbers. Of a moment it is on which side of now it lies.
const (
	sqlSide = `CASE WHEN not_before < ? THEN -1 WHEN not_before > ? THEN 1 ELSE 0 END || ',' ||
CASE WHEN expires < ? THEN -1 WHEN expires > ? THEN 1 ELSE 0 END || ',' ||
CASE WHEN withdrawn < ? THEN -1 WHEN withdrawn > ? THEN 1 ELSE 0 END`
	sqlCohortKey = `SELECT id, who, CASE WHEN layout <> ? THEN '' ELSE region || ',' || effect || ',' || later || ',' || paused || ',' || commercial || ',' ||
` + sqlSide + ` || ',' || min_price || ',' || purposes || ',' || excepted || ',' || dpv || ',' || kinds || ',' || regions || ',' || limits || ',' ||
later_purposes || ',' || holds END`
)

// eachKey calls fn with the key of every row; the texts are fn's for the time of
// the call alone.
func eachKey(tx *db.Tx, w Where, fn func(ds []byte, who uint32, key []byte) error) error {
	query, args := w.sql(sqlCohortKey, []any{Layout, w.Now, w.Now, w.Now, w.Now, w.Now, w.Now})
	var ds, key sql.RawBytes
	var who uint32
	return stream(tx, query, args, func(r *sql.Rows) error {
		if err := r.Scan(&ds, &who, &key); err != nil {
			return err
		}
		return fn(ds, who, key)
	})
}

// What Double copies: datasets, members and records; the largest number there
// is keeps the numbers of copies apart.
const (
	sqlCopyMembers  = `INSERT INTO consent_members (who, member) SELECT who + ?, CAST(? AS TEXT) || member FROM consent_members`
	sqlCopyDatasets = `INSERT INTO consent_datasets (id, member, pool, categories, region, sealed, closed, who, layout, holds, effect, paused,
commercial, not_before, expires, withdrawn, min_price, later, later_purposes, purposes, excepted, dpv, kinds, regions, limits)
SELECT CAST(? AS TEXT) || id, CAST(? AS TEXT) || member, pool, categories, region, sealed, closed, who + ?, layout, holds, effect, paused,
commercial, not_before, expires, withdrawn, min_price, later, later_purposes, purposes, excepted, dpv, kinds, regions, limits
FROM consent_datasets ORDER BY id`
	sqlCopyRecords = `INSERT INTO consent_records (seq, id, member, pool, dataset, effect, terms, not_before, expires, withdrawn, at, leaf)
SELECT seq + ?, CAST(? AS TEXT) || id, CAST(? AS TEXT) || member, pool, CASE WHEN dataset = '' THEN '' ELSE CAST(? AS TEXT) || dataset END, effect, terms, not_before, expires, withdrawn, at, leaf
FROM consent_records`
	sqlRaiseHead = `UPDATE consent_head SET seq = (SELECT max(seq) FROM consent_records)
WHERE seq < (SELECT max(seq) FROM consent_records)`
	sqlMostWho = `SELECT coalesce(max(who), 0) FROM consent_members`
)

// copyAll copies everybody under names with a beginning.
func copyAll(tx *db.Tx, start string, mostWho, mostSeq int64) error {
	if _, err := tx.Exec(sqlCopyMembers, mostWho, start); err != nil {
		return err
	}
	if _, err := tx.Exec(sqlCopyDatasets, start, start, mostWho); err != nil {
		return err
	}
	if _, err := tx.Exec(sqlCopyRecords, mostSeq, start, start, start); err != nil {
		return err
	}
	_, err := tx.Exec(sqlRaiseHead)
	return err
}

func mostWho(tx *db.Tx) (n int64, err error) {
	err = tx.QueryRow(sqlMostWho).Scan(&n)
	return n, err
}

// What a recorded cohort's rows cost by themselves, under another number.
const sqlCopyOutcomes = `INSERT INTO consent_outcomes (cohort, dataset, who, law, bits)
SELECT CAST(? AS BIGINT), dataset, who, law, bits FROM consent_outcomes WHERE cohort = ? ORDER BY dataset`

func copyOutcomes(tx *db.Tx, from, to int64) (int64, error) {
	return tx.Exec(sqlCopyOutcomes, to, from)
}

const sqlMostSeq = `SELECT coalesce(max(seq), 0) FROM consent_records`

func mostSeq(tx *db.Tx) (n int64, err error) {
	err = tx.QueryRow(sqlMostSeq).Scan(&n)
	return n, err
}
