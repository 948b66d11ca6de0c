package marketplace

import (
	"context"
	"fmt"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/nearest"
	"distributed.ai/datacoop/marketplace/veil"
)

// CheckResult is a dry run: what a request would get, and why not more.
// Counts below the minimum group are suppressed.
type CheckResult struct {
	Datasets int
	Members  int
	TooFew   bool
	Price    coop.Money // for all of them
	Reasons  []ReasonCount
	Yield    []Yield      // what other purposes would pass
	Nearest  []Suggestion // the smallest changes that would pass more
	Note     string       // a sentence about how this was worked out, or ""
}

type (
	// ReasonCount is why datasets are not released.
	ReasonCount = veil.ReasonCount
	// Yield is what another purpose would pass.
	Yield = nearest.Yield
	// Suggestion is a nearby request that would pass more.
	Suggestion = nearest.Suggestion
)

// Check answers what a request would get now. Nothing is recorded, so that
// asking costs nobody anything and leaves no trace in a member's feed.
func (s *Service) Check(ctx context.Context, d Draft) (CheckResult, error) {
	pool, err := s.checkDraft(d)
	if err != nil {
		return CheckResult{}, err
	}
	who, err := s.Researcher(ctx, d.Researcher)
	if err != nil {
		return CheckResult{}, err
	}
	asked := ask(d, dryRun(), who, "", pool.Price)
	var out CheckResult
	err = s.Consent.Explore(ctx, asked, nil, func(c *consent.Crowd) (err error) {
		out, err = s.explore(ctx, asked, pool, c)
		return err
	})
	if err != nil {
		return CheckResult{}, fmt.Errorf("marketplace: check: %w", err)
	}
	return out, nil
}

func (s *Service) explore(ctx context.Context, asked consent.Ask, pool coop.Pool, c *consent.Crowd) (CheckResult, error) {
	now, err := c.Decide(ctx, asked)
	if err != nil {
		return CheckResult{}, err
	}
	tally := c.Tally(now)
	out := CheckResult{Note: c.Note, TooFew: tally.Members < pool.MinimumGroup}
	if !out.TooFew {
		out.Members, out.Datasets, out.Price = tally.Members, tally.Granted, pool.Price*coop.Money(tally.Granted)
	}
	out.Reasons = veil.CountReasons(tally, out.TooFew, pool.MinimumGroup)
	out.Yield, out.Nearest, err = nearest.Answer(ctx, nearest.Question{Ask: asked, Classes: c.Classes, Now: now,
		Minimum: pool.MinimumGroup, Currency: s.Charter.Currency, Tries: c.Tries}, nearest.Law{Passing: c.Passing, Decide: c.Decide, One: c.One})
	return out, err
}

// dryRun is the id of a request that is never made.
func dryRun() coop.RequestID { return coop.RequestID(coop.NewID()) }
