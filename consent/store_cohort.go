package consent

import (
	"database/sql"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const (
	sqlDatasetsOfMember = sqlDatasetColumns + ` WHERE member = ? ORDER BY id`
	sqlDatasetsOfScope  = sqlDatasetColumns + ` WHERE member = ? AND pool = ? ORDER BY id`
	sqlOtherLayout      = sqlDatasetColumns + ` WHERE layout <> ? AND id > ? ORDER BY id LIMIT ?`
)

// datasetsOf lists all datasets a member ever enrolled, in one pool or, if p is
// "", in any.
func datasetsOf(tx *db.Tx, m coop.MemberID, p coop.PoolID) ([]enrolled, error) {
	scan := func(r *sql.Rows) (enrolled, error) { return scanDataset(r) }
	if p == "" {
		return db.Collect(tx, scan, sqlDatasetsOfMember, m)
	}
	return db.Collect(tx, scan, sqlDatasetsOfScope, m, p)
}

// datasetsOfOtherLayout lists datasets whose rows were not made by this program.
func datasetsOfOtherLayout(tx *db.Tx, after coop.DatasetID, limit int) ([]enrolled, error) {
	return db.Collect(tx, func(r *sql.Rows) (enrolled, error) { return scanDataset(r) }, sqlOtherLayout, cohort.Layout, after, limit)
}

// Decisions and cohorts are numbered together, in the order in which they were
// made.
const sqlNextPlace = `SELECT coalesce(max(placed.seq), 0) + 1 FROM
(SELECT max(seq) AS seq FROM consent_decisions UNION ALL SELECT max(seq) AS seq FROM consent_cohorts) AS placed`

func nextPlace(tx *db.Tx) (seq int64, err error) {
	err = tx.QueryRow(sqlNextPlace).Scan(&seq)
	return seq, err
}
