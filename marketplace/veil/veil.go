// Package veil is what the market puts between people and those who may not
// know them: pseudonyms in what is published about a period, and counts that do
// not single a member out in what a researcher is told.
//
// It is an annex of the market and keeps nothing. It guarantees that the same
// evidence and secret give the same pseudonyms, and that a count is about at
// least as many members as a pool's smallest group, and so is what is left
// when it is taken from the whole.
package veil

import (
	"cmp"
	"slices"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// ReasonCount is one reason and the number of datasets it stopped: 0 where the
// number would be about too few members, see CountReasons.
type ReasonCount struct {
	policies.Reason
	Datasets int
}

// CountReasons counts why datasets are not released, most frequent first. Held
// are all decisions about datasets that are not: the refused, and where too few
// members would be released also the granted. A reason is told with its count
// if at least minimum members share it and at least as many, or nobody, of all
// those held do not; else with 0. That goes for every layer: co-op law too can
// single out a country or a kind of data that one member has.
func CountReasons(held []consent.Decision, minimum int) []ReasonCount {
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
