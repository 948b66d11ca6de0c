package spotcheck

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/marketplace/appraisal/jury"
)

// earlier is a record as it was made when all pairs shared one roll; one of whom
// it asked is passed over at every pair but the first.
func earlier(t *testing.T) Earlier {
	t.Helper()
	c := called(0, 60)
	c.Roll = []string{}
	for i := range 30 {
		c.Roll = append(c.Roll, fmt.Sprintf("p-%04d", i))
	}
	pairs, of, err := Pairs(c, checkpoint, 7)
	if err != nil {
		t.Fatal(err)
	}
	order, err := jury.Draw(checkpoint, 7, c.Roll)
	if err != nil {
		t.Fatal(err)
	}
	r := Earlier{Call: c, Checkpoint: checkpoint, Format: EarlierFormat, Leaf: 7, Of: of}
	at := 0
	for i, p := range pairs {
		one := EarlierCheck{First: p.First, Second: p.Second, Sheet: p.Sheet, From: at % len(order)}
		if i == 1 { // the first in turn has an interest
			one.Passed, at = 1, at+1
		}
		for range Seats {
			one.Seats = append(one.Seats, Seat{order[at%len(order)], jury.Scored})
			at++
		}
		r.Checks = append(r.Checks, one)
	}
	return r
}

func TestARecordOfOneRollForAllPairsIsStillComputedAgain(t *testing.T) {
	text, err := earlier(t).JSON()
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseEarlier(text)
	if err != nil || r.Recompute() != nil {
		t.Fatal(err, r.Recompute())
	}
	for name, change := range map[string]func(*Earlier){
		"another panellist":   func(r *Earlier) { r.Checks[0].Seats[0].Name = "p-9999" },
		"one asked twice":     func(r *Earlier) { r.Checks[0].Seats[1] = r.Checks[0].Seats[0] },
		"a seat left out":     func(r *Earlier) { r.Checks[0].Seats = r.Checks[0].Seats[1:] },
		"a friendly pair":     func(r *Earlier) { r.Checks[0].First = r.Checks[1].First },
		"a pair left out":     func(r *Earlier) { r.Checks = r.Checks[1:] },
		"another checkpoint":  func(r *Earlier) { r.Checkpoint = strings.Replace(checkpoint, "qINS", "qINT", 1) },
		"an old checkpoint":   func(r *Earlier) { r.Leaf = 40 },
		"a longer roll":       func(r *Earlier) { r.Call.Roll = append(slices.Clone(r.Call.Roll), "p-9999") },
		"a state of its own":  func(r *Earlier) { r.Checks[0].Seats[0].State = jury.Waiting },
		"names chosen freely": func(r *Earlier) { r.Checks[1].From, r.Checks[1].Seats = r.Checks[2].From, r.Checks[2].Seats },
		"one passed over and not counted": func(r *Earlier) {
			r.Checks[0].Seats = append(r.Checks[0].Seats[1:], Seat{r.Checks[1].Seats[0].Name, jury.Scored})
		},
		"more counted than passed over": func(r *Earlier) { r.Checks[0].Passed++ },
		"nobody asked without a reason": func(r *Earlier) { r.Checks[0].Seats = []Seat{} },
		"an excuse":                     func(r *Earlier) { r.Why = FewMembers },
		"members without names":         nobodyAsked,
	} {
		r := earlier(t)
		change(&r)
		if err := r.Recompute(); !errors.Is(err, ErrDiffers) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseEarlier([]byte(`{"format":"datacoop-spotchecks/1","extra":1}`)); !errors.Is(err, ErrDiffers) {
		t.Error(err)
	}
	none := earlier(t)
	nobodyAsked(&none)
	if text, err = none.JSON(); err != nil {
		t.Fatal(err)
	}
	if _, err := ParseEarlier(text); !errors.Is(err, ErrDiffers) {
		t.Errorf("thirty members, and nobody asked: %v", err)
	}
}

// nobodyAsked is a record that says how many members there are, as later ones do,
// and names none of them.
func nobodyAsked(r *Earlier) {
	r.Call.Members, r.Call.Roll = 30, nil
	for i, c := range r.Checks {
		r.Checks[i] = EarlierCheck{First: c.First, Second: c.Second, Sheet: c.Sheet, Seats: []Seat{}}
	}
}
