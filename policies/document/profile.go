package document

import (
	"sync"

	"distributed.ai/datacoop/policies/document/odrl"
)

// entry is one term of the profile.
type entry struct {
	name, class, words, same string
}

// profile are the terms published policies use besides those of ODRL.
var profile = []entry{
	{opConsent, "odrl:LeftOperand", "Whether base law and the member who gave the data permit the request.", ""},
	{opReviewed, "odrl:LeftOperand", "Whether people of the co-op have looked at the request.", ""},
	{opVetted, "odrl:LeftOperand", "Whether the co-op has vetted who asks.", ""},
	{opKind, "odrl:LeftOperand", "The kind of organisation that asks.", ""},
	{opCountry, "odrl:LeftOperand", "The country of who asks.", ""},
	{opCommercial, "odrl:LeftOperand", "Whether the use is commercial.", ""},
	{opPool, "odrl:LeftOperand", "The pool asked for.", ""},
	{opData, "odrl:LeftOperand", "The kinds of personal data in the dataset; one of them decides.", ""},
	{opMembers, "odrl:LeftOperand", "The country of the member who gave the data.", ""},
	{odrl.WithinAnyOf, "odrl:Operator", "One of the right operands is the left one or stands above it in its tree. What stands in no tree is within nothing.", ""},
	{odrl.OutsideAllOf, "odrl:Operator", "The opposite of isWithinAnyOf.", ""},
	{odrl.TouchesAnyOf, "odrl:Operator", "One of the right operands is the left one, or stands above or below it in its tree.", ""},
	{odrl.TouchesNoneOf, "odrl:Operator", "The opposite of touchesAnyOf.", ""},
	{own + "university", "dpv:Recipient", "A university or research institute.", ""},
	{own + "public-body", "dpv:Recipient", "A public authority.", ""},
	{own + "non-profit", "dpv:Recipient", "An organisation that does not work for profit.", ""},
	{own + "company", "dpv:Recipient", "A company.", ""},
	{own + "publishResults", "odrl:Action", "To publish openly what was found, and report it to the members.", obo + "DUO_0000019"},
	{own + "returnResults", "odrl:Action", "To give what is derived from the data back to the co-op.", obo + "DUO_0000029"},
	{own + "collaborate", "odrl:Action", "To work together with the co-op.", obo + "DUO_0000020"},
	{own + "asTold", "odrl:Action", "To do what coop:told of the duty says.", ""},
	{allDatasets, "odrl:AssetCollection", "The datasets of the members, each by itself.", ""},
	{allRequesters, "odrl:PartyCollection", "Everybody who asks for data.", ""},
	{own + "told", "rdf:Property", "What whom a rule concerns is told.", ""},
	{own + "why", "rdf:Property", "Why the rule is there, in its author's words.", ""},
	{own + "revision", "rdf:Property", "The revision of the law in force that the policy is the voted part of.", ""},
}

// Profile is the document that says what the terms of published policies mean:
// JSON-LD, the same for every co-op of this release.
func Profile() []byte { return profileDocument() }

var profileDocument = sync.OnceValue(func() []byte {
	terms := make([]any, 0, len(profile))
	for _, e := range profile {
		one := map[string]any{"@id": short(e.name), "@type": e.class, "rdfs:isDefinedBy": named(odrl.Profile),
			"rdfs:comment": map[string]any{"@value": e.words, "@language": "en"}}
		if e.same != "" {
			one["skos:closeMatch"] = named(e.same)
		}
		terms = append(terms, one)
	}
	context := map[string]any{"rdfs": "http://www.w3.org/2000/01/rdf-schema#", "skos": "http://www.w3.org/2004/02/skos/core#"}
	for prefix, iri := range prefixes {
		context[prefix] = iri
	}
	return indented(map[string]any{
		"@context": context, "@id": odrl.Profile, "@type": "odrl:Profile", "rdfs:seeAlso": named(odrlNS),
		"dct:title": "Policies of a data co-operative",
		"dct:description": "Each policy is an odrl:Set with one permission, to use a dataset that base law and its member permit. Prohibitions " +
			"prevail (odrl:prohibit). A prohibition with coop:reviewed holds until people of the co-op have looked at a request. Obligations are " +
			"duties of whoever receives data. All constraints of a rule, and all refinements of its target and assignee, must hold for the rule " +
			"to apply. A prohibition without a constraint applies to every request. Prices are decimals in the currency of odrl:unit; times are days.",
		"coop:defines": terms,
	})
})
