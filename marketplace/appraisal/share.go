package appraisal

import (
	"cmp"
	"math/big"
	"slices"
)

// # Why more evidence never costs
//
// Raising one member's evidence of one kind, other things equal, never lowers
// what the baseline pays that member, to the minor unit. Each step below keeps
// one property: the member's figure never falls, and no other member's rises.
//
//  1. In a cluster (share, layers) a person counts with their best entry; call
//     it y. The layer between two neighbouring figures is divided equally
//     between the persons who reach it. Raising y thickens a layer that the
//     person shares with those above and thins the next, which those above
//     share with one fewer: those above lose, those below see nothing, the
//     person gains. Rounding a layer down to 2⁻⁴⁸ does not spoil that: a figure
//     rises by at least 1, so each above loses at least 1/n² for n < 2²² persons,
//     and that is more than what is rounded. If y is the highest, the cluster
//     grows by the whole of the rise and the person alone gains it. So the sum
//     over a request, A, never falls and rises at most by what the member gains,
//     and e/A rises for the member and for nobody else.
//  2. The weight of an entry is revenue × e/A, rounded down; a member's is
//     rounded down once for a request (weights), and the sum of a pot is the
//     revenue of the requests that attribute any, not what rounding left of it
//     (weighed.sums). Rounding down keeps order, and a fixed sum cannot fall.
//     Points of work and duties are whole numbers.
//  3. A request, or a pot, that nobody earned from and now the member does, goes
//     to the member whole: it takes the same thousandths from everybody, and
//     gives all of them to one.
//  4. A member's quota is the exact sum over the pots, rounded down once
//     (division.member), and largest remainder hands out the units of highest
//     priority in one ordered list (claim): a claim that rises among claims that
//     do not loses no unit.
//
// The same holds under an opinion that stays as it is. A factor multiplies weights
// after they were divided, and all datasets that a member has in a request have
// one, the best that any of them was given (Opinion.factors). So a dataset that takes
// another's place takes no lower factor with it, one that is added lowers none, and
// what one gains is worth as much as what another loses: the member's part of the
// request times the factor never falls and nobody else's rises, so the member's
// quota never falls. Others' quotas may rise, where what the member gains weighs less than
// what somebody better liked loses; for a bound of data up to a third none can
// overtake the member's in the last unit, above it the member may lose that one.
// The fence moves with the baseline.
//
// Until the sums were exact, the rule failed where two members had the same
// quota: a member's own part, cut in two, was rounded twice, and the tie went to
// the other.

// entry is one dataset among those that are divided between.
type entry struct {
	member, cluster string
	figure          int64
}

// part is a numerator, of the denominator that share answers; by says why it is
// nothing.
type part struct {
	num *big.Int
	by  string
}

// Reasons for a part of nothing.
const (
	counted  = ""
	noFigure = "figure"  // its own figures say so
	outdone  = "outdone" // the same person has a better dataset
)

// weights are what each part is of a total, rounded down once for each member: a
// member's later parts have what is left of the sum so far.
func weights(total, all *big.Int, entries []entry, parts []part) []*big.Int {
	type so struct{ num, weight *big.Int }
	out, far := make([]*big.Int, len(parts)), make(map[string]so, len(parts))
	for i, p := range parts {
		if p.num.Sign() == 0 {
			out[i] = nothing
			continue
		}
		before, again := far[entries[i].member]
		now := so{p.num, new(big.Int)}
		if again {
			now.num = new(big.Int).Add(before.num, p.num)
		}
		now.weight.Quo(now.weight.Mul(total, now.num), all)
		far[entries[i].member], out[i] = now, now.weight
		if again {
			out[i] = new(big.Int).Sub(now.weight, before.weight)
		}
	}
	return out
}

// layerBits is the resolution of a figure inside a cluster of several persons.
const layerBits = 48

var nothing = new(big.Int)

// share divides one thing between entries: each person counts with their best
// entry (the first of equals), each cluster as its best person, divided inside
// by layers. All is the sum of the clusters' weights, by which parts divide.
func share(entries []entry) (out []part, all *big.Int) {
	type person struct{ cluster, member string }
	best := make(map[person]int, len(entries))
	for i, e := range entries {
		who := person{e.name(), e.member}
		if have, ok := best[who]; !ok || e.figure > entries[have].figure {
			best[who] = i
		}
	}
	clusters := make(map[string][]int, len(best))
	for who, i := range best {
		clusters[who.cluster] = append(clusters[who.cluster], i)
	}
	all, out = new(big.Int), make([]part, len(entries))
	for i, e := range entries {
		out[i] = part{num: nothing, by: outdone}
		if e.figure == 0 {
			out[i].by = noFigure
		}
	}
	fine := new(big.Int)
	for _, chosen := range clusters {
		all.Add(all, fine.Lsh(fine.SetInt64(layers(entries, chosen, out)), layerBits))
	}
	return out, all
}

// layers divides the weight of a cluster, its highest figure, between the chosen
// entries, of a person each, and answers it: between two neighbouring figures,
// all who reach the higher one have equal parts.
func layers(entries []entry, chosen []int, out []part) (top int64) {
	slices.SortFunc(chosen, func(a, b int) int {
		return cmp.Or(cmp.Compare(entries[a].figure, entries[b].figure), cmp.Compare(a, b))
	})
	sum := nothing
	for k, i := range chosen {
		layer := big.NewInt(entries[i].figure - top)
		if layer.Lsh(layer, layerBits); k < len(chosen)-1 {
			layer.Quo(layer, big.NewInt(int64(len(chosen)-k)))
		}
		sum = layer.Add(layer, sum)
		if top = entries[i].figure; top > 0 {
			out[i].num, out[i].by = sum, counted
		}
	}
	return top
}

// name is the cluster an entry belongs to. A member id and a cluster id never
// mean the same by accident.
func (e entry) name() string {
	if e.cluster == "" {
		return "member " + e.member
	}
	return "cluster " + e.cluster
}
