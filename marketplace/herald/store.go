package herald

import (
	"database/sql"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
)

const sqlTitle = `SELECT title FROM marketplace_requests WHERE id = ?`

func title(tx *db.Tx, id coop.RequestID) (text string, err error) {
	err = tx.QueryRow(sqlTitle, id).Scan(&text)
	return text, desk.Found(err, "title of a request")
}

func scanAddressee(rows *sql.Rows) (a coop.Addressee, err error) {
	err = rows.Scan(&a.Member, &a.Ref)
	return a, err
}

const sqlFirstUses = `SELECT f.member, f.dataset FROM marketplace_files f WHERE f.request = ? AND f.first_at > 0 AND f.dataset > ?
	AND NOT EXISTS (SELECT 1 FROM marketplace_files o WHERE o.dataset = f.dataset AND o.first_at > 0
		AND (o.first_at < f.first_at OR o.first_at = f.first_at AND o.id < f.id))
	ORDER BY f.dataset LIMIT ?`

// firstUses lists the datasets that a request was the first to read.
func firstUses(tx *db.Tx, id coop.RequestID, after string, limit int) ([]coop.Addressee, error) {
	return desk.Collect(tx, "first uses", scanAddressee, sqlFirstUses, id, after, limit)
}

const sqlKeepers = `SELECT DISTINCT member, '' FROM marketplace_files WHERE request = ? AND self_custody = 1 AND member > ? ORDER BY member LIMIT ?`

// keepers lists the members who keep the only key to a file of a request.
func keepers(tx *db.Tx, id coop.RequestID, after string, limit int) ([]coop.Addressee, error) {
	return desk.Collect(tx, "keepers of keys", scanAddressee, sqlKeepers, id, after, limit)
}
