package marketplace

import (
	"context"
	"fmt"
	"slices"

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
	cohort, err := s.Consent.Survey(ctx, asked, nil)
	if err != nil {
		return CheckResult{}, fmt.Errorf("marketplace: check: %w", err)
	}
	out := CheckResult{Members: cohort.Members(), Note: cohort.Note}
	held := cohort.Refused
	if out.Members < pool.MinimumGroup {
		out.Members, out.TooFew = 0, true
		held = slices.Concat(held, cohort.Granted)
	} else {
		out.Datasets = len(cohort.Granted)
		out.Price = pool.Price * coop.Money(out.Datasets)
	}
	out.Reasons = veil.CountReasons(held, pool.MinimumGroup)
	out.Yield, out.Nearest, err = nearest.Answer(ctx, nearest.Question{Ask: asked, Now: nearest.Of(cohort),
		Minimum: pool.MinimumGroup, Currency: s.Charter.Currency}, s.survey)
	return out, err
}

// survey decides a changed request.
func (s *Service) survey(ctx context.Context, a consent.Ask) (nearest.View, error) {
	cohort, err := s.Consent.Survey(ctx, a, nil)
	return nearest.Of(cohort), err
}

// dryRun is the id of a request that is never made.
func dryRun() coop.RequestID { return coop.RequestID(coop.NewID()) }
