package governance

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/once"
)

// Limits of a contribution, in characters, and of how many one member may have
// waiting for review: reviewers' time is what a flood would steal.
const (
	longestWorkTitle = 200
	longestEvidence  = 2000
	longestWorkText  = 8000
	mostOpenWork     = 10
)

// WorkKind is a sort of work members do.
type WorkKind string

// The kinds of work. A duty is service that the co-op asks of its members,
// such as a panel; it earns fixed points whatever its size.
const (
	WorkGit      WorkKind = "git"
	WorkDocument WorkKind = "document"
	WorkDesign   WorkKind = "design"
	WorkSupport  WorkKind = "support"
	WorkDuty     WorkKind = "duty"
	WorkOther    WorkKind = "other"
)

// WorkKinds lists every kind.
func WorkKinds() []WorkKind {
	return []WorkKind{WorkGit, WorkDocument, WorkDesign, WorkSupport, WorkDuty, WorkOther}
}

// WorkState is where a contribution stands.
type WorkState string

// The states of a contribution. Two reviews of one mind decide.
const (
	Submitted WorkState = "submitted"
	Accepted  WorkState = "accepted"
	Declined  WorkState = "declined"
)

// Work is what a member says they did. Evidence is where it can be seen: a
// commit, an address, a digest.
type Work struct {
	Kind     WorkKind
	Title    string
	Evidence string
	Text     string
}

func (w Work) check() error {
	switch {
	case !slices.Contains(WorkKinds(), w.Kind):
		return ErrWorkKind
	case !coop.Line(w.Title, 1, longestWorkTitle):
		return ErrWorkTitle
	case !coop.Prose(w.Evidence, 1, longestEvidence):
		return ErrWorkEvidence
	case !coop.Prose(w.Text, 0, longestWorkText):
		return ErrWorkText
	}
	return nil
}

// Contribution is work and where its review stands.
type Contribution struct {
	ID     coop.ContributionID
	Member coop.MemberID
	Work
	State       WorkState
	Size        int   // 1 to 5; 0 unless accepted
	Points      int64 // what it counts for in a statement; 0 unless accepted
	SubmittedAt int64 // Unix ms
	DecidedAt   int64 // Unix ms; 0 while submitted
	Reviews     []Review
	Git         *GitFacts // of work that was read from a repository
}

// Submit puts work before the members for review.
func (s *Service) Submit(ctx context.Context, by coop.MemberID, w Work) (Contribution, error) {
	if err := w.check(); err != nil {
		return Contribution{}, err
	}
	return write(ctx, s, "submit", func(tx *db.Tx) (Contribution, error) {
		return once.Do(tx, func() (Contribution, error) { return s.submit(tx, by, w) })
	})
}

func (s *Service) submit(tx *db.Tx, by coop.MemberID, w Work) (Contribution, error) {
	if _, err := s.current(tx, by); err != nil {
		return Contribution{}, err
	}
	if n, err := openWork(tx, by); err != nil {
		return Contribution{}, err
	} else if n >= mostOpenWork {
		return Contribution{}, ErrTooManyOpen
	}
	c := Contribution{
		ID: coop.ContributionID(coop.NewID()), Member: by, Work: w,
		State: Submitted, SubmittedAt: s.now(), Reviews: []Review{},
	}
	return c, insertContribution(tx, c)
}

// Filter narrows a list of contributions. Empty fields match all.
type Filter struct {
	Member coop.MemberID
	State  WorkState
}

// Contributions lists contributions with their reviews, newest first.
func (s *Service) Contributions(ctx context.Context, f Filter, p Page) ([]Contribution, error) {
	return read(ctx, s, "contributions", func(tx *db.Tx) ([]Contribution, error) {
		list, err := contributions(tx, f, p)
		for i := range list {
			if err == nil {
				list[i], err = complete(tx, list[i])
			}
		}
		return list, err
	})
}

// Contribution returns one contribution with its reviews.
func (s *Service) Contribution(ctx context.Context, id coop.ContributionID) (Contribution, error) {
	return read(ctx, s, "contribution", func(tx *db.Tx) (Contribution, error) { return contribution(tx, id) })
}

func contribution(tx *db.Tx, id coop.ContributionID) (Contribution, error) {
	c, err := contributionByID(tx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Contribution{}, ErrContributionNotFound
	}
	if err != nil {
		return Contribution{}, err
	}
	return complete(tx, c)
}

// complete adds what is kept beside a contribution.
func complete(tx *db.Tx, c Contribution) (_ Contribution, err error) {
	if c.Reviews, err = reviews(tx, c.ID); err != nil {
		return Contribution{}, err
	}
	c.Git, err = gitFacts(tx, c.ID)
	return c, err
}
