package process

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"distributed.ai/datacoop/cmd/datacoop/bench/trial"
	"distributed.ai/datacoop/marketplace/appraisal/agreement"
	"distributed.ai/datacoop/marketplace/appraisal/fakellm"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
)

// How much invented people and families err in a single answer, in thousandths.
const (
	peopleErr = 150
	modelsErr = 100
)

// people holds families against panels as panellists stand against each other:
// on the same pairs of texts, beside the median of the same four others.
func people(ctx context.Context, o trial.Options) ([]trial.Figure, error) {
	type outcome struct{ model, person agreement.Pairs }
	played, err := trial.Every(ctx, o.Seeds, func(i int) (out outcome, err error) {
		w, rnd := world(i, 16, 0), chance(44, i)
		w.Canaries = 10
		op, err := w.Weigh(ctx, "people", trial.Each(3, func(f int) []fakellm.Mood {
			return []fakellm.Mood{fakellm.Noisy(10*i+f, modelsErr), fakellm.Misreading(10*i+f, modelsErr)}
		}))
		if err != nil || op == nil {
			return out, err // canaries ruled all of them out, and nobody is compared
		}
		var model []float64
		said := [jury.Seats][]float64{}
		for _, s := range op.Scores {
			model = append(model, float64(s.Counts()))
			for j := range said {
				said[j] = append(said[j], float64(answered(rnd, int(math.Round(11*w.Latent[s.Dossier])), peopleErr)))
			}
		}
		for j := range said {
			others := make([]float64, len(model))
			for at := range others {
				var four []int64
				for k := range said {
					if k != j {
						four = append(four, int64(said[k][at]))
					}
				}
				median, _ := jury.Median(four)
				others[at] = float64(median)
			}
			out.model = both(out.model, agreement.Pairwise(model, others))
			out.person = both(out.person, agreement.Pairwise(said[j], others))
		}
		return out, nil
	})
	if err != nil {
		return nil, err
	}
	var all outcome
	for _, p := range played {
		all.model, all.person = both(all.model, p.model), both(all.person, p.person)
	}
	model, _ := all.model.Rate()
	person, _ := all.person.Rate()
	return []trial.Figure{trial.AtLeast(-0.02, trial.Figure{Name: "panel_agreement_vs_panel_panel", Value: model - person, Unit: "ratio", Samples: all.model.Agree + all.model.Disagree + all.model.Tied,
		Anchor: fmt.Sprintf("pairs of texts that three families order as four panellists do (%.3f), less those that a fifth panellist does (%.3f); invented people who err in %d %% of their answers, families in %d %%",
			model, person, peopleErr/10, modelsErr/10)})}, nil
}

// answered is the score by somebody who errs in so many thousandths of eleven
// answers of which so many are yes.
func answered(rnd *rand.Rand, true11, permille int) int64 {
	yes := 0
	for q := range 11 {
		if (q < true11) != (rnd.IntN(1000) < permille) {
			yes++
		}
	}
	return jury.ScoreOf(yes, 11)
}

func both(a, b agreement.Pairs) agreement.Pairs {
	return agreement.Pairs{Agree: a.Agree + b.Agree, Disagree: a.Disagree + b.Disagree, Tied: a.Tied + b.Tied}
}
