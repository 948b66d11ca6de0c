// Package agreement measures how far a judge of contributions agrees with
// people who judged the same ones, and how far people agree with each other.
//
// A number alone says nothing: people disagree so much that no judge can agree
// with their mean beyond a ceiling, and a careless one may come close to it.
// So each report stands between floors and that ceiling: what one person alone
// achieves against the others, what the mere length of a text achieves, and
// the most that anybody could.
//
// # What it guarantees
//
// The figures depend on nothing but the votes and the scores: no random
// number, no map order. Ties count as ties, everywhere.
//
// # What it refuses
//
// It gives no figure where there is none to give: for fewer than three items,
// or where all scores are equal, it says so instead of answering zero.
package agreement

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// Item is a contribution with the votes of the people who judged it, each a
// number of which higher is better. Who voted is not known.
type Item struct {
	ID    string
	Name  string
	Text  string
	Votes []float64
}

// Mean is the mean vote; 0 for an item without votes.
func (i Item) Mean() float64 { return mean(i.Votes) }

// Reliability says how much the people agree. Formulas: Shrout and Fleiss
// (1979), ICC(1,1) for items with different numbers of votes; Spearman and
// Brown (1910) for the mean of several.
type Reliability struct {
	Items        int     `json:"items"`
	Votes        int     `json:"votes"`
	VotesPerItem float64 `json:"votes_per_item"`
	ICC1         float64 `json:"icc_1_single_vote"`                  // of one vote
	OfMean       float64 `json:"reliability_of_mean_spearman_brown"` // of an item's mean vote
	SingleVsMean float64 `json:"expected_r_single_human_vs_mean"`    // correlation expected of one person with the means
	Ceiling      float64 `json:"theoretical_max_r_vs_mean"`          // the most any judge's correlation with the means can be
}

var errTooFew = errors.New("agreement: needs at least three items with two votes each")

// Judged keeps the items that have at least so many votes.
func Judged(items []Item, atLeast int) []Item {
	return slices.DeleteFunc(slices.Clone(items), func(i Item) bool { return len(i.Votes) < atLeast })
}

// Reliable measures how much the people agree about items that have at least
// two votes each. It refuses fewer than three of them.
func Reliable(items []Item) (Reliability, error) {
	items = Judged(items, 2)
	if len(items) < 3 {
		return Reliability{}, errTooFew
	}
	var all []float64
	squares := 0.0 // of the numbers of votes
	for _, i := range items {
		all = append(all, i.Votes...)
		squares += float64(len(i.Votes)) * float64(len(i.Votes))
	}
	groups, votes := float64(len(items)), float64(len(all))
	size := (votes - squares/votes) / (groups - 1) // what stands for the number of votes where it differs
	between, within := variances(items, mean(all), votes)
	r := Reliability{Items: len(items), Votes: len(all), VotesPerItem: votes / groups}
	if total := between + (size-1)*within; total > 0 {
		r.ICC1 = max(0, (between-within)/total)
	}
	r.OfMean = size * r.ICC1 / (1 + (size-1)*r.ICC1)
	r.SingleVsMean, r.Ceiling = math.Sqrt(r.ICC1*r.OfMean), math.Sqrt(r.OfMean)
	return r, nil
}

// variances are the mean squares between and within items.
func variances(items []Item, grand, votes float64) (between, within float64) {
	for _, i := range items {
		m := i.Mean()
		between += float64(len(i.Votes)) * (m - grand) * (m - grand)
		for _, v := range i.Votes {
			within += (v - m) * (v - m)
		}
	}
	return between / float64(len(items)-1), within / (votes - float64(len(items)))
}

// Spearman is the rank correlation of two lists of the same length, ties
// ranked by their mean. It is false where there is none: fewer than three
// pairs, or all values of a list equal.
func Spearman(a, b []float64) (rho float64, ok bool) { return Pearson(ranks(a), ranks(b)) }

// Pearson is the correlation of two lists, false under the same conditions.
func Pearson(a, b []float64) (r float64, ok bool) {
	if len(a) != len(b) || len(a) < 3 {
		return 0, false
	}
	ma, mb := mean(a), mean(b)
	var ab, aa, bb float64
	for i := range a {
		ab += (a[i] - ma) * (b[i] - mb)
		aa += (a[i] - ma) * (a[i] - ma)
		bb += (b[i] - mb) * (b[i] - mb)
	}
	if aa == 0 || bb == 0 {
		return 0, false
	}
	return ab / math.Sqrt(aa*bb), true
}

func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(values[x], values[y]) })
	out := make([]float64, len(values))
	for from := 0; from < len(order); {
		to := from
		for to < len(order) && values[order[to]] == values[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			out[i] = float64(from+to+1) / 2
		}
		from = to
	}
	return out
}

// Pairs counts pairs of items by whether two judgements order them alike.
type Pairs struct {
	Agree    int `json:"agree"`
	Disagree int `json:"disagree"`
	Tied     int `json:"tied"` // by either judgement, which then says nothing about the pair
}

// Rate is the share of agreeing pairs, a tie counting half; false without
// pairs.
func (p Pairs) Rate() (float64, bool) {
	n := p.Agree + p.Disagree + p.Tied
	if n == 0 {
		return 0, false
	}
	return (float64(p.Agree) + float64(p.Tied)/2) / float64(n), true
}

// Pairwise compares how two judgements order each pair of items.
func Pairwise(a, b []float64) Pairs {
	var p Pairs
	for i := range a {
		for j := range i {
			switch cmp.Compare(a[i], a[j]) * cmp.Compare(b[i], b[j]) {
			case 1:
				p.Agree++
			case -1:
				p.Disagree++
			default:
				p.Tied++
			}
		}
	}
	return p
}

// OneAgainstOthers is what one person achieves against the mean of all others:
// the correlation of single votes with the mean of the item's other votes,
// over all votes at once, each item counting alike. It is false where Pearson
// is.
func OneAgainstOthers(items []Item) (r float64, ok bool) {
	var one, others, weights []float64
	for _, i := range Judged(items, 2) {
		n := float64(len(i.Votes))
		sum := i.Mean() * n
		for _, v := range i.Votes {
			one, others = append(one, v), append(others, (sum-v)/(n-1))
			weights = append(weights, 1/n)
		}
	}
	return weighted(one, others, weights)
}

func weighted(a, b, w []float64) (r float64, ok bool) {
	var total, ma, mb float64
	for i := range a {
		total, ma, mb = total+w[i], ma+w[i]*a[i], mb+w[i]*b[i]
	}
	if total < 2.5 { // fewer than three items
		return 0, false
	}
	ma, mb = ma/total, mb/total
	var ab, aa, bb float64
	for i := range a {
		ab += w[i] * (a[i] - ma) * (b[i] - mb)
		aa += w[i] * (a[i] - ma) * (a[i] - ma)
		bb += w[i] * (b[i] - mb) * (b[i] - mb)
	}
	if aa == 0 || bb == 0 {
		return 0, false
	}
	return ab / math.Sqrt(aa*bb), true
}

func mean(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
