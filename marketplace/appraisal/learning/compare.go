package learning

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"sort"
)

// MostPairs is how many pairs judges are compared on at most: far more than people
// are ever asked about, and few enough that a comparison takes seconds.
const MostPairs = 100_000

// FewestInGroup is how many pairs a group has before judges are compared in it.
// Smaller groups count only in the whole.
const FewestInGroup = 20

// What a comparison answers.
const (
	Better    = "better"     // may be offered to a vote
	NotProven = "not proven" // may not
	Worse     = "worse"      // may not
)

// Answers are what a judge makes of pairs, by [Pair.ID].
type Answers map[string]string

// Attacks count, by family of attacks, how many succeeded of how many tried.
type Attacks map[string]Tries

// Tries are attempts and how many of them succeeded.
type Tries struct {
	Succeeded int `json:"succeeded"`
	Tried     int `json:"tried"`
}

// Verdict is what a shadow run shows.
type Verdict struct {
	Answer    string   `json:"answer"`
	Pairs     int      `json:"pairs"`
	Incumbent int      `json:"incumbent_agrees"`  // pairs on which the judge in force agrees with people
	Both      int      `json:"both_agree"`        //
	Gained    int      `json:"challenger_only"`   // on which only the challenger does
	Lost      int      `json:"incumbent_only"`    // on which only the judge in force does
	Sentences []string `json:"sentences"`         // why, for everybody
	Weaker    []string `json:"weaker_against"`    // families of attacks
	Unfair    []string `json:"worse_for"`         // groups
	Low       int64    `json:"low_thousandths"`   // 95 % interval of the challenger's part of the
	High      int64    `json:"high_thousandths"`  // pairs on which only one agrees, in thousandths
	Needed    int      `json:"needed_of_differs"` // how many of those pairs it would have had to win
}

// Compare compares a challenger with the judge in force over the same pairs and
// the same attacks. Both must have answered every pair.
func Compare(pairs []Pair, incumbent, challenger Answers, before, after Attacks) (Verdict, error) {
	if len(pairs) > MostPairs {
		return Verdict{}, ErrPairs.With("more pairs than judges are compared on")
	}
	if err := check(pairs); err != nil {
		return Verdict{}, err
	}
	v := Verdict{Pairs: len(pairs), Weaker: []string{}, Unfair: []string{}}
	groups := map[string]*[3]int{} // pairs, gained, lost
	for _, p := range pairs {
		old, ok := incumbent[p.ID()]
		fresh, also := challenger[p.ID()]
		if !ok || !also {
			return Verdict{}, ErrPairs.With("a judge has not answered a pair")
		}
		g := groups[p.Group]
		if g == nil {
			g = new([3]int)
			groups[p.Group] = g
		}
		g[0]++
		switch truth := p.Truth(); {
		case old == truth && fresh == truth:
			v.Both++
		case fresh == truth:
			v.Gained++
			g[1]++
		case old == truth:
			v.Lost++
			g[2]++
		}
	}
	v.Incumbent = v.Both + v.Lost
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		if g := groups[name]; g[0] >= FewestInGroup && g[2] > g[1] {
			v.Unfair = append(v.Unfair, name)
		}
	}
	if v.Weaker = weaker(before, after); v.Weaker == nil {
		return Verdict{}, ErrPairs.With("the judges were not attacked in the same ways")
	}
	v.decide(len(after) > 0)
	return v, nil
}

// weaker lists the families of attacks that succeed more often against the
// challenger; nil where the two were not attacked alike.
func weaker(before, after Attacks) []string {
	out := []string{}
	if len(before) != len(after) {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		b, known := before[name]
		a := after[name]
		if !known || a.Tried != b.Tried || a.Tried == 0 {
			return nil
		}
		if a.Succeeded > b.Succeeded {
			out = append(out, name)
		}
	}
	return out
}

func (v *Verdict) decide(attacked bool) {
	n := v.Gained + v.Lost
	v.Low, v.High = interval(v.Gained, n)
	v.Needed = needed(n)
	v.Answer = NotProven
	switch {
	case tail(n, v.Lost) && n > 0:
		v.Answer = Worse
	case tail(n, v.Gained) && n > 0 && attacked && len(v.Weaker)+len(v.Unfair) == 0:
		v.Answer = Better
	}
	v.Sentences = []string{
		fmt.Sprintf("Of %d pairs that people judged, the judge in force agrees on %d and the challenger on %d.", v.Pairs, v.Incumbent, v.Both+v.Gained),
		fmt.Sprintf("On %d pairs only one of the two agrees; on %d of these it is the challenger, and by chance alone fewer than %d would be expected 39 times in 40.", n, v.Gained, v.Needed),
	}
	if !attacked {
		v.Sentences = append(v.Sentences, "Neither was attacked, so nobody knows which is easier to steer.")
	}
	for _, name := range v.Weaker {
		v.Sentences = append(v.Sentences, fmt.Sprintf("Attacks of family %s succeed more often against the challenger.", name))
	}
	for _, name := range v.Unfair {
		v.Sentences = append(v.Sentences, fmt.Sprintf("In group %s the challenger agrees with people less often.", name))
	}
	v.Sentences = append(v.Sentences, map[string]string{
		Better:    "It may be offered to a vote.",
		NotProven: "That it is better is not proven, so it is not offered to a vote.",
		Worse:     "It is worse, so it is not offered to a vote.",
	}[v.Answer])
}

// tail reports whether k or more of n fair coins fall on one side at most once
// in forty times. That is one end of a two-sided exact test at 5 %.
func tail(n, k int) bool { return rare(n, k, n, 500) }

// needed is the fewest of n that tail takes for proof; n + 1 where none is.
func needed(n int) int {
	half := n/2 + 1
	return half + sort.Search(n+1-half, func(i int) bool { return tail(n, half+i) })
}

// interval is the exact 95 % interval (Clopper and Pearson, 1934) of a
// proportion k of n, in thousandths, widened to whole ones.
func interval(k, n int) (low, high int64) {
	if n == 0 {
		return 0, 1000
	}
	low, high = 0, 1000
	if k > 0 {
		low = int64(sort.Search(1000, func(i int) bool { return !rare(n, k, n, int64(i)+1) }))
	}
	if k < n {
		high = 1000 - int64(sort.Search(1000, func(i int) bool { return !rare(n, 0, k, 999-int64(i)) }))
	}
	return low, high
}

// rare reports whether from to to of n fall at most once in forty times, each
// with a chance of p thousandths. It bounds the chance from below and above and
// sums whole numbers only where that does not tell, which takes far longer.
func rare(n, from, to int, p int64) bool {
	switch {
	case from > to:
		return true
	case p <= 0:
		return from > 0
	case p >= 1000:
		return to < n
	case chance(n, from, to, p, big.ToPositiveInf).Cmp(big.NewFloat(1)) <= 0:
		return true
	case chance(n, from, to, p, big.ToNegativeInf).Cmp(big.NewFloat(1)) > 0:
		return false
	}
	return exactly(n, from, to, p)
}

// precision is how many bits a bound keeps: what n steps lose is far below it.
const precision = 192

// chance is forty times the chance that from to to of n fall, each with p
// thousandths: never below it or never above it, as every step is rounded one way.
func chance(n, from, to int, p int64, rounding big.RoundingMode) *big.Float {
	whole := func(v int64) *big.Float { return new(big.Float).SetMode(rounding).SetInt64(v) }
	fresh := func() *big.Float { return new(big.Float).SetPrec(precision).SetMode(rounding) }
	term, sum, step := fresh().SetInt64(1), fresh(), fresh()
	for range n {
		term.Quo(term.Mul(term, whole(1000-p)), whole(1000))
	}
	for i := 0; i <= to; i++ {
		if i >= from {
			sum.Add(sum, term)
		}
		step.Mul(term, whole(int64(n-i)*p))
		term.Quo(step, whole(int64(i+1)*(1000-p)))
	}
	return sum.Mul(sum, whole(40))
}

// exactly is rare in whole numbers: 40 × Σ C(n, i) pⁱ (1000 − p)ⁿ⁻ⁱ ≤ 1000ⁿ.
func exactly(n, from, to int, p int64) bool {
	power := func(base int64) *big.Int { return new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(n)), nil) }
	term, sum := power(1000-p), new(big.Int)
	for i := 0; i <= to; i++ {
		if i >= from {
			sum.Add(sum, term)
		}
		term.Mul(term, big.NewInt(int64(n-i)*p))
		term.Quo(term, big.NewInt(int64(i+1)*(1000-p)))
	}
	return sum.Mul(sum, big.NewInt(40)).Cmp(power(1000)) <= 0
}

// Cap is the most that one family counts, in thousandths.
const Cap = 400

// Agreement is how often a family agreed with people.
type Agreement struct {
	Family string
	Agreed int
	Pairs  int
}

// Weights says how much each family counts, in thousandths that add up to 1000,
// in the order of the families' names. A family's claim is what it agrees
// beyond a coin: 2(agreed+1)/(pairs+2) − 1, nothing below zero.
func Weights(families []Agreement) map[string]int64 {
	f := slices.Clone(families)
	slices.SortFunc(f, func(a, b Agreement) int {
		if a.Family < b.Family {
			return -1
		}
		return 1
	})
	claims := make([]int64, len(f))
	for i, a := range f {
		claims[i] = max(0, 1_000_000*int64(2*a.Agreed-a.Pairs)/int64(a.Pairs+2))
	}
	out := make(map[string]int64, len(f))
	for i, w := range capped(claims) {
		out[f[i].Family] = w
	}
	return out
}

// capped divides 1000 by claims, none above Cap: what is above it goes to the
// others, in proportion. Where the cap cannot hold, or nobody has a claim, all
// get the same. What rounding leaves goes to the first below the cap.
func capped(claims []int64) []int64 {
	n := len(claims)
	out := make([]int64, n)
	if n == 0 {
		return out
	}
	if int64(n)*Cap < 1000 {
		return even(out)
	}
	claims = slices.Clone(claims)
	for i := range claims {
		claims[i]++ // nobody is silenced for good
	}
	left, full := int64(1000), make([]bool, n)
	for again := true; again; {
		again = false
		sum := int64(0)
		for i, c := range claims {
			if !full[i] {
				sum += c
			}
		}
		for i, c := range claims {
			if !full[i] && left*c > Cap*sum {
				full[i], out[i], again = true, Cap, true
				left -= Cap
				break
			}
			if !full[i] {
				out[i] = left * c / sum
			}
		}
	}
	return rounded(out)
}

func even(out []int64) []int64 {
	for i := range out {
		out[i] = 1000 / int64(len(out))
	}
	return rounded(out)
}

func rounded(out []int64) []int64 {
	left := int64(1000)
	for _, w := range out {
		left -= w
	}
	for i := 0; left > 0; i = (i + 1) % len(out) {
		if out[i] < Cap || int64(len(out))*Cap < 1000 {
			out[i]++
			left--
		}
	}
	return out
}
