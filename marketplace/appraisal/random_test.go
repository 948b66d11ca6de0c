package appraisal

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// coop is a small random period; drawing from a seed keeps 10⁵ of them quick
// and lets a failure be named by its number.
func randomPeriod(rnd *rand.Rand) (Evidence, Params) {
	ev := Evidence{Period: "P0001", Currency: "EUR", Salt: strings.Repeat("5a", 32)}
	members := 1 + rnd.IntN(5)
	member := func() string { return fmt.Sprintf("m%d", rnd.IntN(members)) }
	grades := []string{"A", "A", "A", "B", "C", "D", "E"}
	clusters := []string{"", "", "", "house", "copy"}
	for r := range rnd.IntN(4) {
		req := Request{Request: fmt.Sprintf("r%d", r), Revenue: amount(rnd), Related: rnd.IntN(8) == 0}
		ev.Revenue += req.Revenue
		ev.Requests = append(ev.Requests, req)
		for _, d := range rnd.Perm(8)[:rnd.IntN(6)] {
			ev.Data = append(ev.Data, DataUse{
				Request: req.Request, Dataset: fmt.Sprintf("d%d", d), Member: fmt.Sprintf("m%d", d%members),
				Cluster: pick(rnd, clusters), Grade: pick(rnd, grades),
				Coverage: figure(rnd), Fresh: figure(rnd), Unique: figure(rnd), Trust: figure(rnd),
			})
		}
	}
	for _, d := range rnd.Perm(8)[:rnd.IntN(5)] {
		ev.Available = append(ev.Available, Availability{
			Dataset: fmt.Sprintf("d%d", d), Member: fmt.Sprintf("m%d", d%members),
			Cluster: pick(rnd, clusters), Confirmed: rnd.IntN(3) > 0, Days: rnd.Int64N(32),
		})
	}
	for w := range rnd.IntN(4) {
		ev.Work = append(ev.Work, Work{Contribution: fmt.Sprintf("w%d", w), Member: member(), Kind: "git", Grade: pick(rnd, grades), Points: rnd.Int64N(6)})
	}
	for d := range rnd.IntN(4) {
		ev.Duties = append(ev.Duties, Duty{Member: member(), Kind: pick(rnd, []string{"review", "panel"}), Ref: fmt.Sprintf("x%d", d), Grade: pick(rnd, grades), Points: rnd.Int64N(4)})
	}
	if rnd.IntN(4) == 0 {
		ev.Revenue += amount(rnd)
	}
	return ev, randomParams(rnd)
}

func randomParams(rnd *rand.Rand) Params {
	a, b, c := thirds(rnd)
	d, e, f := thirds(rnd)
	g := rnd.Int64N(f + 1)
	return Params{
		Data: a, Work: b, Governance: c, Stipend: rnd.Int64N(300), Commission: rnd.Int64N(300),
		Members: d, Reserve: e, Purpose: f - g, Investors: g,
		BetaData: rnd.Int64N(501), BetaWork: rnd.Int64N(501), BetaGovernance: rnd.Int64N(501), Gamma: rnd.Int64N(501),
	}
}

// randomOpinion is as hostile as its shape allows.
func randomOpinion(rnd *rand.Rand, ev Evidence) *Opinion {
	op := &Opinion{}
	scores := []int64{-1 << 62, 0, 0, 500, 1000, 1000, 1 << 62, rnd.Int64N(1001)}
	for id := range ev.dossierIDs() {
		op.Scores = append(op.Scores, Score{Dossier: id})
	}
	op = op.normal() // the order of a map must not decide what is drawn
	for i := range op.Scores {
		op.Scores[i].Score = pick(rnd, scores)
		if rnd.IntN(10) == 0 {
			op.Scores[i].Flag = FlagSuspect
		}
	}
	for _, part := range []string{KindData, KindWork, KindGovernance} {
		op.Split = append(op.Split, PartScore{Part: part, Score: pick(rnd, scores)})
	}
	return op
}

func thirds(rnd *rand.Rand) (a, b, c int64) {
	a = rnd.Int64N(1001)
	b = rnd.Int64N(1001 - a)
	return a, b, 1000 - a - b
}

func amount(rnd *rand.Rand) int64 {
	return pick(rnd, []int64{0, 1, 7, 100, rnd.Int64N(100), rnd.Int64N(1_000_000), rnd.Int64N(MaxRevenue / 8)})
}

func figure(rnd *rand.Rand) int64 {
	return pick(rnd, []int64{0, 1, 999, 1000, 1000, 1000, rnd.Int64N(1001)})
}

func pick[T any](rnd *rand.Rand, from []T) T { return from[rnd.IntN(len(from))] }

func shuffle(rnd *rand.Rand, ev Evidence) Evidence {
	mix := func(n int, swap func(i, j int)) { rnd.Shuffle(n, swap) }
	ev = ev.normal() // a copy
	mix(len(ev.Requests), func(i, j int) { ev.Requests[i], ev.Requests[j] = ev.Requests[j], ev.Requests[i] })
	mix(len(ev.Data), func(i, j int) { ev.Data[i], ev.Data[j] = ev.Data[j], ev.Data[i] })
	mix(len(ev.Available), func(i, j int) { ev.Available[i], ev.Available[j] = ev.Available[j], ev.Available[i] })
	mix(len(ev.Work), func(i, j int) { ev.Work[i], ev.Work[j] = ev.Work[j], ev.Work[i] })
	mix(len(ev.Duties), func(i, j int) { ev.Duties[i], ev.Duties[j] = ev.Duties[j], ev.Duties[i] })
	return ev
}

// example is one ordinary period, small enough to follow by hand.
func example() (Evidence, Params) {
	use := func(request, dataset, member string, coverage int64) DataUse {
		return DataUse{Request: request, Dataset: dataset, Member: member, Grade: "A", Coverage: coverage, Fresh: 1000, Unique: 1000, Trust: 1000}
	}
	ev := Evidence{
		Period: "P0001", Currency: "EUR", Salt: strings.Repeat("5a", 32), Revenue: 100_00,
		Requests: []Request{{Request: "r1", Revenue: 60_00}, {Request: "r2", Revenue: 40_00}},
		Data:     []DataUse{use("r1", "d-ann", "ann", 1000), use("r1", "d-bob", "bob", 500), use("r2", "d-ann", "ann", 1000)},
		Available: []Availability{
			{Dataset: "d-ann", Member: "ann", Confirmed: true, Days: 30},
			{Dataset: "d-bob", Member: "bob", Confirmed: true, Days: 30},
			{Dataset: "d-cec", Member: "cec", Days: 30},
		},
		Work:   []Work{{Contribution: "w1", Member: "bob", Kind: "git", Grade: "D", Points: 3}, {Contribution: "w2", Member: "cec", Kind: "document", Grade: "D", Points: 1}},
		Duties: []Duty{{Member: "cec", Kind: "review", Grade: "A", Points: 2}},
	}
	return ev, Params{
		Commission: 100, Reserve: 50, Purpose: 50, Members: 850, Investors: 50,
		Data: 700, Work: 200, Governance: 100, Stipend: 50,
		BetaData: 100, BetaWork: 250, BetaGovernance: 250, Gamma: 100,
	}
}

func members(s Statement) map[string]int64 {
	out := map[string]int64{}
	for _, share := range s.Shares {
		out[share.Member] = share.Amount
	}
	return out
}

func clone(ev Evidence) Evidence {
	ev.Data, ev.Work, ev.Duties = slices.Clone(ev.Data), slices.Clone(ev.Work), slices.Clone(ev.Duties)
	ev.Available, ev.Requests = slices.Clone(ev.Available), slices.Clone(ev.Requests)
	return ev
}
