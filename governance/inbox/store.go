package inbox

import (
	"database/sql"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const sqlInsert = `INSERT INTO inbox_items (id, audience, kind, ref, occasion, about, until, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (audience, kind, ref, occasion) DO NOTHING`

func insert(tx *db.Tx, audience string, n coop.Notice, ref string, at int64) error {
	_, err := tx.Exec(sqlInsert, coop.NewID(), audience, n.Kind, ref, n.Occasion, n.About, n.Until, at)
	return err
}

const (
	sqlPruneReads = `DELETE FROM inbox_reads WHERE item IN (SELECT id FROM inbox_items WHERE at < ?)`
	sqlPrune      = `DELETE FROM inbox_items WHERE at < ?`
)

func prune(tx *db.Tx, before int64) error {
	if _, err := tx.Exec(sqlPruneReads, before); err != nil {
		return err
	}
	_, err := tx.Exec(sqlPrune, before)
	return err
}

// What is for a member is what is addressed to them, whenever that was, and what
// is for an office or for everybody since they joined.
const (
	theirs = ` FROM inbox_items i WHERE i.audience IN (?, ?, ?, ?, ?) AND (i.at >= ? OR i.audience = ?)`
	isRead = `(i.id <= coalesce((SELECT k.through FROM inbox_marks k WHERE k.member = ?), '')
	OR EXISTS (SELECT 1 FROM inbox_reads r WHERE r.member = ? AND r.item = i.id))`
	columns = `SELECT i.id, i.kind, i.ref, i.about, i.until, i.at`

	sqlList = columns + `, CASE WHEN ` + isRead + ` THEN 1 ELSE 0 END` + theirs + ` AND (? = '' OR i.id < ?) ORDER BY i.id DESC LIMIT ?`

	sqlUnread = columns + `, 0` + theirs + ` AND NOT ` + isRead + ` AND i.id > ? ORDER BY i.id DESC LIMIT ?`

	sqlHas = `SELECT count(*)` + theirs + ` AND i.id = ?`
)

func (r reader) args() []any {
	a := r.audiences
	return []any{a[0], a[1], a[2], a[3], a[4], r.joined, r.id}
}

func scanItem(rows *sql.Rows) (i Item, err error) {
	err = rows.Scan(&i.ID, &i.Kind, &i.Ref, &i.About, &i.Until, &i.At, &i.Read)
	return i, err
}

func list(tx *db.Tx, r reader, before string, limit int) ([]Item, error) {
	args := append([]any{r.id, r.id}, r.args()...)
	return db.Collect(tx, scanItem, sqlList, append(args, before, before, limit)...)
}

func unreadAfter(tx *db.Tx, r reader, after string, limit int) ([]Item, error) {
	return db.Collect(tx, scanItem, sqlUnread, append(r.args(), r.id, r.id, after, limit)...)
}

func has(tx *db.Tx, r reader, id string) (bool, error) {
	var n int
	err := tx.QueryRow(sqlHas, append(r.args(), id)...).Scan(&n)
	return n == 1, err
}

const sqlMarkRead = `INSERT INTO inbox_reads (member, item) VALUES (?, ?) ON CONFLICT (member, item) DO NOTHING`

func markRead(tx *db.Tx, m coop.MemberID, item string) error {
	_, err := tx.Exec(sqlMarkRead, m, item)
	return err
}

const (
	sqlMarkThrough = `INSERT INTO inbox_marks (member, through) VALUES (?, ?)
	ON CONFLICT (member) DO UPDATE SET through = excluded.through WHERE inbox_marks.through < excluded.through`
	sqlReadsBelow = `DELETE FROM inbox_reads WHERE member = ? AND item <= ?`
)

// markThrough marks everything up to an item; marks below it are no longer needed.
func markThrough(tx *db.Tx, m coop.MemberID, through string) error {
	if _, err := tx.Exec(sqlMarkThrough, m, through); err != nil {
		return err
	}
	_, err := tx.Exec(sqlReadsBelow, m, through)
	return err
}

var sqlForget = [...]string{
	`DELETE FROM inbox_addresses WHERE member = ?`,
	`DELETE FROM inbox_reads WHERE member = ?`,
	`DELETE FROM inbox_marks WHERE member = ?`,
	`DELETE FROM inbox_items WHERE audience = ?`,
}

func forget(tx *db.Tx, m coop.MemberID) error {
	for _, query := range sqlForget {
		if _, err := tx.Exec(query, m); err != nil {
			return err
		}
	}
	return nil
}
