package consent

import (
	"context"
	"errors"
	"fmt"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// Difference is what other law would change about the open datasets of a pool,
// in figures.
type Difference = cohort.Difference

// Differ counts the datasets of the ask's pool that only the second law would
// release, and those that only the first would, at one moment. It records
// nothing. Of each kind of dataset on which the filters of the laws differ, one
// is decided by the laws themselves as well.
func (s *Service) Differ(ctx context.Context, a Ask, was, now *policies.Revision) (out Difference, err error) {
	if was == nil || now == nil {
		return Difference{}, fmt.Errorf("consent: differ: %w", policies.ErrSealed)
	}
	err = s.survey(ctx, a, was, func(tx *db.Tx, _ *policies.Revision, at int64) error {
		before, err := filterOf(tx, a, was, at)
		after, other := filterOf(tx, a, now, at)
		if err = errors.Join(err, other); err == nil {
			out, err = before.Versus(tx, after)
		}
		if s.oneByOne(ctx, err) {
			out, err = s.differSlowly(tx, a, was, now, at)
		}
		return err
	})
	if err != nil {
		return Difference{}, fmt.Errorf("consent: differ: %w", err)
	}
	return out, nil
}

// differSlowly decides dataset by dataset.
func (s *Service) differSlowly(tx *db.Tx, a Ask, was, now *policies.Revision, at int64) (Difference, error) {
	released := map[coop.DatasetID]bool{}
	err := s.eachAnswer(tx, a, was, at, func(e cohort.Entry, out policies.Outcome) error {
		if out.Allow {
			released[e.Dataset] = true
		}
		return nil
	})
	if err != nil {
		return Difference{}, err
	}
	var sum cohort.Balance
	err = s.eachAnswer(tx, a, now, at, func(e cohort.Entry, out policies.Outcome) error {
		sum.Add(uint32(e.Who), released[e.Dataset], out.Allow) // #nosec G115 -- numbers of members
		return nil
	})
	return sum.Difference(), err
}
