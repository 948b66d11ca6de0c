package appraisal

import (
	"cmp"
	"slices"

	"distributed.ai/datacoop/internal/coop"
)

// # How members divide their part
//
// Each member may say how the members' part should be divided between data, work
// and governance. When a period closes, each of the three figures is the median
// of what was said of it; of an even number the lower of the two in the middle.
// For one figure, and members who like an outcome the less the further it lies
// from their own, no ballot but the sincere one serves its author better
// (Moulin, 1980): a figure beyond the median counts for no more than one just
// above it, so that exaggerating moves nothing. Three medians seldom add up to a
// whole. Dividing 1000 by them in proportion, by largest remainder with the tie
// broken by SHA-256(period ‖ part), ties the figures together again: there the
// theorem ends, and the bounds of the charter hold. A figure that would leave
// them stays at its bound, and the others make room in the same order of
// remainders.

// Cut is a division of the members' part, in thousandths.
type Cut struct {
	Data       int64 `json:"data"`
	Governance int64 `json:"governance"`
	Work       int64 `json:"work"`
}

// Ballots is what members had said when a period closed, and what it is counted
// by. Where fewer had said something than it takes, nothing of it is here.
type Ballots struct {
	Approval   int64 `json:"approval"`   // thousandths of the members that it takes, at least fewestBallots
	Charter    Cut   `json:"charter"`    // stands where too few have said something
	Electorate int64 `json:"electorate"` // members; 0 where too few have said something
	Least      Cut   `json:"least"`      // the charter's bounds
	Most       Cut   `json:"most"`
	Said       []Cut `json:"said"` // one for each member who said something, in ascending order, without names
}

// fewestBallots is how many it takes at least, so that in a young co-op two
// friends cannot divide the money.
const fewestBallots = 3

// maxElectorate is more members than there are people.
const maxElectorate = 100_000_000_000

// cutOf is a division that a charter names.
func cutOf(p coop.Parts) Cut { return Cut{Data: p.Data, Governance: p.Governance, Work: p.Work} }

// BallotsOf is what the ballots of so many members come to under a charter: they
// are kept only if they are enough.
func BallotsOf(c coop.Charter, electorate int, said []Cut) Ballots {
	least, most := c.Split.Bounds()
	b := Ballots{Approval: c.Classes[coop.ClassStatement].ApprovalPermille, Charter: cutOf(c.Split.Parts()),
		Least: cutOf(least), Most: cutOf(most), Said: []Cut{}}
	if len(said) >= Needed(b.Approval, electorate) {
		b.Electorate, b.Said = int64(electorate), slices.Clone(said)
		slices.SortFunc(b.Said, Cut.compare)
	}
	return b
}

// Needed is how many ballots it takes among so many members: the quorum of the
// electoral class rounded up, and at least three.
func Needed(approval int64, electorate int) int {
	return max(fewestBallots, int((approval*int64(electorate)+999)/1000))
}

// Enough reports whether the members decide; otherwise the charter's division
// stands.
func (b Ballots) Enough() bool { return len(b.Said) > 0 }

// Counts reports whether the members' figures hold, and not the charter's: they
// do not where in the middle every part is nothing.
func (b Ballots) Counts() bool { return b.Enough() && b.Median() != (Cut{}) }

// Median is the median of each part by itself, the lower of two in the middle.
func (b Ballots) Median() Cut {
	if !b.Enough() {
		return b.Charter
	}
	middle := func(of func(Cut) int64) int64 {
		all := make([]int64, len(b.Said))
		for i, c := range b.Said {
			all[i] = of(c)
		}
		slices.Sort(all)
		return all[(len(all)-1)/2]
	}
	return Cut{middle(func(c Cut) int64 { return c.Data }), middle(func(c Cut) int64 { return c.Governance }), middle(func(c Cut) int64 { return c.Work })}
}

// Count is the division that holds for a period: the median, normalised to 1000
// within the bounds. It expects ballots that [Ballots.Check] has passed.
func (b Ballots) Count(period string) Cut {
	if !b.Counts() {
		return b.Charter
	}
	m := b.Median()
	sum := uint64(m.Data + m.Governance + m.Work)
	claims := []claim{
		{key: KindData, lo: b.Least.Data, hi: b.Most.Data}, {key: KindGovernance, lo: b.Least.Governance, hi: b.Most.Governance},
		{key: KindWork, lo: b.Least.Work, hi: b.Most.Work},
	}
	for i, w := range []int64{m.Data, m.Governance, m.Work} {
		claims[i].whole, claims[i].rem = divide(1000, uint64(w), 0, sum)
	}
	must(deal(1000, claims, period)) // the charter's own division lies within the bounds, so there is a way
	return Cut{claims[0].got, claims[1].got, claims[2].got}
}

// Digest is the SHA-256 of the ballots as a bundle has them.
func (b Ballots) Digest() (string, error) { return digest(b) }

// Valid reports whether the parts are thousandths that add up to 1000.
func (c Cut) Valid() bool {
	return permille(c.Data, c.Governance, c.Work) && c.Data+c.Governance+c.Work == 1000
}

// Within reports whether each part lies within its bounds.
func (c Cut) Within(least, most Cut) bool {
	return least.Data <= c.Data && c.Data <= most.Data && least.Work <= c.Work && c.Work <= most.Work &&
		least.Governance <= c.Governance && c.Governance <= most.Governance
}

func (c Cut) compare(d Cut) int {
	return cmp.Or(cmp.Compare(c.Data, d.Data), cmp.Compare(c.Governance, d.Governance), cmp.Compare(c.Work, d.Work))
}

// Check reports the first contradiction as a fault "params-invalid".
func (b Ballots) Check() error {
	bounds := []int64{b.Approval, b.Least.Data, b.Least.Governance, b.Least.Work, b.Most.Data, b.Most.Governance, b.Most.Work}
	switch {
	case !permille(bounds...) || !b.Charter.Valid() || !b.Charter.Within(b.Least, b.Most):
		return errParams.With("ballots: the charter's division is none, or not within its bounds")
	case b.Electorate < 0 || b.Electorate > maxElectorate || (b.Electorate > 0) != b.Enough() || int64(len(b.Said)) > b.Electorate:
		return errParams.With("ballots: not as many as members")
	case b.Enough() && len(b.Said) < Needed(b.Approval, int(b.Electorate)):
		return errParams.With("ballots: too few")
	case !slices.IsSortedFunc(b.Said, Cut.compare) || slices.ContainsFunc(b.Said, func(c Cut) bool { return !c.Valid() }):
		return errParams.With("ballots: one is no division, or they are not in order")
	}
	return nil
}

// Voted are the params with what members said, and the division that it gives
// for a period.
func (p Params) Voted(period string, b Ballots) Params {
	cut := b.Count(period)
	p.Ballots, p.Data, p.Governance, p.Work = &b, cut.Data, cut.Governance, cut.Work
	return p
}

// checkBallots counts the ballots again.
func (p Params) checkBallots(period string) error {
	if p.Ballots == nil {
		return nil
	}
	if err := p.Ballots.Check(); err != nil {
		return err
	}
	if p.Ballots.Count(period) != (Cut{p.Data, p.Governance, p.Work}) {
		return errParams.With("data, work and governance are not what the ballots give")
	}
	return nil
}
