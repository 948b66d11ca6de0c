package papers

import (
	"strconv"

	"distributed.ai/datacoop/consent/terms"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// policy is the answer as a policy of the Open Digital Rights Language 2.2: an
// offer of the member's with one permission, whose constraints must all be met,
// and prohibitions that go before it. What the language has a word for is said
// with it; our own terms are these:
//
//	coop:requesterKind  the kind of organisation, as the co-op has vetted it
//	coop:commercialUse  whether the use is commercial, "true" or "false"
//	coop:minPrice       the price for one dataset, in minor units of odrl:unit
//	coop:condition      modifiers of the Data Use Ontology the use has to meet
//	coop:disease        what disease-specific research is about
//	coop:study          the kind of study
//	coop:researcher, coop:project, coop:institution   who, and what for, by name
//	coop:dataCategory   the kinds of personal data in what is released
//
// A refusal, a withdrawal and an answer that was taken back permit nothing; the
// last names the pool whose answer counts.
func (a Answer) policy(c coop.Currency) map[string]any {
	id := "urn:uuid:" + a.ID + "#policy"
	out := map[string]any{
		"@id":           id,
		"@type":         "odrl:Offer",
		"odrl:uid":      id,
		"odrl:profile":  Namespace,
		"odrl:conflict": "odrl:prohibit",
		"odrl:assigner": "urn:uuid:" + string(a.Member),
	}
	switch a.Effect {
	case policies.Given:
		out["odrl:permission"] = []any{a.permission(c)}
		if prohibited := a.prohibitions(); len(prohibited) > 0 {
			out["odrl:prohibition"] = prohibited
		}
	case AsPool:
		out["odrl:inheritFrom"] = Namespace + "pool:" + string(a.Pool)
	default:
		out["odrl:prohibition"] = []any{map[string]any{"odrl:target": a.target(), "odrl:action": "odrl:use"}}
	}
	return out
}

// target is what the answer is about.
func (a Answer) target() map[string]any {
	if a.Dataset == "" {
		return map[string]any{"@type": "odrl:AssetCollection", "@id": Namespace + "pool:" + string(a.Pool), "dct:identifier": string(a.Pool)}
	}
	return map[string]any{"@type": "odrl:Asset", "@id": "urn:uuid:" + string(a.Dataset), "dct:identifier": string(a.Dataset),
		"dct:isPartOf": string(a.Pool)}
}

func (a Answer) permission(c coop.Currency) map[string]any {
	out := map[string]any{"odrl:target": a.target(), "odrl:action": "odrl:use", "odrl:constraint": a.constraints(c)}
	if a.Terms.Mode == terms.ModeAsk {
		out["odrl:duty"] = []any{map[string]any{"odrl:action": "odrl:obtainConsent"}}
	}
	return out
}

func (a Answer) constraints(c coop.Currency) []any {
	t := a.Terms
	out := []any{
		constraint("odrl:purpose", "odrl:isAnyOf", named(ontology(t.Purposes))),
		constraint("coop:requesterKind", "odrl:isAnyOf", prefixed("", t.RequesterKinds)),
	}
	for _, list := range []struct {
		left, operator string
		right          []any
	}{
		{"odrl:purpose", "odrl:isAnyOf", named(prefixed("dpv:", t.DPV))},
		{"odrl:spatial", "odrl:isAnyOf", named(prefixed("loc:", t.Regions))},
		{"coop:disease", "odrl:isAnyOf", named(ontology(t.Diseases))},
		{"coop:condition", "odrl:isAllOf", named(ontology(t.Conditions))},
		{"coop:study", "odrl:isAnyOf", named(prefixed("coop:study-", t.Studies))},
		{"coop:researcher", "odrl:isAnyOf", named(prefixed("urn:uuid:", t.Users))},
		{"coop:project", "odrl:isAnyOf", prefixed("", t.Projects)},
		{"coop:institution", "odrl:isAnyOf", prefixed("", t.Institutions)},
		{"coop:dataCategory", "odrl:isAnyOf", named(prefixed("pd:", t.Categories))},
	} {
		if len(list.right) > 0 {
			out = append(out, constraint(list.left, list.operator, list.right))
		}
	}
	return append(out, a.measures(c)...)
}

// measures are the constraints on amounts and times.
func (a Answer) measures(c coop.Currency) (out []any) {
	t := a.Terms
	if !t.Commercial {
		out = append(out, constraint("coop:commercialUse", "odrl:eq", "false"))
	}
	if t.MinPrice > 0 {
		price := constraint("coop:minPrice", "odrl:gteq", int64(t.MinPrice))
		price["odrl:unit"] = string(c)
		out = append(out, price)
	}
	if a.Expires < coop.Forever {
		out = append(out, constraint("odrl:dateTime", "odrl:lt", typed("xsd:dateTime", instant(a.Expires))))
	}
	if t.KeepMonths > 0 {
		out = append(out, constraint("odrl:elapsedTime", "odrl:lteq", typed("xsd:duration", "P"+strconv.FormatInt(t.KeepMonths, 10)+"M")))
	}
	if t.Mode == terms.ModeOnce {
		out = append(out, constraint("odrl:count", "odrl:lteq", int64(1)))
	}
	return out
}

func (a Answer) prohibitions() (out []any) {
	if len(a.Terms.Except) > 0 {
		out = append(out, map[string]any{"odrl:target": a.target(), "odrl:action": "odrl:use",
			"odrl:constraint": []any{constraint("odrl:purpose", "odrl:isAnyOf", named(ontology(a.Terms.Except)))}})
	}
	if a.Terms.PublishFrom != "" {
		out = append(out, map[string]any{"odrl:target": a.target(), "odrl:action": "odrl:distribute",
			"odrl:constraint": []any{constraint("odrl:dateTime", "odrl:lt", typed("xsd:date", a.Terms.PublishFrom))}})
	}
	return out
}

func constraint(left, operator string, right any) map[string]any {
	return map[string]any{"@type": "odrl:Constraint", "odrl:leftOperand": left, "odrl:operator": operator, "odrl:rightOperand": right}
}

// named makes names of a list of texts, where a value can be either.
func named(list []any) []any {
	for i, name := range list {
		list[i] = map[string]any{"@id": name}
	}
	return list
}

func typed(kind, value string) map[string]any {
	return map[string]any{"@type": kind, "@value": value}
}
