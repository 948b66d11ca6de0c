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
// asking the law about the whole cohort once more with the changed request,
// under the revision that decided the request itself. The same cohort gives the
// same suggestions.
//
// # What it refuses
//
// No figure and no suggestion is about fewer members than the minimum group.
// For a suggestion those who would newly pass, those among them whom the layer
// had refused, those who would no longer pass if there are any, and those who
// would still be refused if there are any, must each be that many: the
// difference between two figures says no more about one member than a figure
// does. It does not suggest to be somebody else or somewhere else.
package nearest

import (
	"context"
	"slices"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// Dataset is what the law answers about one of a cohort.
type Dataset struct {
	ID      coop.DatasetID
	Member  coop.MemberID
	Passes  bool
	Reasons []policies.Reason // against it
}

// View is what the law answers about a cohort.
type View struct {
	Revision string // hash of the law; "" while none is in force
	Datasets []Dataset
}

// Survey asks the law about the whole cohort of a request and records nothing.
type Survey func(ctx context.Context, a consent.Ask) (View, error)

// Of is a decided cohort as a view.
func Of(c consent.Cohort) View {
	v := View{Revision: c.Revision}
	for _, d := range slices.Concat(c.Granted, c.Refused) {
		v.Datasets = append(v.Datasets, Dataset{d.Dataset, d.Member, d.Allow, d.Reasons})
	}
	return v
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
	Now      View // what was decided
	Minimum  int  // fewer members than this are never counted
	Currency coop.Currency
}

// mostTries bounds how often the law is asked about the cohort.
const mostTries = 60

// Answer looks for what would pass more, and counts what other purposes would
// pass.
func Answer(ctx context.Context, q Question, survey Survey) ([]Yield, []Suggestion, error) {
	s := newSearch(q, survey)
	yields := []Yield{}
	for _, m := range purposes(q.Ask) {
		t, err := s.try(ctx, m)
		if err != nil {
			return nil, nil, err
		}
		if t.showable {
			yields = append(yields, Yield{t.ask.Purpose, t.passing})
		}
	}
	if err := s.singles(ctx); err != nil {
		return nil, nil, err
	}
	if s.unhelped() {
		if err := s.pairs(ctx); err != nil {
			return nil, nil, err
		}
	}
	return yields, s.suggestions(), nil
}
