package vault

import (
	"database/sql"
	"errors"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const approvalColumns = `id, request, dataset, member, recipient, created_at, state, answered_at`

func scanApproval(r scanner) (a Approval, err error) {
	err = r.Scan(&a.ID, &a.Request, &a.Dataset, &a.Member, &a.Recipient, &a.CreatedAt, &a.State, &a.AnsweredAt)
	return a, err
}

const sqlGetApproval = `SELECT ` + approvalColumns + ` FROM vault_approvals WHERE request = ? AND dataset = ?`

func getApproval(tx *db.Tx, r coop.RequestID, ds coop.DatasetID) (a Approval, found bool, err error) {
	a, err = scanApproval(tx.QueryRow(sqlGetApproval, r, ds))
	if errors.Is(err, db.ErrNoRow) {
		return Approval{}, false, nil
	}
	return a, err == nil, err
}

const sqlApproval = `SELECT ` + approvalColumns + ` FROM vault_approvals WHERE id = ?`

func approvalByID(tx *db.Tx, id string) (Approval, error) {
	return scanApproval(tx.QueryRow(sqlApproval, id))
}

const sqlApprovalsOf = `SELECT ` + approvalColumns + ` FROM vault_approvals
	WHERE member = ? AND state = 'waiting' AND (? = '' OR id < ?) ORDER BY id DESC LIMIT ?`

func approvalsOf(tx *db.Tx, m coop.MemberID, before string, limit int) ([]Approval, error) {
	return db.Collect(tx, func(r *sql.Rows) (Approval, error) { return scanApproval(r) }, sqlApprovalsOf, m, before, before, limit)
}

// A request that the member has declined stays declined.
const sqlPutApproval = `INSERT INTO vault_approvals (` + approvalColumns + `) VALUES (?, ?, ?, ?, ?, ?, 'waiting', 0)
	ON CONFLICT (request, dataset) DO UPDATE SET recipient = excluded.recipient, state = 'waiting', answered_at = 0
	WHERE vault_approvals.state <> 'declined'`

func putApproval(tx *db.Tx, a Approval) error {
	_, err := tx.Exec(sqlPutApproval, a.ID, a.Request, a.Dataset, a.Member, a.Recipient, a.CreatedAt)
	return err
}

const (
	sqlAnswerApproval    = `UPDATE vault_approvals SET state = ?, answered_at = ? WHERE id = ? AND state = 'waiting'`
	sqlCloseApprovals    = `UPDATE vault_approvals SET state = 'closed', answered_at = ? WHERE dataset = ? AND state = 'waiting'`
	sqlCloseApprovalsFor = `UPDATE vault_approvals SET state = 'closed', answered_at = ? WHERE request = ? AND state = 'waiting'`
)

func answerApproval(tx *db.Tx, id, state string, at int64) error {
	return tx.ExecOne(sqlAnswerApproval, state, at, id)
}

func closeApprovals(tx *db.Tx, ds coop.DatasetID, at int64) error {
	_, err := tx.Exec(sqlCloseApprovals, at, ds)
	return err
}

func closeApprovalsFor(tx *db.Tx, r coop.RequestID, at int64) error {
	_, err := tx.Exec(sqlCloseApprovalsFor, at, r)
	return err
}

const sqlKept = `SELECT id, member FROM vault_datasets WHERE pool = ? AND custody = 'self' AND state = 'available'`

// keptDatasets lists the datasets of a pool that their members alone open.
func keptDatasets(tx *db.Tx, pool coop.PoolID) ([]Dataset, error) {
	return db.Collect(tx, func(r *sql.Rows) (d Dataset, err error) {
		err = r.Scan(&d.ID, &d.Member)
		return d, err
	}, sqlKept, pool)
}
