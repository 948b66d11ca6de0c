package consent

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// pageSize is how many decisions a replay reads at once, so that no snapshot of
// the database is held for long.
const pageSize = 500

// Flip is a past decision that would be another under other law.
type Flip struct {
	Decision Decision
	Was, Now bool
	Reasons  []policies.Reason // why not, under the other law; empty if Now
}

// Progress is told how many decisions a replay has gone through, and of how many
// there were when it began.
type Progress func(done, total int)

// Replay decides every decision made at since (Unix milliseconds) or later once
// more under rev, each with the question that was asked then, and returns those
// that would be different, and how many there were. Questions that must have one
// answer are decided once. What members have declined themselves is left out: no
// law changes that. It records nothing.
func (s *Service) Replay(ctx context.Context, rev *policies.Revision, since int64, tell ...Progress) (flips []Flip, total int, err error) {
	if rev == nil {
		return nil, 0, fmt.Errorf("consent: replay: %w", policies.ErrSealed)
	}
	bench := s.bench(rev)
	err = s.again(ctx, since, tell, func(d Decision, in policies.Input) error {
		if declined(d) {
			return nil
		}
		total++
		allow, err := bench.allows(ctx, in)
		if err != nil || allow == d.Allow {
			return err
		}
		out, err := bench.ask(ctx, in) // to say why
		if err == nil && out.Allow != d.Allow {
			flips = append(flips, Flip{d, d.Allow, out.Allow, out.Reasons})
		}
		return err
	}, nil)
	if err != nil {
		return nil, 0, fmt.Errorf("consent: replay: %w", err)
	}
	return flips, total, nil
}

// ErrMismatch says that the tables hold a decision the law did not make.
var ErrMismatch = errors.New("a recorded decision does not match its replay")

// ReplayAll decides everything that was ever decided once more, each under the
// law it was made under, and compares: question, digest, answer, reasons,
// obligations, the rules that fired where they were recorded, and the digest of
// every cohort. Questions that must have one answer are decided once. It returns
// how many decisions there were, or ErrMismatch at the first that differs.
// Refusals because the law gave no answer, and those that members made
// themselves, are compared only in that they are refusals.
func (s *Service) ReplayAll(ctx context.Context, tell ...Progress) (n int, err error) {
	laws := map[string]*bench{}
	err = s.again(ctx, 0, tell, func(d Decision, in policies.Input) error {
		n++
		return s.replayOne(ctx, laws, d, in)
	}, s.checkRecord)
	if err == nil {
		err = s.checkCohorts(ctx)
	}
	if err != nil {
		return n, fmt.Errorf("consent: replay of all: %w", err)
	}
	return n, nil
}

// again hands over every decision made at since or later with the question that
// was asked: single ones first, then those of recorded cohorts, each of which is
// looked at before, if check is not nil. Only a page is held at a time.
func (s *Service) again(ctx context.Context, since int64, tell []Progress, fn func(Decision, policies.Input) error, check func(context.Context, Cohort) error) error {
	done, total := 0, 0
	if len(tell) > 0 {
		err := s.c.DB.View(ctx, func(tx *db.Tx) (err error) {
			total, err = countDecisions(tx, since)
			return err
		})
		if err != nil {
			return err
		}
	}
	one := func(d Decision, in policies.Input) error {
		if err := errors.Join(fn(d, in), ctx.Err()); err != nil {
			return err
		}
		if done++; done%pageSize == 0 || done == total {
			for _, t := range tell {
				t(done, max(done, total))
			}
		}
		return nil
	}
	if err := s.eachDecision(ctx, since, one); err != nil {
		return err
	}
	return s.eachCohort(ctx, since, func(c Cohort) error {
		if check != nil {
			if err := check(ctx, c); err != nil {
				return err
			}
		}
		return s.outcomesOf(ctx, c, one)
	})
}

func (s *Service) replayOne(ctx context.Context, laws map[string]*bench, d Decision, in policies.Input) error {
	if !d.matches(in) {
		return fmt.Errorf("%w: decision %s: question", ErrMismatch, d.ID)
	}
	if declined(d) {
		return nil
	}
	if unanswered(d) {
		if d.Allow {
			return fmt.Errorf("%w: decision %s: released without law", ErrMismatch, d.ID)
		}
		return nil
	}
	law, err := s.lawOf(ctx, laws, d.Revision)
	if err != nil {
		return fmt.Errorf("decision %s: %w", d.ID, err)
	}
	out, err := law.ask(ctx, in)
	if err != nil {
		return fmt.Errorf("decision %s: %w", d.ID, err)
	}
	same := out.Allow == d.Allow && out.NeedsReview == d.NeedsReview &&
		slices.Equal(out.Reasons, d.Reasons) && slices.Equal(out.Obligations, d.Obligations) &&
		(d.Rules == nil || slices.Equal(out.Rules, d.Rules))
	if !same && ctx.Err() == nil {
		return fmt.Errorf("%w: decision %s: answer", ErrMismatch, d.ID)
	}
	return ctx.Err()
}

// matches reports whether the decision's own columns say what its question says.
func (d Decision) matches(in policies.Input) bool {
	return digest(d.input) == d.InputSHA256 &&
		in.Request.ID == string(d.Request) && in.Request.Requester.ID == string(d.Researcher) &&
		in.Request.DUO == d.Purpose.DUO && in.Request.DPV == d.Purpose.DPV && in.Request.Time == d.At &&
		in.Dataset.ID == string(d.Dataset) && in.Dataset.Member == string(d.Member) && in.Dataset.Pool == string(d.Pool)
}

func unanswered(d Decision) bool {
	return d.Revision == "" || slices.ContainsFunc(d.Reasons, func(r policies.Reason) bool {
		return r.Code == policies.CodeUnavailable
	})
}

// lawOf restores the law a decision was made under.
func (s *Service) lawOf(ctx context.Context, laws map[string]*bench, hash string) (*bench, error) {
	if law, ok := laws[hash]; ok {
		return law, nil
	}
	var archive []byte
	err := s.c.DB.View(ctx, func(tx *db.Tx) (err error) {
		archive, err = revisionArchive(tx, hash)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("revision: %w", err)
	}
	rev, err := policies.Restore(ctx, archive)
	if err != nil {
		return nil, fmt.Errorf("revision: %w", err)
	}
	if rev.Hash() != hash {
		return nil, fmt.Errorf("%w: a stored revision is not what its name says", ErrMismatch)
	}
	laws[hash] = s.bench(rev)
	return laws[hash], nil
}

func (s *Service) eachDecision(ctx context.Context, since int64, fn func(Decision, policies.Input) error) error {
	for seq := int64(0); ; {
		var page []stored
		err := s.c.DB.View(ctx, func(tx *db.Tx) (err error) {
			page, err = decisionsAfter(tx, seq, since, pageSize)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, d := range page {
			in, err := policies.ParseInput(d.input)
			if err != nil {
				return fmt.Errorf("%w: decision %s: %w", ErrMismatch, d.ID, err)
			}
			if err := fn(d.Decision, in); err != nil {
				return err
			}
			seq = d.seq
		}
	}
}

func (s *Service) checkCohorts(ctx context.Context) error {
	for id := ""; ; {
		var page []Cohort
		err := s.c.DB.View(ctx, func(tx *db.Tx) (err error) {
			page, err = cohort.OldAfter(tx, id, pageSize)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, c := range page {
			if err := s.checkCohort(ctx, c); err != nil {
				return err
			}
			id = c.ID
		}
	}
}

func (s *Service) checkCohort(ctx context.Context, c Cohort) error {
	return s.c.DB.View(ctx, func(tx *db.Tx) error {
		outcomes, err := cohortOutcomes(tx, c.ID)
		if err != nil {
			return err
		}
		if outcomesDigest(outcomes) != c.Digest {
			return fmt.Errorf("%w: cohort %s: digest", ErrMismatch, c.ID)
		}
		return nil
	})
}
