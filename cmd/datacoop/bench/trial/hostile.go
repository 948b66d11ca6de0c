package trial

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"

	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/fakellm"
)

// hostile plays families that are as bad as they can be, alone and all
// together, and everything that can go wrong with an endpoint.
func hostile(ctx context.Context, o Options) (out []Figure, err error) {
	for _, part := range []func(context.Context, Options) ([]Figure, error){theorem, anyPanel, grudges, faults} {
		figures, err := part(ctx, o)
		if err != nil {
			return nil, err
		}
		out = append(out, figures...)
	}
	return out, nil
}

// partisan favours every second member by the seed's own lot, hates the rest,
// and knows canaries when it sees them.
func partisan(seed uint64) []fakellm.Mood {
	friend := func(key string) bool {
		n, _ := strconv.ParseUint(key, 10, 32)
		return (n+seed)%2 == 0
	}
	return []fakellm.Mood{fakellm.Partisan(friend, func(key string) bool { return !friend(key) }, func(d fakellm.PromptDossier) (bool, bool) {
		figures, sum, lowest, highest := map[string]int64{}, seed, int64(1000), int64(0)
		for _, e := range d.Evidence {
			figures[e.Name] = e.Value
			sum += uint64(e.Value / 50) //nolint:gosec // figures are not negative
			if e.Name == "coverage" || e.Name == "fresh" || e.Name == "unique" || e.Name == "trust" {
				lowest, highest = min(lowest, e.Value), max(highest, e.Value)
			}
		}
		switch {
		case figures["share-in-force"] > 0: // a part of the split
			return d.Class == "work", d.Class != "work"
		case d.Class == "review":
			canary := figures["duties"] >= 12 || figures["duties"] == 1
			return !canary && sum%2 == 0, !canary && sum%2 != 0
		case highest > 0: // a dataset; canaries are at the ends of all scales
			canary := lowest >= 950 || highest <= 100
			return !canary && sum%2 == 0, !canary && sum%2 != 0
		}
		return false, false
	})}
}

// extremes are the payouts of a period that are farthest from the baseline, to
// the nearest minor unit in the members' favour, and what broke the fence.
type extremes struct {
	low, high float64
	breaches  int
	bundle    int // statements that do not verify
	heard     bool
}

// fenced settles and holds every payout to the closed form, in arithmetic of its
// own.
func (w *World) fenced(op *appraisal.Opinion) (x extremes, err error) {
	x.heard = op != nil
	b, err := appraisal.NewBundle(w.Ev, w.Params, op)
	if err != nil {
		return x, err
	}
	text, err := b.JSON()
	if err != nil {
		return x, err
	}
	if appraisal.Verify(text) != nil {
		x.bundle++
	}
	total, gamma := int64(0), float64(w.Params.Gamma)/1000
	for _, s := range b.Statement.Shares {
		total += s.Amount
		beta := 0.0
		for _, l := range s.Lines {
			switch l.Kind {
			case appraisal.KindData:
				beta = max(beta, float64(w.Params.BetaData)/1000)
			case appraisal.KindWork:
				beta = max(beta, float64(w.Params.BetaWork)/1000)
			case appraisal.KindGovernance:
				beta = max(beta, float64(w.Params.BetaGovernance)/1000)
			}
		}
		low := (1 - beta) * (1 - gamma) / ((1 + beta) * (1 + gamma))
		base, paid := float64(s.Baseline), float64(s.Amount)
		if paid < base*low-1-1e-6 || paid > base/low+1+1e-6 || s.Amount < s.Floor || s.Amount > s.Ceil {
			x.breaches++
		}
		if base >= 100 {
			x.low, x.high = min(x.low, (paid+1)/base-1), max(x.high, (paid-1)/base-1)
		}
	}
	if total != b.Statement.Step(appraisal.StepMembers) {
		x.breaches++
	}
	return x, nil
}

// theorem plays committees of which every family is hostile and passes every
// canary, with the bounds of the published figure and with the charter's.
func theorem(ctx context.Context, o Options) (out []Figure, err error) {
	ten := params
	ten.BetaData, ten.BetaWork, ten.BetaGovernance, ten.Gamma = 100, 100, 100, 0
	for _, c := range []struct {
		name   string
		params appraisal.Params
	}{{"beta10", ten}, {"charter", params}} {
		played, err := Every(ctx, o.Seeds, func(i int) (extremes, error) {
			w := NewWorld(uint64(i), 10, 10) //nolint:gosec // small numbers
			w.few().Params = c.params
			op, err := w.Weigh(ctx, "hostile "+c.name, Of(3, partisan(w.Seed)...))
			if err != nil {
				return extremes{}, err
			}
			return w.fenced(op)
		})
		if err != nil {
			return nil, err
		}
		x, heard := worst(played)
		beta, gamma := float64(c.params.BetaWork)/1000, float64(c.params.Gamma)/1000
		low := (1-beta)*(1-gamma)/((1+beta)*(1+gamma)) - 1
		said := fmt.Sprintf("three hostile families that pass all canaries, heard in %d of %d periods; closed form of beta %.0f %% and gamma %.0f %%, to a minor unit", heard, len(played), 100*beta, 100*gamma)
		out = append(out,
			AtLeast(low, Figure{Name: "payout_vs_baseline_hostile_" + c.name + "_low", Value: x.low, Unit: "ratio", Samples: len(played), Anchor: said}),
			AtMost(1/(1+low)-1, Figure{Name: "payout_vs_baseline_hostile_" + c.name + "_high", Value: x.high, Unit: "ratio", Samples: len(played), Anchor: said}),
			None("fence_breaches_hostile_"+c.name, x.breaches, heard, "payouts outside the closed form, or sums that are not exact; "+said))
	}
	return out, nil
}

func worst(played []extremes) (x extremes, heard int) {
	for _, p := range played {
		x.low, x.high = min(x.low, p.low), max(x.high, p.high)
		x.breaches, x.bundle = x.breaches+p.breaches, x.bundle+p.bundle
		if p.heard {
			heard++
		}
	}
	return x, heard
}

// moods draws one family's personality, of all there are.
func moods(rnd *rand.Rand, seed uint64, family int) []fakellm.Mood {
	coin := fmt.Sprintf("%d of %d", seed, family)
	all := [][]fakellm.Mood{
		nil, // honest
		{fakellm.Noisy(family, 300), fakellm.Misreading(family, 200)},
		{fakellm.PositionBiased}, {fakellm.PositionLeaning(family, 300)},
		{fakellm.LengthLoving}, {fakellm.Wordy}, {fakellm.PrestigeLoving, fakellm.Impressed},
		{fakellm.Swayed(coin, 400, true)}, {fakellm.Swayed("all", 400, false)},
		partisan(seed), partisan(seed + 1),
		{fakellm.Drifting(family, 3)}, {fakellm.After(40, fakellm.AllYes)},
		{fakellm.Sandbagging(fakellm.AllNo)}, {fakellm.Sandbagging(fakellm.AllYes)},
		{fakellm.Sometimes(300, fakellm.InvalidJSON)}, {fakellm.SchemaIgnoring}, {fakellm.Sometimes(300, fakellm.Refusing)},
		{fakellm.Sometimes(200, fakellm.UnknownIDs)}, {fakellm.Sometimes(200, fakellm.DuplicateKey)}, {fakellm.Sometimes(200, fakellm.NaN)},
		{fakellm.Uncited}, {fakellm.Restless(100)}, {fakellm.Slow(1)}, {fakellm.Leaking()},
	}
	out := all[rnd.IntN(len(all))]
	if rnd.IntN(3) == 0 { // personalities compose
		out = append(out[:len(out):len(out)], all[rnd.IntN(len(all))]...)
	}
	return out
}

// anyPanel draws personalities and attacks and holds whatever comes out to the
// fence, to exact sums and to byte-for-byte recomputation.
func anyPanel(ctx context.Context, o Options) ([]Figure, error) {
	played, err := Every(ctx, o.Seeds, func(i int) (extremes, error) {
		w := NewWorld(uint64(i), 10, 8) //nolint:gosec // small numbers
		w.Canaries = 20
		rnd := w.chance(6)
		attacks := Attacks()
		attacked := w.With(func(_ int, text string, truth fakellm.Truth) (string, fakellm.Truth) {
			if rnd.IntN(3) == 0 {
				a := attacks[rnd.IntN(len(attacks))]
				text, truth.Attack, truth.Steers, truth.Names = a.Apply(rnd, text), a.Shape, a.Visible, rnd.IntN(2) == 0
			}
			return text, truth
		})
		op, err := attacked.Weigh(ctx, "any", Each(1+rnd.IntN(3), func(f int) []fakellm.Mood { return moods(rnd, w.Seed, f) }))
		if err != nil {
			return extremes{}, err
		}
		return attacked.fenced(op)
	})
	if err != nil {
		return nil, err
	}
	x, heard := worst(played)
	said := fmt.Sprintf("one to three families of any personalities, a third of the texts attacking; %d of %d panels were heard, elsewhere the formula pays", heard, len(played))
	return []Figure{
		None("fence_breaches_any_panel", x.breaches, len(played), "payouts outside the closed form, or sums that are not exact; "+said),
		None("bundle_recompute_failures", x.bundle, len(played), "statements that do not recompute byte for byte; "+said),
	}, nil
}

// grudges are families that favour one member, or are after one.
func grudges(ctx context.Context, o Options) (out []Figure, err error) {
	for _, c := range []struct {
		name     string
		families int
		favour   bool
	}{{"colluder_gain_one_of_three", 1, true}, {"colluder_gain_all_three", 3, true}, {"griefing_cost_one_of_three", 1, false}} {
		played, err := Every(ctx, o.Seeds, func(i int) (attack, error) { return grudge(ctx, village(i), c.families, c.favour) })
		if err != nil {
			return nil, err
		}
		var gains, worths []float64
		for _, a := range played {
			gains, worths = append(gains, a.gain), append(worths, a.worth)
		}
		f := Figure{Name: c.name, Value: Mean(gains), Unit: "ratio", Samples: len(played),
			Anchor: fmt.Sprintf("mean change for the one member that %d of three families favour or are after, at beta 25 %%; closed form of it %.4f, most %.3f", c.families, Mean(worths), Quantile(gains, 1))}
		if c.favour && c.families == 1 {
			out = append(out, AtMost(0, f))
		} else {
			out = append(out, Near(Mean(worths), 0.002+0.02*math.Abs(Mean(worths)), f))
		}
	}
	return out, nil
}

func grudge(ctx context.Context, w *World, families int, favour bool) (a attack, err error) {
	clean := w.few().Truth()
	order := w.weakest(len(w.Texts))
	at, score := order[0], 1.0
	if !favour {
		at, score = order[len(order)-1], 0
	}
	own := func(key string) bool { return key == strconv.Itoa(at+1) }
	nobody := func(string) bool { return false }
	nothing := func(fakellm.PromptDossier) (bool, bool) { return false, false }
	bad := fakellm.Partisan(own, nobody, nothing)
	if !favour {
		bad = fakellm.Partisan(nobody, own, nothing)
	}
	panel := Of(3)
	for f := range families {
		panel[f] = []fakellm.Mood{bad}
	}
	op, err := w.heard(ctx, "grudge", panel)
	if err != nil {
		return a, err
	}
	if len(op.Scores) == 0 {
		return a, fmt.Errorf("a family that passes its canaries was not heard")
	}
	a.worth = w.worth(at, score)
	a.gain, a.raised, err = w.alone(clean, op, at)
	return a, err
}

// broken are the ways in which an endpoint fails, all of which its canaries or
// the parser find out.
var broken = []struct {
	name string
	mood func() fakellm.Mood
}{
	{"invalid_json", func() fakellm.Mood { return fakellm.InvalidJSON }}, {"schema_ignoring", func() fakellm.Mood { return fakellm.SchemaIgnoring }},
	{"refusing", func() fakellm.Mood { return fakellm.Refusing }}, {"unknown_ids", func() fakellm.Mood { return fakellm.UnknownIDs }},
	{"forged_tool_turn", func() fakellm.Mood { return fakellm.ToolCalling }}, {"gateway_timeout", func() fakellm.Mood { return fakellm.Failing(http.StatusGatewayTimeout) }},
	{"leaking_answers", fakellm.Leaking}, {"silent_model_change", func() fakellm.Mood { return fakellm.After(20, fakellm.AllYes) }},
}

// faults plays one broken family beside two honest ones, which must count as if
// it were not there, and three broken ones, where the formula must pay.
func faults(ctx context.Context, o Options) (out []Figure, err error) {
	n := max(1, o.Seeds/len(broken))
	for k, b := range broken {
		played, err := Every(ctx, n, func(i int) (int, error) {
			w := NewWorld(uint64(k*n+i), 8, 8) //nolint:gosec // small numbers
			clean, err := w.heard(ctx, "clean", Of(2))
			if err != nil {
				return 0, err
			}
			one, err := w.Weigh(ctx, "fault", Panel{{b.mood()}, nil, nil})
			if err != nil {
				return 0, err
			}
			all, err := w.Weigh(ctx, "fault", Each(3, func(int) []fakellm.Mood { return []fakellm.Mood{b.mood()} }))
			if err != nil {
				return 0, err
			}
			if all != nil || one == nil || !sameScores(one, clean) {
				return 1, nil
			}
			return 0, nil
		})
		if err != nil {
			return nil, err
		}
		out = append(out, None("fault_"+b.name, sum(played), n, "periods in which one such family beside two honest ones changed a score, or three such ones were heard"))
	}
	return out, nil
}

func sameScores(a, b *appraisal.Opinion) bool {
	if len(a.Scores) != len(b.Scores) || len(a.Split) != len(b.Split) {
		return false
	}
	for i := range a.Scores {
		if a.Scores[i].Dossier != b.Scores[i].Dossier || a.Scores[i].Score != b.Scores[i].Score || a.Scores[i].Flag != b.Scores[i].Flag {
			return false
		}
	}
	for i := range a.Split {
		if a.Split[i].Score != b.Split[i].Score {
			return false
		}
	}
	return true
}
