package appraisal

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestApportionGivesWholeUnitsThenLargestRemainders(t *testing.T) {
	got, err := Apportion(10, []Weight{{"a", 1}, {"b", 1}, {"c", 5}}, "")
	if err != nil || got[0].Amount+got[1].Amount != 3 || got[2].Amount != 7 {
		t.Fatalf("got %v, %v", got, err)
	}
}

func TestApportionBreaksTiesByPublishedHashAndNotByPosition(t *testing.T) {
	// printf P1a | sha256sum begins 6cfc4e33, printf P1b | sha256sum begins a12ee676.
	one, _ := Apportion(1, []Weight{{"a", 1}, {"b", 1}}, "P1")
	other, _ := Apportion(1, []Weight{{"b", 1}, {"a", 1}}, "P1")
	if one[0].Amount != 1 || other[1].Amount != 1 || one[1].Amount+other[0].Amount != 0 {
		t.Fatalf("a does not win the tie: %v %v", one, other)
	}
	differs := false
	for i := range 20 {
		next, _ := Apportion(1, []Weight{{"a", 1}, {"b", 1}}, fmt.Sprint("P", i))
		differs = differs || next[0].Amount != one[0].Amount
	}
	if !differs {
		t.Fatal("the same party wins every tie")
	}
}

// TestBothWaysOfDealingAgree: choosing in linear time against one unit after the
// other.
func TestBothWaysOfDealingAgree(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 3))
	for n := range 20_000 {
		claims := make([]claim, 1+rnd.IntN(20))
		for i := range claims {
			claims[i] = claim{key: fmt.Sprint(i), hi: math.MaxInt64, rem: [2]uint64{rnd.Uint64N(2), rnd.Uint64N(4)}}
		}
		left := 1 + rnd.IntN(len(claims))
		chosen, dealt := newQueue(slices.Clone(claims), "t", false), newQueue(claims, "t", false)
		chosen.choose(left)
		if err := dealt.deal(int64(left)); err != nil {
			t.Fatal(err)
		}
		for _, i := range chosen.order[:left] {
			if claims[i].got != 1 {
				t.Fatalf("case %d: only one way gives a unit to %d", n, i)
			}
		}
	}
}

func TestApportionRefusesWhatItCannotDivide(t *testing.T) {
	for name, c := range map[string]struct {
		total   int64
		weights []Weight
		want    error
	}{
		"negative total":   {-1, []Weight{{"a", 1}}, errWeights},
		"negative weight":  {1, []Weight{{"a", 1}, {"b", -1}}, errWeights},
		"key twice":        {1, []Weight{{"a", 1}, {"b", 1}, {"a", 1}}, errWeights},
		"key twice, close": {1, []Weight{{"a", 1}, {"a", 1}}, errWeights},
		"nobody":           {1, nil, ErrNobody},
		"only zeros":       {1, []Weight{{"a", 0}}, ErrNobody},
	} {
		if got, err := Apportion(c.total, c.weights, ""); !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	if got, err := Apportion(0, []Weight{{"a", 0}}, ""); err != nil || got[0].Amount != 0 {
		t.Errorf("nothing between nobody: got %v, %v", got, err)
	}
}

func TestApportionOfEverythingThereIs(t *testing.T) {
	for _, w := range []int64{1, math.MaxInt64} {
		got, err := Apportion(math.MaxInt64, []Weight{{"a", w}, {"b", w}, {"c", w}, {"d", 0}}, "")
		if err != nil || got[0].Amount+got[1].Amount+got[2].Amount != math.MaxInt64 || got[3].Amount != 0 {
			t.Fatalf("got %v, %v", got, err)
		}
	}
}

// A share is exact when it is the quota rounded down or up and all of them add
// up; both arithmetic paths (64-bit and wide) are drawn.
func TestApportionIsExactInRandomCases(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for n := range 200_000 {
		total, weights := randomWeights(rnd)
		got, err := Apportion(total, weights, "t")
		if err != nil {
			if !errors.Is(err, ErrNobody) {
				t.Fatalf("case %d: %v", n, err)
			}
			continue
		}
		checkExact(t, n, total, weights, got)
	}
}

func randomWeights(rnd *rand.Rand) (int64, []Weight) {
	top := pick(rnd, []int64{1, 3, 100, 1 << 40, math.MaxInt64})
	weights := make([]Weight, 1+rnd.IntN(8))
	for i := range weights {
		weights[i] = Weight{string(rune('a' + i)), max(0, rnd.Int64N(top)-top/8)}
	}
	return pick(rnd, []int64{0, 1, rnd.Int64N(1000), rnd.Int64N(math.MaxInt64)}), weights
}

func checkExact(t *testing.T, n int, total int64, weights []Weight, got []Share) {
	t.Helper()
	sum, all := new(big.Int), new(big.Int)
	for i, w := range weights {
		all.Add(all, big.NewInt(w.W))
		sum.Add(sum, big.NewInt(got[i].Amount))
	}
	if sum.Int64() != total || !sum.IsInt64() {
		t.Fatalf("case %d: shares add up to %v, not %d", n, sum, total)
	}
	for i, w := range weights {
		if w.W == 0 && got[i].Amount != 0 {
			t.Fatalf("case %d: a zero weight got %d", n, got[i].Amount)
		}
		if all.Sign() == 0 {
			continue
		}
		quota := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(total), big.NewInt(w.W)), all)
		off := new(big.Rat).Sub(new(big.Rat).SetInt64(got[i].Amount), quota)
		if off.Abs(off).Cmp(big.NewRat(1, 1)) >= 0 {
			t.Fatalf("case %d: %d is a unit or more from its quota %v", n, got[i].Amount, quota)
		}
	}
}

func TestRaisingOneWeightNeverCostsIt(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	for n := range 100_000 {
		total, weights := randomWeights(rnd)
		before, err := Apportion(total, weights, "t")
		i := rnd.IntN(len(weights))
		weights[i].W += rnd.Int64N(min(math.MaxInt64-weights[i].W, 1<<41) + 1)
		after, errAfter := Apportion(total, weights, "t")
		if err == nil && (errAfter != nil || after[i].Amount < before[i].Amount) {
			t.Fatalf("case %d: %d fell to %d (%v)", n, before[i].Amount, after[i].Amount, errAfter)
		}
	}
}

func TestDealKeepsToItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "n")
		claims, low, high := make([]claim, n), int64(0), int64(0)
		for i := range claims {
			lo := rapid.Int64Range(0, 20).Draw(t, "lo")
			hi := lo + rapid.Int64Range(0, 20).Draw(t, "span")
			claims[i] = claim{key: fmt.Sprint(i), whole: rapid.Int64Range(0, 40).Draw(t, "whole"), rem: [2]uint64{0, rapid.Uint64().Draw(t, "rem")}, lo: lo, hi: hi}
			low, high = low+lo, high+hi
		}
		total := rapid.Int64Range(low, high).Draw(t, "total")
		if err := deal(total, claims, "t"); err != nil {
			t.Fatal(err)
		}
		for _, c := range claims {
			if c.got < c.lo || c.got > c.hi {
				t.Fatalf("%d is not between %d and %d", c.got, c.lo, c.hi)
			}
			total -= c.got
		}
		if total != 0 {
			t.Fatalf("%d left over", total)
		}
	})
}

func TestDealRefusesBoundsThatLeaveNoWay(t *testing.T) {
	if err := deal(5, []claim{{key: "a", hi: 4}}, ""); !errors.Is(err, errDeal) {
		t.Errorf("too much: %v", err)
	}
	if err := deal(1, []claim{{key: "a", lo: 2, hi: 4}}, ""); !errors.Is(err, errDeal) {
		t.Errorf("too little: %v", err)
	}
}

func BenchmarkApportionMillion(b *testing.B) {
	weights := make([]Weight, 1_000_000)
	for i := range weights {
		weights[i] = Weight{fmt.Sprintf("%08d", i), int64(1 + i%1000)}
	}
	b.ResetTimer()
	for b.Loop() {
		if _, err := Apportion(123_456_789, weights, "P0001"); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAMillionMembersGetEveryCent: nobody is a cent from their quota, and who
// weighs nothing gets nothing.
func TestAMillionMembersGetEveryCent(t *testing.T) {
	t.Parallel()
	weights, all := make([]Weight, 1_000_000), int64(0)
	for i := range weights {
		weights[i] = Weight{fmt.Sprintf("%08d", i), int64(i * 7919 % 1000)}
		all += weights[i].W
	}
	for _, total := range []int64{999_999, 123_456_789_01} {
		shares, err := Apportion(total, weights, "P0001")
		if err != nil {
			t.Fatal(err)
		}
		sum := int64(0)
		for i, s := range shares {
			sum += s.Amount
			if least := total * weights[i].W / all; s.Key != weights[i].Key || s.Amount < least || s.Amount > least+1 || weights[i].W == 0 && s.Amount != 0 {
				t.Fatalf("%s gets %d of %d", s.Key, s.Amount, total)
			}
		}
		if sum != total {
			t.Errorf("%d of %d are given", sum, total)
		}
	}
}

func TestOneMemberAloneGetsAllOfIt(t *testing.T) {
	for _, total := range []int64{0, 1, 999_999_999_999} {
		shares, err := Apportion(total, []Weight{{"m", 7}}, "P0001")
		if err != nil || len(shares) != 1 || shares[0] != (Share{"m", total}) {
			t.Errorf("%d between one: %v, %v", total, shares, err)
		}
	}
}
