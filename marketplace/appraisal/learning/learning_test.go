package learning

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"distributed.ai/datacoop/internal/fault"
)

var salt = strings.Repeat("5a", 32)

func pairs(n int) (out []Pair) {
	for i := range n {
		out = append(out, Pair{First: fmt.Sprintf("a%03d", i), Second: fmt.Sprintf("b%03d", i), Group: []string{"document", "support"}[i%2],
			Period: "P0001", Said: []string{First, First, Tie}})
	}
	return out
}

func TestAHoldoutIsHalfAndOpensToItsCommitmentAlone(t *testing.T) {
	all := pairs(41)
	open, sealed, commitment, err := Seal("P0001", salt, all)
	if err != nil || len(open) != 20 {
		t.Fatal(len(open), err)
	}
	h, err := Disclose(commitment, sealed, open)
	if err != nil || len(h.Pairs) != 21 {
		t.Fatal(h, err)
	}
	for _, p := range open {
		if slices.ContainsFunc(h.Pairs, func(q Pair) bool { return q.ID() == p.ID() }) {
			t.Error("a pair is open and sealed")
		}
	}
	slices.Reverse(all)
	if again, same, _, err := Seal("P0001", salt, all); err != nil || string(same) != string(sealed) || fmt.Sprint(again) != fmt.Sprint(open) {
		t.Error("the halves depend on the order of the pairs")
	}
	if other, _, _, err := Seal("P0001", strings.Repeat("a5", 32), all); err != nil || fmt.Sprint(other) == fmt.Sprint(open) {
		t.Error("the halves do not depend on the salt")
	}
}

func TestADisclosureThatWasChangedIsFound(t *testing.T) {
	open, sealed, commitment, err := Seal("P0001", salt, pairs(12))
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		bad := slices.Clone(sealed)
		bad[i] ^= 1
		if _, err := Disclose(commitment, bad, open); !errors.Is(err, ErrSealed) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	// Who also made the commitment anew chose the pairs afterwards: the salt tells.
	all := pairs(12)
	_, friendly, mine, err := Seal("P0001", salt, all[:6])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Disclose(mine, friendly, open); !errors.Is(err, ErrSealed) {
		t.Error("pairs chosen afterwards were taken")
	}
	if _, err := Disclose(commitment, sealed, open[1:]); !errors.Is(err, ErrSealed) {
		t.Error("an open pair was lost and nobody noticed")
	}
}

func TestWhatPeopleSaidKeepsTies(t *testing.T) {
	for want, said := range map[string][][]string{
		First: {{First, First, Second}, {First}, {First, First, Tie}}, Second: {{Second, Second, First}},
		Tie: {{First, Second, Tie}, {Tie, Tie, First}, {First, Second}},
	} {
		for _, s := range said {
			if got := (Pair{Said: s}).Truth(); got != want {
				t.Errorf("%v is %s", s, got)
			}
		}
	}
	for n, want := range map[int]int{0: 0, 7: 7, 20: 20, 300: 20, 401: 21, 10_000: 500} {
		if got := SpotChecks(n); got != want {
			t.Errorf("of %d pairs %d are checked", n, got)
		}
	}
}

// judge agrees with people on the pairs that right says.
func judge(all []Pair, right func(i int) bool) Answers {
	out := Answers{}
	for i, p := range all {
		out[p.ID()] = Second
		if right(i) {
			out[p.ID()] = First
		}
	}
	return out
}

var calm = Attacks{"A": {1, 50}, "B": {0, 50}}

func TestOnlyAProvenChallengerIsOffered(t *testing.T) {
	all := pairs(200)
	old := judge(all, func(i int) bool { return i < 120 })
	for name, c := range map[string]struct {
		right func(int) bool
		after Attacks
		want  string
	}{
		"much better":                    {func(i int) bool { return i < 150 }, calm, Better},
		"the same":                       {func(i int) bool { return i < 120 }, calm, NotProven},
		"a little better":                {func(i int) bool { return i < 123 }, calm, NotProven},
		"five of five, which is luck":    {func(i int) bool { return i < 125 }, calm, NotProven},
		"six of six":                     {func(i int) bool { return i < 126 }, calm, Better},
		"worse":                          {func(i int) bool { return i < 100 }, calm, Worse},
		"better, and easier to steer":    {func(i int) bool { return i < 150 }, Attacks{"A": {1, 50}, "B": {1, 50}}, NotProven},
		"better, and unfair to a group":  {func(i int) bool { return i%2 == 0 || i < 100 }, calm, NotProven},
		"better, and harder to steer":    {func(i int) bool { return i < 150 }, Attacks{"A": {0, 50}, "B": {0, 50}}, Better},
		"better, and nobody attacked it": {func(i int) bool { return i < 150 }, nil, NotProven},
		"as often right, on other pairs": {func(i int) bool { return i >= 80 }, calm, NotProven},
	} {
		before := calm
		if c.after == nil {
			before = nil
		}
		v, err := Compare(all, old, judge(all, c.right), before, c.after)
		if err != nil || v.Answer != c.want {
			t.Errorf("%s: %s, %v\n%s", name, v.Answer, err, strings.Join(v.Sentences, "\n"))
		}
	}
}

func TestJudgesThatCannotBeComparedAreNot(t *testing.T) {
	all := pairs(30)
	old := judge(all, func(int) bool { return true })
	less := judge(all[1:], func(int) bool { return true })
	twice := append(slices.Clone(all), all[0])
	silent := pairs(1)
	silent[0].Said = nil
	for name, run := range map[string]func() (Verdict, error){
		"a pair left out":      func() (Verdict, error) { return Compare(all, old, less, calm, calm) },
		"a pair twice":         func() (Verdict, error) { return Compare(twice, old, old, calm, calm) },
		"a pair nobody judged": func() (Verdict, error) { return Compare(silent, old, old, calm, calm) },
		"other attacks":        func() (Verdict, error) { return Compare(all, old, old, calm, Attacks{"A": {1, 50}, "C": {0, 50}}) },
		"fewer attacks":        func() (Verdict, error) { return Compare(all, old, old, calm, Attacks{"A": {1, 50}, "B": {0, 5}}) },
		"no attacks":           func() (Verdict, error) { return Compare(all, old, old, calm, nil) },
	} {
		if v, err := run(); !errors.Is(err, ErrPairs) {
			t.Errorf("%s: %s, %v", name, v.Answer, err)
		}
	}
}

// McNemar's exact test against values from the literature's tables of the sign
// test: with n differing pairs, this many have to go one way (two-sided 5 %).
func TestTheTestIsTheExactOne(t *testing.T) {
	for n, want := range map[int]int{0: 1, 5: 6, 6: 6, 8: 8, 9: 8, 10: 9, 12: 10, 15: 12, 20: 15, 25: 18, 50: 33, 100: 61} {
		if got := needed(n); got != want {
			t.Errorf("of %d, %d are needed, want %d", n, got, want)
		}
	}
	// Clopper and Pearson, from published tables.
	for _, c := range []struct {
		k, n      int
		low, high int64
	}{{0, 10, 0, 309}, {5, 10, 187, 813}, {10, 10, 691, 1000}, {15, 20, 508, 914}, {0, 0, 0, 1000}} {
		low, high := interval(c.k, c.n)
		if low < c.low-1 || low > c.low || high < c.high || high > c.high+1 {
			t.Errorf("%d of %d: %d to %d, want %d to %d", c.k, c.n, low, high, c.low, c.high)
		}
	}
}

// The bounds and the search answer what the sum over every value gives, as it was
// computed before; and they answer in time where a file names very many pairs.
func TestTheTestIsTheSameHoweverItIsComputed(t *testing.T) {
	plain := func(n, from, to int, p int64) bool {
		sum, power := new(big.Int), func(base int64, exponent int) *big.Int {
			return new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(exponent)), nil)
		}
		for i := from; i <= to; i++ {
			term := new(big.Int).Binomial(int64(n), int64(i))
			sum.Add(sum, term.Mul(term, new(big.Int).Mul(power(p, i), power(1000-p, n-i))))
		}
		return sum.Mul(sum, big.NewInt(40)).Cmp(power(1000, n)) <= 0
	}
	for n := range 15 {
		fewest := n + 1
		for k := n; k > n/2 && plain(n, k, n, 500); k-- {
			fewest = k
		}
		if got := needed(n); got != fewest {
			t.Errorf("of %d, %d are needed, want %d", n, got, fewest)
		}
		for k := range n + 1 {
			low, high := int64(0), int64(1000)
			for ; n > 0 && low < 1000 && k > 0 && plain(n, k, n, low+1); low++ {
			}
			for ; n > 0 && high > 0 && k < n && plain(n, 0, k, high-1); high-- {
			}
			if l, h := interval(k, n); l != low || h != high {
				t.Errorf("%d of %d: %d to %d, want %d to %d", k, n, l, h, low, high)
			}
		}
	}
	if !rare(1, 1, 1, 25) || rare(1, 1, 1, 26) { // 25 of 1000 is once in forty, no bound tells
		t.Error("where it is exactly once in forty")
	}
	if low, high := interval(5000, 8000); needed(8000) != 4089 || low != 614 || high != 636 {
		t.Errorf("%d, %d to %d", needed(8000), low, high)
	}
	var f *fault.Error
	if _, err := Compare(pairs(MostPairs+1), nil, nil, nil, nil); !errors.As(err, &f) || !slices.Equal(f.Detail, []string{"more pairs than judges are compared on"}) {
		t.Error(err)
	}
}

func TestNoFamilyCountsMoreThanTheCap(t *testing.T) {
	got := Weights([]Agreement{{"c", 99, 100}, {"a", 55, 100}, {"b", 60, 100}})
	if got["c"] != Cap || got["a"]+got["b"] != 600 || got["b"] <= got["a"] {
		t.Errorf("%v", got)
	}
	if got := Weights([]Agreement{{"a", 99, 100}, {"b", 1, 100}}); got["a"] != 500 || got["b"] != 500 {
		t.Errorf("two families: %v", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		var f []Agreement
		for i := range rapid.IntRange(1, 9).Draw(t, "families") {
			n := rapid.IntRange(0, 5000).Draw(t, "pairs")
			f = append(f, Agreement{fmt.Sprint("f", i), rapid.IntRange(0, n).Draw(t, "agreed"), n})
		}
		got, sum := Weights(f), int64(0)
		for _, w := range got {
			sum += w
			if w < 0 || len(f) > 2 && w > Cap {
				t.Fatalf("%v", got)
			}
		}
		slices.Reverse(f)
		if sum != 1000 || fmt.Sprint(Weights(f)) != fmt.Sprint(got) {
			t.Fatalf("%v adds up to %d", got, sum)
		}
	})
}
