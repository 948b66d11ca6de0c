// Package rehearsal tells members what a proposed access policy would change,
// before they vote: it asks the law in force and the proposal the same
// questions and says in plain sentences who would newly get data and who would
// no longer.
//
// # How it looks
//
// Questions drawn at random are nearly all refused by both laws and show
// nothing. Law changes at an edge, so the questions start from requests that
// one of the two laws releases and change one thing at a time: every part of a
// request that either law reads, to every value that either law names, to the
// numbers just below and above it, and to the usual values of the vocabulary.
// With Options.Pairs, or piece by piece (Plan), also every two things at once; a
// pair counts only where neither of its halves shows the same. So each difference found is already the
// smallest of its kind, and the sentence that tells it says no more than it
// needs.
//
// # What it guarantees
//
// The same two laws give the same findings in the same order, on any machine.
// Every finding was seen: both laws answered that very question. The member's
// side never refuses, so that what differs is the laws.
//
// # What it refuses
//
// It proves nothing: no finding means that nothing was found among the
// questions, and Result.Asked says how many there were. It knows no member, no
// dataset and no past decision; consent.Replay has those. It sets no limits on
// memory or processor time of its own: what strangers wrote is compared in a
// process that has them (internal/child), after it has passed policies.Gate.
package rehearsal

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// Options of a comparison; the zero value changes one thing at a time.
type Options struct {
	Pairs    bool                    // also every two things at once
	Currency coop.Currency           // prices are said in it; "" says them in minor units
	Progress func(done, total int64) // called now and then, never twice at once; may be nil
}

// Result is what a comparison found.
type Result struct {
	Asked    int       `json:"asked"` // questions that both laws answered
	Findings []Finding `json:"findings"`
	Silent   []string  `json:"silent"` // sentences about rules of the proposal that no question reached
	Left     int64     `json:"left"`   // pairs of changes that were not tried, because there are too many
}

// Finding is a kind of request on which the two laws differ.
type Finding struct {
	Gain     bool   `json:"gain"`  // somebody would newly get data, or get it without people looking first
	Cases    int    `json:"cases"` // questions of this kind that were asked
	Sentence string `json:"sentence"`
}

// mostFindings is how many kinds of request are told apart; members read them.
const mostFindings = 24

// Sentences says what was found, those who gain first, or that nothing was; then
// which rules of the proposal no question reached.
func (r Result) Sentences() []string {
	out := r.differences()
	switch r.Left {
	case 0:
		return out
	case 1:
		return append(out, "1 combination of two changes was not tried, because there are too many.")
	}
	return append(out, fmt.Sprintf("%d combinations of two changes were not tried, because there are too many.", r.Left))
}

func (r Result) differences() []string {
	switch {
	case r.Asked == 0:
		return []string{"No request could be tried: neither rule releases anything that was thought of, or trying took too long."}
	case len(r.Findings) == 0:
		return append([]string{fmt.Sprintf("Both rules answered alike in all of %d requests that were tried.", r.Asked)}, r.Silent...)
	}
	var out []string
	for i, f := range r.Findings {
		if i == mostFindings {
			out = append(out, fmt.Sprintf("There are %d more kinds of requests on which the rules differ.", len(r.Findings)-i))
			break
		}
		out = append(out, f.Sentence)
	}
	return append(out, r.Silent...)
}

var errNoLaw = errors.New("rehearsal: two laws are needed")

// Compare asks both laws the same questions. An error means that a law gave no
// answer or ctx ended; nothing is known then.
func Compare(ctx context.Context, was, now *policies.Revision, o Options) (Result, error) {
	if was == nil || now == nil {
		return Result{}, errNoLaw
	}
	laws := [2]*policies.Revision{was, now}
	known := knownBy(was, now)
	var result Result
	var groups grouping
	bases, err := basesFor(ctx, laws, known)
	if err != nil {
		return Result{}, err
	}
	if o.Pairs {
		bases, result.Left = trimmed(bases, mostPairs)
	}
	meter := newMeter(o.Progress, bases, o.Pairs)
	for _, b := range bases {
		singles, err := ask(ctx, laws, b, b.singles(), meter)
		if err != nil {
			return Result{}, err
		}
		result.Asked += len(singles)
		groups.singles(b, singles)
		if !o.Pairs {
			continue
		}
		pairs, err := ask(ctx, laws, b, b.pairs(), meter)
		if err != nil {
			return Result{}, err
		}
		result.Asked += len(pairs)
		groups.pairs(b, singles, pairs)
	}
	result.Findings, result.Silent = findings(groups.kinds(o.Currency)), silent(now.Laws(), groups.fired)
	return result, nil
}

// Comparer compares the texts of two access policies, the one in force and a
// proposed one, as CompareTexts does.
type Comparer func(ctx context.Context, was, now []byte, c coop.Currency) (Result, error)

// CompareTexts is Compare with the texts of two access policies, one thing at a
// time.
func CompareTexts(ctx context.Context, was, now []byte, c coop.Currency) (Result, error) {
	laws, err := lawsOf(ctx, was, now)
	if err != nil {
		return Result{}, err
	}
	return Compare(ctx, laws[0], laws[1], Options{Currency: c})
}

func lawsOf(ctx context.Context, texts ...[]byte) (laws [2]*policies.Revision, err error) {
	for i, text := range texts {
		if laws[i], err = policies.Compile(ctx, text); err != nil {
			return laws, fmt.Errorf("rehearsal: %w", err)
		}
	}
	return laws, nil
}

// mostRemembered bounds the memory of a remembering comparer.
const mostRemembered = 64

// Remember keeps the last answers of a comparer: they depend on nothing but
// what it was asked. Answers without a question are not kept, so that it tries
// again.
func Remember(compare Comparer) Comparer {
	var mu sync.Mutex
	kept := map[[sha256.Size]byte]Result{}
	return func(ctx context.Context, was, now []byte, c coop.Currency) (Result, error) {
		name := sha256.Sum256(fmt.Appendf(nil, "%d %d %s %s %s", len(was), len(now), was, now, c))
		mu.Lock()
		r, ok := kept[name]
		mu.Unlock()
		if ok {
			return r, nil
		}
		r, err := compare(ctx, was, now, c)
		if err != nil || r.Asked == 0 {
			return r, err
		}
		mu.Lock()
		defer mu.Unlock()
		if len(kept) >= mostRemembered {
			clear(kept)
		}
		kept[name] = r
		return r, nil
	}
}

// asked is one question and both answers.
type asked struct {
	steps []step // what was changed of the base; none for the base itself
	was   policies.Outcome
	now   policies.Outcome
}

// ask puts every variant of a base to both laws, on all processors, and
// returns the answers in the order of the variants.
func ask(ctx context.Context, laws [2]*policies.Revision, b base, variants [][]step, m *meter) ([]asked, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	out := make([]asked, len(variants))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(variants) || ctx.Err() != nil {
					return
				}
				var err error
				if out[i], err = askOne(ctx, laws, b.with(variants[i])); err != nil {
					cancel(err)
				}
				out[i].steps = variants[i]
				m.done()
			}
		})
	}
	workers.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("rehearsal: %w", err)
	}
	return out, nil
}

func askOne(ctx context.Context, laws [2]*policies.Revision, in policies.Input) (asked, error) {
	was, err := laws[0].Decide(ctx, in)
	if err != nil {
		return asked{}, err
	}
	now, err := laws[1].Decide(ctx, in)
	return asked{was: was, now: now}, err
}

// meter tells how far a comparison has come.
type meter struct {
	mu          sync.Mutex
	tell        func(done, total int64)
	count, most int64
}

func newMeter(tell func(done, total int64), bases []base, pairs bool) *meter {
	m := &meter{tell: tell}
	for _, b := range bases {
		m.most += int64(len(b.singles()))
		if pairs {
			m.most += int64(len(b.pairs()))
		}
	}
	return m
}

func (m *meter) done() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.count++; m.tell != nil && (m.count%64 == 0 || m.count == m.most) {
		m.tell(m.count, m.most)
	}
}
