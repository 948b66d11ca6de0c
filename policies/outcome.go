package policies

import (
	"cmp"
	"errors"
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
	Rules       []string     `json:"rules"`        // names of the rules of law that fired, in order; see ruleName
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
		Rules:       []string{},
	}
}

func unavailable() Outcome {
	return refusal(CodeUnavailable, "The law could not be read just now, so nothing is released.")
}

var errUndefined = errors.New("policies: the decision is undefined")

// outcome reads an evaluation of data.coop.decision.result in which rules fired.
// Anything but one complete result is an error.
func outcome(rs rego.ResultSet, rules []string) (Outcome, error) {
	if len(rs) != 1 || len(rs[0].Expressions) != 1 {
		return Outcome{}, errUndefined
	}
	fields, _ := rs[0].Expressions[0].Value.(map[string]any)
	allow, allowed := fields["allow"].(bool)
	review, reviewed := fields["needs_review"].(bool)
	if !allowed || !reviewed {
		return Outcome{}, errUndefined
	}
	out := Outcome{Allow: allow, NeedsReview: review, Asks: []string{}, Reasons: []Reason{}, Obligations: []Obligation{}, Rules: rules}
	complete := each(fields["reasons"], func(r map[string]any) bool {
		code, one := r["code"].(string)
		layer, two := r["layer"].(string)
		sentence, three := r["sentence"].(string)
		out.Reasons = append(out.Reasons, Reason{code, layer, sentence})
		return one && two && three
	}) && each(fields["obligations"], func(o map[string]any) bool {
		code, one := o["code"].(string)
		sentence, two := o["sentence"].(string)
		out.Obligations = append(out.Obligations, Obligation{code, sentence})
		return one && two
	})
	if asks, some := fields["asks"]; some { // law of before there were any has none
		complete = each(asks, func(who string) bool { out.Asks = append(out.Asks, who); return true }) && complete
	}
	if !complete {
		return Outcome{}, errUndefined
	}
	return out.settled(), nil
}

// each hands over the elements of a list; false unless there is one, of what it
// should be of.
func each[T any](list any, fn func(T) bool) bool {
	elements, ok := list.([]any)
	for _, e := range elements {
		v, is := e.(T)
		if !is || !fn(v) {
			return false
		}
	}
	return ok
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
