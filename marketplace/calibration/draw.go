package calibration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
	"distributed.ai/datacoop/marketplace/appraisal/spotcheck"
	"distributed.ai/datacoop/marketplace/desk"
)

// check is a pair as it is asked about.
type check struct {
	spotcheck.Check
	Place       int
	Kind, Class string
	Refs        [2]string // contributions whose text is shown
	seats       []seat
	earlier     spotcheck.EarlierCheck // where its round begins, in a set with one roll for all pairs
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

// paired is what rolls are made from: as it was when they were sealed, whatever
// happens before people are drawn.
type paired struct {
	Members []coop.MemberID `json:"members"`
	Pairs   []pairing       `json:"pairs"` // in the order of their lots
}

type pairing struct {
	spotcheck.Pair
	Kind  string                   `json:"kind"`
	Class string                   `json:"class"`
	Refs  [2]string                `json:"refs"`
	Why   map[coop.MemberID]string `json:"why"` // of those who are not asked
}

// roll seals a pair's roll, and says who stands behind its names.
func (p paired) roll(key []byte, id coop.PeriodID, at pairing) (*spotcheck.Roll, map[string]coop.MemberID, error) {
	places, who := make([]spotcheck.Place, len(p.Members)), make(map[string]coop.MemberID, len(p.Members))
	for i, m := range p.Members {
		places[i] = spotcheck.Place{Name: nameOf(key, id, at.Pair, m), Reason: at.Why[m]}
		who[places[i].Name] = m
	}
	r, err := spotcheck.NewRoll(string(id), at.Pair, places)
	return r, who, err
}

// listed are the members that a period's call counted; those of now where it was
// called before they were kept.
func (s *Gauge) listed(ctx context.Context, id coop.PeriodID, now []coop.MemberID) ([]coop.MemberID, error) {
	text, err := desk.Read(ctx, s.desk.DB, func(tx *db.Tx) ([]byte, error) { return getRoll(tx, id) })
	if errors.Is(err, desk.ErrNotFound) {
		return now, nil
	}
	if err != nil {
		return nil, err
	}
	var called paired
	if err := json.Unmarshal(text, &called); err != nil {
		return nil, fmt.Errorf("calibration: roll: %w", err)
	}
	return called.Members, nil
}

// pair draws what is compared by a checkpoint taken now, after the call, and has
// the log take the seals of the rolls.
func (s *Gauge) pair(ctx context.Context, was set) error {
	checkpoint, err := s.desk.Log.Checkpoint(ctx)
	if err != nil {
		return fmt.Errorf("calibration: checkpoint: %w", err)
	}
	v, err := s.look(ctx, was.Period)
	if err != nil {
		return err
	}
	if v.members, err = s.listed(ctx, was.Period, v.members); err != nil {
		return err
	}
	was.Checkpoint = string(checkpoint)
	drawn, of, err := spotcheck.Pairs(was.Call, was.Checkpoint, was.Leaf)
	if err != nil {
		return err
	}
	was.Pairs, was.Why = of, spotcheck.Why(was.Call, of)
	was.seals = &spotcheck.Seals{CallSHA256: was.Call.SHA256(), Checkpoint: was.Checkpoint, Members: len(v.members), Roots: []tlog.Hash{}}
	out := paired{Members: v.members, Pairs: []pairing{}}
	for _, p := range drawn {
		d, _ := v.bundle.Dossier(p.First) // of a statement that was amended since, it may be gone; then nothing is shown
		one := pairing{Pair: p, Kind: d.Kind, Class: d.Class, Refs: [2]string{v.works[p.First], v.works[p.Second]}, Why: map[coop.MemberID]string{}}
		for _, m := range v.members {
			if why := v.why(p, m); why != "" {
				one.Why[m] = why
			}
		}
		roll, _, err := out.roll(v.key, was.Period, one)
		if err != nil {
			return err
		}
		root, err := roll.Root()
		if err != nil {
			return fmt.Errorf("calibration: seal: %w", err)
		}
		out.Pairs, was.seals.Roots = append(out.Pairs, one), append(was.seals.Roots, root)
	}
	text, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("calibration: rolls: %w", err)
	}
	return s.desk.DB.Update(ctx, func(tx *db.Tx) error {
		if now, err := getSet(tx, was.Period); err != nil || now.State != stateCalled || now.seals != nil {
			return err
		}
		was.seatLeaf, err = s.desk.Log.Append(tx, audit.Event{Kind: "calibration.paired", Revision: was.seals.SHA256(), Verdict: "paired",
			Record: map[string]any{"period": string(was.Period), "pairs": len(drawn), "of": of, "roll": len(v.members)}})
		if err != nil {
			return fmt.Errorf("calibration: log: %w", err)
		}
		if err := putPaired(tx, was, text); err != nil {
			return err
		}
		return s.later(tx, kindDraw, string(was.Period)+"/people", job{Period: was.Period}, s.desk.Clock())
	})
}

// draw draws pairs, and then, by a checkpoint taken after their rolls were sealed,
// people.
func (s *Gauge) draw(ctx context.Context, payload []byte) error {
	var j job
	if err := json.Unmarshal(payload, &j); err != nil {
		return fmt.Errorf("calibration: draw: %w", err)
	}
	was, err := getSetIn(ctx, s.desk, j.Period)
	if err != nil || was.State != stateCalled {
		return err
	}
	if was.seals == nil {
		return s.pair(ctx, was)
	}
	checkpoint, err := s.desk.Log.Checkpoint(ctx)
	if err != nil {
		return fmt.Errorf("calibration: checkpoint: %w", err)
	}
	was.State, was.seatCheckpoint, was.asked = stateAsking, string(checkpoint), s.desk.Now()
	checks, err := s.deal(ctx, was)
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
		if err := putSeated(tx, was); err != nil {
			return err
		}
		err := s.desk.Note(tx, "calibration.drawn", "drawn", map[string]any{"period": string(j.Period), "pairs": len(checks), "of": was.Pairs, "why": was.Why})
		if err != nil {
			return err
		}
		return s.later(tx, kindSeal, string(j.Period), job{Period: j.Period}, s.desk.Clock())
	})
}

// deal draws who is asked about each pair from its sealed roll.
func (s *Gauge) deal(ctx context.Context, p set) ([]check, error) {
	var sealed paired
	var key []byte
	err := s.desk.DB.View(ctx, func(tx *db.Tx) error {
		text, err := getRoll(tx, p.Period)
		if err != nil {
			return err
		}
		c, err := s.market.Contest(tx, p.Period)
		key = c.Key
		if err == nil {
			err = json.Unmarshal(text, &sealed)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("calibration: rolls: %w", err)
	}
	out := make([]check, len(sealed.Pairs))
	for i, one := range sealed.Pairs {
		roll, who, err := sealed.roll(key, p.Period, one)
		if err != nil {
			return nil, err
		}
		order, err := spotcheck.Order(p.seatCheckpoint, p.seatLeaf, one.Pair, len(sealed.Members))
		if err != nil {
			return nil, err
		}
		drawn, free, err := roll.Draw(order, spotcheck.Seats+spotcheck.Reserves)
		if err != nil {
			return nil, err
		}
		c := check{Check: spotcheck.Check{Pair: one.Pair, Drawn: drawn, Root: p.seals.Roots[i]}, Place: i, Kind: one.Kind, Class: one.Class, Refs: one.Refs}
		if free >= spotcheck.Seats { // too few without an interest: nobody is asked in vain
			c.seats = s.seatsAt(p.Period, c, who)
		}
		out[i] = c
	}
	return out, nil
}

// seatsAt are those who are asked about a pair at first, and those who stand ready.
func (s *Gauge) seatsAt(id coop.PeriodID, c check, who map[string]coop.MemberID) (out []seat) {
	for _, d := range c.Drawn {
		if d.Reason != "" {
			continue
		}
		one := seat{Period: id, Place: c.Place, Seat: len(out), Member: who[d.Name], Name: d.Name, State: stateReserve}
		if len(out) < spotcheck.Seats {
			one.State, one.Deadline = jury.Waiting, s.desk.Now()+s.answerTime()
		}
		out = append(out, one)
	}
	return out
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

// watch tells a member whose turn it is, and looks after the seat when its time is
// over. It is told once for each pair, whatever happens at the others.
func (s *Gauge) watch(tx *db.Tx, one seat) error {
	told := coop.Notice{Kind: coop.NoticeSpotCheck, Ref: idOf(one.Period, one.Place), Until: one.Deadline, To: []coop.Addressee{{Member: one.Member}}}
	if err := s.jobs.Tell(tx, told); err != nil {
		return fmt.Errorf("calibration: tell: %w", err)
	}
	key := string(one.Period) + "/" + strconv.Itoa(one.Place) + "/" + strconv.Itoa(one.Seat)
	return s.later(tx, kindOverdue, key, job{one.Period, one.Place, one.Seat}, time.UnixMilli(one.Deadline))
}
