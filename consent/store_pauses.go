package consent

import (
	"database/sql"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const sqlActiveMembers = `SELECT member FROM consent_records UNION SELECT member FROM consent_datasets ORDER BY member`

// activeMembers lists who has ever answered or shared.
func activeMembers(tx *db.Tx) ([]coop.MemberID, error) {
	return db.Collect(tx, func(r *sql.Rows) (m coop.MemberID, err error) {
		err = r.Scan(&m)
		return m, err
	}, sqlActiveMembers)
}
