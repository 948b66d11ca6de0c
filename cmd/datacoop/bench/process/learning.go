package process

import (
	"context"
	"fmt"
	"slices"

	"distributed.ai/datacoop/cmd/datacoop/bench/trial"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/fakellm"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
)

// poisoning lets panellists of bad will answer a part of the calibration pairs so
// that one family looks right and the others wrong; that family then favours one
// dataset for all it is worth.
func poisoning(ctx context.Context, o trial.Options) (out []trial.Figure, err error) {
	for _, percent := range []int{10, 33, 100} {
		type outcome struct{ weight, gain, bound float64 }
		played, err := trial.Every(ctx, o.Seeds, func(i int) (r outcome, err error) {
			weights := poisoned(i, percent)
			w := world(i, 0, 10)
			w.Params.Reliability = weights
			for _, r0 := range weights {
				r.weight = max(r.weight, float64(r0.Weight)/1000)
			}
			fair, bent := voices(w, weights, false), voices(w, weights, true)
			was, err := w.Pay(fair)
			if err != nil {
				return r, err
			}
			is, err := w.Pay(bent)
			beta := float64(w.Params.BetaData) / 1000
			r.gain, r.bound = gain(was, is, attacker), (1+beta)/(1-beta)-1
			return r, err
		})
		if err != nil {
			return nil, err
		}
		var weights, gains []float64
		bound := 0.0
		for _, p := range played {
			weights, gains, bound = append(weights, p.weight), append(gains, p.gain), p.bound
		}
		out = append(out,
			trial.AtMost(learning.Cap/1000.0, trial.Figure{Name: fmt.Sprintf("calibration_poisoning_weight_p%d", percent), Value: trial.Quantile(weights, 1), Unit: "ratio", Samples: len(weights),
				Anchor: fmt.Sprintf("largest weight of a family when %d %% of 200 pairs are answered in its favour; no family counts more than the cap", percent)}),
			trial.AtMost(bound, trial.Figure{Name: fmt.Sprintf("calibration_poisoning_gain_p%d", percent), Value: trial.Quantile(gains, 1), Unit: "ratio", Samples: len(gains),
				Anchor: fmt.Sprintf("largest gain of the member of a dataset that this family then favours, two honest families beside it; the goal is the fence. Mean %.4f", trial.Mean(gains))}))
	}
	return out, nil
}

// poisoned are the weights that three equally good families get from 200 pairs.
func poisoned(i, percent int) []appraisal.Reliability {
	rnd := chance(43, i)
	list := []learning.Agreement{{Family: "a", Pairs: 200}, {Family: "b", Pairs: 200}, {Family: "c", Pairs: 200}}
	for pair := range 200 {
		for f := range list {
			if bad := pair < 2*percent; bad && f == 0 || !bad && rnd.IntN(4) > 0 {
				list[f].Agreed++
			}
		}
	}
	return appraisal.Reliabilities(list)
}

// voices is an opinion of three families that know what is true of each dataset;
// where it is bent, the first says the best of one and the worst of all others.
func voices(w *trial.World, weights []appraisal.Reliability, bent bool) *appraisal.Opinion {
	op := &appraisal.Opinion{}
	for _, id := range w.Dossiers() {
		truth := int64(1000 * w.Latent[id])
		all := []appraisal.Voice{{Family: "a", Score: truth, Told: true}, {Family: "b", Score: truth, Told: true}, {Family: "c", Score: truth, Told: true}}
		if bent {
			all[0].Score = 0
			if w.Facts[id][1] == attacker {
				all[0].Score = 1000
			}
		}
		s := appraisal.Score{Dossier: id, Voices: all}
		s.Score, s.Flag = appraisal.Combine(appraisal.KindData, all, weights)
		op.Scores = append(op.Scores, s)
	}
	return op
}

// sandbagging adopts a family that was honest for as long as it was in shadow and
// favours one member from then on, beside two honest ones.
func sandbagging(ctx context.Context, o trial.Options) ([]trial.Figure, error) {
	played, err := trial.Every(ctx, o.Seeds, func(i int) (float64, error) {
		w := world(i, 12, 0)
		w.Canaries = 10
		fair, err := w.Weigh(ctx, "shadow", trial.Of(3))
		if err != nil {
			return 0, err
		}
		weakest := w.Weakest()
		own := func(key string) bool { return key == fmt.Sprint(weakest+1) }
		turned := fakellm.Partisan(own, func(key string) bool { return !own(key) }, func(fakellm.PromptDossier) (bool, bool) { return false, false })
		bent, err := w.Weigh(ctx, "shadow", trial.Panel{{turned}, nil, nil})
		if err != nil {
			return 0, err
		}
		was, err := w.Pay(fair)
		if err != nil {
			return 0, err
		}
		is, err := w.Pay(bent)
		return gain(was, is, w.Ev.Work[weakest].Member), err
	})
	if err != nil {
		return nil, err
	}
	heard := slices.DeleteFunc(slices.Clone(played), func(g float64) bool { return g == 0 })
	return []trial.Figure{trial.AtMost(0.05, trial.Figure{Name: "shadow_sandbagger_gain", Value: trial.Quantile(played, 0.95), Unit: "ratio", Samples: len(played),
		Anchor: fmt.Sprintf("95th percentile of what the weakest author gains when a family that was honest in shadow, and is passed by the canaries, turns and lowers everybody else, two honest families beside it; it moved shares in %d periods, mean %.4f: the others see it stand alone", len(heard), trial.Mean(played))})}, nil
}
