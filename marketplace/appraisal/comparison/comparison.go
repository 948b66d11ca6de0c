// Package comparison is what shows whether a candidate for judging is better than
// the judge in force: its runs in shadow beside it, what people said of the same
// dossiers, and what package learning makes of both.
//
// # What it is for
//
// The market makes a [Comparison] and publishes it as a [Document], a file that
// holds the pairs too. `datacoop verify comparison` computes it again from that file
// alone.
//
// # What it guarantees
//
// Pure functions of what is published. Agreement with people, the interval, families
// of attacks and groups are computed again from runs and pairs and compared byte for
// byte; the document carries its own digest and, where it is known, the log's proof.
//
// # What it refuses
//
// A comparison whose sealed halves are not disclosed yet: nobody outside can know
// what is in them. It cannot tell whether a judge gave the scores of a run; the
// digests of runs are in the log since they were made.
package comparison

import (
	"maps"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
)

// Fewest is how many periods with a calibration set a candidate runs in before
// it is compared.
const Fewest = 2

// Source is a period that people judged, whose pairs something rests on.
type Source struct {
	Period     coop.PeriodID `json:"period"`
	Commitment string        `json:"commitment"` // of its sealed half, which names the open one
	Pairs      int           `json:"pairs"`
}

// Scores are what a judge made of a period's dossiers, as they count.
type Scores map[string]int64

// Run is what a candidate made of a period beside the judge in force.
type Run struct {
	BundleSHA256 string           `json:"bundle_sha256"`
	Candidate    string           `json:"candidate_sha256"`
	Period       coop.PeriodID    `json:"period"`
	InForce      string           `json:"in_force_sha256"` // of the form it was compared with
	Incumbent    Scores           `json:"incumbent"`
	Challenger   Scores           `json:"challenger"`
	Before       learning.Attacks `json:"attacks_on_incumbent"`
	After        learning.Attacks `json:"attacks_on_challenger"`
	Trace        string           `json:"trace"` // of the challenger's recorded answers; "" where nobody was asked anew
}

// Format names the encoding of a comparison.
const Format = "datacoop-comparison/1"

// Comparison is what a candidate's runs show: all of it can be computed again
// from the runs and the pairs of their periods, of which half are disclosed
// later.
type Comparison struct {
	Candidate string           `json:"candidate_sha256"`
	Contested Contested        `json:"contested"`
	Format    string           `json:"format"`
	InForce   string           `json:"in_force_sha256"` // of the form it was compared with
	Pairs     []Source         `json:"pairs"`           // by period
	Runs      []Run            `json:"runs"`
	Try       int              `json:"try"` // of this co-op: how many candidates had been entered with this one
	Verdict   learning.Verdict `json:"verdict"`
}

// Contested counts the verdicts of panels with which each judge agrees. They
// prove nothing: members contest what the judge in force got wrong.
type Contested struct {
	Pairs      int `json:"pairs"`
	Incumbent  int `json:"incumbent_agrees"`
	Challenger int `json:"challenger_agrees"`
}

// Judge fills in what the runs say of pairs.
func (c *Comparison) Judge(pairs []learning.Pair) error {
	before, after := learning.Answers{}, learning.Answers{}
	runs := map[string]Run{}
	attacked := [2]learning.Attacks{{}, {}}
	for _, r := range c.Runs {
		runs[string(r.Period)] = r
		add(attacked[0], r.Before)
		add(attacked[1], r.After)
	}
	drawn := []learning.Pair{}
	for _, p := range pairs {
		r := runs[p.Period]
		old, fresh := answer(r.Incumbent, p), answer(r.Challenger, p)
		if p.Second != learning.Middle {
			drawn, before[p.ID()], after[p.ID()] = append(drawn, p), old, fresh
			continue
		}
		c.Contested.Pairs++
		c.Contested.Incumbent += agrees(old, p.Truth())
		c.Contested.Challenger += agrees(fresh, p.Truth())
	}
	var err error
	c.Verdict, err = learning.Compare(drawn, before, after, attacked[0], attacked[1])
	return err
}

func agrees(said, truth string) int {
	if said == truth {
		return 1
	}
	return 0
}

// answer is what scores say of a pair; a dossier without a score is neutral.
func answer(s Scores, p learning.Pair) string {
	of := func(dossier string) int64 {
		if score, ok := s[dossier]; ok {
			return score
		}
		return jury.Neutral
	}
	return learning.Of(of(p.First), of(p.Second))
}

func add(to, from learning.Attacks) {
	for _, family := range slices.Sorted(maps.Keys(from)) {
		t := to[family]
		t.Succeeded, t.Tried = t.Succeeded+from[family].Succeeded, t.Tried+from[family].Tried
		to[family] = t
	}
}
