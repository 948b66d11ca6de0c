// Package outlook answers the question what one might earn, from what members
// who share in a pool did get.
//
// # What it is for
//
// Before somebody gives a consent they should know what others got for theirs.
// When a statement is computed, this annex of the market takes from it, for each
// pool, the quartiles of what its members got for their data, in that period and
// in the year that ends with it. [Of] answers them once the period is settled.
//
// # What it guarantees
//
// Members who shared in a pool and got nothing are counted with nothing, so that
// the middle of all is not the middle of the lucky. The same statement gives the
// same figures. A pool in which fewer members share than its smallest group gets
// none, so that nobody's income can be read off.
//
// # What it refuses
//
// To foresee anything: it says what was, and where nothing was, that nobody knows.
package outlook

import (
	"slices"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/veil"
	"distributed.ai/datacoop/vault"
)

// Spans of time that a spread is about.
const (
	InPeriod = "period"
	InYear   = "year" // all periods that closed within a year, the named one last
)

// year is a year's length in milliseconds.
const year = 365 * 24 * int64(time.Hour/time.Millisecond)

// Spread is what the members who share in a pool got for their data. A quarter of
// them got Quarter1 or less, half Quarter2 or less, three quarters Quarter3 or
// less. With Members 0 they are too few to say.
type Spread struct {
	Pool     coop.PoolID
	Period   coop.PeriodID
	Span     string
	Periods  int // how many it is about
	Members  int
	Quarter1 coop.Money
	Quarter2 coop.Money
	Quarter3 coop.Money
}

// TooFew reports whether so few members share that nothing is said.
func (s Spread) TooFew() bool { return s.Members == 0 }

// Nothing reports whether three quarters of the members got nothing.
func (s Spread) Nothing() bool { return s.Quarter3 == 0 }

// sums adds up what members got, pool by pool, in one snapshot.
type sums struct {
	tx      *db.Tx
	vault   *vault.Service
	known   map[string]coop.PoolID
	now     map[coop.PoolID]map[coop.MemberID]int64
	year    map[coop.PoolID]map[coop.MemberID]int64
	periods int
}

// period begins another period. The last one begun is the one that is told by
// itself.
func (s *sums) period() { s.now, s.periods = map[coop.PoolID]map[coop.MemberID]int64{}, s.periods+1 }

// add counts a member's lines. Work and duties are not what data bring.
func (s *sums) add(m coop.MemberID, lines []appraisal.Line) error {
	for _, line := range lines {
		if line.Kind != appraisal.KindData && line.Kind != appraisal.KindStipend {
			continue
		}
		pool, ok := s.known[line.Ref]
		if !ok {
			id := coop.DatasetID(line.Ref)
			facts, err := s.vault.Infos(s.tx, id)
			if err != nil {
				return err
			}
			pool = facts[id].Pool
			s.known[line.Ref] = pool
		}
		for _, sums := range []map[coop.PoolID]map[coop.MemberID]int64{s.now, s.year} {
			if sums[pool] == nil {
				sums[pool] = map[coop.MemberID]int64{}
			}
			sums[pool][m] += line.Amount
		}
	}
	return nil
}

// Spreads are the figures of the charter's pools: what a statement that closes
// the period at a time (Unix ms) gives its members, alone and with the settled
// statements of the year before. The vault knows where a dataset belongs, and
// consent how many members share in a pool.
func Spreads(tx *db.Tx, v *vault.Service, c *consent.Service, pools []coop.Pool, id coop.PeriodID, closed int64, shares []veil.Share) ([]Spread, error) {
	s := sums{tx: tx, vault: v, known: map[string]coop.PoolID{}, year: map[coop.PoolID]map[coop.MemberID]int64{}}
	before, err := settled(tx, closed-year, id)
	if err != nil {
		return nil, err
	}
	for _, earlier := range before {
		s.period()
		if err := explained(tx, earlier, s.add); err != nil {
			return nil, err
		}
	}
	s.period()
	for _, share := range shares {
		if err := s.add(share.Member, share.Lines); err != nil {
			return nil, err
		}
	}
	return s.spreads(c, pools)
}

func (s *sums) spreads(c *consent.Service, pools []coop.Pool) ([]Spread, error) {
	var out []Spread
	for _, p := range pools {
		members, err := c.Members(s.tx, p.ID)
		if err != nil {
			return nil, err
		}
		one, all := spread(s.now[p.ID], members, p.MinimumGroup), spread(s.year[p.ID], members, p.MinimumGroup)
		one.Pool, one.Span, one.Periods = p.ID, InPeriod, 1
		all.Pool, all.Span, all.Periods = p.ID, InYear, s.periods
		out = append(out, one, all)
	}
	return out, nil
}

// spread finds the quartiles by nearest rank, among at least so many members:
// those without an amount got nothing.
func spread(amounts map[coop.MemberID]int64, members, minimum int) Spread {
	n := max(members, len(amounts))
	if n < max(minimum, 1) {
		return Spread{}
	}
	sorted := make([]int64, n)
	i := 0
	for _, amount := range amounts {
		sorted[i] = amount
		i++
	}
	slices.Sort(sorted)
	rank := func(quarter int) coop.Money { return coop.Money(sorted[(quarter*n+3)/4-1]) }
	return Spread{Members: n, Quarter1: rank(1), Quarter2: rank(2), Quarter3: rank(3)}
}

// Outlook is what can be said of a pool.
type Outlook struct {
	Pool coop.Pool
	Last *Spread // of the newest settled period; nil if there is none
	Year *Spread // of the year that ended with it
}

// Of says what can be said of pools. A statement that can still be contested is
// no past.
func Of(tx *db.Tx, pools []coop.Pool) ([]Outlook, error) {
	out := make([]Outlook, 0, len(pools))
	for _, p := range pools {
		out = append(out, Outlook{Pool: p})
	}
	all, err := newest(tx)
	for i, s := range all {
		at := slices.IndexFunc(out, func(o Outlook) bool { return o.Pool.ID == s.Pool })
		switch {
		case at < 0: // not asked for
		case s.Span == InPeriod:
			out[at].Last = &all[i]
		default:
			out[at].Year = &all[i]
		}
	}
	return out, err
}
