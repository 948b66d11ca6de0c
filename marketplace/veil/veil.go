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
	"distributed.ai/datacoop/policies"
)

// ReasonCount is one reason and the number of datasets it stopped: 0 where the
// number would be about too few members, see CountReasons.
type ReasonCount struct {
	policies.Reason
	Datasets int
}

// CountReasons counts why datasets are not released, most frequent first. Those
// held are the refused, and with all, where too few members would be released,
// also the granted. A reason is told with its count if at least minimum members
// share it and at least as many, or nobody, of all those held do not; else with
// 0. That goes for every layer: co-op law too can single out a country or a kind
// of data that one member has.
func CountReasons(t consent.Tally, all bool, minimum int) []ReasonCount {
	held := t.RefusedMembers
	if all {
		held = t.AllMembers
	}
	out := make([]ReasonCount, 0, len(t.Reasons))
	for _, r := range t.Reasons {
		if rest := held - r.Members; r.Members < minimum || rest > 0 && rest < minimum {
			r.Datasets = 0
		}
		out = append(out, ReasonCount{r.Reason, r.Datasets})
	}
	slices.SortFunc(out, func(a, b ReasonCount) int {
		return cmp.Or(cmp.Compare(b.Datasets, a.Datasets), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Sentence, b.Sentence))
	})
	return out
}
