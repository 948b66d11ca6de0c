package document

import (
	"context"
	"errors"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// Gate tries a text of Rego: policies.Gate, or something that runs it. It
// returns the text as it would be enforced.
type Gate func(ctx context.Context, rego []byte) ([]byte, policies.Report, error)

// Try puts a policy to a gate: Rego as it is, a document as what it renders to.
// Of a policy that a document expresses the report says, in the sentences of the
// document, what each rule does.
func Try(ctx context.Context, source []byte, c coop.Currency, gate Gate) ([]byte, policies.Report, error) {
	if Is(source) {
		d, err := Parse(source, c)
		var refused *Refused
		switch {
		case errors.As(err, &refused):
			return nil, policies.Report{Findings: refused.Findings}, nil
		case err != nil:
			return nil, policies.Report{}, err
		}
		source = d.Rego()
	}
	rego, report, err := gate(ctx, source)
	if err == nil {
		report.Sentences = Sentences(rego, report.Sentences, c)
	}
	return rego, report, err
}

// Sentences are what the rules of a policy do: of one that a document expresses
// the document's, in place of those the policy's own texts make (said); after
// them whatever else was said.
func Sentences(rego []byte, said []string, c coop.Currency) []string {
	d, ok := Read(rego, c)
	if !ok || len(said) < len(d.Rules) {
		return said
	}
	return append(d.English(), said[len(d.Rules):]...)
}

// DigestOf names the document a policy is the Rego of; "" if there is none.
func DigestOf(rego []byte, c coop.Currency) string {
	d, ok := Read(rego, c)
	if !ok {
		return ""
	}
	return d.Digest()
}
