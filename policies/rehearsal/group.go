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
	fired  []string // rules of the proposal that spoke, in order, each once
}

// hear notes which rules of the proposal spoke.
func (g *grouping) hear(list []asked) {
	for _, a := range list {
		for _, rule := range a.now.Rules {
			if i, known := slices.BinarySearch(g.fired, rule); !known {
				g.fired = slices.Insert(g.fired, i, rule)
			}
		}
	}
}

// silent says which rules of a policy never spoke.
func silent(laws []policies.Law, fired []string) (out []string) {
	for _, l := range laws {
		if _, spoke := slices.BinarySearch(fired, l.Name); spoke {
			continue
		}
		lines := fmt.Sprintf("line %d", l.Lines[0])
		if len(l.Lines) > 1 {
			lines = "lines " + strings.Trim(strings.Join(strings.Fields(fmt.Sprint(l.Lines)), ", "), "[]")
		}
		out = append(out, fmt.Sprintf("No request that was tried reaches the rule in %s (“%s”), so nobody has seen what it does.", lines, l.Sentence))
	}
	return out
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
	g.hear(singles)
	at := singles[0].pair()
	for i, a := range singles {
		if a.pair().differs() && (i == 0 || a.pair() != at) {
			g.add(b, a)
		}
	}
}

// pairs takes those that show what neither of their halves shows.
func (g *grouping) pairs(b base, singles, pairs []asked) {
	g.hear(pairs)
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

// kinds puts the groups into words, in the order in which they were found.
func (g *grouping) kinds(c coop.Currency) []Kind {
	out := make([]Kind, 0, len(g.order))
	for _, name := range g.order {
		k := g.groups[name]
		in := k.base.with(k.first.steps)
		in.Request.ID, in.Request.Requester.ID = "", ""
		out = append(out, Kind{Name: name, Gain: k.pair.now > k.pair.was, Cases: k.cases, Scene: k.scene(c), Ask: in.Request})
	}
	return out
}

// findings tells kinds, those that give somebody more first.
func findings(kinds []Kind) []Finding {
	out := make([]Finding, 0, len(kinds))
	for _, k := range kinds {
		out = append(out, Finding{Gain: k.Gain, Cases: k.Cases, Sentence: k.sentence()})
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

// scene tells one request of the kind and what both laws answer.
func (k *group) scene(c coop.Currency) string {
	in := k.base.with(k.first.steps)
	return fmt.Sprintf("When %s: today %s; under the proposal %s.", scene(in, k.first.steps, c),
		answered(k.pair.was, k.first.was), answered(k.pair.now, k.first.now))
}

// sentence adds how many more were tried.
func (k Kind) sentence() string {
	switch more := k.Cases - 1; more {
	case 0:
		return k.Scene
	case 1:
		return k.Scene + " One more request like it was tried."
	default:
		return k.Scene + fmt.Sprintf(" %d more requests like it were tried.", more)
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
