package consent

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// Tally is how an ask would be decided about all open datasets of its pool, in
// figures.
type Tally = cohort.Tally

// Passing is how many datasets would be released, and of how many members.
type Passing struct{ Datasets, Members int }

// slowly is the note of an answer that took a decision for every dataset.
const slowly = "Not everything that counts here can be asked of all datasets at once, so each was decided by itself. That takes longer and changes no answer."

// Tally answers as DecideCohort would, in figures, and records nothing. A nil
// revision is the one in force. All datasets are decided at once where the law
// can be compiled to a filter; of every kind of answer the filter gives, one is
// decided by the law as well, and if they differ, all are.
func (s *Service) Tally(ctx context.Context, a Ask, rev *policies.Revision) (Tally, error) {
	var out Tally
	err := s.survey(ctx, a, rev, func(tx *db.Tx, law *policies.Revision, now int64) error {
		f, err := filterOf(tx, a, law, now)
		if err == nil {
			out, err = f.tally(tx)
		}
		if s.oneByOne(ctx, err) {
			var c Cohort
			if c, err = s.classwise(tx, a, law, now); err == nil {
				out = c.tally()
			}
		}
		out.Revision, out.At = hashOf(law), now
		if err == nil {
			out.ConsentSeq, err = headSeq(tx)
		}
		return err
	})
	if err != nil {
		return Tally{}, fmt.Errorf("consent: tally: %w", err)
	}
	return out, nil
}

// Survey answers as Check does, and leaves out of its decisions what only a
// record needs: they have no id, no question and no digest. A nil revision is
// the one in force.
func (s *Service) Survey(ctx context.Context, a Ask, rev *policies.Revision) (Cohort, error) {
	var out Cohort
	err := s.survey(ctx, a, rev, func(tx *db.Tx, law *policies.Revision, now int64) error {
		f, err := filterOf(tx, a, law, now)
		if err == nil {
			out, err = f.survey(tx)
		}
		if s.oneByOne(ctx, err) {
			out, err = s.classwise(tx, a, law, now)
		}
		return err
	})
	if err != nil {
		return Cohort{}, fmt.Errorf("consent: survey: %w", err)
	}
	return out, nil
}

// Passing counts what each of several asks would release, all at one moment, and
// records nothing. A nil revision is the one in force.
func (s *Service) Passing(ctx context.Context, asks []Ask, rev *policies.Revision) ([]Passing, error) {
	out := make([]Passing, len(asks))
	for i, a := range asks {
		err := s.survey(ctx, a, rev, func(tx *db.Tx, law *policies.Revision, now int64) error {
			f, err := filterOf(tx, a, law, now)
			if err == nil {
				out[i], err = f.passing(tx)
			}
			if !s.oneByOne(ctx, err) {
				return err
			}
			c, err := s.classwise(tx, a, law, now)
			out[i] = Passing{len(c.Granted), c.Members()}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("consent: counting: %w", err)
		}
	}
	return out, nil
}

// survey reads under one law at one moment.
func (s *Service) survey(ctx context.Context, a Ask, rev *policies.Revision, read func(*db.Tx, *policies.Revision, int64) error) error {
	if err := a.check(); err != nil {
		return err
	}
	if rev == nil {
		rev = s.c.Engine.Current()
	}
	return s.c.DB.View(ctx, func(tx *db.Tx) error { return read(tx, rev, s.now()) })
}

// oneByOne reports whether datasets must be decided one by one, because rows
// cannot be asked, and tells the operator if that is unexpected.
func (s *Service) oneByOne(ctx context.Context, err error) bool {
	switch {
	case errors.Is(err, errDisagrees):
		s.c.Logger.ErrorContext(ctx, "consent: the filter of a cohort disagrees with the law and is not used", "error", err)
	case errors.Is(err, policies.ErrFragment), errors.Is(err, cohort.ErrCondition), errors.Is(err, cohort.ErrFilter):
		s.c.Logger.WarnContext(ctx, "consent: a cohort is decided dataset by dataset", "error", err)
	case !errors.Is(err, policies.ErrSealed):
		return false
	}
	return true
}

// seen is a row as a tally remembers it.
type seen struct{ who, pattern uint32 }

// tally decides every pattern once and counts the rows that have it.
func (f *filter) tally(tx *db.Tx) (Tally, error) {
	t := cohort.NewCounter()
	for _, g := range f.groups {
		var rows []seen
		places, first := map[int64]uint32{}, map[int64]uint32{}
		err := cohort.EachPattern(tx, g.where, g.Bits, func(who uint32, pattern int64) {
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
		outcomes, err := f.patterns(tx, g, first)
		if err != nil {
			return Tally{}, err
		}
		counts := make([]cohort.Counted, len(places))
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
func (f *filter) patterns(tx *db.Tx, g group, first map[int64]uint32) (map[int64]policies.Outcome, error) {
	if _, some := first[cohort.Unread]; some || len(first) > cohort.MaxPatterns {
		return nil, fmt.Errorf("%w: %d patterns, or rows of another layout", cohort.ErrFilter, len(first))
	}
	examples := make(map[int64]coop.DatasetID, len(first))
	for pattern, who := range first {
		ds, err := cohort.OneOf(tx, g.where, g.Bits, who, pattern)
		if err != nil {
			return nil, err
		}
		examples[pattern] = ds
	}
	return f.outcomes(tx, g, examples)
}

// passing counts the rows that pass, and asks the law about two of them.
func (f *filter) passing(tx *db.Tx) (out Passing, err error) {
	if len(f.groups) > 1 {
		t, err := f.tally(tx)
		return Passing{t.Granted, t.Members}, err
	}
	g := f.groups[0]
	p, err := cohort.CountPassing(tx, g.where, g.Allow)
	switch {
	case err != nil:
		return Passing{}, err
	case p.Unread > 0:
		return Passing{}, fmt.Errorf("%w: rows of another layout", cohort.ErrFilter)
	}
	for _, ds := range []coop.DatasetID{p.First, p.Last} {
		if ds == "" {
			continue
		}
		if outcome, err := f.decided(tx, ds); err != nil || !outcome.Allow {
			return Passing{}, errors.Join(errDisagrees, err)
		}
	}
	return Passing{p.Datasets, p.Members}, nil
}

// tally is the cohort in figures.
func (c Cohort) tally() Tally {
	t, numbers := cohort.NewCounter(), map[coop.MemberID]uint32{}
	for _, d := range slices.Concat(c.Granted, c.Refused) {
		who, known := numbers[d.Member]
		if !known {
			who = uint32(len(numbers)) // #nosec G115 -- they are all in memory
			numbers[d.Member] = who
		}
		t.Add(who, t.Counted(policies.Outcome{Allow: d.Allow, NeedsReview: d.NeedsReview, Reasons: d.Reasons}))
	}
	out := t.Tally()
	out.Note = c.Note
	return out
}
