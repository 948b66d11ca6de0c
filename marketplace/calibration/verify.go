package calibration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
	"distributed.ai/datacoop/marketplace/appraisal/spotcheck"
	"distributed.ai/datacoop/marketplace/desk"
)

var errRecord = errors.New("calibration: what was sealed is not what members answered")

// VerifyCalibration draws every period's spot checks again, makes its pairs anew
// from the answers, and holds call, checkpoint and both halves against what the
// log took. It answers how many sets were sealed.
func (s *Gauge) VerifyCalibration(ctx context.Context) (n int, err error) {
	list, err := desk.Read(ctx, s.desk.DB, allSets)
	if err != nil {
		return 0, err
	}
	for _, p := range list {
		if p.State != stateSealed {
			continue
		}
		verdicts, err := s.market.Record(ctx, p.Period)
		if err != nil && !errors.Is(err, desk.ErrNotFound) {
			return n, err
		}
		if err := s.desk.DB.View(ctx, func(tx *db.Tx) error { return verify(tx, p, verdicts) }); err != nil {
			return n, fmt.Errorf("calibration: %s: %w", p.Period, err)
		}
		if err := s.witnessed(ctx, p); err != nil {
			return n, fmt.Errorf("calibration: %s: %w", p.Period, err)
		}
		n++
	}
	return n, nil
}

// witnessed holds a set against the log: what it fixed before the draw, the
// signed checkpoint that decided it, and what was sealed.
func (s *Gauge) witnessed(ctx context.Context, p set) error {
	type noted struct {
		at             int64
		kind, revision string
	}
	all := []noted{{p.Leaf, "calibration.called", p.Call.SHA256()}, {p.sealedLeaf, "calibration.sealed", p.commitment}}
	if p.seals != nil {
		all = slices.Insert(all, 1, noted{p.seatLeaf, "calibration.paired", p.seals.SHA256()})
	}
	for _, head := range p.checkpoints() {
		if ahead, err := s.desk.Log.Ahead(ctx, []byte(head)); err != nil || ahead > 0 {
			return errors.Join(errRecord, err)
		}
	}
	var record struct {
		SHA256 string `json:"record_sha256"`
		Open   string `json:"open_sha256"` // "" of a set from before
	}
	for _, one := range all {
		proof, err := s.desk.Log.Proof(ctx, one.at)
		if err != nil {
			return errors.Join(errRecord, err)
		}
		var leaf struct{ Kind, Revision string }
		err = errors.Join(json.Unmarshal(proof.Leaf, &leaf), json.Unmarshal(proof.Record, &record))
		if err != nil || leaf.Kind != one.kind || leaf.Revision != one.revision {
			return errors.Join(errRecord, err)
		}
	}
	open, _, err := p.published()
	if err != nil || record.SHA256 != coop.Digest(p.record) || record.Open != "" && record.Open != learning.OpenSHA256(open) {
		return errors.Join(errRecord, err)
	}
	return nil
}

func verify(tx *db.Tx, p set, verdicts []byte) error {
	record, pairs, err := said(tx, p)
	if err != nil {
		return err
	}
	if _, err := spotcheck.Redraw(record); err != nil {
		return err
	}
	contested, err := panels(verdicts)
	if err != nil {
		return err
	}
	var open []learning.Pair
	if err := json.Unmarshal(p.open, &open); err != nil || !bytes.Equal(record, p.record) {
		return errRecord
	}
	held, err := learning.Disclose(p.commitment, p.holdout, open)
	if err != nil {
		return err
	}
	again, sealed, _, err := learning.Seal(string(p.Period), held.Salt, append(pairs, contested...))
	if err != nil {
		return err
	}
	left, err := json.Marshal(again)
	if err != nil || !bytes.Equal(left, p.open) || !bytes.Equal(sealed, p.holdout) {
		return errRecord
	}
	return nil
}
