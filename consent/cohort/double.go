package cohort

import (
	"context"
	"fmt"

	"distributed.ai/datacoop/internal/db"
)

// Double copies every member, dataset and record of a database under other ids,
// a number of times over, for measuring what a nation's would cost. The copies
// have no entries in the audit log and no files in the vault: it is for a
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
			return copyAll(tx, fmt.Sprintf("-%d", n), who, seq)
		})
		if err != nil {
			return fmt.Errorf("consent: doubling: %w", err)
		}
	}
	return nil
}
