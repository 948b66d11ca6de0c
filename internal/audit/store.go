package audit

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"distributed.ai/datacoop/internal/db"
)

const sqlSize = `SELECT coalesce(max(idx) + 1, 0) FROM audit_leaves`

// size is the number of leaves.
func size(tx *db.Tx) (n int64, err error) {
	err = tx.QueryRow(sqlSize).Scan(&n)
	return n, err
}

const (
	sqlInsertLeaf   = `INSERT INTO audit_leaves (idx, leaf) VALUES (?, ?)`
	sqlInsertHashes = `INSERT INTO audit_hashes (idx, hash) VALUES (?, ?)`
	sqlOneMoreHash  = `, (?, ?)`
	sqlInsertRecord = `INSERT INTO audit_records (idx, salt, record) VALUES (?, ?, ?)`
)

// appendLeaf stores a leaf without its record, with the hashes it completes.
func appendLeaf(tx *db.Tx, text []byte) (index int64, err error) {
	if index, err = size(tx); err != nil {
		return 0, err
	}
	hashes, err := tlog.StoredHashes(index, text, reader(tx))
	if err != nil {
		return 0, err
	}
	if err := tx.ExecOne(sqlInsertLeaf, index, text); err != nil {
		return 0, err
	}
	first, rows := tlog.StoredHashIndex(0, index), make([]any, 0, 2*len(hashes))
	for i, h := range hashes {
		rows = append(rows, first+int64(i), h[:])
	}
	n, err := tx.Exec(sqlInsertHashes+strings.Repeat(sqlOneMoreHash, len(hashes)-1), rows...)
	if err == nil && n != int64(len(hashes)) {
		err = db.ErrNoRow
	}
	return index, err
}

func insertRecord(tx *db.Tx, index int64, salt, record []byte) error {
	return tx.ExecOne(sqlInsertRecord, index, salt, record)
}

const sqlHash = `SELECT hash FROM audit_hashes WHERE idx = ?`

// reader reads stored hashes for tlog.
func reader(tx *db.Tx) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			var h []byte
			if err := tx.QueryRow(sqlHash, index).Scan(&h); err != nil {
				return nil, fmt.Errorf("stored hash %d: %w", index, err)
			}
			if copy(hashes[i][:], h) != tlog.HashSize {
				return nil, fmt.Errorf("stored hash %d: wrong length", index)
			}
		}
		return hashes, nil
	})
}

const sqlLeaf = `SELECT leaf FROM audit_leaves WHERE idx = ?`

func leafText(tx *db.Tx, index int64) (text []byte, err error) {
	err = tx.QueryRow(sqlLeaf, index).Scan(&text)
	return text, err
}

const sqlLeaves = `SELECT leaf FROM audit_leaves WHERE idx >= ? AND idx < ? ORDER BY idx`

func leafTexts(tx *db.Tx, from, to int64) ([][]byte, error) {
	return db.Collect(tx, func(rows *sql.Rows) (text []byte, err error) {
		err = rows.Scan(&text)
		return text, err
	}, sqlLeaves, from, to)
}

const sqlRecord = `SELECT salt, record FROM audit_records WHERE idx = ?`

// record returns nil, nil, nil for an erased record.
func recordOf(tx *db.Tx, index int64) (salt, record []byte, err error) {
	err = tx.QueryRow(sqlRecord, index).Scan(&salt, &record)
	if errors.Is(err, db.ErrNoRow) {
		return nil, nil, nil
	}
	return salt, record, err
}

const sqlDeleteRecord = `DELETE FROM audit_records WHERE idx = ?`

func deleteRecord(tx *db.Tx, index int64) error {
	_, err := tx.Exec(sqlDeleteRecord, index)
	return err
}

const sqlCheckpoint = `SELECT note FROM audit_checkpoint WHERE id = 1`

// signed returns the newest signed checkpoint, or nil if there is none yet.
func signed(tx *db.Tx) (text []byte, err error) {
	err = tx.QueryRow(sqlCheckpoint).Scan(&text)
	if errors.Is(err, db.ErrNoRow) {
		return nil, nil
	}
	return text, err
}

const sqlPutCheckpoint = `INSERT INTO audit_checkpoint (id, size, note) VALUES (1, ?, ?)
	ON CONFLICT (id) DO UPDATE SET size = excluded.size, note = excluded.note`

func putSigned(tx *db.Tx, size int64, text []byte) error {
	return tx.ExecOne(sqlPutCheckpoint, size, text)
}

const (
	sqlScanLeaves  = `SELECT idx, leaf FROM audit_leaves WHERE idx > ? ORDER BY idx LIMIT ?`
	sqlScanHashes  = `SELECT idx, hash FROM audit_hashes WHERE idx > ? ORDER BY idx LIMIT ?`
	sqlScanRecords = `SELECT idx, salt, record FROM audit_records WHERE idx > ? ORDER BY idx LIMIT ?`
)

// cursor reads one table in order of its index, a row ahead of its user and a
// page at a time: whoever walks through several tables side by side has one
// connection.
type cursor struct {
	tx    *db.Tx
	query string
	width int // columns beside the index
	page  []row
	row   // at hand
	done  bool
}

// perPage is how many rows a cursor holds.
const perPage = 500

type row struct {
	index int64
	cells [2][]byte
}

func open(tx *db.Tx, query string, width int) (*cursor, error) {
	c := &cursor{tx: tx, query: query, width: width, row: row{index: -1}}
	return c, c.next()
}

func (c *cursor) next() (err error) {
	if len(c.page) == 0 {
		c.page, err = db.Collect(c.tx, func(rows *sql.Rows) (r row, err error) {
			targets := []any{&r.index, &r.cells[0], &r.cells[1]}
			err = rows.Scan(targets[:1+c.width]...)
			return r, err
		}, c.query, c.index, perPage)
	}
	if err != nil || len(c.page) == 0 {
		c.done = true
		return err
	}
	c.row, c.page = c.page[0], c.page[1:]
	return nil
}

// at reports whether the row at hand is the one with this index.
func (c *cursor) at(index int64) bool { return !c.done && c.index == index }
