package appraisal

import (
	"cmp"
	"math/bits"
	"slices"
)

// factor is what a score multiplies a weight by, in millionths:
// 1 + bound×(2×score/1000 − 1), with both clamped to where they are defined.
// It is exact and lies within one ± bound.
func factor(bound, score int64) int64 {
	score = min(max(score, 0), 1000)
	return one + bound*(2*score-1000)
}

// scoreOf is the score that gives a factor, and none at all, 0, where no score
// moves anything.
func scoreOf(bound, factor int64) int64 {
	if bound == 0 {
		return 0
	}
	return ((factor-one)/bound + 1000) / 2
}

// betas are the bounds of the pots; the stipend is a fixed rule nobody judges.
func (p Params) betas() [pots]int64 {
	return [pots]int64{potData: p.BetaData, potWork: p.BetaWork, potGovernance: p.BetaGovernance}
}

// Fence returns the least and the most that an opinion can make of a baseline
// payout, in minor units: baseline×L − 1 rounded up, but never below 0, and
// baseline×U + 1 rounded down, for bounds beta and gamma in thousandths from 0
// to 500 (see the package comment for L and U). Baseline is not negative and at
// most MaxRevenue. Nothing at all, a member without evidence, stays nothing;
// that is for the caller to know.
func Fence(baseline, beta, gamma int64) (floor, ceil int64) {
	low := uint64((1000 - beta) * (1000 - gamma))
	high := uint64((1000 + beta) * (1000 + gamma))
	hi, lo := bits.Mul64(uint64(baseline), low)
	q, r := bits.Div64(hi, lo, high)
	if r > 0 {
		q++
	}
	floor = max(0, int64(q)-1)
	hi, lo = bits.Mul64(uint64(baseline), high)
	q, _ = bits.Div64(hi, lo, low)
	return floor, int64(q) + 1
}

// fence sets every member's bounds from the baseline amounts and the pots that
// the baseline paid from.
func (s *settlement) fence(p Params, split [pots]int64) {
	betas := p.betas()
	n := len(s.first) - 1
	s.floor, s.ceil = make([]int64, n), make([]int64, n)
	for m := range n {
		beta, any := int64(0), false
		for _, it := range s.items[s.first[m]:s.first[m+1]] {
			if it.weight.Sign() > 0 && split[it.pot] > 0 {
				beta, any = max(beta, betas[it.pot]), true
			}
		}
		if any {
			s.floor[m], s.ceil[m] = Fence(s.base.members[m], beta, p.Gamma)
		}
	}
}

// factors are the millionths by which the opinion multiplies each item's
// weight, and which of them are another dossier's. All datasets that a member has
// in a request have the best factor of any: whichever counts there, a member who
// shares another, or a better one, must not lose by what the judge thinks of it.
func (op *Opinion) factors(salt string, p Params, items []item) (out []int64, lent []bool) {
	out, lent = op.own(salt, p, items), make([]bool, len(items))
	best := make([]int64, len(items)+1)
	for i, it := range items {
		best[it.group] = max(best[it.group], out[i])
	}
	for i, it := range items {
		if it.group > 0 && out[i] < best[it.group] {
			out[i], lent[i] = best[it.group], true
		}
	}
	return out, lent
}

// own are the factors as each dossier was scored. One without a score is neutral;
// for flags see counted.
func (op *Opinion) own(salt string, p Params, items []item) []int64 {
	betas, name := p.betas(), newNamer(salt)
	out := make([]int64, len(items))
	for i, it := range items {
		out[i] = one
		if it.dossier == "" {
			continue
		}
		id := name.id(it.pot.String(), it.dossier)
		at, ok := slices.BinarySearchFunc(op.Scores, id, func(s Score, id string) int { return cmp.Compare(s.Dossier, id) })
		if ok {
			out[i] = factor(betas[it.pot], op.Scores[at].counted())
		}
	}
	return out
}

// counted is the score as its flag lets it count.
func (s Score) counted() int64 {
	const neutral = 500
	switch s.Flag {
	case "":
		return s.Score
	case FlagSuspect:
		return min(s.Score, neutral)
	}
	return neutral
}

// moves are the millionths by which the opinion multiplies each pot's part.
func (op *Opinion) moves(p Params) [pots]int64 {
	out := [pots]int64{one, one, one, one}
	for _, part := range op.Split {
		f := factor(p.Gamma, part.Score)
		switch part.Part {
		case KindData:
			out[potData], out[potStipend] = f, f
		case KindWork:
			out[potWork] = f
		case KindGovernance:
			out[potGovernance] = f
		}
	}
	return out
}
