package spotcheck

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/jury"
)

// The log's heads when the pairs and when the people are drawn.
const (
	checkpoint = "coop.example/log\n9\nqINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n\n— sig\n"
	later      = "coop.example/log\n12\nqINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n\n— sig\n"
)

// called is a period with so many members and dossiers of two sheets.
func called(members, dossiers int) Call {
	c := Call{BundleSHA256: strings.Repeat("b", 64), Members: members, Period: "P0001", Subjects: []Subject{}}
	for i := range dossiers {
		c.Subjects = append(c.Subjects, Subject{fmt.Sprintf("%032x", i), []string{"data", "work-code"}[i%2]})
	}
	return c
}

// name is a member's at one pair.
func name(p Pair, member int) string {
	return appraisal.Pseudonym([]byte("key"), "P0001", "panellist of "+p.First, fmt.Sprint(member))
}

// seated draws and has everybody answer but those whom silent names by check and
// turn; why says what keeps a member from a pair.
func seated(t *testing.T, c Call, why func(check, member int) string, silent ...[2]int) Record {
	t.Helper()
	return reseated(t, c, name, why, silent...)
}

// reseated is seated with other names on the rolls.
func reseated(t *testing.T, c Call, name func(p Pair, member int) string, why func(check, member int) string, silent ...[2]int) Record {
	t.Helper()
	pairs, of, err := Pairs(c, checkpoint, 7)
	if err != nil {
		t.Fatal(err)
	}
	r := Record{Call: c, Checkpoint: checkpoint, Checks: []Check{}, Format: Format, Leaf: 7, Members: c.Members, Of: of,
		SeatCheckpoint: later, SeatLeaf: 9, Why: Why(c, of)}
	for i, p := range pairs {
		places := []Place{}
		for m := range c.Members {
			places = append(places, Place{name(p, m), why(i, m)})
		}
		roll, err := NewRoll(c.Period, p, places)
		if err != nil {
			t.Fatal(err)
		}
		order, err := Order(later, 9, p, c.Members)
		if err != nil {
			t.Fatal(err)
		}
		drawn, free, err := roll.Draw(order, Seats+Reserves)
		if err != nil {
			t.Fatal(err)
		}
		root, err := roll.Root()
		if err != nil {
			t.Fatal(err)
		}
		states := []string{}
		for wanted := Seats; free >= Seats && len(states) < wanted && len(states) < free; {
			if slices.Contains(silent, [2]int{i, len(states)}) {
				states, wanted = append(states, jury.Silent), wanted+1
			} else {
				states = append(states, jury.Scored)
			}
		}
		r.Checks = append(r.Checks, Seated(Check{Pair: p, Drawn: drawn, Root: root}, c.Members, states))
	}
	r.PassedOver = Count(r.Checks)
	return r
}

func nobody(int, int) string { return "" }

func TestPairsAreOfOneSheetAndADossierIsInOne(t *testing.T) {
	r := seated(t, called(30, 101), nobody)
	if r.Of != 50 || len(r.Checks) != 20 {
		t.Fatalf("%d of %d", len(r.Checks), r.Of)
	}
	seen, sheet := map[string]bool{}, map[string]string{}
	for _, s := range r.Call.Subjects {
		sheet[s.Dossier] = s.Sheet
	}
	for _, c := range r.Checks {
		if seen[c.First] || seen[c.Second] || c.First >= c.Second || sheet[c.First] != c.Sheet || sheet[c.Second] != c.Sheet || len(c.Drawn) != Seats {
			t.Fatalf("%+v", c)
		}
		seen[c.First], seen[c.Second] = true, true
	}
	if err := r.Recompute(); err != nil {
		t.Fatal(err)
	}
	text, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(text)
	if err != nil || again.Recompute() != nil || again.Call.SHA256() != r.Call.SHA256() || again.Seals().SHA256() != r.Seals().SHA256() {
		t.Fatal(err)
	}
}

// TestNobodyIsFollowedFromOneSpotCheckToAnother: thirty members sit sixty times,
// and no name, place or path of the record occurs twice.
func TestNobodyIsFollowedFromOneSpotCheckToAnother(t *testing.T) {
	r := seated(t, called(30, 101), nobody)
	seen, slots := map[string]bool{}, map[int]bool{}
	for _, c := range r.Checks {
		for _, d := range c.Drawn {
			if seen[d.Name] {
				t.Fatalf("%s sits twice", d.Name)
			}
			seen[d.Name], slots[d.Slot] = true, true
		}
	}
	if len(seen) != 60 || len(slots) < 15 {
		t.Errorf("%d names on %d places", len(seen), len(slots))
	}
	// A member's place differs from roll to roll, or the place would be a name.
	where := map[int]bool{}
	for _, c := range r.Checks {
		names := []string{}
		for m := range 30 {
			names = append(names, name(c.Pair, m))
		}
		slices.Sort(names)
		where[slices.Index(names, name(c.Pair, 0))] = true
	}
	if len(where) < 5 {
		t.Errorf("a member keeps to %d places", len(where))
	}
}

func TestEveryPlaceIsDrawnOnceAndAllAlike(t *testing.T) {
	first := map[int]int{}
	for i := range 600 {
		order, err := Order(later, 9, Pair{First: fmt.Sprint(i), Second: "x"}, 6)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int]bool{}
		for slot, more := order(); more; slot, more = order() {
			if len(seen) == 0 {
				first[slot]++
			}
			if seen[slot] || slot < 0 || slot > 5 {
				t.Fatalf("%d again", slot)
			}
			seen[slot] = true
		}
		if len(seen) != 6 {
			t.Fatalf("%d of 6 were drawn", len(seen))
		}
	}
	for slot, n := range first {
		if n < 60 || n > 140 {
			t.Errorf("place %d is first %d times of 600", slot, n)
		}
	}
}

func TestATwentiethIsAskedAboutAndNobodyTooOften(t *testing.T) {
	for _, c := range []struct{ members, dossiers, pairs, of int }{{2000, 2000, 50, 1000}, {4, 200, 4 * MostEach / Seats, 100}} {
		pairs, of, err := Pairs(called(c.members, c.dossiers), checkpoint, 7)
		if err != nil || len(pairs) != c.pairs || of != c.of {
			t.Errorf("%d of %d, %v", len(pairs), of, err)
		}
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

// barred keeps ten of twelve from the first pair, six as makers and four as
// reviewers.
func barred(i, member int) string {
	switch {
	case i == 0 && member < 6:
		return Own
	case i == 0 && member < 10:
		return Reviewed
	}
	return ""
}

func TestWhoHasAnInterestIsPassedOverForAReasonThatWasSealed(t *testing.T) {
	r := seated(t, called(12, 8), barred)
	c := r.Checks[0] // two of twelve have none, so nobody is asked and everybody's place is open
	if len(c.Drawn) != 12 || r.PassedOver[0] != (Times{Own, 6}) || r.PassedOver[1] != (Times{Reviewed, 4}) {
		t.Fatalf("%+v, %+v", c, r.PassedOver)
	}
	if err := r.Recompute(); err != nil {
		t.Fatal(err)
	}
	passed := 0
	r = seated(t, called(40, 40), func(_, member int) string {
		if member < 20 {
			return Own
		}
		return ""
	}, [2]int{1, 0}, [2]int{2, 2})
	for _, c := range r.Checks {
		for _, d := range c.Drawn {
			if d.Reason != "" {
				passed++
			}
		}
	}
	if passed == 0 || r.PassedOver[0].Times != passed || r.Recompute() != nil {
		t.Errorf("%d were passed over: %+v, %v", passed, r.PassedOver, r.Recompute())
	}
}

func TestARecordThatWasChangedIsRefused(t *testing.T) {
	for name, change := range map[string]func(*Record){
		"another panellist":    func(r *Record) { r.Checks[1].Drawn[0].Name = "p-9999" },
		"one asked twice":      func(r *Record) { r.Checks[1].Drawn[1] = r.Checks[1].Drawn[0] },
		"a place left out":     func(r *Record) { r.Checks[1].Drawn = r.Checks[1].Drawn[1:] },
		"nobody drawn":         func(r *Record) { r.Checks[1].Drawn = nil },
		"a friendly pair":      func(r *Record) { r.Checks[1].First = r.Checks[2].First },
		"a pair left out":      func(r *Record) { r.Checks = r.Checks[1:] },
		"another checkpoint":   func(r *Record) { r.Checkpoint = strings.Replace(checkpoint, "qINS", "qINT", 1) },
		"another second one":   func(r *Record) { r.SeatCheckpoint = strings.Replace(later, "qINS", "qINT", 1) },
		"an old checkpoint":    func(r *Record) { r.Leaf = 40 },
		"seals after the draw": func(r *Record) { r.SeatLeaf = 50 },
		"seals before pairs":   func(r *Record) { r.SeatLeaf = 7 },
		"more members":         func(r *Record) { r.Call.Members *= 2; r.Members *= 2 },
		"a longer roll":        func(r *Record) { r.Members++ },
		"another roll":         func(r *Record) { r.Checks[1].Root[0] ^= 1 },
		"a reason made up":     func(r *Record) { r.Checks[1].Drawn[0].Reason, r.Checks[1].Drawn[0].State = Own, "" },
		"a reason of its own":  func(r *Record) { r.Checks[0].Drawn[0].Reason = "dislike" },
		"a reason taken away":  func(r *Record) { dropReason(r) },
		"a state of its own":   func(r *Record) { r.Checks[1].Drawn[0].State = jury.Waiting },
		"one not asked":        func(r *Record) { r.Checks[1].Drawn[0].State = "" },
		"asked though barred":  func(r *Record) { barredAsked(r) },
		"too few asked": func(r *Record) {
			d := r.Checks[1].Drawn
			d[len(d)-1].State = jury.Silent
		},
		"counted otherwise":             func(r *Record) { r.PassedOver[0].Times-- },
		"not counted":                   func(r *Record) { r.PassedOver = nil },
		"nobody asked without a reason": func(r *Record) { r.Checks[1].Drawn = []Drawn{} },
		"an excuse":                     func(r *Record) { r.Why = FewMembers },
	} {
		r := seated(t, called(12, 60), barred)
		if err := r.Recompute(); err != nil {
			t.Fatal(err)
		}
		change(&r)
		if err := r.Recompute(); !errors.Is(err, ErrDiffers) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Parse([]byte(`{"format":"datacoop-spotchecks/2","extra":1}`)); !errors.Is(err, ErrDiffers) {
		t.Error(err)
	}
}

// dropReason has somebody who was passed over asked instead.
func dropReason(r *Record) {
	for i := range r.Checks[0].Drawn {
		if d := &r.Checks[0].Drawn[i]; d.Reason != "" {
			d.Reason = ""
			return
		}
	}
}

func barredAsked(r *Record) {
	for i := range r.Checks[0].Drawn {
		if d := &r.Checks[0].Drawn[i]; d.Reason != "" {
			d.State = jury.Scored
			return
		}
	}
}

// TestOneChangedByteOfARecordIsRefused: also where its digest is made anew. What
// only the log can tell are the digests of the call and of the seals, and whose
// signatures the checkpoints carry.
func TestOneChangedByteOfARecordIsRefused(t *testing.T) {
	was := seated(t, called(12, 60), barred)
	text, err := was.JSON()
	if err != nil {
		t.Fatal(err)
	}
	unsigned := func(checkpoint string) string { text, _, _ := strings.Cut(checkpoint, "\n\n"); return text }
	recomputed := 0
	for at := range text {
		if at%41 != 0 {
			continue
		}
		bad := slices.Clone(text)
		bad[at] ^= 1
		if _, err := Parse(bad); !errors.Is(err, ErrDiffers) {
			t.Errorf("byte %d was changed and nobody noticed", at)
		}
		var r Record
		if json.Unmarshal(bad, &r) != nil {
			continue
		}
		again, err := r.JSON()
		if err != nil || bytes.Equal(again, text) {
			continue
		}
		if r, err = Parse(again); err != nil || r.Recompute() != nil {
			recomputed++
			continue
		}
		same := r.Call.SHA256() == was.Call.SHA256() && r.Seals().SHA256() == was.Seals().SHA256()
		if same && unsigned(r.SeatCheckpoint) == unsigned(was.SeatCheckpoint) && r.SeatCheckpoint != was.SeatCheckpoint {
			continue
		}
		if same {
			t.Errorf("byte %d, in %q, was changed, the digest made anew, and nobody noticed", at, text[max(0, at-20):min(len(text), at+20)])
		}
	}
	if recomputed < 50 {
		t.Errorf("only %d changes were left to notice", recomputed)
	}
}

// TestNumbersThatNobodyCanCountWithAreRefused: they neither stop a verifier nor keep
// it busy for ever.
func TestNumbersThatNobodyCanCountWithAreRefused(t *testing.T) {
	for name, change := range map[string]func(*Record){
		"more than can be multiplied": func(r *Record) { r.Call.Members, r.Members = 1152921504606846976, 1152921504606846976 },
		"more than a tree can hold":   func(r *Record) { r.Members = 4611686018427387905 },
		"both of them":                func(r *Record) { r.Call.Members, r.Members = 4611686018427387905, 4611686018427387905 },
		"fewer than none":             func(r *Record) { r.Call.Members, r.Members = -1, -1 },
		"more than a co-op has":       func(r *Record) { r.Call.Members, r.Members = MostMembers+1, MostMembers+1 },
	} {
		r := seated(t, called(12, 60), nobody)
		change(&r)
		text, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(text); !errors.Is(err, ErrDiffers) {
			t.Errorf("%s: %v", name, err)
		}
		if err := r.Recompute(); !errors.Is(err, ErrDiffers) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestARollIsAsLongAsItsCallSaid: neither fewer are on it, nor is one of them there
// more than once.
func TestARollIsAsLongAsItsCallSaid(t *testing.T) {
	c := called(30, 60)
	short := seated(t, c, nobody)
	short.Call.Members = 40 // draws as many pairs
	if err := short.Recompute(); !errors.Is(err, ErrDiffers) {
		t.Errorf("ten were left out of every roll: %v", err)
	}
	friend := reseated(t, c, func(p Pair, _ int) string { return name(p, 0) }, nobody)
	var f *fault.Error
	if err := friend.Recompute(); !errors.As(err, &f) || !slices.Equal(f.Detail, []string{"a name holds two places"}) {
		t.Errorf("one member holds all places of a roll: %v", err)
	}
}
