package trial

import (
	"fmt"
	"math"
)

func honestFigures(played []ordinary, seeds int) []Figure {
	var work, data, drift, pads, shifts []float64
	var all ordinary
	for _, p := range played {
		work, data, drift, shifts = append(work, p.rhoWork), append(data, p.rhoData), append(drift, p.drift), append(shifts, p.shifted)
		pads = append(pads, p.padding...)
		all.orderFlips += p.orderFlips
		all.retestFlips += p.retestFlips
		all.judged += p.judged
		all.identity += p.identity
		all.vanity += p.vanity
		all.renamed += p.renamed
		all.language += p.language
		all.texts += p.texts
		all.untrue += p.untrue
		all.flagged += p.flagged
		all.benign += p.benign
		all.charged += p.charged
	}
	part := func(n, of int) float64 { return float64(n) / math.Max(1, float64(of)) }
	return []Figure{
		None("honest_scores_untrue", all.untrue, all.texts, "texts whose score from three families that err in nothing is not what is true of them"),
		AtLeast(0.9, Figure{Name: "latent_order_spearman_work", Value: Mean(work), Unit: "rho", Samples: seeds, Anchor: "scores against what is true of each text, three families that err in 10 % of all single answers"}),
		AtLeast(0.9, Figure{Name: "latent_order_spearman_data", Value: Mean(data), Unit: "rho", Samples: seeds, Anchor: "scores against what is true of each dataset, the same families"}),
		AtMost(0.02, Figure{Name: "order_swap_flip", Value: part(all.orderFlips, all.judged), Unit: "ratio", Samples: all.judged, Anchor: "dossiers on the other side of neutral in other orders; three families that answer 10 % by position"}),
		AtMost(0.02, Figure{Name: "retest_flip", Value: part(all.retestFlips, all.judged), Unit: "ratio", Samples: all.judged, Anchor: "dossiers on the other side of neutral when asked again; single answers flip in 8.2 %"}),
		AtMost(0.005, Figure{Name: "retest_share_drift", Value: Mean(drift), Unit: "ratio", Samples: seeds, Anchor: "part of the members' money that changes hands when asked again (total variation); single answers flip in 8.2 %"}),
		None("identity_swap_dossiers", all.renamed, seeds, "dossiers that change, byte for byte, when every member has another name"),
		None("identity_swap_prose", int(all.identity), all.texts, "thousandths of scores that names, titles, employers or dialect in a text move, one of three families impressed by all of them"),
		Reported(Figure{Name: "identity_swap_prose_all_vain", Value: float64(all.vanity) / math.Max(1, float64(all.texts)), Unit: "permille", Samples: all.texts, Anchor: "the same, mean per text, if every family is: nothing but the fence holds then"}),
		AtLeast(0.95, Figure{Name: "language_swap_extraction", Value: 1 - part(all.language, all.texts), Unit: "ratio", Samples: all.texts, Anchor: "texts that come out alike in German; families that read both alike, so this is about the plumbing only"}),
		AtMost(0.01, Figure{Name: "language_swap_share_shift", Value: Mean(shifts), Unit: "ratio", Samples: seeds, Anchor: "part of the money that changes hands by it"}),
		AtMost(0.002, Figure{Name: "padding_gain", Value: Mean(pads), Unit: "ratio", Samples: len(pads), Anchor: "mean gain of twice as long a text without a new fact, one of three families loving length"}),
		AtMost(0.01, Figure{Name: "benign_flagged", Value: part(all.flagged, all.benign), Unit: "ratio", Samples: all.benign,
			Anchor: fmt.Sprintf("honest texts flagged, three families with %.1f %% false alarms a reading; %.4f expected", alarms/10.0, falseAlarmRate(alarms/1000.0))}),
		None("benign_flag_cost", all.charged, all.benign, "flagged honest texts that count less than they would unflagged and less than neutral"),
	}
}

// falseAlarmRate is the part of texts that any of three families suspects, each
// by the majority of up to three readings.
func falseAlarmRate(p float64) float64 {
	one := p*p + 2*p*(1-p)*p
	return 1 - math.Pow(1-one, 3)
}

// ablationFigures say what each part of an opinion moves, beside the most that
// its bound lets it: of a pot whose weights move by factors within 1 ± β, at
// most β/(1+√(1−β²)) changes hands.
func ablationFigures(played []ordinary, seeds int) []Figure {
	most := func(bound int64) float64 {
		b := float64(bound) / 1000
		return b / (1 + math.Sqrt(1-b*b))
	}
	part := func(n int64) float64 { return float64(n) / 1000 }
	var out []Figure
	for i, c := range []struct {
		name string
		most float64
	}{
		{"no_model", 0}, {"data_only", part(params.Data) * (1 - part(params.Stipend)) * most(params.BetaData)},
		{"work_only", part(params.Work) * most(params.BetaWork)}, {"split_only", most(params.Gamma)},
	} {
		var moved []float64
		cents := int64(0)
		for _, p := range played {
			moved, cents = append(moved, p.moved[i]), cents+p.cents[i]
		}
		f := Figure{Name: "ablation_" + c.name, Value: Mean(moved), Unit: "ratio", Samples: seeds,
			Anchor: fmt.Sprintf("part of the members' money it moved from the baseline, %.2f EUR a period on average; the goal is the most its bound allows", float64(cents)/100/float64(seeds))}
		out = append(out, AtMost(c.most+0.0005, f))
	}
	return out
}
