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

// weightBits is the resolution of a data weight: it counts 2⁻⁹⁶ of a minor
// unit of revenue, so fine that what rounding down loses can never be seen.
const weightBits = 96

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
}

// weigh turns evidence in normal order into items, ordered by member, pot,
// reference and request.
func weigh(ev Evidence) []item {
	items := make([]item, 0, len(ev.Data)+len(ev.Available)+len(ev.Work)+len(ev.Duties))
	items = weighData(items, ev)
	items = weighAvailable(items, ev)
	for _, w := range ev.Work {
		items = append(items, item{
			member: w.Member, pot: potWork, ref: w.Contribution, dossier: w.Contribution,
			weight: points(w.Points, w.Grade), shown: w.Points, why: workWhy(w),
		})
	}
	for _, d := range ev.Duties {
		items = append(items, item{
			member: d.Member, pot: potGovernance, ref: dutyRef(d), dossier: DutyRef(d.Member, d.Kind),
			weight: points(d.Points, d.Grade), shown: d.Points, why: dutyWhy(d),
		})
	}
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(cmp.Compare(a.member, b.member), cmp.Compare(a.pot, b.pot), cmp.Compare(a.ref, b.ref), cmp.Compare(a.request, b.request))
	})
	return items
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

func weighData(items []item, ev Evidence) []item {
	uses := ev.Data
	for _, r := range ev.Requests {
		n := 0
		for n < len(uses) && uses[n].Request == r.Request {
			n++
		}
		items = weighRequest(items, r, uses[:n], coop.Currency(ev.Currency))
		uses = uses[n:]
	}
	return items
}

// weighRequest attributes the revenue of one request to the datasets it read.
func weighRequest(items []item, r Request, uses []DataUse, currency coop.Currency) []item {
	entries := make([]entry, len(uses))
	for i, u := range uses {
		entries[i] = entry{member: u.Member, cluster: u.Cluster, figure: u.Coverage * u.Fresh * u.Unique * u.Trust}
		if u.Grade == GradeSelf || r.Related {
			entries[i].figure = 0
		}
	}
	parts := share(entries)
	fine := new(big.Int).Lsh(big.NewInt(r.Revenue), weightBits)
	for i, u := range uses {
		weight := parts[i].of(fine)
		shown := new(big.Int).Mul(weight, big.NewInt(1000))
		shown.Rsh(shown, weightBits)
		items = append(items, item{
			member: u.Member, pot: potData, ref: u.Dataset, request: r.Request, dossier: u.Dataset,
			weight: weight, shown: shown.Int64(), why: dataWhy(r, u, parts[i], coop.Money(shown.Int64()/1000), currency),
		})
	}
	return items
}

func weighAvailable(items []item, ev Evidence) []item {
	entries := make([]entry, len(ev.Available))
	for i, a := range ev.Available {
		entries[i] = entry{member: a.Member, cluster: a.Cluster}
		if a.Confirmed {
			entries[i].figure = a.Days
		}
	}
	parts := share(entries)
	one := new(big.Int).Lsh(big.NewInt(1), weightBits)
	for i, a := range ev.Available {
		items = append(items, item{
			member: a.Member, pot: potStipend, ref: a.Dataset,
			weight: parts[i].of(one), shown: a.Days, why: stipendWhy(a, parts[i]),
		})
	}
	return items
}

// entry is one dataset among those that are divided between.
type entry struct {
	member, cluster string
	figure          int64
}

// part is an exact fraction; by says why it is nothing.
type part struct {
	num, den *big.Int
	by       string
}

// Reasons for a part of nothing.
const (
	counted  = ""
	noFigure = "figure"  // its own figures say so
	outdone  = "outdone" // the same person has a better dataset
)

// of is total times p, rounded down.
func (p part) of(total *big.Int) *big.Int {
	if p.num.Sign() == 0 {
		return new(big.Int)
	}
	out := new(big.Int).Mul(total, p.num)
	return out.Quo(out, p.den)
}

// cluster is what is known of the entries that count as one.
type cluster struct {
	best int64    // of its persons' figures
	sum  *big.Int // of its persons' figures
}

// share divides one thing between entries: each person counts with their best
// entry (the first of equals), each cluster as its best person, divided inside
// by the persons' figures.
func share(entries []entry) []part {
	type person struct{ cluster, member string }
	best := map[person]int{}
	for i, e := range entries {
		who := person{e.name(), e.member}
		if have, ok := best[who]; !ok || e.figure > entries[have].figure {
			best[who] = i
		}
	}
	clusters := map[string]*cluster{}
	for who, i := range best {
		c := clusters[who.cluster]
		if c == nil {
			c = &cluster{sum: new(big.Int)}
			clusters[who.cluster] = c
		}
		c.best = max(c.best, entries[i].figure)
		c.sum.Add(c.sum, big.NewInt(entries[i].figure))
	}
	all := new(big.Int)
	for _, c := range clusters {
		all.Add(all, big.NewInt(c.best))
	}
	out := make([]part, len(entries))
	for i, e := range entries {
		out[i] = part{num: new(big.Int), den: big.NewInt(1)}
		switch c := clusters[e.name()]; {
		case e.figure == 0:
			out[i].by = noFigure
		case best[person{e.name(), e.member}] != i:
			out[i].by = outdone
		default:
			out[i].num.Mul(big.NewInt(c.best), big.NewInt(e.figure))
			out[i].den.Mul(all, c.sum)
		}
	}
	return out
}

// name is the cluster an entry belongs to. A member id and a cluster id never
// mean the same by accident.
func (e entry) name() string {
	if e.cluster == "" {
		return "member " + e.member
	}
	return "cluster " + e.cluster
}
