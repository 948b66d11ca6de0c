package ledger

import (
	"context"
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/db"
)

var (
	errBalance  = errors.New("a balance is not the sum of its postings")
	errTurnover = errors.New("the turnover is not the sum of what was moved")
)

// Verify derives the books again from their postings: every entry follows the
// one before, adds up to zero and fits the chain of digests, no member was ever
// owed less than nothing, and all balances are what the postings add up to. It
// returns the number of entries; the error names the first that is wrong.
func (s *Service) Verify(ctx context.Context) (entries int64, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		b := newBook(s.currency)
		err := scan(tx, func(p Posted) error {
			if err := b.add(p); err != nil {
				return fmt.Errorf("entry %d: %w", p.Seq, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
		entries = b.entries
		return b.compare(tx)
	})
	if err != nil {
		return 0, fmt.Errorf("ledger: verify: %w", err)
	}
	return entries, nil
}

// compare holds the kept sums against the derived ones.
func (b *book) compare(tx *db.Tx) error {
	last, err := newest(tx)
	if err != nil {
		return err
	}
	if n, err := strays(tx); err != nil || n > 0 {
		return errors.Join(err, fmt.Errorf("%d postings belong to no entry", n))
	}
	kept, err := balances(tx, "")
	if err != nil {
		return err
	}
	if len(kept) != len(b.sums) {
		return errBalance
	}
	for _, k := range kept {
		if sum, ok := b.sums[k.Account]; !ok || k.Account.natural(sum) != k.Amount {
			return errBalance
		}
	}
	if last.turnover != b.turnover {
		return errTurnover
	}
	return nil
}
