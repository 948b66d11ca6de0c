package consent

import (
	"context"
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/policies"
)

// Seen is which of the decisions about their data a member wants to see.
type Seen struct {
	Dataset coop.DatasetID // "" for all
	Outcome string         // OutcomeAllowed, OutcomeRefused or "" for both
}

// Outcomes of decisions.
const (
	OutcomeAllowed = "allowed"
	OutcomeRefused = "refused"
)

// Faults of what a member wants to see.
var (
	ErrOutcome    = fault.New(fault.Invalid, "outcome-invalid", "Decisions are either allowed or refused.")
	ErrNoDecision = fault.New(fault.NotFound, "decision-not-found", "There is no such decision about your data.")
	ErrNoLaw      = fault.New(fault.NotFound, "law-not-found", "Nothing was decided under a law of this name.")
)

func (f Seen) has(d Decision) bool {
	return (f.Dataset == "" || f.Dataset == d.Dataset) && (f.Outcome == "" || (f.Outcome == OutcomeAllowed) == d.Allow)
}

// UsesSeen lists what Uses lists of it, at most limit (200 at most), and where
// the next page goes on; "" at the end.
func (s *Service) UsesSeen(ctx context.Context, m coop.MemberID, f Seen, before string, limit int) (out []Decision, next string, err error) {
	if f.Outcome != "" && f.Outcome != OutcomeAllowed && f.Outcome != OutcomeRefused {
		return nil, "", ErrOutcome
	}
	limit = min(max(limit, 1), maxPage)
	for {
		page, err := s.Uses(ctx, m, before, maxPage)
		if err != nil {
			return nil, "", err
		}
		for _, d := range page {
			if f.has(d) {
				if len(out) == limit {
					return out, string(out[limit-1].ID), nil
				}
				out = append(out, d)
			}
		}
		if len(page) < maxPage {
			return out, "", nil
		}
		before = string(page[maxPage-1].ID)
	}
}

// Use finds one decision about the member's data; ErrNoDecision for any other.
func (s *Service) Use(ctx context.Context, m coop.MemberID, id coop.DecisionID) (Decision, error) {
	for before := ""; ; {
		page, err := s.Uses(ctx, m, before, maxPage)
		if err != nil {
			return Decision{}, err
		}
		for _, d := range page {
			if d.ID == id {
				return d, nil
			}
		}
		if len(page) < maxPage {
			return Decision{}, ErrNoDecision
		}
		before = string(page[maxPage-1].ID)
	}
}

// Law is the law that something was decided under, by its hash, as it was then.
// It is for reading; an Engine never puts it in force. ErrNoLaw if nothing was.
func (s *Service) Law(ctx context.Context, hash string) (*policies.Revision, error) {
	if now := s.c.Engine.Current(); now != nil && now.Hash() == hash {
		return now, nil
	}
	var archive []byte
	err := s.c.DB.View(ctx, func(tx *db.Tx) (err error) {
		archive, err = revisionArchive(tx, hash)
		return err
	})
	if errors.Is(err, db.ErrNoRow) {
		return nil, ErrNoLaw
	}
	if err != nil {
		return nil, fmt.Errorf("consent: law: %w", err)
	}
	law, err := policies.Restore(ctx, archive)
	if err != nil {
		return nil, fmt.Errorf("consent: law: %w", err)
	}
	return law, nil
}
