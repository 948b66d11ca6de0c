package spotcheck

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/marketplace/appraisal/jury"
)

const checkpoint = "coop.example/log\n40\nqINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n\n— sig\n"

// called is a period with so many members and dossiers of two sheets.
func called(members, dossiers int) Call {
	c := Call{BundleSHA256: strings.Repeat("b", 64), Period: "P0001", Roll: []string{}, Subjects: []Subject{}}
	for i := range members {
		c.Roll = append(c.Roll, fmt.Sprintf("p-%04d", i))
	}
	for i := range dossiers {
		c.Subjects = append(c.Subjects, Subject{fmt.Sprintf("%032x", i), []string{"data", "work-code"}[i%2]})
	}
	return c
}

// seated draws and has everybody answer; bar says who has an interest.
func seated(t *testing.T, c Call, bar func(check int, name string) bool) Record {
	t.Helper()
	checks, of, err := Pairs(c, checkpoint, 7)
	if err != nil {
		t.Fatal(err)
	}
	order, err := jury.Draw(checkpoint, 7, c.Roll)
	if err != nil {
		t.Fatal(err)
	}
	from := 0
	for i := range checks {
		checks[i].From = from
		for range Seats {
			name, ok := checks[i].Next(order, func(n string) bool { return bar(i, n) })
			if !ok {
				break
			}
			checks[i].Seats = append(checks[i].Seats, Seat{name, jury.Scored})
		}
		if len(checks[i].Seats) < Seats {
			checks[i].Seats = []Seat{}
			continue
		}
		from = checks[i].Reached(order)
	}
	return Record{Call: c, Checkpoint: checkpoint, Checks: checks, Format: Format, Leaf: 7, Of: of, Why: Why(c, of)}
}

func nobody(int, string) bool { return false }

func TestPairsAreOfOneSheetAndADossierIsInOne(t *testing.T) {
	r := seated(t, called(30, 101), nobody)
	if r.Of != 50 || len(r.Checks) != 20 {
		t.Fatalf("%d of %d", len(r.Checks), r.Of)
	}
	seen, sheet := map[string]bool{}, map[string]string{}
	for _, s := range r.Call.Subjects {
		sheet[s.Dossier] = s.Sheet
	}
	load := map[string]int{}
	for _, c := range r.Checks {
		if seen[c.First] || seen[c.Second] || c.First >= c.Second || sheet[c.First] != c.Sheet || sheet[c.Second] != c.Sheet {
			t.Fatalf("%+v", c)
		}
		seen[c.First], seen[c.Second] = true, true
		for _, s := range c.Seats {
			load[s.Name]++
		}
	}
	for name, n := range load {
		if n != 2 { // 20 pairs of 3 among 30 members
			t.Errorf("%s is asked %d times", name, n)
		}
	}
	if err := r.Recompute(); err != nil {
		t.Fatal(err)
	}
	text, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(text)
	if err != nil || again.Recompute() != nil || again.Call.SHA256() != r.Call.SHA256() {
		t.Fatal(err)
	}
}

func TestATwentiethIsAskedAboutAndNobodyTooOften(t *testing.T) {
	if r := seated(t, called(2000, 2000), nobody); len(r.Checks) != 50 || r.Of != 1000 {
		t.Errorf("%d of %d", len(r.Checks), r.Of)
	}
	if r := seated(t, called(4, 200), nobody); len(r.Checks) != 4*MostEach/Seats {
		t.Errorf("four members are asked about %d pairs", len(r.Checks))
	}
}

func TestTooFewAreNotAskedAndTold(t *testing.T) {
	for want, c := range map[string]Call{FewMembers: called(2, 40), FewDossiers: called(9, 2)} {
		r := seated(t, c, nobody)
		if len(r.Checks) != 0 || r.Why != want || r.Recompute() != nil {
			t.Errorf("%+v", r)
		}
	}
}

func TestWhoHasAnInterestIsPassedOver(t *testing.T) {
	bar := func(i int, name string) bool { return i == 0 && name < "p-0010" }
	r := seated(t, called(12, 8), bar)
	if len(r.Checks[0].Seats) != 0 || r.Checks[0].Passed != 10 { // two of twelve have none
		t.Fatalf("%+v", r.Checks[0])
	}
	if err := r.Recompute(); err != nil {
		t.Fatal(err)
	}
}

func TestARecordThatWasChangedIsRefused(t *testing.T) {
	for name, change := range map[string]func(*Record){
		"another panellist":   func(r *Record) { r.Checks[0].Seats[0].Name = "p-9999" },
		"one asked twice":     func(r *Record) { r.Checks[0].Seats[1] = r.Checks[0].Seats[0] },
		"a seat left out":     func(r *Record) { r.Checks[0].Seats = r.Checks[0].Seats[1:] },
		"a friendly pair":     func(r *Record) { r.Checks[0].First = r.Checks[1].First },
		"a pair left out":     func(r *Record) { r.Checks = r.Checks[1:] },
		"another checkpoint":  func(r *Record) { r.Checkpoint = strings.Replace(checkpoint, "qINS", "qINT", 1) },
		"an old checkpoint":   func(r *Record) { r.Leaf = 40 },
		"a longer roll":       func(r *Record) { r.Call.Roll = append(slices.Clone(r.Call.Roll), "p-9999") },
		"a state of its own":  func(r *Record) { r.Checks[0].Seats[0].State = jury.Waiting },
		"names chosen freely": func(r *Record) { r.Checks[1].From, r.Checks[1].Seats = r.Checks[2].From, r.Checks[2].Seats },
		"one passed over and not counted": func(r *Record) {
			r.Checks[0].Seats = append(r.Checks[0].Seats[1:], Seat{r.Checks[1].Seats[0].Name, jury.Scored})
		},
		"more counted than passed over": func(r *Record) { r.Checks[0].Passed++ },
		"nobody asked without a reason": func(r *Record) { r.Checks[0].Seats = []Seat{} },
		"an excuse":                     func(r *Record) { r.Why = FewMembers },
	} {
		r := seated(t, called(30, 60), nobody)
		change(&r)
		if err := r.Recompute(); !errors.Is(err, ErrDiffers) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Parse([]byte(`{"format":"datacoop-spotchecks/1","extra":1}`)); !errors.Is(err, ErrDiffers) {
		t.Error(err)
	}
}
