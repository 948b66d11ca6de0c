package policies

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/rego"
)

// Layers of law a reason can come from.
const (
	LayerBase   = "base"   // base law
	LayerCoop   = "coop"   // what the members voted
	LayerMember = "member" // the dataset's own member
)

// Codes of the reasons that the engine itself gives.
const (
	CodeUnavailable = "policy-unavailable" // no answer: sealed, an error, undefined, a deadline
	CodeMalformed   = "input-malformed"    // the question itself was wrong
	CodeUnexplained = "not-permitted"      // refused, and the law gave no reason
)

// Reason says why something is refused. Code is stable, Sentence is for people
// and holds nothing a requester or member wrote.
type Reason struct {
	Code     string `json:"code"`
	Layer    string `json:"layer"` // LayerBase, LayerCoop or LayerMember
	Sentence string `json:"sentence"`
}

// Obligation is a duty that comes with a release.
type Obligation struct {
	Code     string `json:"code"`
	Sentence string `json:"sentence"`
}

// Outcome is what the law answers. Its zero value refuses.
type Outcome struct {
	Allow       bool         `json:"allow"`
	NeedsReview bool         `json:"needs_review"` // not allowed yet; would be once the people it asks have said yes
	Asks        []string     `json:"asks"`         // AskSteward, AskMember or both; empty unless NeedsReview
	Reasons     []Reason     `json:"reasons"`      // by layer and code; empty exactly if Allow
	Obligations []Obligation `json:"obligations"`  // by code; empty unless Allow or NeedsReview
}

// Whom a request can wait for.
const (
	AskSteward = "steward" // a steward of vetting, who reviews the request
	AskMember  = "member"  // the dataset's own member, who answers about this request
)

// refusal is an outcome of the engine's own making.
func refusal(code, sentence string) Outcome {
	return Outcome{
		Asks:        []string{},
		Reasons:     []Reason{{Code: code, Layer: LayerBase, Sentence: sentence}},
		Obligations: []Obligation{},
	}
}

func unavailable() Outcome {
	return refusal(CodeUnavailable, "The law could not be read just now, so nothing is released.")
}

var errUndefined = errors.New("policies: the decision is undefined")

// answer is the shape of data.coop.decision.result. Pointers tell a missing
// value from a false one.
type answer struct {
	Allow       *bool         `json:"allow"`
	NeedsReview *bool         `json:"needs_review"`
	Asks        []string      `json:"asks"` // law of before there were any has none
	Reasons     *[]Reason     `json:"reasons"`
	Obligations *[]Obligation `json:"obligations"`
}

// outcome reads an evaluation. Anything but one complete result is an error.
func outcome(rs rego.ResultSet) (Outcome, error) {
	if len(rs) != 1 || len(rs[0].Expressions) != 1 {
		return Outcome{}, errUndefined
	}
	text, err := json.Marshal(rs[0].Expressions[0].Value)
	if err != nil {
		return Outcome{}, fmt.Errorf("policies: reading the decision: %w", err)
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return Outcome{}, fmt.Errorf("policies: reading the decision: %w", err)
	}
	if a.Allow == nil || a.NeedsReview == nil || a.Reasons == nil || a.Obligations == nil {
		return Outcome{}, errUndefined
	}
	return Outcome{*a.Allow, *a.NeedsReview, a.Asks, *a.Reasons, *a.Obligations}.settled(), nil
}

// settled puts the lists in order and closes what the law may have left open:
// a release with a reason against it is none, nobody is asked about a refusal,
// and a refusal has a reason.
func (o Outcome) settled() Outcome {
	slices.SortFunc(o.Reasons, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Sentence, b.Sentence))
	})
	slices.SortFunc(o.Obligations, func(a, b Obligation) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Sentence, b.Sentence))
	})
	o.Allow = o.Allow && len(o.Reasons) == 0
	o.NeedsReview = o.NeedsReview && !o.Allow
	if slices.Sort(o.Asks); !o.NeedsReview || o.Asks == nil {
		o.Asks = []string{}
	}
	if !o.Allow && !o.NeedsReview {
		o.Obligations = []Obligation{}
	}
	if !o.Allow && len(o.Reasons) == 0 {
		o.Reasons = refusal(CodeUnexplained, "The law does not permit this.").Reasons
	}
	return o
}
