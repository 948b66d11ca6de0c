package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// A comparison by pairs takes minutes where laws read much. Cut into pieces, each
// of which can be tried by itself and again, it shows how far it has come and
// goes on where it was interrupted.

const (
	longestPiece = 4096    // places of a piece: a few seconds' work
	mostPairs    = 250_000 // that are tried; what is left out is counted
)

// Piece is a part of a comparison by pairs. All that is tried stands in a row:
// of each request that the comparison starts from first every single change, in
// one place, then every pair in a place of its own. A piece is the places From
// to To, To excluded.
type Piece struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// Plan is a whole comparison in pieces, and how many questions each asks. Laws
// that name very many values have more pairs than can be tried: of each part of
// a request fewer values are then paired, of numbers those nearest to the
// request.
type Plan struct {
	Pieces []Piece `json:"pieces"`
	Cases  []int64 `json:"cases"` // by piece
	Left   int64   `json:"left"`  // pairs that are not tried

	Laws []policies.Law `json:"laws"` // what the proposal can say
}

// Total is how many questions the comparison asks.
func (p Plan) Total() (total int64) {
	for _, n := range p.Cases {
		total += n
	}
	return total
}

// Kind is a kind of request on which two laws differ, as a piece found it.
type Kind struct {
	Name  string           `json:"name"` // the same in every piece
	Gain  bool             `json:"gain"`
	Cases int              `json:"cases"`
	Scene string           `json:"scene"` // one request of the kind and what both laws answer
	Ask   policies.Request `json:"ask"`   // that request; it has no id
}

// Part is what one piece found.
type Part struct {
	Asked int      `json:"asked"`
	Kinds []Kind   `json:"kinds"`
	Fired []string `json:"fired"` // names of rules of the proposal that spoke
}

// Trier compares the texts of two laws piece by piece, in whatever process. The
// same texts have the same plan, and the same piece the same part.
type Trier interface {
	Plan(ctx context.Context, was, now []byte) (Plan, error)
	Try(ctx context.Context, was, now []byte, p Piece, c coop.Currency) (Part, error)
}

// Here tries in this process.
type Here struct{}

// Plan implements Trier.
func (Here) Plan(ctx context.Context, was, now []byte) (Plan, error) {
	laws, bases, err := readied(ctx, was, now)
	if err != nil {
		return Plan{}, err
	}
	plan := planned(bases, longestPiece, mostPairs)
	plan.Laws = laws[1].Laws()
	return plan, nil
}

func planned(bases []base, longest int, most int64) (plan Plan) {
	var cases []int64 // by place
	halves, left := trimmed(bases, most)
	for i, b := range bases {
		cases = append(cases, int64(len(b.singles())))
		for range halves[i].count() {
			cases = append(cases, 1)
		}
	}
	for from := 0; from < len(cases); from += longest {
		p := Piece{from, min(from+longest, len(cases))}
		var asks int64
		for _, n := range cases[p.From:p.To] {
			asks += n
		}
		plan.Pieces, plan.Cases = append(plan.Pieces, p), append(plan.Cases, asks)
	}
	plan.Left = left
	return plan
}

// count is how many pairs there are.
func (b base) count() (n int64) {
	for i := range b.axes {
		for j := range b.axes[:i] {
			n += int64(len(b.axes[i].values)) * int64(len(b.axes[j].values))
		}
	}
	return n
}

func countAll(bases []base) (n int64) {
	for _, b := range bases {
		n += b.count()
	}
	return n
}

// trimmed takes values off the longest axes until there are at most so many
// pairs, and says how many pairs are left out.
func trimmed(bases []base, most int64) (out []base, left int64) {
	all, longest := countAll(bases), 0
	for _, b := range bases {
		for _, a := range b.axes {
			longest = max(longest, len(a.values))
		}
	}
	at := func(longest int) []base {
		out := make([]base, len(bases))
		for i, b := range bases {
			out[i] = base{b.in, slices.Clone(b.axes)}
			for j := range out[i].axes {
				values := out[i].axes[j].values
				out[i].axes[j].values = values[:min(longest, len(values))]
			}
		}
		return out
	}
	few := sort.Search(longest, func(n int) bool { return countAll(at(n+1)) > most })
	out = at(few)
	return out, all - countAll(out)
}

// Try implements Trier.
func (Here) Try(ctx context.Context, was, now []byte, p Piece, c coop.Currency) (Part, error) {
	laws, bases, err := readied(ctx, was, now)
	if err != nil {
		return Part{}, err
	}
	return tried(ctx, laws, bases, mostPairs, p, c)
}

func tried(ctx context.Context, laws [2]*policies.Revision, bases []base, most int64, p Piece, c coop.Currency) (Part, error) {
	var groups grouping
	var part Part
	start, reached := 0, 0
	halves, _ := trimmed(bases, most)
	for i, b := range bases {
		pairs := halves[i].pairs()
		from, to := max(0, p.From-start), min(1+len(pairs), p.To-start)
		if from < to {
			n, err := groups.try(ctx, laws, b, pairs, from, to)
			if err != nil {
				return Part{}, err
			}
			part.Asked, reached = part.Asked+n, reached+to-from
		}
		start += 1 + len(pairs)
	}
	if p.From < 0 || reached == 0 || reached != p.To-p.From {
		return Part{}, errors.New("rehearsal: the plan of these laws has no such piece")
	}
	part.Kinds, part.Fired = groups.kinds(c), groups.fired
	return part, nil
}

// try asks what stands in the places from to to of one request, and returns how
// many questions that were. Pairs are compared with their halves, which are asked
// for it where they stand in another piece.
func (g *grouping) try(ctx context.Context, laws [2]*policies.Revision, b base, pairs [][]step, from, to int) (asked int, err error) {
	pairs = pairs[max(0, from-1) : to-1]
	single := halvesOf(pairs)
	if from == 0 {
		single = b.singles()
	}
	singles, err := ask(ctx, laws, b, single, &meter{})
	if err != nil {
		return 0, err
	}
	if from == 0 {
		asked = len(singles)
		g.singles(b, singles)
	}
	answered, err := ask(ctx, laws, b, pairs, &meter{})
	if err != nil {
		return 0, err
	}
	g.pairs(b, singles, answered)
	return asked + len(answered), nil
}

// halvesOf are the single steps that pairs are made of, each once, and none at
// all before them.
func halvesOf(pairs [][]step) [][]step {
	out, seen := [][]step{nil}, map[string]bool{}
	for _, pair := range pairs {
		for i := range pair {
			half := pair[i : i+1]
			if name := fmt.Sprint(axesIn(half), valuesIn(half)); !seen[name] {
				seen[name] = true
				out = append(out, half)
			}
		}
	}
	return out
}

// readied compiles two texts and finds the requests to start from.
func readied(ctx context.Context, was, now []byte) (laws [2]*policies.Revision, bases []base, err error) {
	if laws, err = lawsOf(ctx, was, now); err != nil {
		return laws, nil, err
	}
	bases, err = basesFor(ctx, laws, knownBy(laws[0], laws[1]))
	return laws, bases, err
}

// With adds what a later piece found to what earlier ones did.
func (p Part) With(next Part) Part {
	out := Part{Asked: p.Asked + next.Asked, Kinds: append([]Kind{}, p.Kinds...), Fired: slices.Concat(p.Fired, next.Fired)}
	slices.Sort(out.Fired)
	out.Fired = slices.Compact(out.Fired)
	at := map[string]int{}
	for i, k := range out.Kinds {
		at[k.Name] = i
	}
	for _, k := range next.Kinds {
		if i, known := at[k.Name]; known {
			out.Kinds[i].Cases += k.Cases
			continue
		}
		at[k.Name] = len(out.Kinds)
		out.Kinds = append(out.Kinds, k)
	}
	return out
}

// Result puts what was found into words, about a proposal that can say so much.
// After all pieces of a plan, in their order, it is what Compare says with
// Options.Pairs.
func (p Part) Result(laws []policies.Law) Result {
	return Result{Asked: p.Asked, Findings: findings(p.Kinds), Silent: silent(laws, p.Fired)}
}
