package farewell

import (
	"database/sql"
	"errors"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const insertClosingSQL = `INSERT INTO farewell_closings
	(id, reference, code_sha256, member, cause, owed, vacated, step, begun_at, ended_at, settled_at, receipt)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?)`

func insertClosing(tx *db.Tx, c Closing, code []byte) error {
	var vacated []string
	for _, o := range c.Vacated {
		vacated = append(vacated, string(o))
	}
	return tx.ExecOne(insertClosingSQL, c.ID, c.Reference, code, c.Member, c.Cause, c.Owed, strings.Join(vacated, " "), c.Step, c.BegunAt, []byte{})
}

const (
	selectClosing         = `SELECT id, reference, member, cause, owed, vacated, step, begun_at, ended_at, settled_at, receipt FROM farewell_closings`
	selectClosingByID     = selectClosing + ` WHERE id = ?`
	selectClosingByCode   = selectClosing + ` WHERE code_sha256 = ?`
	selectClosingByMember = selectClosing + ` WHERE member = ?`
)

func scanClosing(tx *db.Tx, query string, by any) (c Closing, err error) {
	var vacated string
	err = tx.QueryRow(query, by).Scan(&c.ID, &c.Reference, &c.Member, &c.Cause, &c.Owed, &vacated, &c.Step, &c.BegunAt, &c.EndedAt, &c.SettledAt, &c.Receipt)
	for _, o := range strings.Fields(vacated) {
		c.Vacated = append(c.Vacated, coop.Office(o))
	}
	return c, err
}

func closingByID(tx *db.Tx, id string) (Closing, error) {
	return scanClosing(tx, selectClosingByID, id)
}
func closingBy(tx *db.Tx, code []byte) (Closing, error) {
	return scanClosing(tx, selectClosingByCode, code)
}
func closingOf(tx *db.Tx, m coop.MemberID) (Closing, error) {
	return scanClosing(tx, selectClosingByMember, m)
}

const unendedSQL = `SELECT id FROM farewell_closings WHERE ended_at = 0 ORDER BY id`

// unended lists the closings that have begun and not ended.
func unended(tx *db.Tx) ([]string, error) {
	return db.Collect(tx, func(rows *sql.Rows) (id string, err error) { return id, rows.Scan(&id) }, unendedSQL)
}

const advanceSQL = `UPDATE farewell_closings SET step = ? WHERE id = ? AND step = ?`

// advance moves a closing from one step to the next, unless it is not at it.
func advance(tx *db.Tx, id, from, to string) error {
	_, err := tx.Exec(advanceSQL, to, id, from)
	return err
}

const endClosingSQL = `UPDATE farewell_closings SET ended_at = ?, receipt = ? WHERE id = ? AND ended_at = 0`

func endClosing(tx *db.Tx, id string, at int64, receipt []byte) error {
	return tx.ExecOne(endClosingSQL, at, receipt, id)
}

const settleSQL = `UPDATE farewell_closings SET settled_at = ? WHERE id = ? AND settled_at = 0`

// settle notes that nothing is owed and nothing can come, once.
func settle(tx *db.Tx, id string, at int64) error {
	err := tx.ExecOne(settleSQL, at, id)
	if errors.Is(err, db.ErrNoRow) {
		return nil
	}
	return err
}
