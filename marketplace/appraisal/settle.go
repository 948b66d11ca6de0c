package appraisal

import (
	"encoding/binary"
	"math/big"
)

// settlement is the arithmetic of one period, before any words.
type settlement struct {
	flow flow
	weighed
	first  []int // index of each member's first item, and one past the last
	base   amounts
	paid   amounts
	floor  []int64 // by member
	ceil   []int64
	moved  []int64 // millionths each item's weight was multiplied by
	lent   []bool  // whether they are those of another dataset of the same member
	judged bool
	open   [pots]bool // pots that somebody earns from
}

// amounts are money by member and by item; the items of a member add up to the
// member's.
type amounts struct {
	members []int64
	items   []int64
}

// one is a factor that changes nothing, in millionths.
const one = 1_000_000

// settle expects checked arguments in normal order.
func settle(ev Evidence, p Params, op *Opinion) settlement {
	s := settlement{weighed: weigh(ev), judged: op != nil}
	for i := range s.items {
		if i == 0 || s.items[i].member != s.items[i-1].member {
			s.first = append(s.first, i)
		}
	}
	s.first = append(s.first, len(s.items))
	plain := make([]int64, len(s.items))
	for i := range plain {
		plain[i] = one
	}
	split := s.split(p)
	s.flow = divideRevenue(ev.Revenue, p, split != [pots]int64{})
	s.base = s.pay(ev.Period, s.divide(split, plain), nil)
	s.fence(p, split)
	s.moved, s.lent, s.paid = plain, make([]bool, len(s.items)), s.base
	if op == nil {
		return s
	}
	s.moved, s.lent = op.factors(ev.Salt, p, s.items)
	moves := op.moves(p)
	for k := range split {
		split[k] *= moves[k]
	}
	s.paid = s.pay(ev.Period, s.divide(split, s.moved), &s)
	return s
}

// split is the charter's split in proportions between the pots that have
// evidence: without a stipend to pay, its part stays with the data.
func (s *settlement) split(p Params) [pots]int64 {
	for k, sum := range s.sums {
		s.open[k] = sum.Sign() > 0
	}
	out := [pots]int64{
		potData:       p.Data * (1000 - p.Stipend),
		potStipend:    p.Data * p.Stipend,
		potWork:       p.Work * 1000,
		potGovernance: p.Governance * 1000,
	}
	if !s.open[potStipend] {
		out[potData] = p.Data * 1000
	}
	for k := range out {
		if !s.open[k] {
			out[k] = 0
		}
	}
	return out
}

// quota is an exact amount in minor units: whole.fraction, 64 bits each.
type quota struct{ whole, frac uint64 }

// division divides the members' part M between members, and a member's between
// their items, in 2⁻⁶⁴ of a minor unit:
//
//	⌊2⁶⁴ × M × Σ A/ΣA × w×f / Σ(w×f)⌋
//
// with A a pot's part of the split, w an item's weight and f its factor. The sum
// over a member's pots is exact until it is rounded down.
type division struct {
	*settlement
	weights       []big.Int // w×f
	of            [pots]big.Int
	all           big.Int // what of is divided by, for a member
	ofOne, allOne [pots]big.Int
}

func (s *settlement) divide(split [pots]int64, factors []int64) *division {
	d := &division{settlement: s, weights: make([]big.Int, len(s.items))}
	var sums [pots]big.Int
	var f big.Int
	for k := range sums {
		sums[k].Mul(s.sums[k], f.SetInt64(one))
	}
	for i := range s.items {
		w, sum := s.items[i].weight, &sums[s.items[i].pot]
		if factors[i] != one { // what rounding left of the weights stays in the sum, so that a judge who moves nothing moves nothing
			sum.Add(sum, d.weights[i].Mul(w, f.SetInt64(factors[i]-one)))
		}
		d.weights[i].Mul(w, f.SetInt64(factors[i]))
	}
	for _, a := range split {
		d.all.Add(&d.all, f.SetInt64(a))
	}
	for k, a := range split {
		d.ofOne[k].Lsh(d.ofOne[k].Mul(f.SetInt64(s.flow.members), big.NewInt(a)), 64)
		d.allOne[k].Mul(&d.all, &sums[k])
	}
	for k, a := range split {
		if a == 0 {
			continue
		}
		d.of[k].Set(&d.ofOne[k])
		for j := range split {
			if split[j] > 0 && j != k {
				d.of[k].Mul(&d.of[k], &sums[j])
			}
		}
	}
	for k, a := range split {
		if a > 0 {
			d.all.Mul(&d.all, &sums[k])
		}
	}
	return d
}

// member is the quota of member m.
func (d *division) member(m int) quota {
	var sum, v big.Int
	for i := d.first[m]; i < d.first[m+1]; i++ {
		if of := &d.of[d.items[i].pot]; of.Sign() > 0 && d.weights[i].Sign() > 0 {
			sum.Add(&sum, v.Mul(of, &d.weights[i]))
		}
	}
	if sum.Sign() == 0 {
		return quota{}
	}
	return quotaOf(v.Quo(&sum, &d.all))
}

// item is the quota of item i.
func (d *division) item(i int) quota {
	k := d.items[i].pot
	if d.weights[i].Sign() == 0 || d.of[k].Sign() == 0 {
		return quota{}
	}
	var v big.Int
	return quotaOf(v.Quo(v.Mul(&d.ofOne[k], &d.weights[i]), &d.allOne[k]))
}

func quotaOf(v *big.Int) quota {
	var b [16]byte
	v.FillBytes(b[:])
	return quota{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// pay rounds quotas to whole units: first over all members, then each member's
// amount over the member's own items. Within, when given, bounds each member by
// the fence.
func (s *settlement) pay(period string, d *division, within *settlement) amounts {
	n := len(s.first) - 1
	out := amounts{make([]int64, n), make([]int64, len(s.items))}
	claims := make([]claim, n)
	for m := range claims {
		claims[m] = d.member(m).claim(s.items[s.first[m]].member)
		if within != nil && claims[m].hi > 0 {
			claims[m].lo, claims[m].hi = within.floor[m], within.ceil[m]
		}
	}
	must(deal(s.flow.members, claims, period))
	for m := range claims {
		out.members[m] = claims[m].got
		d.payItems(period, m, claims[m].got, out.items)
	}
	return out
}

// payItems divides a member's amount between the member's items; the only one
// that earns anything has it all.
func (d *division) payItems(period string, m int, amount int64, out []int64) {
	from, to := d.first[m], d.first[m+1]
	earning, last := 0, from
	for i := from; i < to; i++ {
		if d.weights[i].Sign() > 0 && d.of[d.items[i].pot].Sign() > 0 {
			earning, last = earning+1, i
		}
	}
	if earning <= 1 {
		out[last] = amount
		return
	}
	claims := make([]claim, to-from)
	for i := range claims {
		it := d.items[from+i]
		claims[i] = d.item(from + i).claim(it.pot.String() + " " + it.ref + " " + it.request)
	}
	must(deal(amount, claims, period+" "+d.items[from].member))
	for i := range claims {
		out[from+i] = claims[i].got
	}
}

// claim asks for q and, where q is nothing, for nothing.
func (q quota) claim(key string) claim {
	c := claim{key: key, whole: int64(q.whole), rem: [2]uint64{0, q.frac}}
	if q != (quota{}) {
		c.hi = MaxRevenue
	}
	return c
}

// must stops what arithmetic rules out: quotas add up to the amount they divide,
// and the baseline itself lies within the fence, so bounds always leave a way.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
