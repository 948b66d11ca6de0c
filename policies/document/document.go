// Package document writes access policies as documents: rules in a stated
// fragment of law, each with one meaning and three renderings.
//
//	Rego        package coop.access, which the gate tries and the engine enforces
//	ODRL 2.2    JSON-LD with terms of DUO and DPV, which is published
//	English     one sentence for each rule, which is voted on
//
// # The fragment
//
// A rule forbids, asks people to look first, or adds a duty. It applies where
// all its conditions hold; without a condition, always. A condition says of one
// Subject (who asks, the purpose, the pool, the price …) that it is one of some
// values, or above or below a number, or its opposite; there are no alternatives
// but the values of a condition, no nesting and no dates, for law does not read
// the time. Conditions about terms of a tree come in two strengths: within means
// the term or one above it, as a permission covers; touching means also one
// below it, as a refusal touches.
//
// # What it guarantees
//
// A document has one canonical form, whose digest names it. Every rule has one
// English sentence, made from its conditions and not from its author's words,
// and no two rules of a document have the same. The Rego of a document passes
// policies.Gate unless the law itself would be bad; Read finds the document of a
// Rego text again: a text is within the fragment exactly if a document renders to
// it, byte for byte. What enforces and what is published is compared by asking
// both (Document.Agree).
//
// # What it refuses
//
// Unknown or missing fields, terms outside the trees, a condition said twice, a
// rule that another one of the document says already, and a document that
// forbids nothing, with which nothing would ever be released.
//
// Law outside of the fragment stays Rego: it is shown as it is, with the
// differences that package rehearsal finds.
package document

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/gowebpki/jcs"

	"distributed.ai/datacoop/internal/coop"
)

// Effects of a rule.
const (
	Forbid = "forbid" // refuses
	Review = "review" // people look first
	Oblige = "oblige" // adds a duty
)

// Limits of a document.
const (
	MaxDocument   = 64 << 10 // bytes
	maxRules      = 48
	maxValues     = 40
	maxTitle      = 80
	maxText       = 240
	maxPriceMinor = 1_000_000_000_000
)

// Document is a whole access policy. Make one with Parse or Read; its zero value
// renders to nothing that passes the gate.
type Document struct {
	Rules []Rule `json:"rules"`

	currency coop.Currency
}

// Rule is one thing the co-op forbids, has looked at, or asks for.
type Rule struct {
	Code        string      `json:"code"`   // stable, of lower-case words with hyphens
	Effect      string      `json:"effect"` // Forbid, Review or Oblige
	Title       string      `json:"title"`
	Description string      `json:"description,omitempty"` // why, for readers of the Rego
	When        []Condition `json:"when,omitempty"`        // all must hold
	Sentence    string      `json:"sentence,omitempty"`    // what whom it concerns is told; without it, the English sentence or the duty
	Duty        string      `json:"duty,omitempty"`        // of Oblige: one of Duties, unless Sentence says another
	Days        int64       `json:"days,omitempty"`        // to do the duty in, from receiving the data; 0 is no limit
}

// Condition says something of one Subject.
type Condition struct {
	About  string   `json:"about"`            // Subject.Name
	Is     string   `json:"is"`               // one of Subject.Is
	Values []string `json:"values,omitempty"` // for words
	Number int64    `json:"number,omitempty"` // for amounts: minor units or days
}

// Canonical returns the document as canonical JSON (RFC 8785): lists of values
// and conditions in order, rules in the order of their author.
func (d Document) Canonical() []byte {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d); err != nil {
		panic("document: " + err.Error()) // plain texts, lists and numbers
	}
	out, err := jcs.Transform(text.Bytes())
	if err != nil {
		panic("document: " + err.Error())
	}
	return out
}

// Digest is the SHA-256 of Canonical in hex.
func (d Document) Digest() string {
	sum := sha256.Sum256(d.Canonical())
	return hex.EncodeToString(sum[:])
}

// Refused is the error of a text that is no document, with every finding.
type Refused struct{ Findings []string }

// Error returns the first finding.
func (r *Refused) Error() string { return "document: " + r.Findings[0] }

// Is reports whether a text means to be a document and not Rego: whether it
// begins with a brace, which no Rego does.
func Is(text []byte) bool {
	text = bytes.TrimLeft(text, " \t\r\n")
	return len(text) > 0 && text[0] == '{'
}

// OutsideSentence says what is shown of law that no document expresses.
const OutsideSentence = "This law is written in Rego that no rule document expresses. It is shown as it is, with the sentences its rules carry. " +
	"What it changes was found by trying it on many requests."

func findingf(rule int, format string, args ...any) string {
	return fmt.Sprintf("Rule %d: ", rule+1) + fmt.Sprintf(format, args...)
}
