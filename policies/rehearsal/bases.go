package rehearsal

import (
	"context"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// base is a request that at least one law does not refuse, and what can be
// changed of it.
type base struct {
	in   policies.Input
	axes []axis
}

// now is the time of every question. It tells nothing: no access policy reads
// the time.
const (
	now = int64(1_767_225_600_000)
	day = int64(86_400_000)
)

// story is who asks for what.
type story struct {
	kind, region string
	pool         coop.PoolID
	duo, dpv     string
	home         string // country of the member
}

// stories are plausible requests, as different from one another as they can be.
var stories = []story{
	{"university", "DE", "wearables", "DUO:0000006", "AcademicResearch", "DE"},
	{"company", "DE", "glucose", "DUO:0000042", "CommercialResearch", "FR"},
	{"public-body", "FR", "energy", "DUO:0000042", "PublicPolicyMaking", "FR"},
	{"non-profit", "NO", "genotype", "DUO:0000011", "NonCommercialResearch", "AT"},
	{"university", "US", "clinical", "DUO:0000007", "ImproveHealthcare", "DE"},
	{"company", "JP", "clinical", "DUO:0000043", "ImproveHealthcare", "DE"},
}

// question is the story as the law is asked it: vetted, well paid, and of a
// member who allows everything.
func (s story) question() policies.Input {
	return policies.Input{
		Request: policies.Request{
			Pool: string(s.pool), Requester: policies.Requester{Kind: s.kind, Vetted: true, Region: s.region},
			DUO: s.duo, DPV: s.dpv, Commercial: coop.Purpose{DPV: s.dpv}.Commercial(),
			PriceMinor: 10_000, RetentionDays: 365, Time: now,
			Study: policies.Study{Disease: "MONDO:0005015", Ethics: true, Publishes: true, Returns: true, Collaborates: true},
		},
		Dataset: policies.Dataset{
			Pool: string(s.pool), Categories: coop.CategoriesOf(s.pool), Region: s.home, Sealed: now - day, Closed: coop.Forever,
		},
		Records: []policies.Record{agreeing()},
	}
}

// agreeing is the record of a member who allows whatever base law permits.
func agreeing() policies.Record {
	r := policies.Record{
		Effect: policies.Given, Scope: "pool", Commercial: true,
		Limits:    policies.Limits{Diseases: []string{"MONDO:0000001"}},
		NotBefore: now - day, Expires: coop.Forever, Withdrawn: coop.Forever,
	}
	for _, t := range coop.DUOPurposes() {
		r.Purposes = append(r.Purposes, t.Code)
	}
	for _, t := range coop.RequesterKinds() {
		r.RequesterKinds = append(r.RequesterKinds, t.Code)
	}
	return r
}

// basesFor leads every story to a request that the first law does not refuse,
// and to one that the second does not.
func basesFor(ctx context.Context, laws [2]*policies.Revision, known named) ([]base, error) {
	var out []base
	seen := map[string]bool{}
	for _, law := range laws {
		found, err := led(ctx, law, known)
		if err != nil {
			return nil, err
		}
		for _, in := range found {
			name, err := in.Class()
			if err != nil {
				return nil, err
			}
			if !seen[name] {
				seen[name] = true
				out = append(out, base{in, axesOf(in, known)})
			}
		}
	}
	return out, nil
}

// led lists what the stories come to under one law. Where none of them can be
// led anywhere, it searches.
func led(ctx context.Context, law *policies.Revision, known named) (out []policies.Input, err error) {
	for _, s := range stories {
		in, ok, err := lead(ctx, law, s.question(), known)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, in)
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	in, ok, err := search(ctx, law, stories[0].question(), known)
	if ok {
		out = append(out, in)
	}
	return out, err
}

// lead changes one thing after another, each time what leaves the fewest
// reasons against the request, until the law does not refuse it. It gives up
// where no single change helps.
func lead(ctx context.Context, law *policies.Revision, in policies.Input, known named) (policies.Input, bool, error) {
	left, err := against(ctx, law, in)
	for ; err == nil && left > 0; err = ctx.Err() {
		b := base{in, axesOf(in, known)}
		best, fewest := in, left
		for _, steps := range b.singles() {
			n, err := against(ctx, law, b.with(steps))
			if err != nil {
				return in, false, err
			}
			if n < fewest {
				best, fewest = b.with(steps), n
			}
		}
		if fewest == left {
			return in, false, nil
		}
		in, left = best, fewest
	}
	return in, err == nil, err
}

// longestSearch is how many requests a search tries.
const longestSearch = 4096

// search changes everything at once, to what the laws name, until the law does
// not refuse the request or too many were tried.
func search(ctx context.Context, law *policies.Revision, in policies.Input, known named) (policies.Input, bool, error) {
	b := base{in, axesOf(in, known)}
	for i := range b.axes {
		b.axes[i].values = slices.DeleteFunc(b.axes[i].values, func(v any) bool { return !known.names(v) })
	}
	at := make([]int, len(b.axes)) // 0 is what the base has
	for range longestSearch {
		var steps []step
		for i, v := range at {
			if v > 0 {
				steps = append(steps, step{&b.axes[i], b.axes[i].values[v-1]})
			}
		}
		try := b.with(steps)
		left, err := against(ctx, law, try)
		if err != nil || left == 0 {
			return try, err == nil, err
		}
		i := 0
		for ; i < len(at); i++ {
			if at[i]++; at[i] <= len(b.axes[i].values) {
				break
			}
			at[i] = 0
		}
		if i == len(at) {
			break
		}
	}
	return in, false, nil
}

// against counts the reasons that refuse a request; none if people would look
// at it first.
func against(ctx context.Context, law *policies.Revision, in policies.Input) (int, error) {
	out, err := law.Decide(ctx, in)
	if err != nil || out.Allow || out.NeedsReview {
		return 0, err
	}
	return len(out.Reasons), nil
}

// singles are the variants of the base with at most one step; the first is the
// base itself.
func (b base) singles() [][]step {
	out := [][]step{nil}
	for i := range b.axes {
		for _, v := range b.axes[i].values {
			out = append(out, []step{{&b.axes[i], v}})
		}
	}
	return out
}

// pairs are the variants with two steps, each on an axis of its own.
func (b base) pairs() [][]step {
	var out [][]step
	for i := range b.axes {
		for j := range b.axes[:i] {
			for _, v := range b.axes[i].values {
				for _, w := range b.axes[j].values {
					out = append(out, []step{{&b.axes[j], w}, {&b.axes[i], v}})
				}
			}
		}
	}
	return out
}

// with is the base after these steps. It shares no list with the base that a
// step could change.
func (b base) with(steps []step) policies.Input {
	in := b.in
	in.Records = slices.Clone(in.Records)
	for _, s := range steps {
		s.apply(&in)
	}
	return in
}
