// Package fault gives every refusal a kind, a stable code and a sentence.
//
// A fault is an answer the caller may see: what went wrong in words a person
// understands, and a code a program can rely on. Everything that is not a
// fault is an internal error; its text stays in the log.
//
// The package guarantees that a message never needs editing before it is
// shown: constructors take constant sentences, not values a caller submitted.
// It refuses to know about HTTP: web/problem.go alone maps kinds to statuses.
package fault

import (
	"errors"
	"fmt"
)

// Kind says which sort of refusal an error is.
type Kind uint8

// The kinds, from the least to the most our own doing. Internal is the kind
// of every error that is not a fault.
const (
	Internal        Kind = iota // a fault of ours; nothing is told but that
	Invalid                     // the input cannot be accepted as it stands
	Unauthenticated             // who asks is not known
	Forbidden                   // who asks is known and may not
	NotFound                    // there is no such thing, or the caller may not know of it
	Conflict                    // the thing is in another state than the call needs
	Gone                        // the thing was there and never will be again
	TooLarge                    // more than the stated limit
	Unavailable                 // try again later; nothing has changed
)

var kindNames = [...]string{
	"internal", "invalid", "unauthenticated", "forbidden", "not found",
	"conflict", "gone", "too large", "unavailable",
}

// String names the kind for logs.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Error is a refusal that its caller may read.
type Error struct {
	Kind    Kind
	Code    string // stable slug, such as "dataset-revoked"; part of the problem type
	Message string // one plain sentence; holds no submitted value and no personal data
	Detail  []string
}

// New makes a fault. Code is a slug that never changes once published;
// message is one sentence for the person who asked.
func New(kind Kind, code, message string) *Error {
	return &Error{Kind: kind, Code: code, Message: message}
}

// With returns a copy of e that carries further sentences, such as the reasons
// of a refusal. Like the message they must hold nothing the caller submitted.
func (e *Error) With(detail ...string) *Error {
	out := *e
	out.Detail = append(append([]string(nil), e.Detail...), detail...)
	return &out
}

// Error returns code and message.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }

// Is reports whether target is a fault with the same code, so that a package's
// published faults work with errors.Is even after With.
func (e *Error) Is(target error) bool {
	var t *Error
	return errors.As(target, &t) && t.Code == e.Code
}

// KindOf returns the kind of the first fault in err's chain, or Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
