package calibration

import (
	"context"
	"encoding/json"
	"errors"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
	"distributed.ai/datacoop/marketplace/appraisal/spotcheck"
	"distributed.ai/datacoop/marketplace/desk"
)

// Shown is the open half of a sealed set, and the other, which is JSON's null
// until it is disclosed.
func (s *Gauge) Shown(tx *db.Tx, id coop.PeriodID) (open []learning.Pair, holdout []byte, err error) {
	p, err := getSet(tx, id)
	if err != nil {
		return nil, nil, err
	}
	return p.published()
}

func (p set) published() (open []learning.Pair, holdout []byte, err error) {
	holdout = []byte("null")
	if p.disclosed > 0 {
		holdout = p.holdout
	}
	open = []learning.Pair{}
	err = json.Unmarshal(p.open, &open)
	return open, holdout, desk.Failed("open half", err)
}

// checkpoints are those that pairs and people were drawn by.
func (p set) checkpoints() []string {
	if p.seals == nil {
		return []string{p.Checkpoint}
	}
	return []string{p.Checkpoint, p.seatCheckpoint}
}

// CalibrationDocument is what is published of a period's sealed set;
// desk.ErrNotFound before there is one, desk.ErrState before it is sealed.
func (s *Gauge) CalibrationDocument(ctx context.Context, id coop.PeriodID) ([]byte, error) {
	p, err := getSetIn(ctx, s.desk, id)
	if err != nil {
		return nil, err
	}
	if p.State != stateSealed {
		return nil, desk.ErrState
	}
	out := spotcheck.Document{Commitment: p.commitment, Format: spotcheck.DocumentFormat, Period: string(id), Proofs: []audit.Proof{}, Record: p.record}
	if out.Open, out.Holdout, err = p.published(); err != nil {
		return nil, err
	}
	leaves := []int64{p.Leaf, p.sealedLeaf}
	if p.seals != nil {
		leaves = []int64{p.Leaf, p.seatLeaf, p.sealedLeaf}
	}
	for _, at := range leaves {
		proof, err := s.desk.Log.Proof(ctx, at)
		if err != nil {
			return nil, errors.Join(errRecord, err)
		}
		out.Proofs = append(out.Proofs, proof)
	}
	earlier, last := out.Checkpoints(p.checkpoints())
	for _, text := range earlier {
		proof, err := s.desk.Log.Consistency(ctx, text, last)
		if err != nil {
			return nil, errors.Join(errRecord, err)
		}
		out.Consistency = append(out.Consistency, proof)
	}
	return out.JSON()
}
