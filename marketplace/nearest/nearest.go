// Package nearest finds what a researcher could change about a request so that
// more datasets would pass: the smallest change for each layer of law that
// refused some, base law, the co-op's voted law and the members themselves.
//
// # How it looks
//
// It varies what a researcher can vary, one thing at a time and two where one is
// not enough: the purpose, the use, how long copies are kept, the price, what
// the study promises, having been vetted, having been reviewed. Numbers move in steps, first to the last
// step and only if that helps back to the nearest one that does. A change of one
// thing is smaller than a change of two; of two changes of one size the one that
// passes more datasets is named.
//
// # What it guarantees
//
// Nothing is suggested that was not decided: every suggestion is the outcome of
// asking the law about the whole cohort once more with the changed request, at
// the moment and under the revision of the request itself, and of every kind of
// answer to it one was given by the law. The same cohort gives the same
// suggestions.
//
// # What it refuses
//
// No figure and no suggestion is about fewer members than the minimum group.
// For a suggestion those who would newly pass, those among them whom the layer
// had refused, those who would no longer pass if there are any, and those who
// would still be refused if there are any, must each be that many. The same goes
// for the difference of any two figures of those who pass in one answer: those who pass under one
// request and not under the other are nobody or that many, in both directions,
// or the later figure is not told. What several answers to several requests
// differ in is beyond it. It does not suggest to be somebody else or somewhere
// else.
package nearest

import (
	"context"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// Law answers about the classes of a cohort, for a request and those near it.
type Law struct {
	Passing func(context.Context, consent.Ask) ([]bool, error)                // which classes would pass
	Decide  func(context.Context, consent.Ask) ([]policies.Outcome, error)    // the same, in full
	One     func(context.Context, consent.Ask, int) (policies.Outcome, error) // in full about one class
}

// Yield is the number of datasets another purpose would pass.
type Yield struct {
	Purpose  coop.Purpose
	Datasets int
}

// Suggestion is a request that would pass more, with everything that is as
// asked or as suggested.
type Suggestion struct {
	Layers        []string // of law that refused what would pass
	Fields        []string // what is to be changed
	DUO           string
	DPV           string
	RetentionDays int64
	Price         int64 // for one dataset, in minor units; the co-op sets it
	Datasets      int   // would pass
	More          int   // than now
	Sentence      string
}

// Fields a suggestion can change.
const (
	FieldPurpose   = "duo"
	FieldUse       = "dpv"
	FieldRetention = "retention_days"
	FieldPrice     = "price"
	FieldVetted    = "vetted"
	FieldReviewed  = "reviewed"

	FieldPublishes    = "study.publishes"
	FieldReturns      = "study.returns"
	FieldEthics       = "study.ethics"
	FieldCollaborates = "study.collaborates"
)

// Question is a request whose cohort has been decided.
type Question struct {
	Ask      consent.Ask
	Classes  []consent.Class
	Now      []policies.Outcome // what was decided about each class
	Minimum  int                // fewer members than this are never counted
	Currency coop.Currency
	Tries    int // how often the law may be asked about the cohort
}

// Answer looks for what would pass more, and counts what other purposes would
// pass.
func Answer(ctx context.Context, q Question, law Law) ([]Yield, []Suggestion, error) {
	s := newSearch(q, law)
	for _, m := range purposes(q.Ask) {
		if err := s.try(ctx, m); err != nil {
			return nil, nil, err
		}
	}
	purposes := len(s.trials)
	if err := s.singles(ctx); err != nil {
		return nil, nil, err
	}
	if s.unhelped() {
		if err := s.pairs(ctx); err != nil {
			return nil, nil, err
		}
	}
	found, err := s.suggestions(ctx)
	if err != nil {
		return nil, nil, err
	}
	yields := []Yield{}
	for _, t := range s.trials[:purposes] {
		if t.showable && s.tell(t) {
			yields = append(yields, Yield{t.ask.Purpose, t.passing})
		}
	}
	return yields, found, nil
}
