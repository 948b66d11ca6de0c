package shadow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal/comparison"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
	"distributed.ai/datacoop/marketplace/calibration"
	"distributed.ai/datacoop/marketplace/desk"
)

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
		leaf, err := w.desk.Log.Append(tx, audit.Event{Kind: "shadow.compared", Revision: coop.Digest(text), Verdict: strings.ReplaceAll(out.Verdict.Answer, " ", "-"),
			Record: map[string]any{"candidate": c.ID, "pairs": out.Verdict.Pairs, "periods": len(out.Runs)}})
		if err != nil {
			return fmt.Errorf("shadow: log: %w", err)
		}
		return putComparison(tx, c.ID, out.Verdict.Answer, text, w.desk.Now(), leaf)
	})
}

// comparison compares over all periods that were sealed and in which the
// candidate ran.
func (w *Workshop) comparison(tx *db.Tx, c Candidate) (Comparison, error) {
	out := Comparison{Candidate: c.SHA256, Format: comparison.Format, Pairs: []Source{}, Runs: []Run{}}
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
			out.Runs, out.Pairs = append(out.Runs, r), append(out.Pairs, Source{Period: h.Period, Commitment: h.Commitment, Pairs: len(all)})
			pairs = append(pairs, all...)
		}
	}
	return out, out.Judge(pairs)
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
	again := Comparison{Candidate: c.SHA256, Format: comparison.Format, InForce: given.InForce, Pairs: given.Pairs, Runs: given.Runs, Try: try}
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
	if err := again.Judge(pairs); err != nil {
		return err
	}
	same, err := encode(again)
	if err != nil || !bytes.Equal(same, text) {
		return errComparison
	}
	return nil
}
