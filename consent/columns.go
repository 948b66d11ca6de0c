package consent

import (
	"context"
	"fmt"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// Columns are the rows of a pool's open datasets in memory, as they were at one
// moment, for whoever asks many questions about them. They take some eighty
// bytes for each dataset and do not follow what members say afterwards: no
// release rests on them.
type Columns struct {
	pool  coop.PoolID
	now   int64
	rows  *cohort.Columns
	parts []policies.Part
}

// Columns reads the rows of a pool into memory.
func (s *Service) Columns(ctx context.Context, p coop.PoolID) (*Columns, error) {
	c := &Columns{pool: p, now: s.now(), rows: cohort.NewColumns(0)}
	err := s.c.DB.View(ctx, func(tx *db.Tx) error {
		stored, err := cohort.Parts(tx)
		if err != nil {
			return err
		}
		if c.parts, _, err = cohort.Read(stored); err != nil {
			return err
		}
		return cohort.EachFlat(tx, cohort.Where{Pool: p, Now: c.now}, c.rows.Add)
	})
	if err != nil {
		return nil, fmt.Errorf("consent: columns: %w", err)
	}
	return c, nil
}

// Rows is how many datasets there are.
func (c *Columns) Rows() int { return c.rows.Rows() }

// Passing counts the datasets that a law would release for an ask, at the moment
// the columns were read. The error is policies.ErrFragment or the like where the
// columns cannot be asked, as where the law reads the categories of datasets.
func (c *Columns) Passing(ctx context.Context, a Ask, law *policies.Revision) (int, error) {
	several, err := law.ReadsCategories(c.parts)
	switch {
	case err != nil:
		return 0, err
	case several || a.Pool != c.pool:
		return 0, cohort.ErrFilter
	}
	compiled, err := law.Cohort(ctx, policies.CohortQuestion{Request: a.request(c.now), Parts: c.parts})
	if err != nil {
		return 0, err
	}
	return c.rows.Count(compiled.Allow)
}

// Double copies every member, dataset and record of a database under other ids,
// a number of times over, for measuring what a nation's would cost. It is for a
// database that is thrown away.
func Double(ctx context.Context, d *db.DB, times int) error { return cohort.Double(ctx, d, times) }
