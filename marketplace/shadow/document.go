package shadow

import (
	"context"
	"encoding/json"
	"fmt"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal/comparison"
	"distributed.ai/datacoop/marketplace/desk"
)

// Comparison is what a candidate's runs show; see package comparison.
type Comparison = comparison.Comparison

// Run is what a candidate made of a period beside the judge in force.
type Run = comparison.Run

// Scores are what a judge made of a period's dossiers, as they count.
type Scores = comparison.Scores

// Source is a period that people judged, whose pairs something rests on.
type Source = comparison.Source

// ComparisonDocument is what is published of a candidate's newest comparison;
// desk.ErrNotFound before there is one.
func (w *Workshop) ComparisonDocument(ctx context.Context, id string) ([]byte, error) {
	var leaf int64
	out, err := desk.Read(ctx, w.desk.DB, func(tx *db.Tx) (comparison.Document, error) {
		text, _, err := getComparison(tx, id)
		if err != nil {
			return comparison.Document{}, err
		}
		out := comparison.Document{Comparison: text, Format: comparison.DocumentFormat, Halves: []comparison.Half{}}
		if leaf, err = leafOf(tx, id); err != nil {
			return comparison.Document{}, err
		}
		var given Comparison
		if err := json.Unmarshal(text, &given); err != nil {
			return comparison.Document{}, desk.Failed("comparison", err)
		}
		for _, from := range given.Pairs {
			half := comparison.Half{Commitment: from.Commitment, Period: from.Period}
			if half.Open, half.Holdout, err = w.gauge.Shown(tx, from.Period); err != nil {
				return comparison.Document{}, err
			}
			out.Halves = append(out.Halves, half)
		}
		return out, nil
	})
	if err != nil {
		return nil, err
	}
	if leaf >= 0 {
		proof, err := w.desk.Log.Proof(ctx, leaf)
		if err != nil {
			return nil, fmt.Errorf("shadow: proof: %w", err)
		}
		out.Proof = &proof
	}
	return out.JSON()
}
