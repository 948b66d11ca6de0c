// Package odrl reads policies of the Open Digital Rights Language, version 2.2,
// and says which of their rules a request activates. It is how what a co-op
// publishes can be asked the same questions as what it enforces.
//
// # What it reads
//
// A graph of statements (Graph), from JSON-LD (ReadJSONLD) or put together by
// the caller. Of ODRL it knows permissions, prohibitions and obligations; an
// action and the actions it is included in; an assignee and a target, named or
// as a collection with refinements; constraints with one left operand, one of
// the operators of Evaluate, and right operands. The strategy for conflicts must
// be odrl:prohibit where both permissions and prohibitions are there.
//
// # What it guarantees
//
// What Evaluate knows nothing about is ErrUnsupported and never passed over: an
// operand without a fact, another operator, logical constraints, duties of a
// permission, remedies, policies that inherit. Statements in other vocabularies
// than ODRL's are notes for people and change no answer.
//
// # What it refuses
//
// To fetch anything: the context of a JSON-LD document must stand in it, and no
// name is looked up. It is no reasoner and no processor of JSON-LD: it reads the
// expanded and the prefixed form of terms in one object, which is what the co-op
// publishes, and refuses the rest.
package odrl

import "errors"

// Names of vocabularies.
const (
	NS  = "http://www.w3.org/ns/odrl/2/"
	RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
	XSD = "http://www.w3.org/2001/XMLSchema#"

	// Profile names the profile of the co-op's policies, Own is how its terms
	// begin.
	Profile = "urn:datacoop:odrl"
	Own     = Profile + "#"
)

// ErrUnsupported says that a policy says something that is not known here, so
// that nothing can be said about what it allows.
var ErrUnsupported = errors.New("odrl: outside of what can be evaluated")

// ErrJSONLD says that a text is not a JSON-LD document of the form that is read
// here.
var ErrJSONLD = errors.New("odrl: not a JSON-LD document of the form read here")
