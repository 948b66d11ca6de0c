package trial

import (
	"context"
	"fmt"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/policies/rehearsal"
)

// mostAsked is how many kinds of requests are counted over the open datasets.
const mostAsked = 8

// Cohort is what the open datasets of a pool would gain or lose for one kind of
// request. A figure about fewer members than the pool's minimum group, or whose
// complement is about that few, is 0, as is one about nobody: nobody can tell
// which. A cohort without any figure is not told.
type Cohort struct {
	Pool            coop.PoolID
	Request         string // the kind, in a sentence
	Released        int    // datasets that would newly be released
	ReleasedMembers int
	Refused         int // datasets that would no longer be
	RefusedMembers  int
	Sentence        string
}

// cohorts asks both laws about the datasets there are now, for the kinds of
// requests on which they were found to differ.
func (b Bench) cohorts(ctx context.Context, was, now *policies.Revision, kinds []rehearsal.Kind) (out []Cohort, counted string, err error) {
	counted = "No kind of request was found on which the rules differ, so nothing was counted."
	if len(kinds) > 0 {
		counted = fmt.Sprintf("Counted were the datasets that are open now, for %s on which the rules differ. What concerns fewer members than a pool's smallest group is not told.",
			plural(min(len(kinds), mostAsked), "kind of request", "kinds of requests"))
	}
	for _, k := range kinds[:min(len(kinds), mostAsked)] {
		for _, pool := range b.Charter.Pools {
			d, err := b.Consent.Differ(ctx, asked(k.Ask, pool.ID), was, now)
			if err != nil {
				return nil, "", err
			}
			if c, tell := tellable(d, pool, k); tell {
				out = append(out, c)
			}
		}
	}
	return out, counted, nil
}

// asked is a request for a pool that nobody has made.
func asked(r policies.Request, p coop.PoolID) consent.Ask {
	return consent.Ask{
		Request: coop.RequestID(coop.NewID()),
		Researcher: consent.Requester{
			ID: coop.ResearcherID(coop.NewID()), Kind: r.Requester.Kind, Vetted: r.Requester.Vetted,
			Region: r.Requester.Region, Institution: r.Requester.Institution,
		},
		Pool: p, Purpose: coop.Purpose{DUO: r.DUO, DPV: r.DPV}, Price: coop.Money(r.PriceMinor),
		RetentionDays: r.RetentionDays, Reviewed: r.Reviewed, Study: r.Study,
	}
}

func tellable(d consent.Difference, p coop.Pool, k rehearsal.Kind) (c Cohort, tell bool) {
	c = Cohort{Pool: p.ID, Request: k.Scene}
	enough := func(members int) bool {
		rest := d.Members - members
		return members >= p.MinimumGroup && (rest == 0 || rest >= p.MinimumGroup)
	}
	if enough(d.ReleasedMembers) {
		c.Released, c.ReleasedMembers = d.Released, d.ReleasedMembers
		c.Sentence = fmt.Sprintf("Asked of the pool %s, it would newly get %s of %s.", p.ID,
			plural(d.Released, "dataset", "datasets"), plural(d.ReleasedMembers, "member", "members"))
	}
	if enough(d.RefusedMembers) {
		c.Refused, c.RefusedMembers = d.Refused, d.RefusedMembers
		if c.Sentence != "" {
			c.Sentence += " "
		}
		c.Sentence += fmt.Sprintf("Asked of the pool %s, it would no longer get %s of %s.", p.ID,
			plural(d.Refused, "dataset", "datasets"), plural(d.RefusedMembers, "member", "members"))
	}
	return c, c.Sentence != ""
}
