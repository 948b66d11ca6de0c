// Package terms is what a member can answer: the vocabulary of consent, what it
// means in words, and what law reads of it.
//
// # What can be said
//
// Purposes and exceptions as codes of the Data Use Ontology, uses of the Data
// Privacy Vocabulary, kinds of organisation, regions, a lowest price and a time;
// the modifiers of the Data Use Ontology as conditions, diseases, kinds of
// study, kinds of personal data, named researchers, projects and institutions, a
// time limit on copies, a moratorium on publication; and whether the answer
// stands, is asked for each request, or is good for one release.
//
// # What it guarantees
//
// Terms that pass Validate can release something: contradictions, unknown and
// obsolete codes, headings and missing values are refused, each with a sentence
// that says what to do. Sentences says in words of the member everything that
// Limits and the other fields let law read. Terms that say nothing of what was
// added later are written as they were before.
//
// # What it refuses
//
// To name a reward. What others pay is no part of these sentences but the
// lowest price the member set.
package terms

import (
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/policies"
)

// Answers a member can give.
const (
	Given   = policies.Given
	Refused = policies.Refused
)

// Limits of terms.
const (
	MaxEntries = 32 // in any list
	MaxPrice   = 1_000_000_000_000

	maxDays   = 3660 // ten years
	maxMonths = 120  // as long as base law lets anybody keep data
)

// Terms are a member's answer. A refusal covers everything and has nothing
// else in it; to refuse only some purposes, give consent and except them.
type Terms struct {
	Effect         string     `json:"effect" enum:"given,refused" doc:"Whether the member agrees"`
	Purposes       []string   `json:"purposes" doc:"DUO codes that are allowed, with everything below them"`
	Except         []string   `json:"except" doc:"DUO codes refused all the same, with whatever includes them or is part of them"`
	DPV            []string   `json:"dpv" doc:"DPV terms that are allowed; empty is any that base law permits"`
	RequesterKinds []string   `json:"requester_kinds" doc:"Kinds of organisation that may ask; at least one"`
	Regions        []string   `json:"regions" doc:"Countries (ISO 3166-1 alpha-2), EU or EEA; empty is anywhere"`
	Commercial     bool       `json:"commercial" doc:"Whether commercial use is allowed"`
	MinPrice       coop.Money `json:"min_price" doc:"Lowest price for one dataset, in minor units"`
	Days           int64      `json:"days" doc:"How long this holds; 0 is until withdrawn"`

	// What follows is not written where it says nothing, so that records and
	// receipts from before there was any of it stay as they are.

	Diseases     []string `json:"diseases,omitempty" doc:"Mondo codes of the only diseases that disease-specific research (DUO:0000007) may be about, with their forms"`
	Conditions   []string `json:"conditions,omitempty" doc:"DUO modifiers that need no value, such as DUO:0000021 for an ethics approval"`
	Studies      []string `json:"studies,omitempty" doc:"The only kinds of study that are allowed; empty is any (DUO:0000012)"`
	Users        []string `json:"users,omitempty" doc:"Ids of the only researchers that are allowed; empty is any (DUO:0000026)"`
	Projects     []string `json:"projects,omitempty" doc:"The only projects that are allowed; empty is any (DUO:0000027)"`
	Institutions []string `json:"institutions,omitempty" doc:"The only institutions that are allowed, as vetted; empty is any (DUO:0000028)"`
	KeepMonths   int64    `json:"keep_months,omitempty" doc:"For how many months copies may be kept; 0 is as long as base law permits (DUO:0000025)"`
	PublishFrom  string   `json:"publish_from,omitempty" doc:"Day before which nothing is published, YYYY-MM-DD (DUO:0000024)"`
	Categories   []string `json:"categories,omitempty" doc:"The only kinds of personal data a released dataset may hold; empty is any"`
	Mode         string   `json:"mode,omitempty" enum:",standing,ask,once" doc:"standing, ask (the member answers each request) or once (one release of each dataset)"`
}

// Modes of consent.
const (
	ModeStanding = "standing" // until it ends; also the meaning of ""
	ModeAsk      = "ask"      // the member answers each request
	ModeOnce     = "once"     // one release of each dataset, and it is used up
)

// ErrTerms refuses terms that cannot be recorded; its details are sentences.
var ErrTerms = fault.New(fault.Invalid, "consent-invalid", "These consent terms cannot be recorded as they stand.")

// Validate refuses terms that are contradictory, unknown or empty, with
// ErrTerms and one sentence for each fault.
func (t Terms) Validate() error {
	var wrong []string
	switch t.Effect {
	case Given:
		wrong = t.wrongGiven()
	case Refused:
		wrong = t.wrongRefused()
	default:
		wrong = []string{"The answer must be given or refused."}
	}
	if len(wrong) > 0 {
		return ErrTerms.With(wrong...)
	}
	return nil
}

// ValidRegion reports whether r is a country or a group of countries that terms
// may name.
func ValidRegion(r string) bool { return policies.KnownRegion(r) }

func codes(terms []coop.Term) []string {
	out := make([]string, 0, len(terms))
	for _, t := range terms {
		out = append(out, t.Code)
	}
	return out
}

// Normal sorts the lists, drops what is said twice and leaves none of those that
// are always written nil, so that equal terms are equal texts.
func (t Terms) Normal() Terms {
	for _, l := range []*[]string{&t.Purposes, &t.Except, &t.DPV, &t.RequesterKinds, &t.Regions} {
		sorted := slices.Compact(slices.Sorted(slices.Values(*l)))
		if sorted == nil {
			sorted = []string{}
		}
		*l = sorted
	}
	for _, l := range []*[]string{&t.Diseases, &t.Conditions, &t.Studies, &t.Users, &t.Projects, &t.Institutions, &t.Categories} {
		*l = slices.Compact(slices.Sorted(slices.Values(*l)))
	}
	if t.Mode == ModeStanding {
		t.Mode = ""
	}
	return t
}
