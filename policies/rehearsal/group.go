package rehearsal

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// verdict is what an answer means to who asks, from bad to good.
type verdict int

const (
	refused verdict = iota
	waits           // people look at it first
	released
)

func verdictOf(o policies.Outcome) verdict {
	switch {
	case o.Allow:
		return released
	case o.NeedsReview:
		return waits
	}
	return refused
}

// pair is both verdicts about one question.
type pair struct{ was, now verdict }

func (a asked) pair() pair { return pair{verdictOf(a.was), verdictOf(a.now)} }

func (p pair) differs() bool { return p.was != p.now }

// group is a kind of request: the same verdicts for the same reasons, found by
// changing the same parts.
type group struct {
	pair  pair
	first asked
	base  base
	cases int
}

// grouping collects differences in the order in which they were found.
type grouping struct {
	order  []string
	groups map[string]*group
}

func (g *grouping) add(b base, a asked) {
	name := fmt.Sprint(a.pair(), axesIn(a.steps), codesOf(a.was), codesOf(a.now))
	if g.groups == nil {
		g.groups = map[string]*group{}
	}
	if g.groups[name] == nil {
		g.groups[name] = &group{pair: a.pair(), first: a, base: b}
		g.order = append(g.order, name)
	}
	g.groups[name].cases++
}

func axesIn(steps []step) (paths []string) {
	for _, s := range steps {
		paths = append(paths, s.axis.leaf.Path)
	}
	return paths
}

func codesOf(o policies.Outcome) (codes []string) {
	for _, r := range o.Reasons {
		codes = append(codes, r.Code)
	}
	return codes
}

// singles takes the base, where the laws differ about it, and every step that
// makes them differ otherwise.
func (g *grouping) singles(b base, singles []asked) {
	at := singles[0].pair()
	for i, a := range singles {
		if a.pair().differs() && (i == 0 || a.pair() != at) {
			g.add(b, a)
		}
	}
}

// pairs takes those that show what neither of their halves shows.
func (g *grouping) pairs(b base, singles, pairs []asked) {
	half := map[string]pair{}
	for _, a := range singles {
		half[fmt.Sprint(axesIn(a.steps), valuesIn(a.steps))] = a.pair()
	}
	shown := func(p pair, steps []step) bool { return half[fmt.Sprint(axesIn(steps), valuesIn(steps))] == p }
	for _, a := range pairs {
		p := a.pair()
		if p.differs() && !shown(p, nil) && !shown(p, a.steps[:1]) && !shown(p, a.steps[1:]) {
			g.add(b, a)
		}
	}
}

func valuesIn(steps []step) (values []any) {
	for _, s := range steps {
		values = append(values, s.value)
	}
	return values
}

// findings puts the groups into words, those that give somebody more first.
func (g *grouping) findings(c coop.Currency) []Finding {
	out := make([]Finding, 0, len(g.order))
	for _, name := range g.order {
		kind := g.groups[name]
		out = append(out, Finding{Gain: kind.pair.now > kind.pair.was, Cases: kind.cases, Sentence: kind.sentence(c)})
	}
	slices.SortStableFunc(out, func(a, b Finding) int { return cmp.Compare(rank(a), rank(b)) })
	return slices.CompactFunc(out, func(a, b Finding) bool { return a.Sentence == b.Sentence })
}

func rank(f Finding) int {
	if f.Gain {
		return 0
	}
	return 1
}

// sentence tells one request of the kind and what both laws answer.
func (k *group) sentence(c coop.Currency) string {
	in := k.base.with(k.first.steps)
	out := fmt.Sprintf("When %s: today %s; under the proposal %s.", scene(in, k.first.steps, c),
		answered(k.pair.was, k.first.was), answered(k.pair.now, k.first.now))
	switch more := k.cases - 1; more {
	case 0:
		return out
	case 1:
		return out + " One more request like it was tried."
	default:
		return out + fmt.Sprintf(" %d more requests like it were tried.", more)
	}
}

// answered says a verdict and why.
func answered(v verdict, o policies.Outcome) string {
	var why []string
	for _, r := range o.Reasons {
		if s := "“" + r.Sentence + "”"; !slices.Contains(why, s) {
			why = append(why, s)
		}
	}
	switch reasons := strings.Join(why, " "); v {
	case released:
		return "released"
	case waits:
		return "people look at it first (" + reasons + ")"
	default:
		return "refused (" + reasons + ")"
	}
}
