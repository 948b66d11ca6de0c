package process

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"slices"

	"distributed.ai/datacoop/cmd/datacoop/bench/trial"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
)

// What the default charter says of appeals, in thousandths.
const (
	reserve = 50  // of the members' part, set aside
	beyond  = 100 // by which a panel may exceed the bound
)

func appeals(ctx context.Context, o trial.Options) (out []trial.Figure, err error) {
	for _, play := range []func(context.Context, trial.Options) ([]trial.Figure, error){flood, collusion} {
		figures, err := play(ctx, o)
		if err != nil {
			return nil, err
		}
		out = append(out, figures...)
	}
	return out, nil
}

// flood has the author of every work appeal, although each was scored as it
// deserves, before panels that err in a tenth of their answers.
func flood(ctx context.Context, o trial.Options) ([]trial.Figure, error) {
	type outcome struct {
		gains []float64
		over  int
	}
	played, err := trial.Every(ctx, o.Seeds, func(i int) (out outcome, err error) {
		w, rnd := world(i, 40, 0), chance(41, i)
		statement, err := w.Pay(w.Truth())
		if err != nil {
			return out, err
		}
		var claims, paid []int64
		members := int64(0)
		for at, work := range w.Ev.Work {
			share, _ := statement.Share(work.Member)
			members += share.Amount
			true11 := int(math.Round(11 * w.Latent[w.Dossier(at)]))
			var scores []int64
			for range jury.Seats {
				scores = append(scores, answered(rnd, true11, 100))
			}
			score, _ := jury.Median(scores)
			s := jury.Standing{Baseline: share.Baseline, Paid: share.Amount, Beta: w.Params.BetaWork, Score: jury.ScoreOf(true11, 11)}
			claim := int64(0)
			if score > s.Score {
				claim = s.Claim(score, beyond)
			}
			claims, paid = append(claims, claim), append(paid, share.Amount)
		}
		left := members * reserve / 1000
		for at, award := range jury.Awards(claims, left) {
			left -= award
			out.gains = append(out.gains, float64(award)/float64(max(1, paid[at])))
		}
		if left < 0 {
			out.over = 1
		}
		return out, nil
	})
	if err != nil {
		return nil, err
	}
	over := 0
	var gains []float64
	for _, p := range played {
		over, gains = over+p.over, append(gains, p.gains...)
	}
	return []trial.Figure{
		trial.None("appeal_flood_beyond_reserve", over, len(played), "periods in which forty appeals together were paid more than what was set aside for appeals; nobody else's amount changes"),
		trial.AtMost(float64(reserve)/1000, trial.Figure{Name: "appeal_flood_gain", Value: trial.Mean(gains), Unit: "ratio", Samples: len(gains),
			Anchor: fmt.Sprintf("mean gain of an author who appeals without reason, as all do at once, before honest panels that err in 10 %% of their answers; the goal is what is set aside, most for one %.3f", trial.Quantile(gains, 1))}),
	}, nil
}

// collusion lets a part of all members say yes to everything one of them asks,
// and draws panels as the co-op does.
func collusion(ctx context.Context, o trial.Options) (out []trial.Figure, err error) {
	const roll, draws = 200, 20
	for _, percent := range []int{5, 10, 20, 33} {
		friends := roll * percent / 100
		played, err := trial.Every(ctx, o.Seeds, func(i int) (captured int, err error) {
			names := make([]string, roll)
			for n := range names {
				names[n] = fmt.Sprintf("n%04d", n)
			}
			for d := range draws {
				root := sha256.Sum256(fmt.Appendf(nil, "%d %d %d", percent, i, d))
				order, err := jury.Draw(fmt.Sprintf("coop.example\n%d\n%s\n", 1000+d, base64.StdEncoding.EncodeToString(root[:])), int64(d), names)
				if err != nil {
					return 0, err
				}
				ours := 0
				for _, name := range order[:jury.Seats] {
					if slices.Index(names, name) < friends {
						ours++
					}
				}
				if ours > jury.Seats/2 {
					captured++
				}
			}
			return captured, nil
		})
		if err != nil {
			return nil, err
		}
		n, captured := 0, 0
		for _, c := range played {
			n, captured = n+draws, captured+c
		}
		theory := majority(roll, friends)
		out = append(out, trial.Near(theory, 0.001+4*math.Sqrt(theory*(1-theory)/float64(n)), trial.Figure{Name: fmt.Sprintf("panel_collusion_capture_p%d", percent),
			Value: float64(captured) / float64(n), Unit: "ratio", Samples: n,
			Anchor: fmt.Sprintf("panels of which %d %% of %d members, who collude, hold the majority; the closed form is hypergeometric", percent, roll)}))
	}
	return append(out, captured(o)), nil
}

// majority is the chance that friends of a roll hold most of five seats.
func majority(roll, friends int) (p float64) {
	for k := jury.Seats/2 + 1; k <= jury.Seats; k++ {
		p += choose(friends, k) * choose(roll-friends, jury.Seats-k) / choose(roll, jury.Seats)
	}
	return p
}

func choose(n, k int) float64 {
	out := 1.0
	for i := range k {
		out *= float64(n-i) / float64(k-i)
	}
	return out
}

// captured is what a panel of friends can make of any amount the statement may
// pay: at most the bound and the cap above what the formula alone set.
func captured(o trial.Options) trial.Figure {
	most, rnd := 0.0, chance(42, 0)
	for range o.Cases {
		s := jury.Standing{Baseline: 100 + rnd.Int64N(1_000_000), Beta: rnd.Int64N(501)}
		s.Paid = s.Baseline * (1000 - s.Beta + rnd.Int64N(2*s.Beta+1)) / 1000
		top := float64(s.Baseline) * (1 + float64(min(s.Beta+beyond, 1000))/1000)
		most = max(most, float64(s.Paid+s.Claim(1000, beyond))-max(top, float64(s.Paid)))
	}
	return trial.AtMost(1e-6, trial.Figure{Name: "panel_collusion_beyond_bound", Value: most, Unit: "cents", Samples: o.Cases,
		Anchor: "most that a captured panel brought above the formula's amount times 1 + beta + the stated cap, or above what was paid anyway"})
}
