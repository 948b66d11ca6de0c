package cohort

import (
	"errors"

	"distributed.ai/datacoop/consent/proof"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// truth is how a truth is stored.
var truth = map[bool]int64{true: 1}

const (
	sqlWho       = `SELECT who FROM consent_members WHERE member = ?`
	sqlInsertWho = `INSERT INTO consent_members (who, member)
VALUES ((SELECT coalesce(max(who), 0) + 1 FROM consent_members), ?) RETURNING who`
	sqlSetKind = `UPDATE consent_datasets SET who = ?, holds = ? WHERE id = ?`
)

// SetKind keeps what of a dataset's row never changes: the number of its member
// and its categories.
func SetKind(tx *db.Tx, ds coop.DatasetID, m coop.MemberID, held []string) error {
	var who int64
	err := tx.QueryRow(sqlWho, m).Scan(&who)
	if errors.Is(err, db.ErrNoRow) {
		err = tx.QueryRow(sqlInsertWho, m).Scan(&who)
	}
	if err != nil {
		return err
	}
	categories, err := proof.Canonical(append([]string{}, held...))
	if err != nil {
		return err
	}
	holds, err := PartID(tx, PartCategories, Body(categories))
	if err != nil {
		return err
	}
	return tx.ExecOne(sqlSetKind, who, holds, ds)
}

const sqlSetRow = `UPDATE consent_datasets SET layout = ?, effect = ?, paused = ?, commercial = ?, not_before = ?, expires = ?,
withdrawn = ?, min_price = ?, later = ?, later_purposes = ?, purposes = ?, excepted = ?, dpv = ?, kinds = ?, regions = ?, limits = ?
WHERE id = ?`

// SetRow keeps the governing records of a dataset as columns.
func SetRow(tx *db.Tx, ds coop.DatasetID, r Row) error {
	ids := make([]int64, 7)
	for i, p := range []struct {
		kind string
		body Body
	}{
		{policies.PartPurposes, r.LaterPurposes}, {policies.PartPurposes, r.Purposes}, {policies.PartExcept, r.Except},
		{policies.PartDPV, r.DPV}, {policies.PartKinds, r.Kinds}, {policies.PartRegions, r.Regions}, {policies.PartLimits, r.Limits},
	} {
		var err error
		if ids[i], err = PartID(tx, p.kind, p.body); err != nil {
			return err
		}
	}
	return tx.ExecOne(sqlSetRow, Layout, r.Effect, truth[r.Paused], truth[r.Commercial], r.NotBefore, r.Expires,
		r.Withdrawn, r.MinPriceMinor, r.Later, ids[0], ids[1], ids[2], ids[3], ids[4], ids[5], ids[6], ds)
}
