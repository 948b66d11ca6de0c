package document

import (
	"strings"

	"distributed.ai/datacoop/policies/document/odrl"
)

// Names of the vocabularies that a published policy speaks in.
const (
	odrlNS = odrl.NS
	own    = odrl.Own
	dct    = "http://purl.org/dc/terms/"
	dpv    = "https://w3id.org/dpv#"
	pd     = "https://w3id.org/dpv/pd#"
	loc    = "https://w3id.org/dpv/loc#"
	obo    = "http://purl.obolibrary.org/obo/"
)

// prefixes is the JSON-LD context of a published policy. It is written out, not
// linked, so that a policy means the same without the network.
var prefixes = map[string]any{
	"coop": own, "dct": dct, "dpv": dpv, "loc": loc, "obo": obo, "odrl": odrlNS, "pd": pd, "rdf": odrl.RDF, "xsd": odrl.XSD,
}

// trees a subject's values stand in, and how their terms are named.
var treeOf = map[string]string{
	aboutPurpose: "duo", aboutUse: "dpv", aboutData: "category", aboutCountry: "region", aboutMembers: "region",
}

// compact is a term of a tree as a name with a prefix.
func compact(tree, code string) string {
	switch {
	case tree == "duo":
		return "obo:" + strings.ReplaceAll(code, ":", "_")
	case tree == "region":
		return "loc:" + code
	case tree == "category" && code != "PersonalData":
		return "pd:" + code
	}
	return "dpv:" + code
}

// expanded is the same in full.
func expanded(tree, code string) string {
	prefix, local, _ := strings.Cut(compact(tree, code), ":")
	base, _ := prefixes[prefix].(string)
	return base + local
}
