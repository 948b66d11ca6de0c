package consent

import (
	"fmt"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// errDisagrees says that a row was answered in another way than its dataset.
var errDisagrees = fmt.Errorf("%w: the filter and the law disagree", cohort.ErrFilter)

// filter is one ask under one law, as questions about rows.
type filter struct {
	ask    Ask
	law    *policies.Revision
	now    int64
	groups []group
}

// group are the rows that one compiled law is about.
type group struct {
	where cohort.Where
	cohort.Group
}

// filterOf compiles an ask. The error is one that oneByOne knows where that
// cannot be done.
func filterOf(tx *db.Tx, a Ask, law *policies.Revision, now int64) (*filter, error) {
	answers, err := answersTo(tx, a.Request)
	switch {
	case err != nil:
		return nil, err
	case len(answers) > 0:
		return nil, fmt.Errorf("%w: members have answered this request", cohort.ErrFilter)
	}
	stored, err := cohort.Parts(tx)
	if err != nil {
		return nil, err
	}
	parts, kinds, err := cohort.Read(stored)
	if err != nil {
		return nil, err
	}
	compiled, err := cohort.Compile(tx.Context(), law, a.request(now), parts, kinds)
	if err != nil {
		return nil, err
	}
	f := &filter{ask: a, law: law, now: now}
	for _, g := range compiled {
		f.groups = append(f.groups, group{where: cohort.Where{Pool: a.Pool, Now: now, Holds: g.Holds}, Group: g})
	}
	return f, nil
}

// decided asks the law itself about a dataset.
func (f *filter) decided(tx *db.Tx, ds coop.DatasetID) (policies.Outcome, error) {
	m, err := matterOf(tx, f.law, ds)
	if err != nil {
		return policies.Outcome{}, err
	}
	in, err := questionFor(tx, f.ask, m, f.now)
	if err != nil {
		return policies.Outcome{}, err
	}
	out, err := f.law.Decide(tx.Context(), in)
	switch {
	case tx.Context().Err() != nil:
		return policies.Outcome{}, tx.Context().Err()
	case err != nil:
		return policies.Outcome{}, fmt.Errorf("%w: %w", cohort.ErrFilter, err)
	}
	return out, nil
}

// outcomes answers every pattern found in a group: the law is asked about one
// dataset that has it. Where that answer is not the filter's, errDisagrees.
func (f *filter) outcomes(tx *db.Tx, g group, examples map[int64]coop.DatasetID) (map[int64]policies.Outcome, error) {
	if len(examples) > cohort.MaxPatterns {
		return nil, fmt.Errorf("%w: %d patterns", cohort.ErrFilter, len(examples))
	}
	out := make(map[int64]policies.Outcome, len(examples))
	for pattern, ds := range examples {
		outcome, err := f.decided(tx, ds)
		if err != nil {
			return nil, err
		}
		if outcome.Allow != g.Allows(pattern) {
			return nil, errDisagrees
		}
		out[pattern] = outcome
	}
	return out, nil
}

// told is what a filter says about one dataset.
type told struct {
	dataset coop.DatasetID
	member  coop.MemberID
	policies.Outcome
}

// answers answers for every dataset, by id within each group, or errDisagrees
// and the like.
func (f *filter) answers(tx *db.Tx) (out []told, err error) {
	for _, g := range f.groups {
		var patterns []int64
		from, examples := len(out), map[int64]coop.DatasetID{}
		err := cohort.EachDataset(tx, g.where, g.Bits, func(ds coop.DatasetID, m coop.MemberID, pattern int64) {
			out, patterns = append(out, told{dataset: ds, member: m}), append(patterns, pattern)
			if _, known := examples[pattern]; !known {
				examples[pattern] = ds
			}
		})
		if err != nil {
			return nil, err
		}
		if _, some := examples[cohort.Unread]; some {
			return nil, fmt.Errorf("%w: rows of another layout", cohort.ErrFilter)
		}
		outcomes, err := f.outcomes(tx, g, examples)
		if err != nil {
			return nil, err
		}
		for i, pattern := range patterns {
			out[from+i].Outcome = outcomes[pattern]
		}
	}
	return out, nil
}

// byDataset is the same by dataset.
func (f *filter) byDataset(tx *db.Tx) (map[coop.DatasetID]policies.Outcome, error) {
	list, err := f.answers(tx)
	out := make(map[coop.DatasetID]policies.Outcome, len(list))
	for _, a := range list {
		out[a.dataset] = a.Outcome
	}
	return out, err
}

// survey makes a cohort of the answers alone.
func (f *filter) survey(tx *db.Tx) (Cohort, error) {
	list, err := f.answers(tx)
	if err != nil {
		return Cohort{}, err
	}
	c := Cohort{At: f.now, Granted: []Decision{}, Refused: []Decision{}, Revision: f.law.Hash()}
	for _, a := range list {
		c.add(Decision{Dataset: a.dataset, Member: a.member, Pool: f.ask.Pool, Purpose: f.ask.Purpose, Stage: StageRequest,
			Allow: a.Allow, NeedsReview: a.NeedsReview, Asks: a.Asks, Reasons: a.Reasons, Obligations: a.Obligations, At: f.now})
	}
	c.ByReason, c.Reasons = tally(c.Refused)
	return c, nil
}
