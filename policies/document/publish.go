package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies/document/odrl"
)

// Operands, actions and classes of the profile; profile.json says what they are.
const (
	opConsent    = own + "consent"
	opReviewed   = own + "reviewed"
	opVetted     = own + "vetted"
	opKind       = own + "requesterKind"
	opCountry    = own + "requesterCountry"
	opCommercial = own + "commercial"
	opPool       = own + "pool"
	opData       = own + "personalData"
	opMembers    = own + "memberCountry"

	allDatasets   = own + "datasets"
	allRequesters = own + "requesters"
)

// operands of the subjects, and where they stand in a rule: about who asks, about
// what is asked for, or about the use.
var operands = map[string]string{
	aboutVetted: opVetted, aboutKind: opKind, aboutCountry: opCountry, aboutPurpose: odrlNS + "purpose", aboutUse: odrlNS + "purpose",
	aboutCommercial: opCommercial, aboutPool: opPool, aboutData: opData, aboutMembers: opMembers,
	aboutPrice: odrlNS + "payAmount", aboutRetention: odrlNS + "elapsedTime",
}

// operators of what conditions say.
var operators = map[string]string{
	isYes: odrlNS + "eq", isNo: odrlNS + "eq", isOneOf: odrlNS + "isAnyOf", isNoneOf: odrlNS + "isNoneOf",
	isWithin: odrl.WithinAnyOf, isOutside: odrl.OutsideAllOf, isTouching: odrl.TouchesAnyOf, isClearOf: odrl.TouchesNoneOf,
	isBelow: odrlNS + "lt", isAtLeast: odrlNS + "gteq", isAbove: odrlNS + "gt", isAtMost: odrlNS + "lteq",
}

// ODRL renders the document as a policy of the Open Digital Rights Language in
// JSON-LD, of the profile odrl.Profile. The one permission is what base law and
// the member permit; what the co-op forbids are prohibitions, and they prevail.
// What people look at first is a prohibition as long as nobody has. Revision
// names the law in force that the policy is part of; "" is none.
func (d Document) ODRL(revision string) []byte {
	id := "urn:datacoop:policy:" + d.Digest()
	policy := map[string]any{
		"@context":        prefixes,
		"@id":             id,
		"@type":           "odrl:Set",
		"odrl:uid":        named(id),
		"odrl:profile":    named(odrl.Profile),
		"odrl:conflict":   named("odrl:prohibit"),
		"dct:language":    "en",
		"dct:description": "What the members of a data co-operative have voted. It only narrows what base law and each member permit; prohibitions prevail.",
		"odrl:permission": map[string]any{
			"@id": id + "#permission", "@type": "odrl:Permission",
			"odrl:action": named("odrl:use"), "odrl:target": named(short(allDatasets)), "odrl:assignee": named(short(allRequesters)),
			"odrl:constraint": constraint(opConsent, odrlNS+"eq", true),
		},
	}
	if revision != "" {
		policy["coop:revision"] = revision
	}
	rules := map[string][]any{}
	for _, r := range d.Rules {
		key := choose(r.Effect == Oblige, "odrl:obligation", "odrl:prohibition")
		rules[key] = append(rules[key], d.published(id, r))
	}
	for key, list := range rules {
		policy[key] = list
	}
	return indented(policy)
}

func (d Document) published(policy string, r Rule) map[string]any {
	out := map[string]any{
		"@id": policy + "#" + r.Code, "@type": choose(r.Effect == Oblige, "odrl:Duty", "odrl:Prohibition"),
		"odrl:action": named("odrl:use"), "dct:identifier": r.Code, "dct:title": r.Title,
		"dct:description": map[string]any{"@value": d.sentence(r), "@language": "en"},
		"coop:told":       map[string]any{"@value": d.told(r), "@language": "en"},
	}
	if r.Effect == Oblige {
		out["odrl:action"] = action(r)
	}
	if r.Description != "" {
		out["coop:why"] = r.Description
	}
	sides := map[string][]any{}
	for _, c := range r.When {
		side := sideOf(c.About)
		sides[side] = append(sides[side], d.constraint(c))
	}
	if r.Effect == Review {
		sides["odrl:constraint"] = append(sides["odrl:constraint"], constraint(opReviewed, odrlNS+"eq", false))
	}
	out["odrl:target"] = collection("odrl:AssetCollection", allDatasets, sides["odrl:target"])
	out["odrl:assignee"] = collection("odrl:PartyCollection", allRequesters, sides["odrl:assignee"])
	if use := sides["odrl:constraint"]; use != nil {
		out["odrl:constraint"] = use
	}
	return out
}

// sideOf is the part of a rule a subject belongs to.
func sideOf(about string) string {
	switch about {
	case aboutVetted, aboutKind, aboutCountry:
		return "odrl:assignee"
	case aboutPool, aboutData, aboutMembers:
		return "odrl:target"
	}
	return "odrl:constraint"
}

func collection(class, source string, refinements []any) any {
	if refinements == nil {
		return named(short(source))
	}
	return map[string]any{"@type": class, "odrl:source": named(short(source)), "odrl:refinement": refinements}
}

// action is what a duty asks to do, and in what time.
func action(r Rule) any {
	what := own + "asTold"
	duty, known := dutyOf(r.Duty)
	if known {
		what = duty.action
	}
	if r.Days == 0 {
		return named(short(what))
	}
	return map[string]any{"rdf:value": named(short(what)), "odrl:refinement": constraint(odrlNS+"elapsedTime", odrlNS+"lteq", days(r.Days))}
}

func (d Document) constraint(c Condition) map[string]any {
	out := constraint(operands[c.About], operators[c.Is], d.right(c))
	if c.About == aboutPrice {
		out["odrl:unit"] = named(currencies + string(d.currency))
	}
	return out
}

// currencies is the authority table of the European Union.
const currencies = "http://publications.europa.eu/resource/authority/currency/"

func (d Document) right(c Condition) any {
	switch {
	case c.Is == isYes || c.Is == isNo:
		return c.Is == isYes
	case c.About == aboutPrice:
		return map[string]any{"@value": coop.Money(c.Number).Decimal(d.currency), "@type": "xsd:decimal"}
	case c.About == aboutRetention:
		return days(c.Number)
	}
	out := make([]any, 0, len(c.Values))
	for _, v := range c.Values {
		switch tree := treeOf[c.About]; {
		case tree != "":
			out = append(out, named(compact(tree, v)))
		case c.About == aboutKind:
			out = append(out, named("coop:"+v))
		default:
			out = append(out, v)
		}
	}
	return out
}

func constraint(left, operator string, right any) map[string]any {
	return map[string]any{"odrl:leftOperand": named(short(left)), "odrl:operator": named(short(operator)), "odrl:rightOperand": right}
}

func days(n int64) map[string]any {
	return map[string]any{"@value": duration(n), "@type": "xsd:duration"}
}

func duration(n int64) string { return "P" + strconv.FormatInt(n, 10) + "D" }

func named(iri string) map[string]any { return map[string]any{"@id": iri} }

// short writes a name of ours or of ODRL with its prefix.
func short(iri string) string {
	for _, prefix := range []string{"coop", "odrl"} {
		base, _ := prefixes[prefix].(string)
		if len(iri) > len(base) && iri[:len(base)] == base {
			return prefix + ":" + iri[len(base):]
		}
	}
	return iri
}

func indented(v any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("document: %v", err)) // texts, truths and lists of them
	}
	return out.Bytes()
}
