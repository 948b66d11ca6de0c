package consent

import (
	"fmt"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// filterOf compiles an ask. The error is one that oneByOne knows where that
// cannot be done, as where members have answered this very request.
func filterOf(tx *db.Tx, a Ask, law *policies.Revision, now int64) (*cohort.Filter, error) {
	list, err := answered(tx, a.Request)
	switch {
	case err != nil:
		return nil, err
	case len(list) > 0:
		return nil, fmt.Errorf("%w: members have answered this request", cohort.ErrFilter)
	}
	return filterBefore(tx, a, law, now)
}

// filterBefore compiles an ask as if no member had answered it.
func filterBefore(tx *db.Tx, a Ask, law *policies.Revision, now int64) (*cohort.Filter, error) {
	return cohort.NewFilter(tx, law, a.Asked(now), func(tx *db.Tx, ds coop.DatasetID) (policies.Outcome, error) {
		return decided(tx, a, law, now, ds)
	})
}

// decided asks the law itself about a dataset.
func decided(tx *db.Tx, a Ask, law *policies.Revision, now int64, ds coop.DatasetID) (policies.Outcome, error) {
	m, err := matterOf(tx, law, ds)
	if err != nil {
		return policies.Outcome{}, err
	}
	in, err := questionFor(tx, a, m, now)
	if err != nil {
		return policies.Outcome{}, err
	}
	out, err := law.Decide(tx.Context(), in)
	switch {
	case tx.Context().Err() != nil:
		return policies.Outcome{}, tx.Context().Err()
	case err != nil:
		return policies.Outcome{}, fmt.Errorf("%w: %w", cohort.ErrFilter, err)
	}
	return out, nil
}
