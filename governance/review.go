package governance

import (
	"context"
	"slices"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/once"
)

// agreeing is how many reviews of one mind decide about work.
const agreeing = 2

const longestNote = 2000

// sizePoints is what accepted work of each size counts for: every step is
// about as much more as the one before, because people tell sizes apart by
// ratio, not by difference.
var sizePoints = [...]int64{0, 1, 2, 3, 5, 8}

// Points earned by duties: fixed, so that nobody gains by dragging one out.
const (
	reviewPoints = 1 // for each review
	dutyPoints   = 3 // for each accepted contribution of the kind duty
)

// Verdict is what a reviewer says: accept with a size from 1 (an hour or so)
// to 5 (weeks), or decline with a note that says why.
type Verdict struct {
	Accept bool
	Size   int // ignored when declining
	Note   string
}

func (v Verdict) check() error {
	least := 0
	if !v.Accept {
		least = 1
	}
	switch {
	case v.Accept && (v.Size < 1 || v.Size >= len(sizePoints)):
		return ErrSize
	case !coop.Prose(v.Note, least, longestNote):
		return ErrNote
	}
	return nil
}

// Review is one member's verdict on another's work.
type Review struct {
	Reviewer coop.MemberID
	Verdict
	ReviewedAt int64 // Unix ms
}

// Review records a verdict. The second acceptance accepts the work at the
// lower median of the sizes given, the second refusal declines it. Refusals:
// [ErrOwnWork], [ErrAlreadyReviewed], [ErrAlreadyDecided].
func (s *Service) Review(ctx context.Context, by coop.MemberID, id coop.ContributionID, v Verdict) (Contribution, error) {
	if err := v.check(); err != nil {
		return Contribution{}, err
	}
	if !v.Accept {
		v.Size = 0
	}
	return write(ctx, s, "review", func(tx *db.Tx) (Contribution, error) {
		return once.Do(tx, func() (Contribution, error) { return s.review(tx, by, id, v) })
	})
}

func (s *Service) review(tx *db.Tx, by coop.MemberID, id coop.ContributionID, v Verdict) (Contribution, error) {
	if _, err := s.current(tx, by); err != nil {
		return Contribution{}, err
	}
	c, err := contribution(tx, id)
	switch {
	case err != nil:
		return Contribution{}, err
	case c.MadeBy(by):
		return Contribution{}, ErrOwnWork
	case slices.ContainsFunc(c.Reviews, func(r Review) bool { return r.Reviewer == by }):
		return Contribution{}, ErrAlreadyReviewed
	case c.State != Submitted:
		return Contribution{}, ErrAlreadyDecided
	}
	r := Review{Reviewer: by, Verdict: v, ReviewedAt: s.now()}
	if err := insertReview(tx, id, r); err != nil {
		return Contribution{}, err
	}
	c.Reviews = append(c.Reviews, r)
	if !c.decide(s.now()) {
		return c, nil
	}
	if err := s.logDecision(tx, c); err != nil {
		return Contribution{}, err
	}
	return c, decideContribution(tx, c)
}

// decide moves c out of Submitted once enough reviews agree.
func (c *Contribution) decide(now int64) bool {
	var sizes []int
	declined := 0
	for _, r := range c.Reviews {
		if r.Accept {
			sizes = append(sizes, r.Size)
		} else {
			declined++
		}
	}
	switch {
	case len(sizes) >= agreeing:
		c.State, c.Size = Accepted, lowerMedian(sizes)
		c.Points = pointsOf(c.Kind, c.Size)
	case declined >= agreeing:
		c.State = Declined
	default:
		return false
	}
	c.DecidedAt = now
	return true
}

// lowerMedian is the middle of sizes, or the smaller of the two in the middle,
// so that one generous friend moves nothing up.
func lowerMedian(sizes []int) int {
	sorted := slices.Sorted(slices.Values(sizes))
	return sorted[(len(sorted)-1)/2]
}

func pointsOf(kind WorkKind, size int) int64 {
	if kind == WorkDuty {
		return dutyPoints
	}
	return sizePoints[size]
}

// decided is what the log commits to, for accepted work.
type decided struct {
	Contribution string `json:"contribution"`
	Kind         string `json:"kind"`
	Size         int    `json:"size"`
	Points       int64  `json:"points"`
}

func (s *Service) logDecision(tx *db.Tx, c Contribution) error {
	if c.State != Accepted {
		return nil
	}
	_, err := s.Log.Append(tx, audit.Event{
		Kind: "governance.contribution", Verdict: string(Accepted),
		Record: decided{string(c.ID), string(c.Kind), c.Size, c.Points},
	})
	return err
}

// AcceptedWork is a contribution as evidence for a statement, or one author's
// part of it.
type AcceptedWork struct {
	Contribution coop.ContributionID
	Member       coop.MemberID
	Kind         WorkKind
	Size         int   // of the whole
	Points       int64 // the member's part
	AcceptedAt   int64 // Unix ms
}

// Duty is a completed duty as evidence for a statement: a review, or an
// accepted contribution of the kind duty.
type Duty struct {
	Contribution coop.ContributionID // reviewed or rendered
	Member       coop.MemberID
	Kind         string // "review" or "duty"
	Points       int64
	At           int64 // Unix ms
}

// AcceptedWork lists work accepted in [from, to) (Unix ms), duties left out,
// ordered by contribution. What several members made is listed once for each,
// with their part of the points, see [Service.SubmitGit]. Called with a transaction's context it reads there.
func (s *Service) AcceptedWork(ctx context.Context, from, to int64) ([]AcceptedWork, error) {
	return read(ctx, s, "accepted work", func(tx *db.Tx) ([]AcceptedWork, error) {
		return acceptedWork(tx, from, to)
	})
}

// Duties lists duties completed in [from, to) (Unix ms): reviews given, by
// contribution and reviewer, then accepted duties, by contribution. Casting a
// ballot is a right, not a duty, and earns nothing. Called with a
// transaction's context it reads there.
func (s *Service) Duties(ctx context.Context, from, to int64) ([]Duty, error) {
	return read(ctx, s, "duties", func(tx *db.Tx) ([]Duty, error) {
		given, err := reviewDuties(tx, from, to)
		if err != nil {
			return nil, err
		}
		rendered, err := acceptedDuties(tx, from, to)
		return append(given, rendered...), err
	})
}
