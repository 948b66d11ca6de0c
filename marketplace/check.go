package marketplace

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// CheckResult is a dry run: what a request would get, and why not more.
// Counts below the minimum group are suppressed.
type CheckResult struct {
	Datasets int
	Members  int
	TooFew   bool
	Price    coop.Money // for all of them
	Reasons  []ReasonCount
	Yield    []Yield
}

// ReasonCount is one reason and the number of datasets it stopped: 0 where the
// number would be about too few members, see countReasons.
type ReasonCount struct {
	policies.Reason
	Datasets int
}

// Yield is the number of datasets another purpose would pass.
type Yield struct {
	Purpose  coop.Purpose
	Datasets int
}

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
	cohort, err := s.Consent.Check(ctx, ask(d, dryRun(), who, "", pool.Price), nil)
	if err != nil {
		return CheckResult{}, fmt.Errorf("marketplace: check: %w", err)
	}
	out := CheckResult{Members: cohort.Members()}
	held := cohort.Refused
	if out.Members < pool.MinimumGroup {
		out.Members, out.TooFew = 0, true
		held = slices.Concat(held, cohort.Granted)
	} else {
		out.Datasets = len(cohort.Granted)
		out.Price = pool.Price * coop.Money(out.Datasets)
	}
	out.Reasons = countReasons(held, pool.MinimumGroup)
	out.Yield, err = s.yield(ctx, d, who, pool)
	return out, err
}

// dryRun is the id of a request that is never made.
func dryRun() coop.RequestID { return coop.RequestID(coop.NewID()) }

// yield tries the other purposes a researcher could have named.
func (s *Service) yield(ctx context.Context, d Draft, who Researcher, pool coop.Pool) ([]Yield, error) {
	out := []Yield{}
	for _, p := range otherPurposes(d.Purpose) {
		try := d
		try.Purpose = p
		cohort, err := s.Consent.Check(ctx, ask(try, dryRun(), who, "", pool.Price), nil)
		if err != nil {
			return nil, fmt.Errorf("marketplace: yield: %w", err)
		}
		if cohort.Members() >= pool.MinimumGroup {
			out = append(out, Yield{Purpose: p, Datasets: len(cohort.Granted)})
		}
	}
	return out, nil
}

// otherPurposes varies one code at a time.
func otherPurposes(p coop.Purpose) []coop.Purpose {
	var out []coop.Purpose
	for _, t := range coop.DUOPurposes() {
		if t.Code != p.DUO {
			out = append(out, coop.Purpose{DUO: t.Code, DPV: p.DPV})
		}
	}
	for _, t := range coop.DPVPurposes() {
		if t.Code != p.DPV {
			out = append(out, coop.Purpose{DUO: p.DUO, DPV: t.Code})
		}
	}
	return out
}

// countReasons counts why datasets are not released, most frequent first. Held
// are all decisions about datasets that are not: the refused, and where too few
// members would be released also the granted. A reason is told with its count
// if at least minimum members share it and at least as many, or nobody, of all
// those held do not; else with 0. That goes for every layer: co-op law too can
// single out a country or a kind of data that one member has.
func countReasons(held []consent.Decision, minimum int) []ReasonCount {
	type group struct {
		datasets int
		members  map[coop.MemberID]bool
	}
	all, groups := map[coop.MemberID]bool{}, map[policies.Reason]*group{}
	for _, d := range held {
		all[d.Member] = true
		for _, r := range d.Reasons {
			if groups[r] == nil {
				groups[r] = &group{members: map[coop.MemberID]bool{}}
			}
			groups[r].datasets++
			groups[r].members[d.Member] = true
		}
	}
	out := make([]ReasonCount, 0, len(groups))
	for r, g := range groups {
		if rest := len(all) - len(g.members); len(g.members) < minimum || rest > 0 && rest < minimum {
			g.datasets = 0
		}
		out = append(out, ReasonCount{r, g.datasets})
	}
	slices.SortFunc(out, func(a, b ReasonCount) int {
		return cmp.Or(cmp.Compare(b.Datasets, a.Datasets), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Sentence, b.Sentence))
	})
	return out
}
