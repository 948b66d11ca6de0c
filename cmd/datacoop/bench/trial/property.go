package trial

import (
	"context"
	"math/rand/v2"
	"slices"

	"distributed.ai/datacoop/marketplace/appraisal"
)

// withdrawals take one use of one dataset out of a period: its member refused
// that request, or withdrew. What the same member still shares must not be
// paid worse for it: not in money out of the same revenue, and not in its part
// of what each request paid.
func withdrawals(ctx context.Context, o Options) ([]Figure, error) {
	type outcome struct{ less, rate, tried int }
	played, err := Every(ctx, o.Cases, func(i int) (out outcome, err error) {
		rnd := draw(21, uint64(i)) //nolint:gosec // small numbers
		ev, p := period(rnd)
		if len(ev.Data) < 2 {
			return out, nil
		}
		gone := ev.Data[rnd.IntN(len(ev.Data))]
		less := ev
		everywhere := rnd.IntN(2) == 0 // withdrawn, or refused for one request
		less.Data = slices.DeleteFunc(slices.Clone(ev.Data), func(u appraisal.DataUse) bool {
			return u.Dataset == gone.Dataset && (everywhere || u.Request == gone.Request)
		})
		was, err := appraisal.Close(ev, p, nil)
		if err != nil {
			return out, err
		}
		is, err := appraisal.Close(less, p, nil)
		if err != nil {
			return out, err
		}
		out.tried = 1
		before, after := remaining(was, less, gone.Member), remaining(is, less, gone.Member)
		if after.money < before.money-int64(after.lines)-1 {
			out.less = 1
		}
		for at, weight := range before.weights {
			if after.weights[at] < weight-1 {
				out.rate = 1
			}
		}
		return out, nil
	})
	if err != nil {
		return nil, err
	}
	less, rate, tried := 0, 0, 0
	for _, p := range played {
		less, rate, tried = less+p.less, rate+p.rate, tried+p.tried
	}
	return []Figure{
		None("withdrawing_lowers_the_rest", less, tried, "cases in which refusing a request or withdrawing a dataset lowered what the same member's other data earn out of the same revenue, by more than rounding of a cent a line"),
		None("withdrawing_lowers_the_rate", rate, tried, "cases in which it lowered their part of what a request paid, in thousandths of a cent"),
	}, nil
}

// rest is what a member's remaining uses of data earn.
type rest struct {
	money   int64
	lines   int
	weights map[[2]string]int64 // by dataset and request
}

func remaining(s appraisal.Statement, kept appraisal.Evidence, member string) rest {
	out := rest{weights: map[[2]string]int64{}}
	share, _ := s.Share(member)
	for _, l := range share.Lines {
		still := slices.ContainsFunc(kept.Data, func(u appraisal.DataUse) bool { return u.Dataset == l.Ref && u.Request == l.Request })
		if l.Kind == appraisal.KindData && still {
			out.money, out.lines = out.money+l.Amount, out.lines+1
			out.weights[[2]string{l.Ref, l.Request}] = l.Weight
		}
	}
	return out
}

// Kinds of evidence that monotony raises.
const (
	raiseWork = iota
	raiseData
)

// monotony raises one member's evidence of one kind and asks whether that ever
// costs the member money.
func monotony(ctx context.Context, o Options) (out []Figure, err error) {
	for k, c := range []struct {
		name, said string
		kind       int
		judged     bool
	}{
		{"monotone_work_baseline", "more or larger work or duties lowered their member's share; no model", raiseWork, false},
		{"monotone_data_baseline", "a better figure, another use or more days lowered their member's share; no model", raiseData, false},
		{"monotone_work_judged", "more or larger work or duties lowered their member's share, under an unchanged hostile opinion and inside the fence", raiseWork, true},
		{"monotone_data_judged", "a better figure, another use or more days lowered their member's share, under an unchanged hostile opinion, for bounds of data up to a third", raiseData, true},
	} {
		played, err := Every(ctx, o.Cases, func(i int) ([2]int, error) { return raise(draw(uint64(30+k), uint64(i)), c.kind, c.judged) }) //nolint:gosec // small numbers
		if err != nil {
			return nil, err
		}
		lowered, tried := 0, 0
		for _, p := range played {
			lowered, tried = lowered+p[0], tried+p[1]
		}
		out = append(out, None(c.name, lowered, tried, "cases in which "+c.said))
	}
	return out, nil
}

// raise plays one case and says whether it lowered the member's share, and
// whether there was anything to raise.
func raise(rnd *rand.Rand, kind int, judged bool) (out [2]int, err error) {
	ev, p := period(rnd)
	p.BetaData = min(p.BetaData, 333) // above a third rounding may cost the last unit
	more := ev
	member := ""
	if kind == raiseWork {
		member = moreWork(rnd, &more)
	} else {
		member = moreData(rnd, &more)
	}
	if member == "" {
		return out, nil
	}
	var op, with *appraisal.Opinion
	if judged {
		all, err := dossiersOf(more, p)
		if err != nil {
			return out, err
		}
		few, err := dossiersOf(ev, p)
		if err != nil {
			return out, err
		}
		with = grudging(rnd, all)
		op = about(with, few)
	}
	was, err := appraisal.Close(ev, p, op)
	if err != nil {
		return out, err
	}
	is, err := appraisal.Close(more, p, with)
	if err != nil {
		return out, err
	}
	a, _ := was.Share(member)
	b, _ := is.Share(member)
	out[1] = 1
	if b.Amount < a.Amount {
		out[0] = 1
	}
	return out, nil
}

func moreWork(rnd *rand.Rand, ev *appraisal.Evidence) string {
	ev.Work, ev.Duties = slices.Clone(ev.Work), slices.Clone(ev.Duties)
	switch at := rnd.IntN(4); {
	case at == 0 && len(ev.Work) > 0:
		w := &ev.Work[rnd.IntN(len(ev.Work))]
		w.Points += 1 + rnd.Int64N(9)
		return w.Member
	case at == 1 && len(ev.Duties) > 0:
		d := &ev.Duties[rnd.IntN(len(ev.Duties))]
		d.Points += 1 + rnd.Int64N(9)
		return d.Member
	case at < 3:
		ev.Work = append(ev.Work, appraisal.Work{Contribution: "new", Member: "m0", Kind: "git", Grade: "D", Points: 1 + rnd.Int64N(5)})
	default:
		ev.Duties = append(ev.Duties, appraisal.Duty{Member: "m0", Kind: "review", Ref: "new", Grade: "A", Points: 1 + rnd.Int64N(5)})
	}
	return "m0"
}

func moreData(rnd *rand.Rand, ev *appraisal.Evidence) string {
	ev.Data, ev.Available = slices.Clone(ev.Data), slices.Clone(ev.Available)
	switch at := rnd.IntN(4); {
	case at == 0 && len(ev.Requests) > 0:
		ev.Data = append(ev.Data, appraisal.DataUse{Request: ev.Requests[rnd.IntN(len(ev.Requests))].Request, Dataset: "new", Member: "m0", Grade: "A",
			Coverage: rnd.Int64N(1001), Fresh: 1000, Unique: 1000, Trust: 1000})
		return "m0"
	case at == 1 && len(ev.Available) > 0:
		a := &ev.Available[rnd.IntN(len(ev.Available))]
		a.Confirmed, a.Days = true, a.Days+rnd.Int64N(10)
		return a.Member
	case len(ev.Data) > 0:
		u := &ev.Data[rnd.IntN(len(ev.Data))]
		f := []*int64{&u.Coverage, &u.Fresh, &u.Unique, &u.Trust}[rnd.IntN(4)]
		*f += rnd.Int64N(1001 - *f)
		return u.Member
	}
	return ""
}
