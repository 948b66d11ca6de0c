package consent

import (
	"context"
	"errors"
	"fmt"
	"slices"

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

// Replay decides every decision made at since (Unix milliseconds) or later once
// more under rev, each with the question that was asked then, and returns those
// that would be different, and how many there were. What members have declined
// themselves is left out: no law changes that. It records nothing.
func (s *Service) Replay(ctx context.Context, rev *policies.Revision, since int64) (flips []Flip, total int, err error) {
	if rev == nil {
		return nil, 0, fmt.Errorf("consent: replay: %w", policies.ErrSealed)
	}
	bench := s.bench(rev)
	err = s.eachDecision(ctx, since, func(d Decision) error {
		if declined(d) {
			return ctx.Err()
		}
		in, err := policies.ParseInput(d.input)
		if err != nil {
			return fmt.Errorf("decision %s: %w", d.ID, err)
		}
		out, err := bench.ask(ctx, in)
		if err != nil {
			return fmt.Errorf("decision %s: %w", d.ID, err)
		}
		if total++; out.Allow != d.Allow {
			flips = append(flips, Flip{d, d.Allow, out.Allow, out.Reasons})
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, 0, fmt.Errorf("consent: replay: %w", err)
	}
	return flips, total, nil
}

// ErrMismatch says that the tables hold a decision the law did not make.
var ErrMismatch = errors.New("a recorded decision does not match its replay")

// ReplayAll decides everything that was ever decided once more, each under the
// law it was made under, and compares: question, digest, answer, reasons,
// obligations, and the digest of every cohort. It returns how many decisions
// there were, or ErrMismatch at the first that differs. Refusals because the law
// gave no answer, and those that members made themselves, are compared only in
// that they are refusals.
func (s *Service) ReplayAll(ctx context.Context) (n int, err error) {
	laws := map[string]*bench{}
	err = s.eachDecision(ctx, 0, func(d Decision) error {
		n++
		return s.replayOne(ctx, laws, d)
	})
	if err == nil {
		err = s.checkCohorts(ctx)
	}
	if err != nil {
		return n, fmt.Errorf("consent: replay of all: %w", err)
	}
	return n, nil
}

func (s *Service) replayOne(ctx context.Context, laws map[string]*bench, d Decision) error {
	in, err := policies.ParseInput(d.input)
	if err != nil {
		return fmt.Errorf("%w: decision %s: %w", ErrMismatch, d.ID, err)
	}
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
	if err := ctx.Err(); err != nil {
		return err
	}
	same := out.Allow == d.Allow && out.NeedsReview == d.NeedsReview &&
		slices.Equal(out.Reasons, d.Reasons) && slices.Equal(out.Obligations, d.Obligations)
	if !same {
		return fmt.Errorf("%w: decision %s: answer", ErrMismatch, d.ID)
	}
	return nil
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

func (s *Service) eachDecision(ctx context.Context, since int64, fn func(Decision) error) error {
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
			if err := fn(d.Decision); err != nil {
				return err
			}
			seq = d.seq
		}
	}
}

func (s *Service) checkCohorts(ctx context.Context) error {
	for id := ""; ; {
		var page []cohortDigest
		err := s.c.DB.View(ctx, func(tx *db.Tx) (err error) {
			page, err = cohortsAfter(tx, id, pageSize)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, c := range page {
			if err := s.checkCohort(ctx, c); err != nil {
				return err
			}
			id = c.id
		}
	}
}

func (s *Service) checkCohort(ctx context.Context, c cohortDigest) error {
	return s.c.DB.View(ctx, func(tx *db.Tx) error {
		outcomes, err := cohortOutcomes(tx, c.id)
		if err != nil {
			return err
		}
		if outcomesDigest(outcomes) != c.digest {
			return fmt.Errorf("%w: cohort %s: digest", ErrMismatch, c.id)
		}
		return nil
	})
}
