package calibration

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/checklist"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
	"distributed.ai/datacoop/marketplace/desk"
)

// What a member says of a pair as it is shown to them.
const (
	Left  = "left"
	Right = "right"
	Same  = "same"
)

// Side is a dossier as a judge saw it.
type Side struct {
	Facts []appraisal.Fact
	Text  string // of work, cleaned as for a model
}

// Duty is a pair that a member is or was asked about: neither whose the dossiers
// are, nor what a judge or anybody else made of them.
type Duty struct {
	ID        string
	Period    coop.PeriodID
	Kind      string
	Class     string
	Left      Side
	Right     Side
	Rubric    string // what members want weighed, in their words
	Questions []checklist.Question
	Deadline  int64
	State     string // of the seat, see package jury
	Said      string // Left, Right or Same; "" before
}

// idOf names a pair in an address.
func idOf(p coop.PeriodID, place int) string { return string(p) + "-" + strconv.Itoa(place) }

func placeOf(id string) (coop.PeriodID, int, error) {
	period, number, ok := strings.Cut(id, "-")
	place, err := strconv.Atoi(number)
	if !ok || err != nil {
		return "", 0, ErrNotAsked
	}
	return coop.PeriodID(period), place, nil
}

// swapped says by lot whether a member sees the second dossier on the left.
func (s seat) swapped() bool {
	return sha256.Sum256([]byte(s.Name + " " + strconv.Itoa(s.Place)))[0]&1 == 1
}

// SpotChecks lists what a member is or was asked about, newest first.
func (s *Gauge) SpotChecks(ctx context.Context, m coop.MemberID) ([]Duty, error) {
	return desk.Read(ctx, s.desk.DB, func(tx *db.Tx) ([]Duty, error) {
		mine, err := seatsOf(tx, m)
		if err != nil {
			return nil, err
		}
		out := make([]Duty, 0, len(mine))
		bundles := map[coop.PeriodID]appraisal.Bundle{}
		for _, one := range mine {
			d, err := s.dutyOf(tx, one, bundles)
			if err != nil {
				return nil, err
			}
			out = append(out, d)
		}
		return out, nil
	})
}

// SpotChecksWaiting counts the pairs that wait for a member's answer.
func (s *Gauge) SpotChecksWaiting(ctx context.Context, m coop.MemberID) (int, error) {
	return desk.Read(ctx, s.desk.DB, func(tx *db.Tx) (int, error) { return countWaiting(tx, m, s.desk.Now()) })
}

// dutyOf shows a seat. Bundles that were read before are in the map.
func (s *Gauge) dutyOf(tx *db.Tx, one seat, bundles map[coop.PeriodID]appraisal.Bundle) (Duty, error) {
	c, err := getCheck(tx, one.Period, one.Place)
	if err != nil {
		return Duty{}, err
	}
	b, known := bundles[one.Period]
	if !known {
		contest, err := s.market.Contest(tx, one.Period)
		if err != nil {
			return Duty{}, err
		}
		if b, err = appraisal.ParseBundle(contest.Bundle); err != nil {
			return Duty{}, fmt.Errorf("calibration: bundle: %w", err)
		}
		bundles[one.Period] = b
	}
	out := Duty{ID: idOf(one.Period, one.Place), Period: one.Period, Kind: c.Kind, Class: c.Class, Rubric: s.desk.Charter.Rubric,
		Questions: checklist.For(c.Kind, c.Class), Deadline: one.Deadline, State: one.State}
	sides := [2]Side{}
	for i, id := range []string{c.First, c.Second} {
		d, _ := b.Dossier(id)
		sides[i].Facts = d.Facts
		if c.Refs[i] == "" {
			continue
		}
		w, err := s.desk.Governance.Contribution(tx.Context(), coop.ContributionID(c.Refs[i]))
		if err != nil {
			return Duty{}, fmt.Errorf("calibration: work: %w", err)
		}
		sides[i].Text = appraisal.NewExhibit(id, w.Title+"\n"+w.Text).Text
	}
	left, right := learning.First, learning.Second
	if out.Left, out.Right = sides[0], sides[1]; one.swapped() {
		out.Left, out.Right = out.Right, out.Left
		left, right = right, left
	}
	out.Said = map[string]string{left: Left, right: Right, learning.Tie: Same}[one.Said]
	return out, nil
}

// AnswerSpotCheck takes what a member says of a pair: Left or Right for the one
// that deserves more, Same for neither. It stands. Faults: ErrNotAsked, ErrOver,
// ErrAnswer.
func (s *Gauge) AnswerSpotCheck(ctx context.Context, m coop.MemberID, id, said string) (Duty, error) {
	return s.speak(ctx, m, id, func(tx *db.Tx, one seat) error {
		words := map[string]string{Left: learning.First, Right: learning.Second, Same: learning.Tie}
		if one.swapped() {
			words[Left], words[Right] = words[Right], words[Left]
		}
		if one.Said = words[said]; one.Said == "" {
			return ErrAnswer
		}
		one.State = jury.Scored
		return answerSeat(tx, one, s.desk.Now())
	})
}

// PassSpotCheck gives a seat to the next in the round: for somebody with an
// interest in the pair, or who cannot tell.
func (s *Gauge) PassSpotCheck(ctx context.Context, m coop.MemberID, id string) (Duty, error) {
	return s.speak(ctx, m, id, func(tx *db.Tx, one seat) error {
		one.State = jury.Stepped
		return s.vacate(tx, one)
	})
}

func (s *Gauge) speak(ctx context.Context, m coop.MemberID, id string, say func(*db.Tx, seat) error) (Duty, error) {
	period, place, err := placeOf(id)
	if err != nil {
		return Duty{}, err
	}
	err = s.desk.DB.Update(ctx, func(tx *db.Tx) error {
		one, err := seatOf(tx, period, place, m)
		switch {
		case err != nil:
			return err
		case one.State != jury.Waiting || s.desk.Now() >= one.Deadline:
			return ErrOver
		}
		return say(tx, one)
	})
	if err != nil {
		return Duty{}, err
	}
	return desk.Read(ctx, s.desk.DB, func(tx *db.Tx) (Duty, error) { // a bundle is long: not while others wait to write
		one, err := seatOf(tx, period, place, m)
		if err != nil {
			return Duty{}, err
		}
		return s.dutyOf(tx, one, map[coop.PeriodID]appraisal.Bundle{})
	})
}

// vacate closes a seat without an answer and asks who stands ready, if anybody.
func (s *Gauge) vacate(tx *db.Tx, one seat) error {
	if err := answerSeat(tx, one, s.desk.Now()); err != nil {
		return err
	}
	next, err := nextReserve(tx, one.Period, one.Place)
	if errors.Is(err, desk.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	next.Deadline = s.desk.Now() + s.answerTime()
	if err := askSeat(tx, next); err != nil {
		return err
	}
	return s.watch(tx, next)
}

var errEarly = errors.New("calibration: too early by the domain clock")

// overdue takes the seat of somebody who let the time pass.
func (s *Gauge) overdue(ctx context.Context, payload []byte) error {
	var j job
	if err := json.Unmarshal(payload, &j); err != nil {
		return fmt.Errorf("calibration: overdue: %w", err)
	}
	return s.desk.DB.Update(ctx, func(tx *db.Tx) error {
		one, err := getSeat(tx, j.Period, j.Place, j.Seat)
		if err != nil || one.State != jury.Waiting {
			return err
		}
		if one.Deadline > s.desk.Now() {
			return errEarly
		}
		one.State = jury.Silent
		return s.vacate(tx, one)
	})
}

// Serve adds the answers given in [from, to) (Unix ms) to the duties of a
// period's evidence, one sum for each member: which pairs they are for would show
// who sat together. Stepping back and silence earn nothing.
func (s *Gauge) Serve(tx *db.Tx, from, to int64, ev *appraisal.Evidence) error {
	done, err := answered(tx, from, to)
	points := map[coop.MemberID]int64{}
	for _, one := range done {
		points[one.Member] += Points
	}
	for _, m := range slices.Sorted(maps.Keys(points)) {
		ev.Duties = append(ev.Duties, appraisal.Duty{Member: string(m), Kind: DutyKind, Ref: DutyKind, Points: points[m], Grade: appraisal.GradeServer})
	}
	return err
}
