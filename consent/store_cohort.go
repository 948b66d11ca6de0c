package consent

import (
	"database/sql"
	"errors"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/consent/proof"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

const (
	sqlWho       = `SELECT who FROM consent_members WHERE member = ?`
	sqlInsertWho = `INSERT INTO consent_members (who, member)
VALUES ((SELECT coalesce(max(who), 0) + 1 FROM consent_members), ?) RETURNING who`
	sqlSetKind = `UPDATE consent_datasets SET who = ?, holds = ? WHERE id = ?`
)

// setKind keeps what of a dataset's row never changes.
func setKind(tx *db.Tx, e enrolled) error {
	var who int64
	err := tx.QueryRow(sqlWho, e.Member).Scan(&who)
	if errors.Is(err, db.ErrNoRow) {
		err = tx.QueryRow(sqlInsertWho, e.Member).Scan(&who)
	}
	if err != nil {
		return err
	}
	categories, err := proof.Canonical(append([]string{}, e.Categories...))
	if err != nil {
		return err
	}
	holds, err := cohort.PartID(tx, cohort.PartCategories, cohort.Body(categories))
	if err != nil {
		return err
	}
	return tx.ExecOne(sqlSetKind, who, holds, e.Dataset)
}

const sqlSetRow = `UPDATE consent_datasets SET layout = ?, effect = ?, paused = ?, commercial = ?, not_before = ?, expires = ?,
withdrawn = ?, min_price = ?, later = ?, later_purposes = ?, purposes = ?, excepted = ?, dpv = ?, kinds = ?, regions = ?, limits = ?
WHERE id = ?`

// setRow keeps the governing records of a dataset as columns.
func setRow(tx *db.Tx, ds coop.DatasetID, r cohort.Row) error {
	ids := make([]int64, 7)
	for i, p := range []struct {
		kind string
		body cohort.Body
	}{
		{policies.PartPurposes, r.LaterPurposes}, {policies.PartPurposes, r.Purposes}, {policies.PartExcept, r.Except},
		{policies.PartDPV, r.DPV}, {policies.PartKinds, r.Kinds}, {policies.PartRegions, r.Regions}, {policies.PartLimits, r.Limits},
	} {
		var err error
		if ids[i], err = cohort.PartID(tx, p.kind, p.body); err != nil {
			return err
		}
	}
	return tx.ExecOne(sqlSetRow, cohort.Layout, r.Effect, bit(r.Paused), bit(r.Commercial), r.NotBefore, r.Expires,
		r.Withdrawn, r.MinPriceMinor, r.Later, ids[0], ids[1], ids[2], ids[3], ids[4], ids[5], ids[6], ds)
}

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
