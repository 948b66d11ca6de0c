package calibration

import (
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
	p.record = record
	if p.open, err = json.Marshal(open); err != nil {
		return fmt.Errorf("calibration: open half: %w", err)
	}
	p.State, p.holdout, p.commitment, p.sealed = stateSealed, sealed, commitment, s.desk.Now()
	p.sealedLeaf, err = s.desk.Log.Append(tx, audit.Event{Kind: "calibration.sealed", Revision: commitment, Verdict: stateSealed,
		Record: map[string]any{"period": string(p.Period), "pairs": len(pairs) + len(contested), "contested": len(contested),
			"record_sha256": coop.Digest(p.record), "open_sha256": learning.OpenSHA256(open)}})
	if err != nil {
		return fmt.Errorf("calibration: log: %w", err)
	}
	if err := putSealed(tx, p); err != nil {
		return err
	}
	return s.Sealed(tx, p.Period)
}

// said is the record of a period's spot checks, and the pairs that three members
// answered.
func said(tx *db.Tx, p set) (record []byte, pairs []learning.Pair, err error) {
	checks, err := listChecks(tx, p.Period)
	if err != nil {
		return nil, nil, err
	}
	seats, err := listSeats(tx, p.Period)
	if err != nil {
		return nil, nil, err
	}
	asked := make([][]seat, len(checks))
	for _, one := range seats {
		if one.State != stateReserve && one.Place < len(checks) {
			asked[one.Place] = append(asked[one.Place], one)
		}
	}
	pairs = []learning.Pair{}
	for i, c := range checks {
		pair := learning.Pair{First: c.First, Second: c.Second, Group: c.Sheet, Period: string(p.Period)}
		for _, one := range asked[i] {
			if one.State == jury.Scored {
				pair.Said = append(pair.Said, one.Said)
			}
		}
		slices.Sort(pair.Said) // the seats stand beside it: their order would tell who said what
		if len(pair.Said) == spotcheck.Seats {
			pairs = append(pairs, pair)
		}
	}
	if p.seals == nil {
		record, err = earlier(p, checks, asked)
		return record, pairs, err
	}
	out := spotcheck.Record{Call: p.Call, Checkpoint: p.Checkpoint, Checks: []spotcheck.Check{}, Format: spotcheck.Format, Leaf: p.Leaf, Members: p.seals.Members,
		Of: p.Pairs, SeatCheckpoint: p.seatCheckpoint, SeatLeaf: p.seatLeaf, Why: p.Why}
	drawn, err := listDraws(tx, p.Period)
	if err != nil {
		return nil, nil, err
	}
	for i, c := range drawn {
		states := []string{}
		for _, one := range asked[i] {
			states = append(states, one.State)
		}
		out.Checks = append(out.Checks, spotcheck.Seated(c, out.Members, states))
	}
	out.PassedOver = spotcheck.Count(out.Checks)
	record, err = out.JSON()
	return record, pairs, err
}

// earlier is the record of a set with one roll for all pairs.
func earlier(p set, checks []check, asked [][]seat) ([]byte, error) {
	out := spotcheck.Earlier{Call: p.Call, Checkpoint: p.Checkpoint, Checks: []spotcheck.EarlierCheck{}, Format: spotcheck.EarlierFormat, Leaf: p.Leaf, Of: p.Pairs, Why: p.Why}
	order, err := jury.Draw(p.Checkpoint, p.Leaf, p.Call.Roll)
	if err != nil {
		return nil, fmt.Errorf("calibration: draw: %w", err)
	}
	for i, c := range checks {
		one := spotcheck.EarlierCheck{First: c.First, From: c.earlier.From, Passed: c.earlier.Passed, Seats: []spotcheck.Seat{}, Second: c.Second, Sheet: c.Sheet}
		for _, s := range asked[i] {
			one.Seats = append(one.Seats, spotcheck.Seat{Name: s.Name, State: s.State})
		}
		if len(one.Seats) > 0 { // those passed over for names that were never asked are nobody's business
			one.Passed = one.Walked(order, len(one.Seats)) - len(one.Seats)
		}
		out.Checks = append(out.Checks, one)
	}
	return out.JSON()
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
	due, err := toDisclose(tx, id, learning.DiscloseAfter-1)
	if err != nil {
		return err
	}
	for _, p := range due {
		if err := putDisclosed(tx, p.Period, max(1, s.desk.Now())); err != nil {
			return err
		}
		_, err := s.desk.Log.Append(tx, audit.Event{Kind: "calibration.disclosed", Revision: p.Commitment, Verdict: "disclosed",
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
