package nearest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/policies"
)

// move is a change of one thing.
type move struct {
	field string
	words string
	apply func(*consent.Ask)
}

// trial is a changed request and what came of it.
type trial struct {
	moves    []move
	ask      consent.Ask
	passes   []bool // by class
	passing  int
	gained   int            // datasets, beyond what passes now
	helps    map[string]int // datasets gained that a layer had refused; none unless it can be told
	showable bool           // its figures can be told
}

// search keeps what was tried.
type search struct {
	Question
	law     Law
	few     bool // too few pass now, so that nothing of it was told
	now     int  // datasets that were said to pass now
	refused map[string]bool
	trials  []trial
	tries   int
	told    []trial // whose figures are part of the answer
}

func newSearch(q Question, law Law) *search {
	s := &search{Question: q, law: law, refused: map[string]bool{}}
	passing := group{}
	for i, o := range q.Now {
		if o.Allow {
			passing.add(q.Classes[i])
		}
		for _, layer := range layersOf(o) {
			s.refused[layer] = true
		}
	}
	if s.few = passing.members() < q.Minimum; !s.few {
		s.now = passing.datasets
	}
	return s
}

func layersOf(o policies.Outcome) (layers []string) {
	for _, r := range o.Reasons {
		if !slices.Contains(layers, r.Layer) {
			layers = append(layers, r.Layer)
		}
	}
	return layers
}

// group is some datasets and whose they are.
type group struct {
	datasets int
	of       consent.Members
}

func (g *group) add(c consent.Class) {
	g.datasets += c.Datasets
	c.EachMember(g.of.Add)
}

func (g *group) members() int { return g.of.Len() }

// tells reports whether a figure about the group singles nobody out.
func (g *group) tells(minimum int) bool { return g.members() == 0 || g.members() >= minimum }

// try asks the law about a changed request.
func (s *search) try(ctx context.Context, moves ...move) (err error) {
	t := trial{moves: moves, ask: s.Ask, helps: map[string]int{}}
	for _, m := range moves {
		m.apply(&t.ask)
	}
	if s.tries++; s.tries > s.Tries {
		return nil
	}
	if t.passes, err = s.law.Passing(ctx, t.ask); err != nil {
		return fmt.Errorf("nearest: %w", err)
	}
	s.weigh(&t)
	s.trials = append(s.trials, t)
	return nil
}

// weigh counts what a changed request would pass, and what of it can be told.
func (s *search) weigh(t *trial) {
	var passing, gained, lost, still group
	layers := map[string]*group{}
	for i, c := range s.Classes {
		was := s.Now[i]
		switch {
		case t.passes[i] && was.Allow:
			passing.add(c)
		case t.passes[i]:
			passing.add(c)
			gained.add(c)
			for _, layer := range layersOf(was) {
				if layers[layer] == nil {
					layers[layer] = &group{}
				}
				layers[layer].add(c)
			}
		case was.Allow:
			lost.add(c)
		default:
			still.add(c)
		}
	}
	t.passing, t.gained = passing.datasets, gained.datasets
	t.showable = passing.members() >= s.Minimum && (s.few || gained.tells(s.Minimum) && lost.tells(s.Minimum))
	if s.few {
		t.gained = t.passing // of what passes now nothing was told
	}
	if !t.showable || !still.tells(s.Minimum) || t.passing <= s.now {
		return
	}
	for layer, g := range layers {
		if g.members() >= s.Minimum {
			t.helps[layer] = g.datasets
		}
	}
}

// tell makes a trial's figures part of the answer, unless they and those of
// another that is part of it differ in few members.
func (s *search) tell(t trial) bool {
	for _, other := range s.told {
		if s.differ(t, other) || s.differ(other, t) {
			return false
		}
	}
	s.told = append(s.told, t)
	return true
}

// differ reports whether few members have what passes a and not b, but some do.
func (s *search) differ(a, b trial) bool {
	var only group
	for i, c := range s.Classes {
		if a.passes[i] && !b.passes[i] {
			if only.add(c); only.members() >= s.Minimum {
				return false
			}
		}
	}
	return only.members() > 0
}

// singles tries everything that is not a purpose.
func (s *search) singles(ctx context.Context) error {
	for _, m := range slices.Concat(s.standings(), s.promises()) {
		if err := s.try(ctx, m); err != nil {
			return err
		}
	}
	for _, ladder := range [][]move{s.retentions(), s.prices()} {
		if err := s.climb(ctx, ladder); err != nil {
			return err
		}
	}
	return nil
}

// climb tries the last step of a ladder and, if that helps, looks for the first
// step that does.
func (s *search) climb(ctx context.Context, ladder []move) error {
	helps := func(m move) (bool, error) {
		before := len(s.trials)
		err := s.try(ctx, m)
		return len(s.trials) > before && len(s.trials[before].helps) > 0, err
	}
	if len(ladder) == 0 {
		return nil
	}
	if some, err := helps(ladder[len(ladder)-1]); err != nil || !some {
		return err
	}
	low, high := 0, len(ladder)-1
	for low < high {
		middle := (low + high) / 2
		some, err := helps(ladder[middle])
		if err != nil {
			return err
		}
		if some {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return nil
}

// unhelped reports whether some layer refuses and nothing tried helps there.
func (s *search) unhelped() bool {
	for layer := range s.refused {
		if !slices.ContainsFunc(s.trials, func(t trial) bool { return t.helps[layer] > 0 }) {
			return true
		}
	}
	return false
}

// mostExamples bounds how many kinds of refusal two changes at once are looked
// for.
const mostExamples = 12

// pairs tries two changes at once, where each of them takes away a reason
// against the same dataset and neither is enough.
func (s *search) pairs(ctx context.Context) error {
	singles, examples := slices.Clone(s.trials), s.examples()
	eases := make([][]bool, len(singles)) // by trial and example
	for i, t := range singles {
		for _, class := range examples {
			then, err := s.law.One(ctx, t.ask, class)
			if err != nil {
				return fmt.Errorf("nearest: %w", err)
			}
			gone := func(r policies.Reason) bool { return !slices.Contains(then.Reasons, r) }
			eases[i] = append(eases[i], slices.ContainsFunc(s.Now[class].Reasons, gone))
		}
	}
	for i, a := range singles {
		for j, b := range singles[:i] {
			if a.moves[0].field == b.moves[0].field || !both(eases[i], eases[j]) {
				continue
			}
			if err := s.try(ctx, b.moves[0], a.moves[0]); err != nil {
				return err
			}
		}
	}
	return nil
}

func both(a, b []bool) bool {
	for i := range a {
		if a[i] && b[i] {
			return true
		}
	}
	return false
}

// examples are one class of each kind of refusal that enough members share, the
// kinds with the most datasets first.
func (s *search) examples() []int {
	type kind struct {
		group
		example int
	}
	kinds := map[string]*kind{}
	for i, o := range s.Now {
		if o.Allow {
			continue
		}
		why := fmt.Sprint(o.Reasons)
		if kinds[why] == nil {
			kinds[why] = &kind{example: i}
		}
		kinds[why].add(s.Classes[i])
	}
	var list []*kind
	for _, k := range kinds {
		if k.members() >= s.Minimum {
			list = append(list, k)
		}
	}
	slices.SortFunc(list, func(a, b *kind) int {
		return cmp.Or(cmp.Compare(b.datasets, a.datasets), cmp.Compare(a.example, b.example))
	})
	var out []int
	for _, k := range list[:min(len(list), mostExamples)] {
		out = append(out, k.example)
	}
	return out
}

// errUnproved says that the law, asked once more, did not say what was found.
var errUnproved = errors.New("nearest: a suggestion that the law does not bear out")

// prove decides a changed request in full.
func (s *search) prove(ctx context.Context, t trial) error {
	then, err := s.law.Decide(ctx, t.ask)
	if err != nil {
		return fmt.Errorf("nearest: %w", err)
	}
	for i, o := range then {
		if o.Allow != t.passes[i] {
			return errUnproved
		}
	}
	return nil
}

// suggestions picks the smallest change for each layer.
func (s *search) suggestions(ctx context.Context) ([]Suggestion, error) {
	out := []Suggestion{}
	for _, layer := range []string{policies.LayerBase, policies.LayerCoop, policies.LayerMember} {
		best, ok := s.best(layer)
		if !ok || !s.tell(best) {
			continue
		}
		said := s.suggestion(best)
		i := slices.IndexFunc(out, func(o Suggestion) bool { return o.Sentence == said.Sentence })
		if i < 0 {
			if err := s.prove(ctx, best); err != nil {
				return nil, err
			}
			i, out = len(out), append(out, said)
		}
		out[i].Layers = append(out[i].Layers, layer)
	}
	return out, nil
}

// best is the smallest change that helps at a layer. Of changes of the same
// field it is the nearest, of others the one that passes more.
func (s *search) best(layer string) (trial, bool) {
	nearest := map[string]trial{}
	for _, t := range s.trials {
		if t.helps[layer] == 0 {
			continue
		}
		have, ok := nearest[t.fields()]
		if ladder := distance(s.Ask, t.ask); !ok || ladder != 0 && ladder < distance(s.Ask, have.ask) ||
			ladder == 0 && t.helps[layer] > have.helps[layer] {
			nearest[t.fields()] = t
		}
	}
	found := make([]trial, 0, len(nearest))
	for _, t := range s.trials { // in the order of trying
		if have, ok := nearest[t.fields()]; ok && slices.EqualFunc(t.moves, have.moves, func(a, b move) bool { return a.words == b.words }) {
			found = append(found, t)
		}
	}
	if len(found) == 0 {
		return trial{}, false
	}
	return slices.MinFunc(found, func(a, b trial) int {
		return cmp.Or(cmp.Compare(len(a.moves), len(b.moves)), cmp.Compare(b.helps[layer], a.helps[layer]))
	}), true
}

func (t trial) fields() string {
	var out []string
	for _, m := range t.moves {
		out = append(out, m.field)
	}
	return strings.Join(out, " ")
}

// distance is how far the numbers of two requests lie apart; 0 if they are the
// same.
func distance(a, b consent.Ask) int64 {
	days, price := a.RetentionDays-b.RetentionDays, int64(a.Price-b.Price)
	return max(days, -days) + max(price, -price)
}

func (s *search) suggestion(t trial) Suggestion {
	out := Suggestion{DUO: t.ask.Purpose.DUO, DPV: t.ask.Purpose.DPV, RetentionDays: t.ask.RetentionDays,
		Price: int64(t.ask.Price), Datasets: t.passing, More: t.gained}
	var words []string
	for _, m := range t.moves {
		out.Fields, words = append(out.Fields, m.field), append(words, m.words)
	}
	out.Sentence = "With " + strings.Join(words, " and ") + ", " + strconv.Itoa(t.passing) + " datasets would pass"
	if s.few {
		out.Sentence += "."
	} else {
		out.Sentence += ", " + strconv.Itoa(t.gained) + " of them newly."
	}
	return out
}
