package nearest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
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
	passing  int
	gained   int            // datasets, beyond what passes now
	helps    map[string]int // datasets gained that a layer had refused; none unless it can be told
	eased    []bool         // by dataset: at least one reason against it is gone
	showable bool           // its figures can be told
}

// search keeps what was tried.
type search struct {
	Question
	survey  Survey
	at      map[coop.DatasetID]int // in Now.Datasets
	few     bool                   // too few pass now, so that nothing of it was told
	refused map[string]bool
	trials  []trial
	tries   int
}

func newSearch(q Question, survey Survey) *search {
	s := &search{Question: q, survey: survey, at: map[coop.DatasetID]int{}, refused: map[string]bool{}}
	passing := group{}
	for i, d := range q.Now.Datasets {
		s.at[d.ID] = i
		if d.Passes {
			passing.add(d)
		}
		for _, layer := range layersOf(d) {
			s.refused[layer] = true
		}
	}
	s.few = passing.members() < q.Minimum
	return s
}

func layersOf(d Dataset) (layers []string) {
	for _, r := range d.Reasons {
		if !slices.Contains(layers, r.Layer) {
			layers = append(layers, r.Layer)
		}
	}
	return layers
}

// group is some datasets and whose they are.
type group struct {
	datasets int
	of       map[coop.MemberID]bool
}

func (g *group) add(d Dataset) {
	if g.of == nil {
		g.of = map[coop.MemberID]bool{}
	}
	g.datasets++
	g.of[d.Member] = true
}

func (g *group) members() int { return len(g.of) }

// tells reports whether a figure about the group singles nobody out.
func (g *group) tells(minimum int) bool { return g.members() == 0 || g.members() >= minimum }

// try asks the law about a changed request.
func (s *search) try(ctx context.Context, moves ...move) (trial, error) {
	t := trial{moves: moves, ask: s.Ask, helps: map[string]int{}}
	for _, m := range moves {
		m.apply(&t.ask)
	}
	if s.tries++; s.tries > mostTries {
		return t, nil
	}
	then, err := s.survey(ctx, t.ask)
	if err != nil {
		return trial{}, fmt.Errorf("nearest: %w", err)
	}
	if then.Revision != s.Now.Revision {
		return t, nil // the law changed meanwhile: what was refused is no longer known
	}
	t.eased = make([]bool, len(s.Now.Datasets))
	s.weigh(&t, then)
	s.trials = append(s.trials, t)
	return t, nil
}

// weigh counts what a changed request would pass, and what of it can be told.
func (s *search) weigh(t *trial, then View) {
	var passing, gained, lost, still group
	layers := map[string]*group{}
	for _, d := range then.Datasets {
		i, known := s.at[d.ID]
		if !known {
			continue // enrolled since
		}
		was := s.Now.Datasets[i]
		t.eased[i] = slices.ContainsFunc(was.Reasons, func(r policies.Reason) bool { return !slices.Contains(d.Reasons, r) })
		switch {
		case d.Passes && was.Passes:
			passing.add(d)
		case d.Passes:
			passing.add(d)
			gained.add(d)
			for _, layer := range layersOf(was) {
				if layers[layer] == nil {
					layers[layer] = &group{}
				}
				layers[layer].add(d)
			}
		case was.Passes:
			lost.add(d)
		default:
			still.add(d)
		}
	}
	t.passing, t.gained = passing.datasets, gained.datasets
	t.showable = passing.members() >= s.Minimum && (s.few || gained.tells(s.Minimum) && lost.tells(s.Minimum))
	if s.few {
		t.gained = t.passing // of what passes now nothing was told
	}
	if !t.showable || !still.tells(s.Minimum) || t.passing <= s.told() {
		return
	}
	for layer, g := range layers {
		if g.members() >= s.Minimum {
			t.helps[layer] = g.datasets
		}
	}
}

// told is the number of datasets that was said to pass now.
func (s *search) told() (n int) {
	for _, d := range s.Now.Datasets {
		if d.Passes && !s.few {
			n++
		}
	}
	return n
}

// singles tries everything that is not a purpose.
func (s *search) singles(ctx context.Context) error {
	for _, m := range slices.Concat(s.standings(), s.promises()) {
		if _, err := s.try(ctx, m); err != nil {
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
	if len(ladder) == 0 {
		return nil
	}
	last, err := s.try(ctx, ladder[len(ladder)-1])
	if err != nil || len(last.helps) == 0 {
		return err
	}
	low, high := 0, len(ladder)-1
	for low < high {
		middle := (low + high) / 2
		t, err := s.try(ctx, ladder[middle])
		if err != nil {
			return err
		}
		if len(t.helps) > 0 {
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

// pairs tries two changes at once, where each of them takes away a reason
// against the same datasets and neither is enough.
func (s *search) pairs(ctx context.Context) error {
	singles := slices.Clone(s.trials)
	for i, a := range singles {
		for _, b := range singles[:i] {
			if a.moves[0].field == b.moves[0].field || !s.together(a, b) {
				continue
			}
			if _, err := s.try(ctx, b.moves[0], a.moves[0]); err != nil {
				return err
			}
		}
	}
	return nil
}

// together reports whether enough members have a dataset that both ease.
func (s *search) together(a, b trial) bool {
	var both group
	for i, d := range s.Now.Datasets {
		if a.eased[i] && b.eased[i] {
			both.add(d)
		}
	}
	return both.members() >= s.Minimum
}

// suggestions picks the smallest change for each layer.
func (s *search) suggestions() []Suggestion {
	out := []Suggestion{}
	for _, layer := range []string{policies.LayerBase, policies.LayerCoop, policies.LayerMember} {
		best, ok := s.best(layer)
		if !ok {
			continue
		}
		said := s.suggestion(best)
		i := slices.IndexFunc(out, func(o Suggestion) bool { return o.Sentence == said.Sentence })
		if i < 0 {
			i, out = len(out), append(out, said)
		}
		out[i].Layers = append(out[i].Layers, layer)
	}
	return out
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
