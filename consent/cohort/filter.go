package cohort

import (
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// ErrDisagrees says that a row was answered in another way than its dataset.
var ErrDisagrees = fmt.Errorf("%w: the filter and the law disagree", ErrFilter)

// Filter is one request under one law, as questions about rows. What it answers
// is borne out by the law: of every kind of answer it gives, one is asked for
// through Decide as well, and if that is another there is ErrDisagrees.
type Filter struct {
	pool   coop.PoolID
	now    int64
	groups []Group
	decide Decide
}

// Decide asks the law itself about a dataset.
type Decide func(tx *db.Tx, ds coop.DatasetID) (policies.Outcome, error)

// NewFilter compiles a request. The error is policies.ErrSealed,
// policies.ErrFragment, ErrCondition or ErrFilter where that cannot be done.
func NewFilter(tx *db.Tx, law *policies.Revision, asked policies.Request, decide Decide) (*Filter, error) {
	stored, err := Parts(tx)
	if err != nil {
		return nil, err
	}
	parts, kinds, err := Read(stored)
	if err != nil {
		return nil, err
	}
	groups, err := Compile(tx.Context(), law, asked, parts, kinds)
	return &Filter{coop.PoolID(asked.Pool), asked.Time, groups, decide}, err
}

func (f *Filter) where(g Group) Where { return Where{Pool: f.pool, Now: f.now, Holds: g.Holds} }

// Text is the filter as a record keeps it, in canonical JSON.
func (f *Filter) Text() (string, error) { return Text(f.groups) }

// Fill records the rows of a cohort.
func (f *Filter) Fill(tx *db.Tx, seq int64) error {
	for i, g := range f.groups {
		if err := fill(tx, seq, int64(i), f.where(g), g.Bits); err != nil {
			return err
		}
	}
	return nil
}

// Verdict is what a pattern means, by a dataset that has it.
func (f *Filter) Verdict(tx *db.Tx, p Pattern, ds coop.DatasetID) (policies.Outcome, error) {
	if p.Bits == Unread {
		return policies.Outcome{}, fmt.Errorf("%w: rows of another layout", ErrFilter)
	}
	outcome, err := f.decide(tx, ds)
	if err == nil && outcome.Allow != f.groups[p.Law].Allows(p.Bits) {
		err = ErrDisagrees
	}
	return outcome, err
}

// Tally decides every pattern once and counts the rows that have it.
func (f *Filter) Tally(tx *db.Tx) (Tally, error) {
	t := NewCounter()
	for law, g := range f.groups {
		var rows []seen
		places, first := map[int64]uint32{}, map[int64]uint32{}
		err := EachPattern(tx, f.where(g), g.Bits, func(who uint32, pattern int64) {
			place, known := places[pattern]
			if !known {
				place = uint32(len(places)) // #nosec G115 -- at most a few thousand, or refused below
				places[pattern], first[pattern] = place, who
			}
			rows = append(rows, seen{who, place})
		})
		if err != nil {
			return Tally{}, err
		}
		outcomes, err := f.patterns(tx, int64(law), first)
		if err != nil {
			return Tally{}, err
		}
		counts := make([]Counted, len(places))
		for pattern, place := range places {
			counts[place] = t.Counted(outcomes[pattern])
		}
		for _, row := range rows {
			t.Add(row.who, counts[row.pattern])
		}
	}
	return t.Tally(), nil
}

// patterns decides one dataset of each pattern, found by the member first seen
// with it.
func (f *Filter) patterns(tx *db.Tx, law int64, first map[int64]uint32) (map[int64]policies.Outcome, error) {
	if _, some := first[Unread]; some || len(first) > MaxPatterns {
		return nil, fmt.Errorf("%w: %d patterns, or rows of another layout", ErrFilter, len(first))
	}
	g, out := f.groups[law], make(map[int64]policies.Outcome, len(first))
	for pattern, who := range first {
		ds, err := OneOf(tx, f.where(g), g.Bits, who, pattern)
		if err != nil {
			return nil, err
		}
		if out[pattern], err = f.Verdict(tx, Pattern{law, pattern}, ds); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Passing counts the rows that pass, and asks the law about two of them.
func (f *Filter) Passing(tx *db.Tx) (datasets, members int, err error) {
	if len(f.groups) > 1 {
		t, err := f.Tally(tx)
		return t.Granted, t.Members, err
	}
	g := f.groups[0]
	p, err := countPassing(tx, f.where(g), g.Allow)
	switch {
	case err != nil:
		return 0, 0, err
	case p.Unread > 0:
		return 0, 0, fmt.Errorf("%w: rows of another layout", ErrFilter)
	}
	for _, ds := range []coop.DatasetID{p.First, p.Last} {
		if ds == "" {
			continue
		}
		if outcome, err := f.decide(tx, ds); err != nil || !outcome.Allow {
			return 0, 0, errors.Join(ErrDisagrees, err)
		}
	}
	return p.Datasets, p.Members, nil
}

// Versus counts on which datasets two filters of one request differ.
func (f *Filter) Versus(tx *db.Tx, other *Filter) (Difference, error) {
	return differing(tx, Where{Pool: f.pool, Now: f.now}, f.groups, other.groups, func(ds coop.DatasetID, was, now bool) error {
		before, err := f.decide(tx, ds)
		after, failed := other.decide(tx, ds)
		if err = errors.Join(err, failed); err == nil && (before.Allow != was || after.Allow != now) {
			err = ErrDisagrees
		}
		return err
	})
}

// Passing answers for each class of a crowd whether a filter of its pool and
// moment allows it.
func (c *Crowd) Passing(tx *db.Tx, f *Filter) ([]bool, error) {
	out := make([]bool, len(c.Classes))
	for _, g := range f.groups {
		if err := c.mark(g, g.law.Allow, func(i int32) { out[i] = true }); err != nil {
			return nil, err
		}
	}
	asked := map[bool]bool{}
	for i, passes := range out {
		if asked[passes] {
			continue
		}
		asked[passes] = true
		o, err := f.decide(tx, c.Classes[i].Example)
		if err != nil {
			return nil, err
		}
		if o.Allow != passes {
			return nil, ErrDisagrees
		}
	}
	return out, nil
}

// Decide answers for each class of a crowd in full.
func (c *Crowd) Decide(tx *db.Tx, f *Filter) ([]policies.Outcome, error) {
	patterns, err := c.patterns(f.groups)
	if err != nil {
		return nil, err
	}
	out, known := make([]policies.Outcome, len(patterns)), map[Pattern]policies.Outcome{}
	for i, p := range patterns {
		o, seen := known[p]
		if !seen {
			if o, err = f.Verdict(tx, p, c.Classes[i].Example); err != nil {
				return nil, err
			}
			if known[p] = o; len(known) > MaxPatterns {
				return nil, fmt.Errorf("%w: %d patterns", ErrFilter, len(known))
			}
		}
		out[i] = o
	}
	return out, nil
}

// TallyOf counts outcomes of classes.
func TallyOf(classes []Class, outcomes []policies.Outcome) Tally {
	t := NewCounter()
	for i, o := range outcomes {
		counted := t.Counted(o)
		for _, who := range classes[i].Members {
			t.Add(who, counted)
		}
	}
	return t.Tally()
}
