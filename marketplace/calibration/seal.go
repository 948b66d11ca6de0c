package calibration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
	"distributed.ai/datacoop/marketplace/appraisal/spotcheck"
	"distributed.ai/datacoop/marketplace/desk"
)

// seal closes a period's set once nobody is waited for and the period is
// settled, so that its appeals are decided; until then it looks again later.
func (s *Gauge) seal(ctx context.Context, payload []byte) error {
	var j job
	if err := json.Unmarshal(payload, &j); err != nil {
		return fmt.Errorf("calibration: seal: %w", err)
	}
	verdicts, err := s.market.Record(ctx, j.Period)
	if err != nil && !errors.Is(err, desk.ErrNotFound) {
		return err
	}
	return s.desk.DB.Update(ctx, func(tx *db.Tx) error {
		p, err := getSet(tx, j.Period)
		if err != nil || p.State != stateAsking {
			return err
		}
		waiting, err := countOpen(tx, p.Period)
		if err != nil {
			return err
		}
		c, err := s.market.Contest(tx, p.Period)
		if err != nil {
			return err
		}
		if waiting > 0 || c.Open {
			at := s.desk.Clock().Add(again)
			return s.later(tx, kindSeal, fmt.Sprint(p.Period, "/", at.UnixMilli()), j, at)
		}
		return s.close(tx, p, verdicts)
	})
}

func (s *Gauge) close(tx *db.Tx, p set, verdicts []byte) error {
	record, pairs, err := said(tx, p)
	if err != nil {
		return err
	}
	contested, err := panels(verdicts)
	if err != nil {
		return err
	}
	open, sealed, commitment, err := learning.Seal(string(p.Period), s.salt(p.Period), append(pairs, contested...))
	if err != nil {
		return fmt.Errorf("calibration: seal: %w", err)
	}
	if p.record, err = record.JSON(); err != nil {
		return fmt.Errorf("calibration: record: %w", err)
	}
	if p.open, err = json.Marshal(open); err != nil {
		return fmt.Errorf("calibration: open half: %w", err)
	}
	p.State, p.holdout, p.commitment, p.sealed = stateSealed, sealed, commitment, s.desk.Now()
	p.sealedLeaf, err = s.desk.Log.Append(tx, audit.Event{Kind: "calibration.sealed", Revision: commitment, Verdict: stateSealed,
		Record: map[string]any{"period": string(p.Period), "pairs": len(pairs) + len(contested), "contested": len(contested), "record_sha256": coop.Digest(p.record)}})
	if err != nil {
		return fmt.Errorf("calibration: log: %w", err)
	}
	if err := putSet(tx, p); err != nil {
		return err
	}
	return s.Sealed(tx, p.Period)
}

// said is the record of a period's spot checks, and the pairs that three members
// answered.
func said(tx *db.Tx, p set) (spotcheck.Record, []learning.Pair, error) {
	out := spotcheck.Record{Call: p.Call, Checkpoint: p.Checkpoint, Checks: []spotcheck.Check{}, Format: spotcheck.Format, Leaf: p.Leaf, Of: p.Pairs, Why: p.Why}
	checks, err := listChecks(tx, p.Period)
	if err != nil {
		return out, nil, err
	}
	seats, err := listSeats(tx, p.Period)
	if err != nil {
		return out, nil, err
	}
	order, err := jury.Draw(p.Checkpoint, p.Leaf, p.Call.Roll)
	if err != nil {
		return out, nil, fmt.Errorf("calibration: draw: %w", err)
	}
	pairs := []learning.Pair{}
	for _, c := range checks {
		pair := learning.Pair{First: c.First, Second: c.Second, Group: c.Sheet, Period: string(p.Period)}
		c.Seats = []spotcheck.Seat{}
		for _, one := range seats {
			if one.Place != c.Place || one.State == stateReserve {
				continue
			}
			c.Seats = append(c.Seats, spotcheck.Seat{Name: one.Name, State: one.State})
			if one.State == jury.Scored {
				pair.Said = append(pair.Said, one.Said)
			}
		}
		slices.Sort(pair.Said) // the seats stand beside it: their order would tell who said what
		if len(c.Seats) > 0 {  // those passed over for names that were never asked are nobody's business
			c.Passed = c.Walked(order, len(c.Seats)) - len(c.Seats)
		}
		out.Checks = append(out.Checks, c.Check)
		if len(pair.Said) == spotcheck.Seats {
			pairs = append(pairs, pair)
		}
	}
	return out, pairs, nil
}

// panels turns the verdicts of a record of appeals into pairs with the middle of
// the scale.
func panels(record []byte) ([]learning.Pair, error) {
	if record == nil {
		return nil, nil
	}
	r, err := jury.Parse(record)
	if err != nil {
		return nil, err
	}
	byDossier := map[string]learning.Pair{}
	for _, c := range r.Cases {
		pair := byDossier[c.Dossier] // what several members made may be contested by each of them
		pair.First, pair.Second, pair.Group, pair.Period = c.Dossier, Middle, c.Standing.Kind, r.Period
		for _, seat := range c.Seats {
			if seat.State == jury.Scored {
				pair.Said = append(pair.Said, learning.Of(jury.ScoreOf(len(seat.Yes), len(c.Questions)), jury.Neutral))
			}
		}
		byDossier[c.Dossier] = pair
	}
	out := []learning.Pair{}
	for _, pair := range byDossier {
		slices.Sort(pair.Said)
		if len(pair.Said) >= jury.Fewest {
			out = append(out, pair)
		}
	}
	return out, nil
}

// discloseBefore publishes the sealed halves of the periods that are two or more
// before one whose set is begun.
func (s *Gauge) discloseBefore(tx *db.Tx, id coop.PeriodID) error {
	earlier, err := earlierSets(tx, id)
	if err != nil || len(earlier) < learning.DiscloseAfter {
		return err
	}
	for _, p := range earlier[learning.DiscloseAfter-1:] { // newest first
		if p.State != stateSealed || p.disclosed > 0 {
			continue
		}
		if p.disclosed = s.desk.Now(); p.disclosed == 0 {
			p.disclosed = 1
		}
		if err := putSet(tx, p); err != nil {
			return err
		}
		_, err := s.desk.Log.Append(tx, audit.Event{Kind: "calibration.disclosed", Revision: p.commitment, Verdict: "disclosed",
			Record: map[string]any{"period": string(p.Period)}})
		if err != nil {
			return fmt.Errorf("calibration: log: %w", err)
		}
	}
	return nil
}

// View is a period's set as members may read it.
type View struct {
	Period     coop.PeriodID
	State      string // called, asking or sealed
	Asked      int    // pairs that members are asked about
	Of         int    // of as many
	Why        string // nobody is asked
	Record     []byte // of the draw, once sealed
	Open       []learning.Pair
	Commitment string // SHA-256 of the sealed half
	SealedAt   int64
	Holdout    []byte // the sealed half, once disclosed
}

// Calibration finds a period's set; desk.ErrNotFound before there is one.
func (s *Gauge) Calibration(ctx context.Context, id coop.PeriodID) (View, error) {
	return desk.Read(ctx, s.desk.DB, func(tx *db.Tx) (View, error) {
		p, err := getSet(tx, id)
		if err != nil {
			return View{}, err
		}
		return view(tx, p)
	})
}

// Calibrations lists all sets, newest first.
func (s *Gauge) Calibrations(ctx context.Context) ([]View, error) {
	return desk.Read(ctx, s.desk.DB, func(tx *db.Tx) ([]View, error) {
		list, err := allSets(tx)
		out := make([]View, len(list))
		for i, p := range list {
			if err == nil {
				out[i], err = view(tx, p)
			}
		}
		return out, err
	})
}

func view(tx *db.Tx, p set) (out View, err error) {
	out = View{Period: p.Period, State: p.State, Of: p.Pairs, Why: p.Why, Commitment: p.commitment, SealedAt: p.sealed, Open: []learning.Pair{}}
	if out.Asked, err = countAsked(tx, p.Period); err != nil || p.State == stateCalled {
		return out, err
	}
	if out.Asked == 0 && out.Why == "" { // there are pairs, and nobody without an interest in them
		out.Why = spotcheck.FewMembers
	}
	if p.State != stateSealed {
		return out, nil
	}
	out.Record = p.record
	if p.disclosed > 0 {
		out.Holdout = p.holdout
	}
	return out, json.Unmarshal(p.open, &out.Open)
}

// Halves are a sealed period's pairs, for measuring judges by them on the
// server: the sealed half is not for showing.
type Halves struct {
	Period       coop.PeriodID
	Open, Sealed []learning.Pair
	Commitment   string
}

// Halves lists the sets that are sealed, oldest first.
func (s *Gauge) Halves(tx *db.Tx) ([]Halves, error) {
	list, err := allSets(tx)
	if err != nil {
		return nil, err
	}
	out := []Halves{}
	for _, p := range slices.Backward(list) {
		if p.State != stateSealed {
			continue
		}
		h := Halves{Period: p.Period, Commitment: p.commitment}
		if err := json.Unmarshal(p.open, &h.Open); err != nil {
			return nil, fmt.Errorf("calibration: open half: %w", err)
		}
		held, err := learning.Disclose(p.commitment, p.holdout, h.Open)
		if err != nil {
			return nil, fmt.Errorf("calibration: %s: %w", p.Period, err)
		}
		h.Sealed = held.Pairs
		out = append(out, h)
	}
	return out, nil
}

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
	ahead, err := s.desk.Log.Ahead(ctx, []byte(p.Checkpoint))
	if err != nil || ahead > 0 {
		return errors.Join(errRecord, err)
	}
	var record struct {
		SHA256 string `json:"record_sha256"`
	}
	for _, one := range []struct {
		at             int64
		kind, revision string
	}{{p.Leaf, "calibration.called", p.Call.SHA256()}, {p.sealedLeaf, "calibration.sealed", p.commitment}} {
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
	if record.SHA256 != coop.Digest(p.record) {
		return errRecord
	}
	return nil
}

func verify(tx *db.Tx, p set, verdicts []byte) error {
	record, pairs, err := said(tx, p)
	if err != nil {
		return err
	}
	text, err := record.JSON()
	if err != nil {
		return err
	}
	if err := record.Recompute(); err != nil {
		return err
	}
	contested, err := panels(verdicts)
	if err != nil {
		return err
	}
	var open []learning.Pair
	if err := json.Unmarshal(p.open, &open); err != nil || !bytes.Equal(text, p.record) {
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
