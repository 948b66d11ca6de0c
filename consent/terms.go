package consent

import (
	"distributed.ai/datacoop/consent/terms"
	"distributed.ai/datacoop/policies"
)

// Answers a member can give.
const (
	Given   = policies.Given
	Refused = policies.Refused
)

// Modes of consent.
const (
	ModeStanding = terms.ModeStanding // until it ends; also the meaning of ""
	ModeAsk      = terms.ModeAsk      // the member answers each request
	ModeOnce     = terms.ModeOnce     // one release of each dataset, and it is used up
)

// Terms are a member's answer; see package terms.
type Terms = terms.Terms

// ErrTerms refuses terms that cannot be recorded; its details are sentences.
var ErrTerms = terms.ErrTerms

// Split parts sentences about an answer into what it allows and what it refuses.
func Split(sentences []string) (allows, refuses []string) { return terms.Split(sentences) }

// ValidRegion reports whether r is a country or a group of countries that terms
// may name.
func ValidRegion(r string) bool { return terms.ValidRegion(r) }
