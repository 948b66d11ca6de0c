package vault

import (
	"database/sql"
	"errors"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const approvalColumns = `id, request, dataset, member, recipient, created_at`

func scanApproval(r scanner) (a Approval, err error) {
	err = r.Scan(&a.ID, &a.Request, &a.Dataset, &a.Member, &a.Recipient, &a.CreatedAt)
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

const sqlApprovalsOf = `SELECT ` + approvalColumns + ` FROM vault_approvals WHERE member = ? ORDER BY id`

func approvalsOf(tx *db.Tx, m coop.MemberID) ([]Approval, error) {
	return db.Collect(tx, func(r *sql.Rows) (Approval, error) { return scanApproval(r) }, sqlApprovalsOf, m)
}

const sqlPutApproval = `INSERT INTO vault_approvals (` + approvalColumns + `) VALUES (?, ?, ?, ?, ?, ?)
	ON CONFLICT (request, dataset) DO UPDATE SET recipient = excluded.recipient`

func putApproval(tx *db.Tx, a Approval) error {
	return tx.ExecOne(sqlPutApproval, a.ID, a.Request, a.Dataset, a.Member, a.Recipient, a.CreatedAt)
}

const (
	sqlDeleteApproval   = `DELETE FROM vault_approvals WHERE id = ?`
	sqlDropApprovals    = `DELETE FROM vault_approvals WHERE dataset = ?`
	sqlDropApprovalsFor = `DELETE FROM vault_approvals WHERE request = ?`
)

func deleteApproval(tx *db.Tx, id string) error { return tx.ExecOne(sqlDeleteApproval, id) }

func dropApprovals(tx *db.Tx, ds coop.DatasetID) error {
	_, err := tx.Exec(sqlDropApprovals, ds)
	return err
}

func dropApprovalsFor(tx *db.Tx, r coop.RequestID) error {
	_, err := tx.Exec(sqlDropApprovalsFor, r)
	return err
}
