package coop

import "slices"

// DUOTerm is one term of the GA4GH Data Use Ontology as its maintainers
// publish it.
type DUOTerm struct {
	Code      string
	Shorthand string // "GRU"; the two headings have none
	Label     string
	Role      string // DUOHeading, DUOPermission or DUOModifier
}

// Roles of a DUO term.
const (
	DUOHeading    = "heading"    // groups others and says nothing by itself
	DUOPermission = "permission" // what data may be used for
	DUOModifier   = "modifier"   // a condition on top of a permission
)

// DUOTerms lists every current term of the ontology, by code.
func DUOTerms() []DUOTerm {
	return []DUOTerm{
		{"DUO:0000001", "", "data use permission", DUOHeading},
		{"DUO:0000004", "NRES", "no restriction", DUOPermission},
		{"DUO:0000006", "HMB", "health or medical or biomedical research", DUOPermission},
		{"DUO:0000007", "DS", "disease specific research", DUOPermission},
		{"DUO:0000011", "POA", "population origins or ancestry research only", DUOPermission},
		{"DUO:0000012", "RS", "research specific restrictions", DUOModifier},
		{"DUO:0000015", "NMDS", "no general methods research", DUOModifier},
		{"DUO:0000016", "GSO", "genetic studies only", DUOModifier},
		{"DUO:0000017", "", "data use modifier", DUOHeading},
		{"DUO:0000018", "NPUNCU", "not for profit, non commercial use only", DUOModifier},
		{"DUO:0000019", "PUB", "publication required", DUOModifier},
		{"DUO:0000020", "COL", "collaboration required", DUOModifier},
		{"DUO:0000021", "IRB", "ethics approval required", DUOModifier},
		{"DUO:0000022", "GS", "geographical restriction", DUOModifier},
		{"DUO:0000024", "MOR", "publication moratorium", DUOModifier},
		{"DUO:0000025", "TS", "time limit on use", DUOModifier},
		{"DUO:0000026", "US", "user specific restriction", DUOModifier},
		{"DUO:0000027", "PS", "project specific restriction", DUOModifier},
		{"DUO:0000028", "IS", "institution specific restriction", DUOModifier},
		{"DUO:0000029", "RTN", "return to database or resource", DUOModifier},
		{"DUO:0000042", "GRU", "general research use", DUOPermission},
		{"DUO:0000043", "CC", "clinical care use", DUOPermission},
		{"DUO:0000044", "NPOA", "population origins or ancestry research prohibited", DUOModifier},
		{"DUO:0000045", "NPU", "not for profit organisation use only", DUOModifier},
		{"DUO:0000046", "NCU", "non-commercial use only", DUOModifier},
	}
}

// WhyNotDUO says in a sentence why a code is no purpose a member can allow or
// refuse, or "" if it is one.
func WhyNotDUO(code string) string {
	if known(DUOPurposes(), code) {
		return ""
	}
	if why, ok := obsoleteDUO[code]; ok {
		return why
	}
	i := slices.IndexFunc(DUOTerms(), func(t DUOTerm) bool { return t.Code == code })
	switch {
	case i < 0:
		return "A purpose is not a known DUO code."
	case DUOTerms()[i].Role == DUOHeading:
		return "DUO:0000001 and DUO:0000017 are headings of the ontology; name a term below them."
	case DUOTerms()[i].Role == DUOModifier:
		return "A DUO modifier is a condition, not a purpose."
	}
	return "DUO:0000004, no restriction, cannot be allowed: law restricts every use; DUO:0000042 allows any research."
}

// obsoleteDUO names codes that the ontology has given up, and what to say
// instead.
var obsoleteDUO = map[string]string{
	"DUO:0000002": "DUO:0000002 is obsolete: it was a category of codes and never said what data may be used for.",
	"DUO:0000003": "DUO:0000003 is obsolete: it was a category of codes and never said what data may be used for.",
	"DUO:0000005": "DUO:0000005, general research use and clinical care, is obsolete: name DUO:0000042 and DUO:0000043.",
	"DUO:0000014": "DUO:0000014, research use only, is obsolete: name DUO:0000042 and leave DUO:0000043 out.",
}

// Conditions lists the DUO modifiers that need nothing besides their code, with
// the words of a member who makes them: "You allow it only if …".
func Conditions() []Term {
	return []Term{
		{"DUO:0000015", "no general methods research", "it does not develop methods or software"},
		{"DUO:0000016", "genetic studies only", "it is a genetic study"},
		{"DUO:0000018", "not for profit, non commercial use only", "neither the organisation nor the use is for profit"},
		{"DUO:0000019", "publication required", "the results are published for everybody"},
		{"DUO:0000020", "collaboration required", "they work together with the co-op on it"},
		{"DUO:0000021", "ethics approval required", "an ethics board has approved it and a steward has seen the approval"},
		{"DUO:0000029", "return to database or resource", "what they derive from your data comes back to the co-op"},
		{"DUO:0000044", "population origins or ancestry research prohibited", "it does not study where populations come from"},
		{"DUO:0000045", "not for profit organisation use only", "the organisation does not work for profit"},
		{"DUO:0000046", "non-commercial use only", "the use is not commercial"},
	}
}

// conditionFields names where a modifier that needs a value is said.
var conditionFields = map[string]string{
	"DUO:0000012": "studies", "DUO:0000022": "regions", "DUO:0000024": "publish_from", "DUO:0000025": "keep_months",
	"DUO:0000026": "users", "DUO:0000027": "projects", "DUO:0000028": "institutions",
}

// WhyNotCondition says in a sentence why a code is not a condition by itself,
// or "" if it is one.
func WhyNotCondition(code string) string {
	if known(Conditions(), code) {
		return ""
	}
	if field, ok := conditionFields[code]; ok {
		return code + " needs a value; say it with " + field + "."
	}
	if why, ok := obsoleteDUO[code]; ok {
		return why
	}
	return "A condition is not a DUO modifier."
}

// Studies lists the kinds of study a request can say it is, after the kinds of
// investigation that DUO's modifiers speak of.
func Studies() []Term {
	return []Term{
		{"genetic", "genetic study", "studies of genes"},
		{"phenotype", "study of traits", "studies of traits and measurements"},
		{"ancestry", "population origins or ancestry", "studies of where populations come from"},
		{"methods", "methods development", "development of methods or software"},
		{"drug-development", "drug development", "development of medicines"},
		{"control-group", "control group", "comparison with a study of others"},
		{"population-health", "population health", "studies of the health of whole populations"},
		{"age-group", "one age group", "studies of one age group"},
		{"sex-or-gender", "one sex or gender", "studies of one sex or gender"},
	}
}

// Groups lists the names for several countries at once.
func Groups() []Term {
	return []Term{
		{"EU", "European Union", "the European Union"},
		{"EEA", "European Economic Area", "the European Economic Area"},
		{"WORLD", "the world", "any country of the world"},
	}
}

// Label finds the words of a code in one of the lists, or the code itself.
func Label(terms []Term, code string) string {
	if i := slices.IndexFunc(terms, func(t Term) bool { return t.Code == code }); i >= 0 {
		return terms[i].Plain
	}
	return code
}
