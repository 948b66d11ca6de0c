# Verdicts about conditions.
# One rule or more for each condition: the modifiers of the Data Use Ontology,
# after its definitions, the diseases of its disease-specific research, and the
# co-op's own. No two rules answer the same request.
package coop.consent

study := input.request.study

# METADATA
# description: The request is for research, which clinical care (DUO:0000043) is not.
research if input.request.duo in ["DUO:0000042", "DUO:0000006", "DUO:0000007", "DUO:0000011"]

unstated if {
	is_array(study.kinds)
	count(study.kinds) == 0
}

stated if count(study.kinds) > 0

none_of(kind) if {
	stated
	count([k | some k in study.kinds; k == kind]) == 0
}

# Disease specific research: the disease or one above it. A disease outside the
# tree cannot be matched by a rule. Other purposes than DUO:0000007 are matched
# by the purposes of the record alone.
verdict("DUO:0000007", value) := "yes" if {
	is_array(value)
	input.request.duo in ["DUO:0000042", "DUO:0000006", "DUO:0000011", "DUO:0000043"]
}

verdict("DUO:0000007", value) := "yes" if {
	input.request.duo == "DUO:0000007"
	count([d | some d in value; d in data.terms.covering.disease[study.disease]]) > 0
}

verdict("DUO:0000007", value) := "member" if {
	input.request.duo == "DUO:0000007"
	startswith(study.disease, "MONDO:")
	count([d | some d, _ in data.terms.covering.disease; d == study.disease]) == 0
	count(value) > 0
}

verdict("DUO:0000012", value) := "yes" if {
	research
	stated
	count([k | some k in study.kinds; k in value]) == count(study.kinds)
}

verdict("DUO:0000012", value) := "member" if {
	research
	unstated
	count(value) > 0
}

verdict("DUO:0000015", true) := "yes" if none_of("methods")

verdict("DUO:0000015", true) := "yes" if {
	unstated
	input.request.duo == "DUO:0000043"
}

verdict("DUO:0000015", true) := "member" if {
	unstated
	research
}

verdict("DUO:0000016", true) := "yes" if {
	research
	"genetic" in study.kinds
}

verdict("DUO:0000016", true) := "member" if {
	research
	unstated
}

# DUO:0000006 and below exclude origins by their definition, care is no research.
verdict("DUO:0000044", true) := "yes" if {
	input.request.duo in ["DUO:0000006", "DUO:0000007", "DUO:0000043"]
	count([k | some k in study.kinds; k == "ancestry"]) == 0
}

verdict("DUO:0000044", true) := "yes" if {
	input.request.duo == "DUO:0000042"
	none_of("ancestry")
}

verdict("DUO:0000044", true) := "member" if {
	input.request.duo == "DUO:0000042"
	unstated
}

verdict("categories", value) := "yes" if {
	count(input.dataset.categories) > 0
	count([c |
		some c in input.dataset.categories
		count([a | some a in value; a in data.terms.covering.category[c]]) > 0
	]) == count(input.dataset.categories)
}

verdict("ask", true) := "member"

verdict("once", "unused") := "yes"
