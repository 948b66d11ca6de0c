// Package lawbook says over HTTP how a policy is written: as a rule document
// with three renderings, or as Rego that no document expresses.
//
// # What it guarantees
//
// A policy in the form "document" is the Rego of the document that is answered
// with it, byte for byte, and its sentences are the document's. What is published
// in ODRL (Published) is that document and nothing else.
//
// # What it refuses
//
// To put Rego into ODRL that no document expresses: ErrOutside, with a sentence.
package lawbook

import (
	"encoding/json"
	"mime"
	"strconv"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/policies/document"
	"distributed.ai/datacoop/web/client"
)

// LinkedData is the media type of JSON-LD.
const LinkedData = "application/ld+json"

// Faults of a policy that is asked for in ODRL. ErrOutside is answered with 406.
var (
	ErrOutside = fault.New(fault.Invalid, "policy-outside-documents",
		"The law in force is Rego that no rule document expresses, so there is no ODRL of it. Ask for application/json to read it as it is.")
	ErrBoth  = fault.New(fault.Invalid, "policy-twice", "Send a policy or a rule document, not both.")
	ErrNoLaw = fault.New(fault.Unavailable, "no-law", "No policy is in force: every access is refused.")
)

// Proposed is the policy or the rule document of a draft, or the policy a co-op
// starts with where it has neither.
func Proposed(d client.ProposalDraft) ([]byte, error) {
	switch {
	case len(d.Document) > 0 && d.Policy != "":
		return nil, ErrBoth
	case len(d.Document) > 0:
		return d.Document, nil
	case d.Policy != "":
		return []byte(d.Policy), nil
	}
	return policies.Default(), nil
}

// Form says how a policy is written; empty for a policy that is not at hand.
func Form(rego []byte, c coop.Currency) client.PolicyForm {
	if len(rego) == 0 {
		return client.PolicyForm{}
	}
	out := client.PolicyForm{Form: client.FormRego, FormNote: document.OutsideSentence, PolicySHA256: coop.Digest(rego)}
	if d, ok := document.Read(rego, c); ok {
		out.Form, out.FormNote, out.Document, out.DocumentSHA256 = client.FormDocument, "", json.RawMessage(d.Canonical()), d.Digest()
	}
	return out
}

// Current is a law that is or was in force, without base law.
func Current(rev *policies.Revision, c coop.Currency) client.Policy {
	source := rev.Source()
	return client.Policy{Revision: rev.Hash(), Access: string(source), Base: []client.Source{},
		Sentences: document.Sentences(source, append([]string{}, rev.Sentences()...), c), PolicyForm: Form(source, c)}
}

// Published is the law in force in ODRL, as JSON-LD; ErrNoLaw or ErrOutside if
// there is none.
func Published(rev *policies.Revision, c coop.Currency) ([]byte, error) {
	if rev == nil {
		return nil, ErrNoLaw
	}
	d, ok := document.Read(rev.Source(), c)
	if !ok {
		return nil, ErrOutside
	}
	return d.ODRL(rev.Hash()), nil
}

// WantsLinked reports whether an Accept header asks for JSON-LD rather than
// JSON: it names it, and JSON not at all or less.
func WantsLinked(accept string) bool {
	linked, plain := 0.0, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		kind, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		weight := 1.0
		if q, said := params["q"]; said {
			weight, _ = strconv.ParseFloat(q, 64)
		}
		switch kind {
		case LinkedData:
			linked = max(linked, weight)
		case "application/json":
			plain = max(plain, weight)
		}
	}
	return linked > plain
}
