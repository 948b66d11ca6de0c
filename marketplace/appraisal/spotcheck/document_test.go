package spotcheck

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
)

// document is a set of twelve members' answers, its other half still sealed.
func document(t *testing.T, r Record) Document {
	t.Helper()
	pairs := []learning.Pair{}
	for _, c := range r.Checks {
		pairs = append(pairs, learning.Pair{First: c.First, Group: c.Sheet, Period: r.Call.Period, Said: []string{learning.First, learning.First, learning.Tie}, Second: c.Second})
	}
	open, _, commitment, err := learning.Seal(r.Call.Period, strings.Repeat("5a", 32), pairs)
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return Document{Commitment: commitment, Format: DocumentFormat, Holdout: []byte("null"), Open: open, Period: r.Call.Period, Record: text}
}

// TestAnOpenHalfThatNobodyAnsweredIsRefused: while the other half is sealed, what can
// be told from the file alone, with its digest made anew, is told.
func TestAnOpenHalfThatNobodyAnsweredIsRefused(t *testing.T) {
	if _, err := document(t, seated(t, called(12, 60), nobody)).Recompute(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Document){
		"a pair twice":               func(d *Document) { d.Open[1] = d.Open[0] },
		"an answer nobody can give":  func(d *Document) { d.Open[0].Said[0] = "bogus" },
		"two answers":                func(d *Document) { d.Open[0].Said = d.Open[0].Said[:2] },
		"a pair nobody was drawn to": func(d *Document) { d.Open[0].First = "0" },
		"another period's pair":      func(d *Document) { d.Open[0].Period = "P0002" },
		"another period's record": func(d *Document) {
			d.Period = "P0002"
			for i := range d.Open {
				d.Open[i].Period = "P0002"
			}
		},
	} {
		d := document(t, seated(t, called(12, 60), nobody))
		change(&d)
		text, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if d, err = ParseDocument(text); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := d.Recompute(); !errors.Is(err, ErrDocument) && !errors.Is(err, learning.ErrPairs) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAPeriodIsNamedAsPeriodsAre: what a verifier prints cannot write its own verdict
// into a terminal.
func TestAPeriodIsNamedAsPeriodsAre(t *testing.T) {
	var f *fault.Error
	for _, id := range []string{"", "P1", "P0001\r\u001b[2K✓", "P0001\n", "p0001", " P0001"} {
		c := called(12, 60)
		c.Period = id
		r := seated(t, c, nobody)
		if err := r.Recompute(); !errors.As(err, &f) || !slices.Equal(f.Detail, []string{"its period"}) {
			t.Errorf("record of %q: %v", id, err)
		}
		text, err := document(t, r).JSON()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseDocument(text); !errors.As(err, &f) || !slices.Equal(f.Detail, []string{"its period"}) {
			t.Errorf("set of %q: %v", id, err)
		}
	}
}
