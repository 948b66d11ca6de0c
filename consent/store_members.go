package consent

import (
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const sqlPoolMembers = `SELECT count(DISTINCT member) FROM consent_datasets WHERE pool = ? AND closed > ?`

// Members counts the members with at least one open dataset in a pool. Whoever
// shows the figure keeps the pool's minimum group.
func (s *Service) Members(tx *db.Tx, p coop.PoolID) (n int, err error) {
	if err := tx.QueryRow(sqlPoolMembers, p, s.now()).Scan(&n); err != nil {
		return 0, fmt.Errorf("consent: members of a pool: %w", err)
	}
	return n, nil
}

const sqlActiveMembers = `SELECT member FROM consent_records UNION SELECT member FROM consent_datasets ORDER BY member`

// activeMembers lists who has ever answered or shared.
func activeMembers(tx *db.Tx) ([]coop.MemberID, error) {
	return column[coop.MemberID](tx, sqlActiveMembers)
}
