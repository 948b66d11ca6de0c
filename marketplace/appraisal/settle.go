package appraisal

import (
	"math/big"
	"math/bits"
)

// settlement is the arithmetic of one period, before any words.
type settlement struct {
	flow   flow
	items  []item
	first  []int // index of each member's first item, and one past the last
	base   amounts
	paid   amounts
	floor  []int64 // by member
	ceil   []int64
	moved  []int64 // millionths each item's weight was multiplied by
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
	s := settlement{items: weigh(ev), judged: op != nil}
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
	quotas := s.quotas(split, plain)
	s.base = s.pay(ev.Period, quotas, nil)
	s.fence(p, split)
	s.moved, s.paid = plain, s.base
	if op == nil {
		return s
	}
	s.moved = op.factors(ev.Salt, p, s.items)
	moves := op.moves(p)
	for k := range split {
		split[k] *= moves[k]
	}
	s.paid = s.pay(ev.Period, s.quotas(split, s.moved), &s)
	return s
}

// split is the charter's split in proportions between the pots that have
// evidence: without a stipend to pay, its part stays with the data.
func (s *settlement) split(p Params) [pots]int64 {
	for i := range s.items {
		s.open[s.items[i].pot] = s.open[s.items[i].pot] || s.items[i].weight.Sign() > 0
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

func (q quota) add(r quota) quota {
	frac, carry := bits.Add64(q.frac, r.frac, 0)
	whole, _ := bits.Add64(q.whole, r.whole, carry)
	return quota{whole, frac}
}

// quotas divides the members' part M between the items:
//
//	⌊2⁶⁴ × M × A/ΣA × w×f / Σ(w×f)⌋ in 2⁻⁶⁴ of a minor unit
//
// with A the item's pot in split, w its weight and f its factor.
func (s *settlement) quotas(split [pots]int64, factors []int64) []quota {
	var sums, nums, dens [pots]big.Int
	weights := make([]big.Int, len(s.items))
	all := new(big.Int)
	for i := range s.items {
		weights[i].Mul(s.items[i].weight, big.NewInt(factors[i]))
		sums[s.items[i].pot].Add(&sums[s.items[i].pot], &weights[i])
	}
	for k := range split {
		all.Add(all, big.NewInt(split[k]))
	}
	for k := range split {
		nums[k].Mul(big.NewInt(s.flow.members), big.NewInt(split[k]))
		nums[k].Lsh(&nums[k], 64)
		dens[k].Mul(all, &sums[k])
	}
	out := make([]quota, len(s.items))
	var v big.Int
	var buf [16]byte
	for i := range s.items {
		k := s.items[i].pot
		if weights[i].Sign() == 0 || split[k] == 0 {
			continue
		}
		v.Quo(v.Mul(&nums[k], &weights[i]), &dens[k]).FillBytes(buf[:])
		out[i] = quotaOf(buf)
	}
	return out
}

func quotaOf(b [16]byte) quota {
	var q quota
	for i := range 8 {
		q.whole, q.frac = q.whole<<8|uint64(b[i]), q.frac<<8|uint64(b[8+i])
	}
	return q
}

// pay rounds quotas to whole units: first over all members, then each member's
// amount over the member's own items. Within, when given, bounds each member by
// the fence.
func (s *settlement) pay(period string, quotas []quota, within *settlement) amounts {
	n := len(s.first) - 1
	out := amounts{make([]int64, n), make([]int64, len(s.items))}
	claims := make([]claim, n)
	for m := range claims {
		lines := quotas[s.first[m]:s.first[m+1]]
		var sum quota
		for _, q := range lines {
			sum = sum.add(q)
		}
		claims[m] = sum.claim(s.items[s.first[m]].member)
		if within != nil && claims[m].hi > 0 {
			claims[m].lo, claims[m].hi = within.floor[m], within.ceil[m]
		}
	}
	must(deal(s.flow.members, claims, period))
	for m := range claims {
		out.members[m] = claims[m].got
		s.payItems(period, m, claims[m].got, quotas, out.items)
	}
	return out
}

func (s *settlement) payItems(period string, m int, amount int64, quotas []quota, out []int64) {
	from, to := s.first[m], s.first[m+1]
	claims := make([]claim, to-from)
	for i := range claims {
		it := s.items[from+i]
		claims[i] = quotas[from+i].claim(it.pot.String() + " " + it.ref + " " + it.request)
	}
	must(deal(amount, claims, period+" "+s.items[from].member))
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
