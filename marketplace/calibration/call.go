package calibration

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/checklist"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/appraisal/spotcheck"
	"distributed.ai/datacoop/marketplace/desk"
)

// set is a period's row.
type set struct {
	Period     coop.PeriodID
	State      string
	Call       spotcheck.Call
	Leaf       int64
	Checkpoint string
	Pairs      int
	Why        string
	record     []byte
	open       []byte
	holdout    []byte
	commitment string
	asked      int64
	sealed     int64
	sealedLeaf int64
	disclosed  int64
}

// scene is what a draw is made from, read outside of any write.
type scene struct {
	bundle   appraisal.Bundle
	digest   string
	key      []byte
	names    map[string]coop.MemberID          // of all members
	interest map[string]map[coop.MemberID]bool // by dossier
	works    map[string]string                 // contribution by dossier
}

// nameOf is a member's pseudonym in one period's spot checks.
func nameOf(key []byte, id coop.PeriodID, m coop.MemberID) string {
	return appraisal.Pseudonym(key, string(id), "panellist of spot checks", string(m))
}

// look reads a period as it can be compared now.
func (s *Gauge) look(ctx context.Context, id coop.PeriodID) (out scene, err error) {
	var ev appraisal.Evidence
	err = s.desk.DB.View(ctx, func(tx *db.Tx) error {
		c, err := s.market.Contest(tx, id)
		if err != nil {
			return err
		}
		out.key, out.digest = c.Key, coop.Digest(c.Bundle)
		if out.bundle, err = appraisal.ParseBundle(c.Bundle); err != nil {
			return fmt.Errorf("calibration: bundle: %w", err)
		}
		ev, err = s.market.Evidence(tx, id)
		return err
	})
	if err != nil {
		return scene{}, err
	}
	out.interests(id, ev)
	out.names = map[string]coop.MemberID{}
	for before := ""; ; {
		page, err := s.desk.Governance.Members(ctx, governance.Page{Before: before, Limit: 100})
		if err != nil {
			return scene{}, fmt.Errorf("calibration: members: %w", err)
		}
		for _, m := range page {
			out.names[nameOf(out.key, id, m.ID)] = m.ID
		}
		if len(page) < 100 {
			return out, nil
		}
		before = string(page[len(page)-1].ID)
	}
}

// interests notes whose every dossier is, and who reviewed it.
func (v *scene) interests(id coop.PeriodID, ev appraisal.Evidence) {
	v.interest, v.works = map[string]map[coop.MemberID]bool{}, map[string]string{}
	note := func(kind, ref, member string) string {
		dossier := appraisal.DossierID(ev.Salt, kind, ref)
		if v.interest[dossier] == nil {
			v.interest[dossier] = map[coop.MemberID]bool{}
		}
		v.interest[dossier][coop.MemberID(member)] = true
		return dossier
	}
	name := func(kind, ref string) string { return appraisal.Pseudonym(v.key, string(id), kind, ref) }
	for _, u := range ev.Data {
		note(appraisal.KindData, name("dataset", u.Dataset), u.Member)
	}
	for _, w := range ev.Work {
		v.works[note(appraisal.KindWork, name("contribution", w.Contribution), w.Member)] = w.Contribution
	}
	for _, d := range ev.Duties {
		note(appraisal.KindGovernance, appraisal.DutyRef(name("member", d.Member), d.Kind), d.Member)
		if d.Ref != "" { // a review is an interest in what was reviewed
			note(appraisal.KindWork, name("contribution", d.Ref), d.Member)
		}
	}
}

// call fixes who may be drawn and what can be compared.
func (s *Gauge) call(ctx context.Context, payload []byte) error {
	var j job
	if err := json.Unmarshal(payload, &j); err != nil {
		return fmt.Errorf("calibration: call: %w", err)
	}
	v, err := s.look(ctx, j.Period)
	if err != nil {
		return err
	}
	c := spotcheck.Call{BundleSHA256: v.digest, Period: string(j.Period), Roll: []string{}, Subjects: []spotcheck.Subject{}}
	for name := range v.names {
		c.Roll = append(c.Roll, name)
	}
	slices.Sort(c.Roll)
	for id := range v.interest {
		if d, ok := v.bundle.Dossier(id); ok {
			c.Subjects = append(c.Subjects, spotcheck.Subject{Dossier: id, Sheet: checklist.Name(d.Kind, d.Class)})
		}
	}
	slices.SortFunc(c.Subjects, func(a, b spotcheck.Subject) int { return cmp.Compare(a.Dossier, b.Dossier) })
	return s.desk.DB.Update(ctx, func(tx *db.Tx) error {
		if _, err := getSet(tx, j.Period); !errors.Is(err, desk.ErrNotFound) {
			return err
		}
		leaf, err := s.desk.Log.Append(tx, audit.Event{Kind: "calibration.called", Revision: c.SHA256(), Verdict: stateCalled,
			Record: map[string]any{"period": string(j.Period), "roll": len(c.Roll), "dossiers": len(c.Subjects)}})
		if err != nil {
			return fmt.Errorf("calibration: log: %w", err)
		}
		if err := insertSet(tx, set{Period: j.Period, State: stateCalled, Call: c, Leaf: leaf}); err != nil {
			return err
		}
		if err := s.discloseBefore(tx, j.Period); err != nil {
			return err
		}
		return s.later(tx, kindDraw, string(j.Period), j, s.desk.Clock())
	})
}

// check is a pair as it is asked about.
type check struct {
	spotcheck.Check
	Place       int
	Kind, Class string
	Refs        [2]string // contributions whose text is shown
	seats       []seat
}

// seat is a member's place at a pair.
type seat struct {
	Period   coop.PeriodID
	Place    int
	Seat     int
	Member   coop.MemberID
	Name     string
	State    string
	Said     string
	Deadline int64
}

// stateReserve is a seat that is not asked yet.
const stateReserve = "reserve"

// draw seats members by a checkpoint taken now, after the call.
func (s *Gauge) draw(ctx context.Context, payload []byte) error {
	var j job
	if err := json.Unmarshal(payload, &j); err != nil {
		return fmt.Errorf("calibration: draw: %w", err)
	}
	was, err := desk.Read(ctx, s.desk.DB, func(tx *db.Tx) (set, error) { return getSet(tx, j.Period) })
	if err != nil || was.State != stateCalled {
		return err
	}
	checkpoint, err := s.desk.Log.Checkpoint(ctx)
	if err != nil {
		return fmt.Errorf("calibration: checkpoint: %w", err)
	}
	v, err := s.look(ctx, j.Period)
	if err != nil {
		return err
	}
	was.State, was.Checkpoint, was.asked = stateAsking, string(checkpoint), s.desk.Now()
	checks, err := s.deal(&was, v)
	if err != nil {
		return err
	}
	return s.desk.DB.Update(ctx, func(tx *db.Tx) error {
		if now, err := getSet(tx, j.Period); err != nil || now.State != stateCalled {
			return err
		}
		for _, c := range checks {
			if err := s.seat(tx, was.Period, c); err != nil {
				return err
			}
		}
		if err := putSet(tx, was); err != nil {
			return err
		}
		err := s.desk.Note(tx, "calibration.drawn", "drawn", map[string]any{"period": string(j.Period), "pairs": len(checks), "of": was.Pairs, "why": was.Why})
		if err != nil {
			return err
		}
		return s.later(tx, kindSeal, string(j.Period), job{Period: j.Period}, s.desk.Clock())
	})
}

// deal draws pairs and who is asked about them.
func (s *Gauge) deal(p *set, v scene) ([]check, error) {
	drawn, of, err := spotcheck.Pairs(p.Call, p.Checkpoint, p.Leaf)
	if err != nil {
		return nil, err
	}
	order, err := jury.Draw(p.Checkpoint, p.Leaf, p.Call.Roll)
	if err != nil {
		return nil, err
	}
	p.Pairs, p.Why = of, spotcheck.Why(p.Call, of)
	out := make([]check, len(drawn))
	from := 0
	for i := range drawn {
		d, _ := v.bundle.Dossier(drawn[i].First) // of a statement that was amended since, it may be gone; then nothing is shown
		c := check{Check: drawn[i], Place: i, Kind: d.Kind, Class: d.Class, Refs: [2]string{v.works[drawn[i].First], v.works[drawn[i].Second]}}
		c.From = from
		barred := func(name string) bool {
			m := v.names[name]
			return m == "" || v.interest[c.First][m] || v.interest[c.Second][m]
		}
		for n := range spotcheck.Seats + reserves {
			if n == spotcheck.Seats {
				from = c.Reached(order)
			}
			name, ok := c.Next(order, barred)
			if !ok {
				break
			}
			c.Seats = append(c.Seats, spotcheck.Seat{Name: name})
			one := seat{Period: p.Period, Place: i, Seat: n, Member: v.names[name], Name: name, State: stateReserve}
			if n < spotcheck.Seats {
				one.State, one.Deadline = jury.Waiting, s.desk.Now()+s.answerTime()
			}
			c.seats = append(c.seats, one)
		}
		if len(c.Seats) < spotcheck.Seats { // too few without an interest: nobody is asked in vain
			c.seats = nil
		}
		out[i] = c
	}
	return out, nil
}

// seat stores a pair and asks those who sit at it.
func (s *Gauge) seat(tx *db.Tx, id coop.PeriodID, c check) error {
	if err := insertCheck(tx, id, c); err != nil {
		return err
	}
	for _, one := range c.seats {
		if err := insertSeat(tx, one); err != nil {
			return err
		}
		if one.State == jury.Waiting {
			if err := s.watch(tx, one); err != nil {
				return err
			}
		}
	}
	return nil
}

// watch looks after a seat when its time is over.
func (s *Gauge) watch(tx *db.Tx, one seat) error {
	key := string(one.Period) + "/" + strconv.Itoa(one.Place) + "/" + strconv.Itoa(one.Seat)
	return s.later(tx, kindOverdue, key, job{one.Period, one.Place, one.Seat}, time.UnixMilli(one.Deadline))
}
