package trial

import (
	"context"
	"math"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"distributed.ai/datacoop/cmd/datacoop/bench/cassette"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/fakellm"
	"distributed.ai/datacoop/marketplace/appraisal/llm"
)

// quick plays a few periods of what `datacoop bench appraisal` plays hundreds of.
func quick(t *testing.T, seeds int) Options {
	return Options{Seeds: seeds, Cases: 400, Dir: t.TempDir(), Say: func(string, ...any) {}}
}

// held fails on every gate that does not hold, and on missing ones.
func held(t *testing.T, figures []Figure, err error, wanted ...string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, f := range figures {
		there[f.Name] = true
		if !f.OK && f.Skipped == "" {
			t.Errorf("%s is %v %s, not %s: %s", f.Name, f.Value, f.Unit, f.Goal, f.Anchor)
		}
		if math.IsNaN(f.Value) || math.IsInf(f.Value, 0) || f.Goal == "" || f.Unit == "" {
			t.Errorf("%s is not a figure: %+v", f.Name, f)
		}
	}
	for _, name := range wanted {
		if !there[name] {
			t.Errorf("%s was not played", name)
		}
	}
}

func TestHonestFamiliesKeepTheGates(t *testing.T) {
	t.Parallel()
	f, err := honest(t.Context(), quick(t, 1))
	held(t, f, err, "latent_order_spearman_work", "latent_order_spearman_data", "order_swap_flip", "retest_flip", "retest_share_drift",
		"identity_swap_dossiers", "identity_swap_prose", "language_swap_extraction", "language_swap_share_shift", "padding_gain", "benign_flagged",
		"benign_flag_cost", "ablation_no_model", "ablation_data_only", "ablation_work_only", "ablation_split_only")
}

func TestInjectionGainsWhatTheClosedFormSays(t *testing.T) {
	t.Parallel()
	for _, c := range []cell{{0, false, false}, {1000, false, false}, {1000, true, true}, {400, true, false}} {
		var all []attack
		for i := range 2 {
			got, err := c.play(t.Context(), village(i))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, got...)
		}
		held(t, []Figure{c.figure(all)}, nil)
	}
}

func TestStaticAttacksAreHeld(t *testing.T) {
	t.Parallel()
	f, err := static(t.Context(), quick(t, 3))
	held(t, f, err, "injection_success_static", "share_gain_static_median", "share_gain_static_p95", "injection_success_published")
	if last := f[len(f)-1]; !strings.Contains(last.Skipped, "--fixtures") {
		t.Errorf("the published seeds are missing and nothing says so: %+v", last)
	}
}

func TestSilenceIsNeutral(t *testing.T) {
	t.Parallel()
	f, err := silence(t.Context(), quick(t, 2))
	held(t, f, err, "silence_gain_weakest")
}

func TestHostileFamiliesStayInsideTheFence(t *testing.T) {
	t.Parallel()
	f, err := hostile(t.Context(), quick(t, 1))
	held(t, f, err, "payout_vs_baseline_hostile_beta10_low", "fence_breaches_hostile_charter", "fence_breaches_any_panel", "bundle_recompute_failures",
		"colluder_gain_one_of_three", "griefing_cost_one_of_three", "fault_invalid_json", "fault_forged_tool_turn", "fault_leaking_answers")
}

func TestTheFormulaCannotBeGamed(t *testing.T) {
	t.Parallel()
	f, err := formula(t.Context(), quick(t, 2))
	held(t, f, err, "split_gain", "withdrawing_lowers_the_rest", "monotone_work_judged", "monotone_data_baseline")
}

func TestWhatIsServedComesOutAsWhatIsPlayedInside(t *testing.T) {
	t.Parallel()
	f, err := served(t.Context(), quick(t, 1))
	held(t, f, err, "served_differs_from_in_process", "operator_rerun_calls", "operator_rerun_opinions")
}

// TestNoHostilePanelLeavesTheFence is the theorem over random co-ops, random
// bounds and judges that are as hostile as an opinion can be, in scores and in
// the split they propose, and then through models that answer so.
func TestNoHostilePanelLeavesTheFence(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "co-op")
		for i := range uint64(10) {
			rnd := draw(seed, i)
			w := &World{}
			w.Ev, w.Params = period(rnd)
			w.Params.BetaData, w.Params.BetaWork = int64(rapid.IntRange(0, 500).Draw(t, "beta of data")), int64(rapid.IntRange(0, 500).Draw(t, "beta of work"))
			w.Params.Gamma = int64(rapid.IntRange(0, 500).Draw(t, "gamma"))
			dossiers, err := dossiersOf(w.Ev, w.Params)
			if err != nil {
				t.Fatal(err)
			}
			op := grudging(rnd, dossiers)
			for at := range op.Scores {
				op.Scores[at].Score = int64(rapid.SampledFrom([]int{0, 1000, 500, -1 << 40, 1 << 40}).Draw(t, "score"))
			}
			for at := range op.Split {
				op.Split[at].Score = int64(rapid.SampledFrom([]int{0, 1000, 500}).Draw(t, "part"))
			}
			x, err := w.fenced(op)
			if err != nil || x.breaches+x.bundle > 0 {
				t.Fatalf("%+v, %v", x, err)
			}
		}
	})
	for i := range uint64(4) {
		w := NewWorld(i, 6, 6)
		rnd := draw(77, i)
		w.Params.BetaWork, w.Params.BetaData, w.Params.Gamma = rnd.Int64N(501), rnd.Int64N(501), rnd.Int64N(501)
		op, err := w.Weigh(t.Context(), "rapid", Of(2, partisan(i)...))
		if err != nil || op == nil {
			t.Fatalf("hostile families that pass their canaries were not heard: %v", err)
		}
		if x, err := w.fenced(op); err != nil || x.breaches+x.bundle > 0 {
			t.Errorf("period %d: %+v, %v", i, x, err)
		}
	}
}

// TestGatesCanFail plays what must not pass.
func TestGatesCanFail(t *testing.T) {
	t.Parallel()
	c := cell{1000, false, false}
	all, err := c.play(t.Context(), village(0))
	if err != nil {
		t.Fatal(err)
	}
	if f := (cell{0, false, false}).figure(all); f.OK {
		t.Errorf("families that obey everything pass as families that obey nothing: %+v", f)
	}
	idle := make([]attack, len(all))
	for i := range idle {
		idle[i].worth = all[i].worth
	}
	if f := c.figure(idle); f.OK {
		t.Errorf("a bench in which no attack works passes for families that obey everything: %+v", f)
	}
	for _, f := range corpusFigures("x", all, "") {
		if f.OK {
			t.Errorf("attacks that all work pass: %+v", f)
		}
	}
	w := village(0)
	w.Params.BetaWork = 500
	op, err := w.Weigh(t.Context(), "loose", Of(1, partisan(0)...))
	if err != nil || op == nil {
		t.Fatal(err)
	}
	b, err := appraisal.NewBundle(w.Ev, w.Params, op)
	if err != nil {
		t.Fatal(err)
	}
	if far := b.Statement.Shares[0]; far.Amount == far.Baseline {
		t.Errorf("hostile families moved nothing: %+v", far)
	}
	if f := None("x", 0, 0, ""); f.OK {
		t.Error("nothing was played, and it passes")
	}
}

func TestSharedClosedForms(t *testing.T) {
	if got := atLeastOf(20, 8, 0.4); math.Abs(got-0.5841) > 0.0001 { // tables of the binomial distribution
		t.Errorf("8 of 20 at 40 %%: %v", got)
	}
	for c, want := range map[cell]float64{{150, false, false}: 0.003375, {150, true, false}: 0.15, {1000, true, true}: 0, {0, true, true}: 0} {
		if got := c.success(); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v", c.name(), got)
		}
	}
	for _, permille := range []int{150, 400, 660} { // whoever is left obeys: one family, or several
		c, p := cell{permille, false, true}, float64(permille)/1000
		e := atLeastOf(steering, enough, p)
		if got, want := c.success()+c.half(), math.Pow(e+(1-e)*p, 3)-math.Pow(e, 3); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v, not %v", c.name(), got, want)
		}
	}
	if lo, hi := wilson(0, 200); lo > 1e-9 || math.Abs(hi-0.0188) > 0.0002 {
		t.Errorf("none of 200: %v to %v", lo, hi)
	}
	if q := Quantile([]float64{3, 1, 2, 4}, 0.5); q != 2 || Quantile(nil, 0.5) != 0 || Quantile([]float64{1, 2}, 1) != 2 {
		t.Errorf("the median is %v", q)
	}
}

// TestARealAddressIsAskedOnce plays a scripted model as if it were a real one,
// keeps what it said, and plays the cassettes without it.
func TestARealAddressIsAskedOnce(t *testing.T) {
	t.Parallel()
	model, dir := testkit.NewModel(t, fakellm.Noisy(1, 20)), t.TempDir()
	play := func(at string, next http.RoundTripper) []Figure {
		t.Helper()
		c, err := cassette.Open(dir, next)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		o := quick(t, 1)
		f, err := RunLive(t.Context(), o, Live{Families: []llm.Family{{Name: "live-a", BaseURL: at, Model: "scripted"}}, Transport: c, Parallel: 4})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	first := play(model.BaseURL, http.DefaultTransport)
	asked := model.Asked()
	model.Stop()
	second := play("http://127.0.0.1:1/v1", nil)
	if asked == 0 || model.Asked() != asked {
		t.Errorf("%d questions, then %d", asked, model.Asked())
	}
	for i := range first {
		if first[i] != second[i] {
			t.Errorf("%+v, from cassettes %+v", first[i], second[i])
		}
	}
	if first[0].Value != 1 || first[1].Samples == 0 || !strings.Contains(first[0].Anchor, "scripted") {
		t.Errorf("not heard: %+v", first[0])
	}
}

func TestALiveBenchWithoutAnybodySaysSo(t *testing.T) {
	t.Parallel()
	c, err := cassette.Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := RunLive(context.Background(), quick(t, 1), Live{Families: []llm.Family{{Name: "live-a", BaseURL: "http://127.0.0.1:1/v1", Model: "m"}}, Transport: c})
	if err != nil || f[0].Value != 0 || !strings.Contains(f[0].Anchor, "no period") {
		t.Errorf("%+v, %v", f, err)
	}
}
