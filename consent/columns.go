package consent

import (
	"context"
	"fmt"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// Columns are the rows of a pool's open datasets in memory, as they were at one
// moment, for whoever asks many questions about them.
type Columns = cohort.Memory

// Columns reads the rows of a pool into memory.
func (s *Service) Columns(ctx context.Context, p coop.PoolID) (c *Columns, err error) {
	err = s.c.DB.View(ctx, func(tx *db.Tx) error {
		c, err = cohort.Remember(tx, p, s.now())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("consent: columns: %w", err)
	}
	return c, nil
}

// Double copies every member, dataset and record of a database under other ids,
// a number of times over, for measuring what a nation's would cost. It is for a
// database that is thrown away.
func Double(ctx context.Context, d *db.DB, times int) error { return cohort.Double(ctx, d, times) }

// Rewrite inserts the rows of a recorded cohort once more, under another number,
// for measuring what that alone costs. It is for a database that is thrown away.
func Rewrite(ctx context.Context, d *db.DB, from, to int64) (rows int64, err error) {
	return cohort.Rewrite(ctx, d, from, to)
}
