package jury

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const checkpoint = "coop.example/log\n42\nMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=\n\n— coop.example/log sig\n"

func roll(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("p-%03d", i))
	}
	return out
}

func TestTheDrawFollowsFromTheCheckpointAlone(t *testing.T) {
	order, err := Draw(checkpoint, 41, roll(50))
	if err != nil || len(order) != 50 {
		t.Fatal(order, err)
	}
	if got := strings.Join(order[:5], " "); got != pinned {
		t.Errorf("drawn %s", got)
	}
	again, _ := Draw(checkpoint, 41, roll(50))
	if !slices.Equal(order, again) {
		t.Error("a draw is not the same twice")
	}
	for name, other := range map[string]func() ([]string, error){
		"another leaf":  func() ([]string, error) { return Draw(checkpoint, 40, roll(50)) },
		"another root":  func() ([]string, error) { return Draw(strings.Replace(checkpoint, "MTIz", "MTI0", 1), 41, roll(50)) },
		"another size":  func() ([]string, error) { return Draw(strings.Replace(checkpoint, "42", "43", 1), 41, roll(50)) },
		"another co-op": func() ([]string, error) { return Draw(strings.Replace(checkpoint, "coop", "koop", 1), 41, roll(50)) },
	} {
		if drawn, err := other(); err != nil || slices.Equal(drawn, order) {
			t.Errorf("%s draws the same panel, %v", name, err)
		}
	}
	sorted := slices.Sorted(slices.Values(order))
	if !slices.Equal(sorted, roll(50)) {
		t.Error("the draw lost or invented somebody")
	}
}

func TestADrawIsFair(t *testing.T) {
	seated := map[string]int{}
	for leaf := range int64(2000) {
		order, err := Draw(strings.Replace(checkpoint, "42", "9999", 1), leaf, roll(20))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range order[:Seats] {
			seated[name]++
		}
	}
	for _, name := range roll(20) { // 500 expected, standard deviation 19
		if n := seated[name]; n < 400 || n > 600 {
			t.Errorf("%s was seated %d times", name, n)
		}
	}
}

func TestWhatIsNoDrawIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		checkpoint string
		leaf       int64
		roll       []string
	}{
		"empty":                        {"", 0, roll(9)},
		"no root":                      {"o\n42\n\n\n", 0, roll(9)},
		"no number":                    {"o\nx\nr\n\n", 0, roll(9)},
		"a number written another way": {"o\n042\nr\n\n", 0, roll(9)},
		"taken before the appeal":      {checkpoint, 42, roll(9)},
		"a leaf below zero":            {checkpoint, -1, roll(9)},
		"a name twice":                 {checkpoint, 0, []string{"a", "a"}},
		"out of order":                 {checkpoint, 0, []string{"b", "a"}},
	} {
		if order, err := Draw(c.checkpoint, c.leaf, c.roll); err == nil {
			t.Errorf("%s: %v", name, order)
		}
	}
}

func TestThePanelsScoreIsTheLowerMedian(t *testing.T) {
	for _, c := range []struct {
		scores []int64
		want   int64
		ok     bool
	}{
		{[]int64{1000, 0, 500, 700, 600}, 600, true},
		{[]int64{900, 100, 300, 700}, 300, true},
		{[]int64{5, 6, 7}, 6, true},
		{[]int64{5, 6}, 0, false},
		{nil, 0, false},
	} {
		if got, ok := Median(c.scores); got != c.want || ok != c.ok {
			t.Errorf("%v: %d, %v", c.scores, got, ok)
		}
	}
	for n, want := range map[int]int{0: 0, 2: 0, 3: 3, 4: 3, 5: 5, 900: 5} {
		if got := SeatsFor(n); got != want {
			t.Errorf("%d members give %d seats", n, got)
		}
	}
}

func TestAClaimIsTheCappedFactorLessWhatIsPaid(t *testing.T) {
	s := Standing{Baseline: 1200, Paid: 1080, Beta: 250, Score: 300}
	for score, want := range map[int64]int64{
		1000: 1200*135/100 - 1080, // 1 + 0.25 + 0.10
		833:  1479 - 1080,         // 1200 × (1 + 0.35×0.666) = 1479.72, rounded down
		500:  1200 - 1080,
		300:  0, // 1200 × (1 − 0.14) = 1032 is less than what is paid
	} {
		if got := s.Claim(score, 100); got != want {
			t.Errorf("score %d claims %d, want %d", score, got, want)
		}
	}
	most := Standing{Baseline: 9_000_000_000_000, Beta: 500}
	if got := most.Claim(1000, 500); got != 18_000_000_000_000 {
		t.Errorf("the largest claim is %d", got)
	}
}

func TestAwardsNeverExceedTheReserveAndUseItUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		claims := rapid.SliceOfN(rapid.Int64Range(0, 1<<40), 0, 12).Draw(t, "claims")
		reserve := rapid.Int64Range(0, 1<<41).Draw(t, "reserve")
		sum, paid := int64(0), int64(0)
		for _, c := range claims {
			sum += c
		}
		awards := Awards(claims, reserve)
		for i, a := range awards {
			if a < 0 || a > claims[i] {
				t.Fatalf("claim %d is awarded %d", claims[i], a)
			}
			paid += a
		}
		if paid != min(sum, reserve) {
			t.Fatalf("%d of %d claimed and %d reserved is paid", paid, sum, reserve)
		}
	})
}

// decided is a record of one case that five members were drawn into, of whom
// one let the time pass.
func decided(t testing.TB) (Record, Standing) {
	t.Helper()
	order, err := Draw(checkpoint, 7, roll(12))
	if err != nil {
		t.Fatal(err)
	}
	questions := []string{"need", "result", "others", "checked"}
	c := Case{Beyond: 100, Checkpoint: checkpoint, Dossier: "d1", Excluded: 4, Leaf: 7, Member: "m-1", Questions: questions, Roll: roll(12),
		PassedOver: []Passed{{"q-1", Office}, {"q-2", Appellant}, {"q-3", Ties}, {"q-4", Office}},
		Standing:   Standing{Kind: "work", Baseline: 1000, Paid: 900, Beta: 250, Score: 250}}
	for i, name := range order[:6] {
		s := Seat{Name: name, State: Scored, Yes: questions[:min(i, 3)]}
		if i == 0 {
			s.State = Silent
		}
		c.Seats = append(c.Seats, s)
	}
	c.Decide()
	c.Award = min(c.Claim, 60)
	s := c.Standing
	s.Member, s.Dossier = c.Member, c.Dossier
	return Record{BundleSHA256: strings.Repeat("0", 64), Cases: []Case{c}, Corrections: []Correction{}, Format: Format, Paid: c.Award, Period: "P0001", Permille: 50, Reserve: 60}, s
}

func at(s Standing) func(string, string) (Standing, bool) {
	return func(member, dossier string) (Standing, bool) { return s, member == s.Member && dossier == s.Dossier }
}

func TestARecordIsComputedAgain(t *testing.T) {
	r, s := decided(t)
	if r.Cases[0].Outcome != Upheld || r.Cases[0].Score != 750 || r.Paid != 60 {
		t.Fatalf("%+v", r.Cases[0])
	}
	if err := r.Recompute(at(s)); err != nil {
		t.Fatal(err)
	}
	text, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(text)
	if err != nil || again.Recompute(at(s)) != nil {
		t.Fatal(err)
	}
}

func TestAnyChangedByteOfARecordIsFound(t *testing.T) {
	r, s := decided(t)
	text, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for i := range text {
		bad := bytes.Clone(text)
		bad[i] ^= 1
		if again, err := Parse(bad); err == nil && again.Recompute(at(s)) == nil {
			t.Fatalf("byte %d, %q, was changed and nobody noticed", i, text[max(0, i-20):min(len(text), i+10)])
		}
	}
}

func TestAFalseRecordIsRefused(t *testing.T) {
	for name, change := range map[string]func(*Record){
		"a higher award":            func(r *Record) { r.Cases[0].Award++; r.Paid++ },
		"a payment nobody got":      func(r *Record) { r.Paid++ },
		"a friend on the panel":     func(r *Record) { r.Cases[0].Seats[2].Name = "p-000x" },
		"another order":             func(r *Record) { s := r.Cases[0].Seats; s[1], s[2] = s[2], s[1] },
		"a seat left out":           func(r *Record) { r.Cases[0].Seats = slices.Delete(r.Cases[0].Seats, 1, 2) },
		"an answer nobody gave":     func(r *Record) { r.Cases[0].Seats[0].Yes = []string{"need"} },
		"an answer given twice":     func(r *Record) { r.Cases[0].Seats[5].Yes = []string{"need", "need", "need", "need"} },
		"a question nobody asked":   func(r *Record) { r.Cases[0].Seats[5].Yes = []string{"charm"} },
		"a seat that waits":         func(r *Record) { r.Cases[0].Seats[5].State = Waiting },
		"a roll with one more":      func(r *Record) { r.Cases[0].Roll = append(r.Cases[0].Roll, "p-999") },
		"another outcome":           func(r *Record) { r.Cases[0].Outcome = Dismissed },
		"another cap":               func(r *Record) { r.Cases[0].Beyond = 400 },
		"another standing":          func(r *Record) { r.Cases[0].Standing.Baseline = 2000; r.Cases[0].Decide() },
		"a case of nobody":          func(r *Record) { r.Cases[0].Member = "m-2" },
		"a case that occurs twice":  func(r *Record) { r.Cases = append(r.Cases, r.Cases[0]) },
		"somebody left out twice":   func(r *Record) { r.Cases[0].PassedOver[1] = r.Cases[0].PassedOver[0] },
		"left out and uncounted":    func(r *Record) { r.Cases[0].Excluded-- },
		"a reason of its own":       func(r *Record) { r.Cases[0].PassedOver[2].Reason = "dislike" },
		"two who appealed":          func(r *Record) { r.Cases[0].PassedOver[2].Reason = Appellant },
		"left out of the roll":      func(r *Record) { r.Cases[0].PassedOver[0].Name = r.Cases[0].Roll[0] },
		"left out under no name":    func(r *Record) { r.Cases[0].PassedOver[3].Name = "q-4 office\nq-5" },
		"reasons before their time": func(r *Record) { r.Format = EarlierFormat },
		"a checkpoint from earlier": func(r *Record) { r.Cases[0].Leaf = 42 },
	} {
		r, s := decided(t)
		r.Cases = slices.Clone(r.Cases)
		r.Cases[0].Seats = slices.Clone(r.Cases[0].Seats)
		if err := r.Recompute(at(s)); err != nil {
			t.Fatal(err)
		}
		change(&r)
		if err := r.Recompute(at(s)); !errors.Is(err, ErrDiffers) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A record from before told only how many were left out, and the log its roll.
func TestAnEarlierRecordIsStillComputedAgain(t *testing.T) {
	r, s := decided(t)
	r.Format, r.Cases[0].PassedOver = EarlierFormat, nil
	text, err := r.JSON()
	if err != nil || bytes.Contains(text, []byte("passed_over")) {
		t.Fatal(string(text), err)
	}
	again, err := Parse(text)
	if err != nil || again.Recompute(at(s)) != nil {
		t.Fatal(err, again.Recompute(at(s)))
	}
	if c := again.Cases[0]; CallSHA256(c.Roll, c.PassedOver) != RollSHA256(c.Roll) {
		t.Error("the log's digest of such a roll is another")
	}
	if c, _ := decided(t); CallSHA256(c.Cases[0].Roll, c.Cases[0].PassedOver) == RollSHA256(c.Cases[0].Roll) {
		t.Error("the log says nothing of who was left out")
	}
}

// TestNoTwoCallsShareADigest: a name with a space would read like somebody who was
// left out, and one with a line's end like two names.
func TestNoTwoCallsShareADigest(t *testing.T) {
	if CallSHA256([]string{"a", "b"}, []Passed{{"c", Office}}) != CallSHA256([]string{"a", "b", "c office"}, nil) {
		t.Fatal("the digests differ anyway")
	}
	for _, name := range []string{"p-zzz office", "p-zzz\np-zzzz", "p-zzZ", "p-zz\u00e9"} {
		r, s := decided(t)
		c := r.Cases[0]
		c.Roll = append(c.Roll, name)
		order, err := Draw(c.Checkpoint, c.Leaf, c.Roll)
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.Seats { // drawn honestly from that roll
			c.Seats[i].Name = order[i]
		}
		r.Cases = []Case{c}
		if err := r.Recompute(at(s)); !errors.Is(err, ErrDiffers) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestTooFewAnswersLeaveTheFormulasAmount(t *testing.T) {
	r, _ := decided(t)
	c := r.Cases[0]
	for i := range c.Seats[2:] {
		c.Seats[2+i].State, c.Seats[2+i].Yes = Silent, []string{}
	}
	c.Decide()
	if c.Score != Neutral || c.Claim != 100 || c.Outcome != Upheld {
		t.Errorf("%d, %d, %s", c.Score, c.Claim, c.Outcome)
	}
	c.Standing.Paid = 1100 // the model was kinder than the formula
	if c.Decide(); c.Claim != 0 || c.Outcome != Dismissed {
		t.Errorf("%d, %s", c.Claim, c.Outcome)
	}
}

func TestAPanelBelowTheModelCostsNothing(t *testing.T) {
	r, _ := decided(t)
	c := r.Cases[0]
	c.Standing.Score, c.Standing.Paid = 900, 1200
	if c.Decide(); c.Claim != 0 || c.Outcome != Dismissed {
		t.Errorf("%d, %s", c.Claim, c.Outcome)
	}
}

func FuzzParse(f *testing.F) {
	r, s := decided(f)
	text, err := r.JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"format":"datacoop-appeals/1"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if r, err := Parse(text); err == nil {
			_ = r.Recompute(at(s)) // must not panic
		}
	})
}

// pinned is what sha256sum over the tickets' texts gives, sorted.
const pinned = "p-026 p-033 p-037 p-007 p-039"
