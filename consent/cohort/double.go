package cohort

import (
	"context"
	"fmt"

	"distributed.ai/datacoop/internal/db"
)

// Double copies every member, dataset and record of a database under other ids,
// a number of times over (eighteen at most), for measuring what a nation's would
// cost. Like real ones, the ids of copies follow each other in the order of
// their making. The copies have no entries in the audit log and no files in the vault: it is for a
// database that is thrown away.
func Double(ctx context.Context, d *db.DB, times int) error {
	for n := range times {
		err := d.Update(ctx, func(tx *db.Tx) error {
			who, err := mostWho(tx)
			if err != nil {
				return err
			}
			seq, err := mostSeq(tx)
			if err != nil {
				return err
			}
			return copyAll(tx, "ghijklmnopqrstuvwx"[n:n+1], who, seq)
		})
		if err != nil {
			return fmt.Errorf("consent: doubling: %w", err)
		}
	}
	return nil
}

// Rewrite inserts the rows of a recorded cohort once more, under another number:
// what writing them costs that were decided already, to measure a cohort by. It
// is for a database that is thrown away.
func Rewrite(ctx context.Context, d *db.DB, from, to int64) (rows int64, err error) {
	err = d.Update(ctx, func(tx *db.Tx) (err error) {
		rows, err = copyOutcomes(tx, from, to)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("consent: rewriting: %w", err)
	}
	return rows, nil
}
