package consent

import (
	"context"
	"errors"
	"fmt"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// Tally is how an ask would be decided about all open datasets of its pool, in
// figures.
type Tally = cohort.Tally

// ReasonTally is a reason, how many datasets it refused and how many members
// have one of them.
type ReasonTally = cohort.ReasonTally

// Passing is how many datasets would be released, and of how many members.
type Passing struct{ Datasets, Members int }

// Tally answers as DecideCohort would, in figures, and records nothing. A nil
// revision is the one in force. All datasets are decided at once where the law
// can be compiled to a filter; of every kind of answer the filter gives, one is
// decided by the law as well, and if they differ, all are.
func (s *Service) Tally(ctx context.Context, a Ask, rev *policies.Revision) (Tally, error) {
	var out Tally
	err := s.survey(ctx, a, rev, func(tx *db.Tx, law *policies.Revision, now int64) error {
		f, err := filterOf(tx, a, law, now)
		if err == nil {
			out, err = f.Tally(tx)
		}
		if s.oneByOne(ctx, err) {
			out, err = s.tallyByClass(tx, a, law, now)
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

// Passing counts what each of several asks would release, all at one moment, and
// records nothing. A nil revision is the one in force.
func (s *Service) Passing(ctx context.Context, asks []Ask, rev *policies.Revision) ([]Passing, error) {
	out := make([]Passing, len(asks))
	for i, a := range asks {
		err := s.survey(ctx, a, rev, func(tx *db.Tx, law *policies.Revision, now int64) error {
			f, err := filterOf(tx, a, law, now)
			if err == nil {
				out[i].Datasets, out[i].Members, err = f.Passing(tx)
			}
			if !s.oneByOne(ctx, err) {
				return err
			}
			t, err := s.tallyByClass(tx, a, law, now)
			out[i] = Passing{t.Granted, t.Members}
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
	if err := a.Check(); err != nil {
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
	case errors.Is(err, cohort.ErrDisagrees):
		s.c.Logger.ErrorContext(ctx, "consent: the filter of a cohort disagrees with the law and is not used", "error", err)
	case errors.Is(err, policies.ErrFragment), errors.Is(err, cohort.ErrCondition), errors.Is(err, cohort.ErrFilter):
		s.c.Logger.WarnContext(ctx, "consent: a cohort is decided dataset by dataset", "error", err)
	case !errors.Is(err, policies.ErrSealed):
		return false
	}
	return true
}

// tallyByClass counts without a filter.
func (s *Service) tallyByClass(tx *db.Tx, a Ask, law *policies.Revision, now int64) (Tally, error) {
	t := cohort.NewCounter()
	err := s.eachAnswer(tx, a, law, now, func(e cohort.Entry, out policies.Outcome) error {
		t.Add(uint32(e.Who), t.Counted(out)) // #nosec G115 -- numbers of members
		return nil
	})
	out := t.Tally()
	if law != nil {
		out.Note = cohort.Slowly
	}
	return out, err
}

// eachAnswer decides about all open datasets of an ask's pool, page by page and
// by id. Questions that differ only in ids have one answer.
func (s *Service) eachAnswer(tx *db.Tx, a Ask, law *policies.Revision, now int64, fn func(cohort.Entry, policies.Outcome) error) error {
	bench := s.bench(law)
	return eachOpen(tx, a.Pool, now, func(page []cohort.Entry) error {
		questions, err := questionsAsOf(tx, a.Asked(now), page, newest)
		if err != nil {
			return err
		}
		for i, in := range questions {
			out, err := bench.ask(tx.Context(), in)
			if err = errors.Join(err, tx.Context().Err()); err != nil {
				return err
			}
			if err := fn(page[i], out); err != nil {
				return err
			}
		}
		return nil
	})
}
