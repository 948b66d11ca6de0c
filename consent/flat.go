package consent

import (
	"context"
	"fmt"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// flatten keeps the governing records of a dataset as columns of its row.
func flatten(tx *db.Tx, e enrolled, own, pool Record, paused bool) error {
	in := question(policies.Request{}, e, governing(own, pool), paused)
	h, err := heardAbout(tx, in)
	if err != nil {
		return err
	}
	h.tell(&in)
	row, err := cohort.Flatten(in.Records)
	if err != nil {
		return err
	}
	return cohort.SetRow(tx, e.Dataset, row)
}

// flattenScope does so for all datasets of a member that a scope governs; with
// no pool, for all of them.
func flattenScope(tx *db.Tx, at scope) error {
	datasets, err := datasetsOf(tx, at.member, at.pool)
	if err != nil || len(datasets) == 0 {
		return err
	}
	paused, err := pausedMember(tx, at.member)
	if err != nil {
		return err
	}
	records := map[coop.PoolID]map[coop.DatasetID]Record{}
	for _, e := range datasets {
		if at.dataset != "" && e.Dataset != at.dataset {
			continue
		}
		if records[e.Pool] == nil {
			if records[e.Pool], err = recordsOf(tx, at.member, e.Pool); err != nil {
				return err
			}
		}
		if err := flatten(tx, e, records[e.Pool][e.Dataset], records[e.Pool][""], paused); err != nil {
			return err
		}
	}
	return nil
}

// flattenAll makes the rows that were made by another program, or none, anew.
func (s *Service) flattenAll(ctx context.Context) error {
	for after := coop.DatasetID(""); ; {
		var page []enrolled
		err := s.c.DB.Update(ctx, func(tx *db.Tx) (err error) {
			if page, err = datasetsOfOtherLayout(tx, after, pageSize); err != nil {
				return err
			}
			for _, e := range page {
				if err := cohort.SetKind(tx, e.Dataset, e.Member, e.Categories); err != nil {
					return err
				}
				if err := flattenScope(tx, scope{e.Member, e.Pool, e.Dataset}); err != nil {
					return err
				}
				after = e.Dataset
			}
			return nil
		})
		if err != nil || len(page) == 0 {
			if err != nil {
				err = fmt.Errorf("consent: rows of datasets: %w", err)
			}
			return err
		}
	}
}
