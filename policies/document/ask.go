package document

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/policies/document/odrl"
)

// Published is a policy as it was published, read from its JSON-LD and from
// nothing else.
type Published struct {
	graph    *odrl.Graph
	policy   odrl.Term
	currency coop.Currency
}

// Answer is what a policy says of a request; codes are sorted.
type Answer struct {
	Allow       bool
	NeedsReview bool     // not allowed yet, and would be once people have looked at it
	Reasons     []string // codes of what forbids it, or of what people must look at first
	Obligations []string // codes of the duties that come with it; none unless Allow or NeedsReview
}

// ReadPublished reads what ODRL rendered. It refuses what is no policy of the
// profile, and prices in another currency than c.
func ReadPublished(text []byte, c coop.Currency) (Published, error) {
	graph, policy, err := odrl.ReadJSONLD(text)
	if err != nil {
		return Published{}, err
	}
	if !slices.Contains(graph.Objects(policy, odrlNS+"profile"), odrl.IRI(odrl.Profile)) {
		return Published{}, fmt.Errorf("%w: not a policy of the profile %s", odrl.ErrUnsupported, odrl.Profile)
	}
	for _, t := range graph.Triples() {
		if t.Predicate == odrlNS+"unit" && t.Object != odrl.IRI(currencies+string(c)) {
			return Published{}, fmt.Errorf("%w: a price in another currency", odrl.ErrUnsupported)
		}
	}
	return Published{graph, policy, c}, nil
}

// Ask says what the policy makes of a question. Consent is whether base law and
// the member permit it, which a policy of the co-op cannot say.
func (p Published) Ask(in policies.Input, consent bool) (Answer, error) {
	now, err := p.evaluate(in, consent, in.Request.Reviewed)
	if err != nil {
		return Answer{}, err
	}
	later, err := p.evaluate(in, consent, true)
	if err != nil {
		return Answer{}, err
	}
	out := Answer{Allow: now.Allows(), NeedsReview: !now.Allows() && later.Allows()}
	out.Reasons = p.codes(later, odrl.Prohibition)
	if out.NeedsReview {
		out.Reasons = p.codes(now, odrl.Prohibition)
	}
	if out.Allow || out.NeedsReview {
		out.Obligations = p.codes(now, odrl.Obligation)
	}
	return out, nil
}

func (p Published) evaluate(in policies.Input, consent, reviewed bool) (odrl.Report, error) {
	facts := factsOf(in, p.currency)
	facts[opConsent], facts[opReviewed] = truth(consent), truth(reviewed)
	return odrl.Evaluate(p.graph, p.policy, odrl.Request{Action: odrlNS + "use", Assignee: allRequesters, Target: allDatasets,
		Facts: facts, Above: above})
}

// codes lists the rules of a kind that are active.
func (p Published) codes(report odrl.Report, kind odrl.Kind) []string {
	out := []string{}
	for _, r := range report.Rules {
		if r.Kind == kind && r.Active {
			for _, code := range p.graph.Objects(r.Rule, dct+"identifier") {
				out = append(out, code.Value)
			}
		}
	}
	slices.Sort(out)
	return out
}

// factsOf is a question in the words of the profile.
func factsOf(in policies.Input, c coop.Currency) map[string][]odrl.Term {
	q := in.Request
	facts := map[string][]odrl.Term{
		opVetted: truth(q.Requester.Vetted), opKind: {odrl.IRI(own + q.Requester.Kind)}, opCountry: {odrl.IRI(loc + q.Requester.Region)},
		odrlNS + "purpose": {odrl.IRI(expanded("duo", q.DUO)), odrl.IRI(expanded("dpv", q.DPV))},
		opCommercial:       truth(q.Commercial), opPool: {odrl.Literal(q.Pool, "string")}, opMembers: {odrl.IRI(loc + in.Dataset.Region)},
		odrlNS + "payAmount":   {odrl.Literal(coop.Money(q.PriceMinor).Decimal(c), "decimal")},
		odrlNS + "elapsedTime": {odrl.Literal(duration(q.RetentionDays), "duration")},
		opData:                 {},
	}
	for _, held := range in.Dataset.Categories {
		facts[opData] = append(facts[opData], odrl.IRI(expanded("category", held)))
	}
	return facts
}

func truth(v bool) []odrl.Term { return []odrl.Term{odrl.Literal(strconv.FormatBool(v), "boolean")} }

// above finds a term in the trees by its full name.
func above(iri string) (out []string) {
	for _, at := range []struct{ base, tree string }{{obo, "duo"}, {loc, "region"}, {pd, "category"}, {dpv, "dpv"}, {dpv, "category"}} {
		code, ok := strings.CutPrefix(iri, at.base)
		if at.tree == "duo" {
			code = strings.ReplaceAll(code, "_", ":")
		}
		if !ok || closures()[at.tree][code] == nil {
			continue
		}
		for _, term := range closures()[at.tree][code] {
			out = append(out, expanded(at.tree, term))
		}
		return out
	}
	return nil
}
