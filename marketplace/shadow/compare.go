package shadow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
	"distributed.ai/datacoop/marketplace/calibration"
	"distributed.ai/datacoop/marketplace/desk"
)

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

// compare compares a candidate once another of its periods is sealed.
func (w *Workshop) compare(ctx context.Context, payload []byte) error {
	var j job
	if err := json.Unmarshal(payload, &j); err != nil {
		return fmt.Errorf("shadow: compare: %w", err)
	}
	var out Comparison
	err := w.desk.DB.View(ctx, func(tx *db.Tx) error {
		c, err := getCandidate(tx, j.Candidate)
		if err == nil && c.State == Running {
			out, err = w.comparison(tx, c)
		}
		return err
	})
	if err != nil || len(out.Runs) < Fewest {
		return err
	}
	text, err := encode(out)
	if err != nil {
		return err
	}
	return w.desk.DB.Update(ctx, func(tx *db.Tx) error {
		c, err := getCandidate(tx, j.Candidate)
		if err != nil || c.State != Running {
			return err
		}
		if now, err := w.standing(tx, w.desk.Now()); err != nil || now != out.InForce {
			return err // what it was compared with has just been replaced
		}
		_, err = w.desk.Log.Append(tx, audit.Event{Kind: "shadow.compared", Revision: coop.Digest(text), Verdict: strings.ReplaceAll(out.Verdict.Answer, " ", "-"),
			Record: map[string]any{"candidate": c.ID, "pairs": out.Verdict.Pairs, "periods": len(out.Runs)}})
		if err != nil {
			return fmt.Errorf("shadow: log: %w", err)
		}
		return putComparison(tx, c.ID, out.Verdict.Answer, text, w.desk.Now())
	})
}

// comparison compares over all periods that were sealed and in which the
// candidate ran.
func (w *Workshop) comparison(tx *db.Tx, c Candidate) (Comparison, error) {
	out := Comparison{Candidate: c.SHA256, Format: Format, Pairs: []Source{}, Runs: []Run{}}
	var err error
	if out.InForce, err = w.standing(tx, w.desk.Now()); err != nil {
		return out, err
	}
	if out.Try, err = tryOf(tx, c); err != nil {
		return out, err
	}
	halves, err := w.gauge.Halves(tx)
	if err != nil {
		return out, err
	}
	list, err := listRuns(tx, c.ID)
	if err != nil {
		return out, err
	}
	var pairs []learning.Pair
	for _, h := range halves {
		for _, k := range list {
			if k.Period != h.Period || k.State != runDone {
				continue
			}
			r, err := k.decoded()
			if err != nil {
				return out, err
			}
			if r.InForce != out.InForce {
				continue
			}
			all := append(append([]learning.Pair{}, h.Open...), h.Sealed...)
			out.Runs, out.Pairs = append(out.Runs, r), append(out.Pairs, Source{h.Period, h.Commitment, len(all)})
			pairs = append(pairs, all...)
		}
	}
	return out, out.judge(pairs)
}

// tryOf counts the candidates that had been entered when one was, and it.
func tryOf(tx *db.Tx, c Candidate) (n int, err error) {
	list, err := allCandidates(tx)
	for _, other := range list {
		if other.EnteredAt < c.EnteredAt || other.EnteredAt == c.EnteredAt && other.ID <= c.ID {
			n++
		}
	}
	return n, err
}

// judge fills in what the runs say of pairs.
func (c *Comparison) judge(pairs []learning.Pair) error {
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
		if p.Second != calibration.Middle {
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

var errComparison = errors.New("shadow: a comparison is not what its runs and pairs give")

// VerifyComparisons computes every candidate's comparison again: its runs against
// those that are kept, and its verdict from the pairs of their periods. It
// answers how many there are.
func (w *Workshop) VerifyComparisons(ctx context.Context) (n int, err error) {
	err = w.desk.DB.View(ctx, func(tx *db.Tx) error {
		list, err := allCandidates(tx)
		if err != nil {
			return err
		}
		halves, err := w.gauge.Halves(tx)
		if err != nil {
			return err
		}
		for _, c := range list {
			text, _, err := getComparison(tx, c.ID)
			if errors.Is(err, desk.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if err := w.recompute(tx, c, text, halves); err != nil {
				return fmt.Errorf("candidate %s: %w", c.ID, err)
			}
			n++
		}
		return nil
	})
	return n, err
}

func (w *Workshop) recompute(tx *db.Tx, c Candidate, text []byte, halves []calibration.Halves) error {
	var given Comparison
	if err := json.Unmarshal(text, &given); err != nil {
		return errComparison
	}
	form, err := encode(c.Form)
	if err != nil || coop.Digest(form) != c.SHA256 || given.Candidate != c.SHA256 {
		return errComparison
	}
	try, err := tryOf(tx, c)
	if err != nil {
		return err
	}
	again := Comparison{Candidate: c.SHA256, Format: Format, InForce: given.InForce, Pairs: given.Pairs, Runs: given.Runs, Try: try}
	var pairs []learning.Pair
	for i, r := range given.Runs {
		k, err := getRun(tx, kept{Candidate: c.ID, Period: r.Period})
		if err != nil {
			return err
		}
		run, err := encode(r)
		if err != nil || !bytes.Equal(run, k.Run) || r.InForce != given.InForce || i >= len(given.Pairs) {
			return errComparison
		}
		for _, h := range halves {
			if h.Period == r.Period && h.Commitment == given.Pairs[i].Commitment {
				pairs = append(append(pairs, h.Open...), h.Sealed...)
			}
		}
	}
	if err := again.judge(pairs); err != nil {
		return err
	}
	same, err := encode(again)
	if err != nil || !bytes.Equal(same, text) {
		return errComparison
	}
	return nil
}
