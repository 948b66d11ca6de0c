package trial

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"distributed.ai/datacoop/marketplace/appraisal"
)

// formula plays what needs no judge, or a judge that is no more than a list of
// hostile numbers: evidence gamed, data withdrawn, work added.
func formula(ctx context.Context, o Options) (out []Figure, err error) {
	for _, part := range []func(context.Context, Options) ([]Figure, error){gaming, withdrawals, monotony} {
		figures, err := part(ctx, o)
		if err != nil {
			return nil, err
		}
		out = append(out, figures...)
	}
	return out, nil
}

// period is a small random period in whole cents, with whatever shapes evidence
// comes in: shared clusters, figures of nothing, unread requests, purchases by
// related parties. Every dataset belongs to the member of its number.
func period(rnd *rand.Rand) (appraisal.Evidence, appraisal.Params) {
	const datasets = 8
	members := 2 + rnd.IntN(4)
	name := func(i int) string { return fmt.Sprintf("m%d", i%members) }
	any := func(list ...int64) int64 { return list[rnd.IntN(len(list))] }
	figure := func() int64 { return any(0, 500, 1000, 1000, 1000, rnd.Int64N(1001)) }
	house := func() string { return []string{"", "", "", "", "house", "copies"}[rnd.IntN(6)] }
	ev := appraisal.Evidence{Period: "P0001", Currency: "EUR", Salt: fmt.Sprintf("%064x", rnd.Uint64())}
	for r := range 1 + rnd.IntN(4) {
		req := appraisal.Request{Request: fmt.Sprintf("r%d", r), Revenue: any(0, 1, 99, rnd.Int64N(100_00), rnd.Int64N(10_000_00)), Related: rnd.IntN(9) == 0}
		ev.Revenue, ev.Requests = ev.Revenue+req.Revenue, append(ev.Requests, req)
		for _, d := range rnd.Perm(datasets)[:rnd.IntN(datasets)] {
			ev.Data = append(ev.Data, appraisal.DataUse{Request: req.Request, Dataset: fmt.Sprintf("d%d", d), Member: name(d), Cluster: house(),
				Grade: []string{"A", "A", "A", "B", "E"}[rnd.IntN(5)], Coverage: figure(), Fresh: figure(), Unique: figure(), Trust: figure()})
		}
	}
	for _, d := range rnd.Perm(datasets)[:rnd.IntN(datasets)] {
		ev.Available = append(ev.Available, appraisal.Availability{Dataset: fmt.Sprintf("d%d", d), Member: name(d), Confirmed: rnd.IntN(3) > 0, Days: rnd.Int64N(32)})
	}
	for i := range rnd.IntN(4) {
		ev.Work = append(ev.Work, appraisal.Work{Contribution: fmt.Sprintf("w%d", i), Member: name(rnd.IntN(9)), Kind: "git", Grade: "D", Points: rnd.Int64N(6)})
	}
	for i := range rnd.IntN(4) {
		ev.Duties = append(ev.Duties, appraisal.Duty{Member: name(rnd.IntN(9)), Kind: "review", Ref: fmt.Sprintf("x%d", i), Grade: "A", Points: rnd.Int64N(4)})
	}
	p := params
	p.BetaData, p.BetaWork, p.BetaGovernance, p.Gamma = rnd.Int64N(501), rnd.Int64N(501), rnd.Int64N(501), rnd.Int64N(501)
	p.Data = rnd.Int64N(1001)
	p.Work = rnd.Int64N(1001 - p.Data)
	p.Governance, p.Stipend = 1000-p.Data-p.Work, rnd.Int64N(300)
	return ev, p
}

// grudging is an opinion as hostile as its shape allows. It is of the longer
// evidence, so that it can be read beside the shorter as well.
func grudging(rnd *rand.Rand, dossiers []appraisal.Dossier) *appraisal.Opinion {
	scores := []int64{0, 0, 500, 1000, 1000, rnd.Int64N(1001)}
	op := &appraisal.Opinion{}
	for _, d := range dossiers {
		s := appraisal.Score{Dossier: d.ID, Score: scores[rnd.IntN(len(scores))]}
		if rnd.IntN(12) == 0 {
			s.Flag = []string{appraisal.FlagSuspect, appraisal.FlagAbstained, appraisal.FlagDisagreed}[rnd.IntN(3)]
		}
		op.Scores = append(op.Scores, s)
	}
	for _, part := range []string{appraisal.KindData, appraisal.KindWork, appraisal.KindGovernance} {
		op.Split = append(op.Split, appraisal.PartScore{Part: part, Score: scores[rnd.IntN(len(scores))]})
	}
	return op
}

// about leaves out of an opinion what evidence does not hold.
func about(op *appraisal.Opinion, dossiers []appraisal.Dossier) *appraisal.Opinion {
	if op == nil {
		return nil
	}
	out := *op
	out.Scores = slices.DeleteFunc(slices.Clone(op.Scores), func(s appraisal.Score) bool {
		return !slices.ContainsFunc(dossiers, func(d appraisal.Dossier) bool { return d.ID == s.Dossier })
	})
	return &out
}

func dossiersOf(ev appraisal.Evidence, p appraisal.Params) ([]appraisal.Dossier, error) {
	t, err := appraisal.NewTask(ev, p, "", nil)
	return t.Dossiers, err
}

// gaming plays attacks of family E on the evidence itself.
func gaming(ctx context.Context, o Options) (out []Figure, err error) {
	for _, c := range []struct {
		name, said string
		spoil      func(ev *appraisal.Evidence)
	}{
		{"split_gain", "one contribution handed in as twenty, sized by reviewers as the one it is", func(ev *appraisal.Evidence) {
			whole := ev.Work[0]
			ev.Work[0].Points = 20
			whole.Points = 1
			parts := slices.Clone(ev.Work[1:])
			for i := range 20 {
				whole.Contribution = fmt.Sprintf("part%02d", i)
				parts = append(parts, whole)
			}
			ev.Work = parts
		}},
		{"churn_gain", "a hundred commits that reviewers gave no size", func(ev *appraisal.Evidence) {
			for i := range 100 {
				ev.Work = append(ev.Work, appraisal.Work{Contribution: fmt.Sprintf("churn%02d", i), Member: ev.Work[0].Member, Kind: "git", Grade: "D"})
			}
		}},
		{"endorsement_ring_gain", "work that only its author and friends vouch for, without reviewers", func(ev *appraisal.Evidence) {
			for i := range 10 {
				ev.Work = append(ev.Work, appraisal.Work{Contribution: fmt.Sprintf("ring%02d", i), Member: ev.Work[0].Member, Kind: "other", Grade: appraisal.GradeSelf, Points: 1000})
			}
		}},
		{"sketch_inflation_gain", "a dataset that only claims to be unlike all others", func(ev *appraisal.Evidence) {
			u := ev.Data[0]
			u.Dataset, u.Member, u.Grade, u.Unique, u.Coverage = "claimed", ev.Work[0].Member, appraisal.GradeSelf, 1000, 1000
			ev.Data = append(ev.Data, u)
		}},
	} {
		gains, err := Every(ctx, o.Seeds, func(i int) (float64, error) {
			w := NewWorld(uint64(i), 6, 6) //nolint:gosec // small numbers
			w.Ev.Work[0].Points = 20
			was, err := w.Pay(nil)
			if err != nil {
				return 0, err
			}
			c.spoil(&w.Ev)
			is, err := w.Pay(nil)
			a, _ := was.Share("mw00")
			b, _ := is.Share("mw00")
			return float64(b.Amount-a.Amount) / float64(max(1, a.Amount)), err
		})
		if err != nil {
			return nil, err
		}
		out = append(out, AtMost(0, Figure{Name: c.name, Value: Quantile(gains, 1), Unit: "ratio", Samples: len(gains), Anchor: "largest gain from " + c.said}))
	}
	return out, nil
}
