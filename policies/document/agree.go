package document

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"distributed.ai/datacoop/policies"
)

// ErrDisagree says that a published policy answers a question otherwise than the
// law that is enforced.
var ErrDisagree = errors.New("document: what is published is not what is enforced")

// Agree renders the document, enforces its Rego, reads its ODRL back, and puts
// the same questions to both: requests at the edges of everything its conditions
// name. It returns how many were asked. The error is ErrDisagree with the
// question where an answer differs.
func (d Document) Agree(ctx context.Context) (asked int, err error) {
	law, err := policies.Compile(ctx, d.Rego())
	if err != nil {
		return 0, fmt.Errorf("document: %w", err)
	}
	published, err := ReadPublished(d.ODRL(law.Hash()), d.currency)
	if err != nil {
		return 0, err
	}
	questions := d.questions()
	for i, in := range questions {
		enforced, said, err := both(ctx, law, published, in)
		if err != nil {
			return i, err
		}
		if !enforced.equal(said) {
			text, _ := in.Canonical()
			return i, fmt.Errorf("%w: %+v and %+v to %s", ErrDisagree, said, enforced, text)
		}
	}
	return len(questions), nil
}

// both asks a law and a published policy the same. What base law and the member
// say, the published policy is told.
func both(ctx context.Context, law *policies.Revision, published Published, in policies.Input) (enforced, said Answer, err error) {
	out, err := law.Decide(ctx, in)
	if err != nil {
		return Answer{}, Answer{}, fmt.Errorf("document: %w", err)
	}
	enforced = Answer{Allow: out.Allow, NeedsReview: out.NeedsReview, Reasons: []string{}, Obligations: []string{}}
	consent := true
	for _, r := range out.Reasons {
		if r.Layer == policies.LayerCoop {
			enforced.Reasons = append(enforced.Reasons, r.Code)
		} else {
			consent = false
		}
	}
	for _, o := range out.Obligations {
		enforced.Obligations = append(enforced.Obligations, o.Code)
	}
	said, err = published.Ask(in, consent)
	base, errBase := baseDuties()
	enforced.Obligations = slices.DeleteFunc(enforced.Obligations, func(code string) bool { return slices.Contains(base, code) })
	return enforced, said, errors.Join(err, errBase)
}

// baseDuties come with every release and are no part of a document: they are the
// duties under law that adds none.
var baseDuties = sync.OnceValues(func() (codes []string, err error) {
	bare := Document{currency: "EUR", Rules: []Rule{{Code: "bare", Effect: Forbid, Title: "Bare", When: []Condition{{About: aboutVetted, Is: isNo}}}}}
	law, err := policies.Compile(context.Background(), bare.Rego())
	if err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	out, err := law.Decide(context.Background(), plainQuestion())
	for _, o := range out.Obligations {
		codes = append(codes, o.Code)
	}
	return codes, err
})

func (a Answer) equal(b Answer) bool {
	return a.Allow == b.Allow && a.NeedsReview == b.NeedsReview && slices.Equal(a.Reasons, b.Reasons) &&
		slices.Equal(a.Obligations, b.Obligations)
}
