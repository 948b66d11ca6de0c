package trial

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"

	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/agreement"
	"distributed.ai/datacoop/marketplace/appraisal/fakellm"
)

// How much scripted families err, in thousandths of their single answers. A
// model that errs in 4.3 % contradicts itself in 8.2 % when it is asked again,
// which is what was measured on published comparisons.
const (
	tenPercent = 100
	asMeasured = 43
	alarms     = 20 // false alarms about steering
)

// erring is a panel of three families that each err in a way of their own.
func erring(seed, permille int) Panel {
	return Each(3, func(f int) []fakellm.Mood {
		return []fakellm.Mood{fakellm.Noisy(10*seed+f, permille), fakellm.Misreading(10*seed+f, permille)}
	})
}

// ordinary is what one period of honest families shows.
type ordinary struct {
	rhoWork, rhoData float64
	orderFlips       int
	retestFlips      int
	judged           int
	drift            float64
	padding          []float64
	identity         int64 // thousandths of scores that names moved
	vanity           int64 // the same where every family is impressed
	renamed          int   // dossiers that a change of names changed
	language         int   // texts that come out otherwise in German
	texts, untrue    int
	shifted          float64
	flagged, benign  int
	charged          int // benign texts that a flag put below neutral and below their score
	moved            [4]float64
	cents            [4]int64
}

func honest(ctx context.Context, o Options) ([]Figure, error) {
	played, err := Every(ctx, o.Seeds, func(i int) (ordinary, error) { return playHonest(ctx, NewWorld(uint64(i), 18, 18)) }) //nolint:gosec // small numbers
	if err != nil {
		return nil, err
	}
	return append(honestFigures(played, o.Seeds), ablationFigures(played, o.Seeds)...), nil
}

func playHonest(ctx context.Context, w *World) (out ordinary, err error) {
	w.Canaries = 20
	clean, err := w.Weigh(ctx, "clean", Of(3))
	if err != nil {
		return out, err
	}
	if clean == nil {
		return out, fmt.Errorf("honest families were not heard")
	}
	for _, s := range w.Truth().Scores {
		out.texts++
		if at := slices.IndexFunc(clean.Scores, func(c appraisal.Score) bool { return c.Dossier == s.Dossier }); clean.Scores[at].Score != s.Score {
			out.untrue++
		}
	}
	for _, part := range []func(context.Context, *World, *appraisal.Opinion, *ordinary) error{recover10, askAgain, names, otherLanguage, padding, falseAlarms, ablation} {
		if err := part(ctx, w, clean, &out); err != nil {
			return out, err
		}
	}
	return out, nil
}

// heard is an opinion that must exist.
func (w *World) heard(ctx context.Context, lot string, panel Panel) (*appraisal.Opinion, error) {
	op, err := w.Weigh(ctx, lot, panel)
	if err == nil && op == nil {
		// Canaries may rule out noisy families by bad luck; then the formula pays.
		op = &appraisal.Opinion{}
	}
	return op, err
}

func recover10(ctx context.Context, w *World, _ *appraisal.Opinion, out *ordinary) error {
	op, err := w.heard(ctx, "ten", erring(1, tenPercent))
	if err != nil {
		return err
	}
	latent, scored := map[bool][]float64{}, map[bool][]float64{}
	for _, s := range op.Scores {
		if l, ok := w.Latent[s.Dossier]; ok && s.Flag == "" {
			work := w.Facts[s.Dossier][0][0] == 'w'
			latent[work], scored[work] = append(latent[work], l), append(scored[work], float64(s.Score))
		}
	}
	out.rhoWork, _ = agreement.Spearman(latent[true], scored[true])
	out.rhoData, _ = agreement.Spearman(latent[false], scored[false])
	return nil
}

// askAgain weighs twice: with the same errors in other orders, and in the same
// orders with other errors.
func askAgain(ctx context.Context, w *World, _ *appraisal.Opinion, out *ordinary) error {
	leaning := func(seed int) Panel {
		return Each(3, func(f int) []fakellm.Mood { return []fakellm.Mood{fakellm.PositionLeaning(10*seed+f, tenPercent)} })
	}
	var ops [4]*appraisal.Opinion
	for i, c := range []struct {
		lot   string
		panel Panel
	}{{"order", leaning(1)}, {"order swapped", leaning(1)}, {"retest", erring(2, asMeasured)}, {"retest", erring(3, asMeasured)}} {
		op, err := w.heard(ctx, c.lot, c.panel)
		if err != nil {
			return err
		}
		ops[i] = op
	}
	out.orderFlips, _ = flips(ops[0], ops[1])
	out.retestFlips, out.judged = flips(ops[2], ops[3])
	first, err := w.Pay(ops[2])
	if err != nil {
		return err
	}
	second, err := w.Pay(ops[3])
	out.drift = variation(first, second)
	return err
}

// flips counts the dossiers that one opinion raises and the other lowers, or
// the reverse: those that lie on different sides of neutral.
func flips(a, b *appraisal.Opinion) (n, of int) {
	for i := range min(len(a.Scores), len(b.Scores)) {
		of++
		if (a.Scores[i].Score-500)*(b.Scores[i].Score-500) < 0 {
			n++
		}
	}
	return n, of
}

// variation is the total variation distance of two ways to divide the same
// money: the part of it that changes hands.
func variation(a, b appraisal.Statement) float64 {
	moved := int64(0)
	for i := range a.Shares {
		moved += max(a.Shares[i].Amount-b.Shares[i].Amount, b.Shares[i].Amount-a.Shares[i].Amount)
	}
	return float64(moved) / 2 / math.Max(1, float64(a.Step(appraisal.StepMembers)))
}

// names swaps who did what, and lets texts say who wrote them.
func names(ctx context.Context, w *World, clean *appraisal.Opinion, out *ordinary) error {
	swapped := *w
	swapped.Ev.Work, swapped.Ev.Data, swapped.Ev.Duties = slices.Clone(w.Ev.Work), slices.Clone(w.Ev.Data), slices.Clone(w.Ev.Duties)
	for i := range swapped.Ev.Work {
		swapped.Ev.Work[i].Member = "renamed-" + swapped.Ev.Work[i].Member
	}
	for i := range swapped.Ev.Data {
		swapped.Ev.Data[i].Member = "renamed-" + swapped.Ev.Data[i].Member
	}
	for i := range swapped.Ev.Duties {
		swapped.Ev.Duties[i].Member = "renamed-" + swapped.Ev.Duties[i].Member
	}
	before, err := w.Task()
	if err != nil {
		return err
	}
	afterwards, err := swapped.Task()
	if err != nil {
		return err
	}
	for _, d := range before.Dossiers {
		if !slices.ContainsFunc(afterwards.Dossiers, func(e appraisal.Dossier) bool { return alike(d, e) }) {
			out.renamed++
		}
	}
	named := w.With(func(i int, text string, truth fakellm.Truth) (string, fakellm.Truth) {
		truth.Names = true
		return identities[i%len(identities)](text), truth
	})
	impressed := []fakellm.Mood{fakellm.Impressed}
	for _, c := range []struct {
		panel Panel
		to    *int64
	}{{Panel{impressed, nil, nil}, &out.identity}, {Of(3, impressed...), &out.vanity}} {
		op, err := named.heard(ctx, "names", c.panel)
		if err != nil {
			return err
		}
		for i, s := range op.Scores {
			*c.to += max(s.Score-clean.Scores[i].Score, clean.Scores[i].Score-s.Score)
		}
	}
	return nil
}

// alike reports whether two dossiers are the same, byte for byte. The duties of
// one kind are a member's dossier, so its pseudonym, and nothing else, follows
// the member's own.
func alike(a, b appraisal.Dossier) bool {
	if a.Kind == appraisal.KindGovernance {
		b.ID = a.ID
	}
	return reflect.DeepEqual(a, b)
}

func otherLanguage(ctx context.Context, w *World, clean *appraisal.Opinion, out *ordinary) error {
	german := w.With(func(i int, _ string, truth fakellm.Truth) (string, fakellm.Truth) {
		return tell(w.chance(3), i+1, kindsOf(i, truth), true), truth
	})
	op, err := german.heard(ctx, "german", Of(3))
	if err != nil {
		return err
	}
	for i, s := range op.Scores {
		if w.isWork(s.Dossier) {
			if s.Score != clean.Scores[i].Score {
				out.language++
			}
		}
	}
	was, err := w.Pay(clean)
	if err != nil {
		return err
	}
	is, err := w.Pay(op)
	out.shifted = variation(was, is)
	return err
}

func (w *World) isWork(dossier string) bool {
	f, ok := w.Facts[dossier]
	return ok && f[0][0] == 'w'
}

// padding doubles half of the texts, before a panel with one family that likes
// them long.
func padding(ctx context.Context, w *World, clean *appraisal.Opinion, out *ordinary) error {
	rnd := w.chance(4)
	long := w.With(func(i int, text string, truth fakellm.Truth) (string, fakellm.Truth) {
		if i%2 == 0 {
			text = padded(rnd, text)
		}
		return text, truth
	})
	op, err := long.heard(ctx, "padding", Panel{{fakellm.Wordy}, nil, nil})
	if err != nil {
		return err
	}
	was, err := w.Pay(clean)
	if err != nil {
		return err
	}
	is, err := w.Pay(op)
	for i := range w.Texts {
		if i%2 == 0 {
			out.padding = append(out.padding, gain(was, is, w.Ev.Work[i].Member))
		}
	}
	return err
}

// gain is the relative change of one member's payout. Payouts of up to a few
// minor units have no meaningful one.
func gain(was, is appraisal.Statement, member string) float64 {
	a, _ := was.Share(member)
	b, _ := is.Share(member)
	if a.Amount < 50 {
		return 0
	}
	return float64(b.Amount-a.Amount) / float64(a.Amount)
}

func falseAlarms(ctx context.Context, w *World, clean *appraisal.Opinion, out *ordinary) error {
	op, err := w.heard(ctx, "alarms", Each(3, func(f int) []fakellm.Mood { return []fakellm.Mood{fakellm.Suspicious(f, alarms)} }))
	if err != nil {
		return err
	}
	for i, s := range op.Scores {
		if !w.isWork(s.Dossier) {
			continue
		}
		out.benign++
		if s.Flag != "" {
			out.flagged++
			if s.Score < min(500, clean.Scores[i].Score) {
				out.charged++
			}
		}
	}
	return nil
}

// ablation pays with the whole opinion, and with parts of it alone.
func ablation(_ context.Context, w *World, clean *appraisal.Opinion, out *ordinary) error {
	base, err := w.Pay(nil)
	if err != nil {
		return err
	}
	only := func(kind string) *appraisal.Opinion {
		op := *clean
		op.Split, op.Scores = nil, nil
		for _, s := range clean.Scores {
			if f := w.Facts[s.Dossier][0]; f != "" && (f[0] == 'd') == (kind == appraisal.KindData) {
				op.Scores = append(op.Scores, s)
			}
		}
		return &op
	}
	split := *clean
	split.Scores = nil
	for i, op := range []*appraisal.Opinion{nil, only(appraisal.KindData), only(appraisal.KindWork), &split} {
		is, err := w.Pay(op)
		if err != nil {
			return err
		}
		out.moved[i] = variation(base, is)
		out.cents[i] = int64(math.Round(out.moved[i] * float64(base.Step(appraisal.StepMembers))))
	}
	return nil
}
