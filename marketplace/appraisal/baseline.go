package appraisal

import (
	"cmp"
	"math/big"
	"slices"

	"distributed.ai/datacoop/internal/coop"
)

// The pots that the members' part is split between; also the kinds of lines on
// a statement.
const (
	KindData       = "data"
	KindStipend    = "stipend"
	KindWork       = "work"
	KindGovernance = "governance"
)

// pot is the position of a kind in the arrays of this package.
type pot int

const (
	potData pot = iota
	potStipend
	potWork
	potGovernance
	pots
)

func (k pot) String() string { return [...]string{KindData, KindStipend, KindWork, KindGovernance}[k] }

// weightBits is the resolution of a data weight: it counts 2⁻¹²⁸ of a minor
// unit of revenue, so fine that what rounding down loses can never be seen.
const weightBits = 128

// item is one line of evidence with the weight it has in its pot.
type item struct {
	member  string
	pot     pot
	ref     string   // dataset, contribution or duty
	request string   // of a data use
	weight  *big.Int // never nil, never negative
	shown   int64    // the weight as a statement prints it, see Line.Weight
	why     string   // what the evidence says, in sentences
	dossier string   // reference of the dossier a judge scores it by, see DossierID
	group   int      // of a data use with a figure: those of the same member in the same request; else 0
}

// weighed is evidence with the weight it has in each pot. A pot's sum is what
// there is to divide in it, which is a little more than rounding down left of
// the items' weights.
type weighed struct {
	items []item // by member, pot, reference and request
	sums  [pots]*big.Int
}

// weigh expects evidence in normal order.
func weigh(ev Evidence) weighed {
	w := weighed{items: make([]item, 0, len(ev.Data)+len(ev.Available)+len(ev.Work)+len(ev.Duties))}
	for k := range w.sums {
		w.sums[k] = new(big.Int)
	}
	w.data(ev)
	w.available(ev)
	for _, one := range ev.Work {
		w.add(item{
			member: one.Member, pot: potWork, ref: one.Contribution, dossier: one.Contribution,
			weight: points(one.Points, one.Grade), shown: one.Points, why: workWhy(one),
		})
	}
	for _, d := range ev.Duties {
		w.add(item{
			member: d.Member, pot: potGovernance, ref: dutyRef(d), dossier: DutyRef(d.Member, d.Kind),
			weight: points(d.Points, d.Grade), shown: d.Points, why: dutyWhy(d),
		})
	}
	slices.SortFunc(w.items, func(a, b item) int {
		return cmp.Or(cmp.Compare(a.member, b.member), cmp.Compare(a.pot, b.pot), cmp.Compare(a.ref, b.ref), cmp.Compare(a.request, b.request))
	})
	return w
}

// add enters a piece of work or a duty, whose weights are whole numbers.
func (w *weighed) add(it item) {
	w.items = append(w.items, it)
	w.sums[it.pot].Add(w.sums[it.pot], it.weight)
}

func points(n int64, grade string) *big.Int {
	if grade == GradeSelf {
		n = 0
	}
	return big.NewInt(n)
}

func dutyRef(d Duty) string {
	if d.Ref == "" {
		return d.Kind
	}
	return d.Kind + ":" + d.Ref
}

func (w *weighed) data(ev Evidence) {
	uses := ev.Data
	for _, r := range ev.Requests {
		n := 0
		for n < len(uses) && uses[n].Request == r.Request {
			n++
		}
		w.request(r, uses[:n], coop.Currency(ev.Currency))
		uses = uses[n:]
	}
}

// request attributes the revenue of one request to the datasets it read.
func (w *weighed) request(r Request, uses []DataUse, currency coop.Currency) {
	entries := make([]entry, len(uses))
	for i, u := range uses {
		entries[i] = entry{member: u.Member, cluster: u.Cluster, figure: u.Coverage * u.Fresh * u.Unique * u.Trust}
		if u.Grade == GradeSelf || r.Related {
			entries[i].figure = 0
		}
	}
	parts, all := share(entries)
	fine := new(big.Int).Lsh(big.NewInt(r.Revenue), weightBits)
	if all.Sign() > 0 {
		w.sums[potData].Add(w.sums[potData], fine)
	}
	shown, groups := new(big.Int), map[string]int{}
	for i, weight := range weights(fine, all, entries, parts) {
		shown.Rsh(shown.Mul(weight, thousand), weightBits)
		u, thousandths := uses[i], shown.Int64()
		group := 0
		if entries[i].figure > 0 {
			group = cmp.Or(groups[u.Member], len(w.items)+1)
			groups[u.Member] = group
		}
		w.items = append(w.items, item{
			member: u.Member, pot: potData, ref: u.Dataset, request: r.Request, dossier: u.Dataset, group: group,
			weight: weight, shown: thousandths, why: dataWhy(r, u, parts[i], coop.Money(thousandths/1000), currency) + aloneWhy(u.Alone),
		})
	}
}

var thousand = big.NewInt(1000)

func (w *weighed) available(ev Evidence) {
	entries := make([]entry, len(ev.Available))
	for i, a := range ev.Available {
		entries[i] = entry{member: a.Member, cluster: a.Cluster}
		if a.Confirmed && !a.Copy && a.Grade != GradeSelf {
			entries[i].figure = a.Days
		}
	}
	parts, all := share(entries)
	one := new(big.Int).Lsh(big.NewInt(1), weightBits)
	if all.Sign() > 0 {
		w.sums[potStipend] = one
	}
	for i, weight := range weights(one, all, entries, parts) {
		a := ev.Available[i]
		w.items = append(w.items, item{
			member: a.Member, pot: potStipend, ref: a.Dataset,
			weight: weight, shown: a.Days, why: stipendWhy(a, parts[i]) + aloneWhy(a.Alone),
		})
	}
}
