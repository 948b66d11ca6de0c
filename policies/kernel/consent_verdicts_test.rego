package coop.consent_verdicts_test

import data.coop.consent
import data.coop.fixture

# What one condition says of health research by a university, by the change to
# the request; "" refuses.
cases := {
	"DUO:0000007": {"value": ["MONDO:0005015"], "verdicts": [
		[{"duo": "DUO:0000007", "study": {"disease": "MONDO:0005015"}}, "yes"],
		[{"duo": "DUO:0000007", "study": {"disease": "MONDO:0005148"}}, "yes"],
		[{"duo": "DUO:0000007", "study": {"disease": "MONDO:0005066"}}, ""],
		[{"duo": "DUO:0000007", "study": {"disease": "MONDO:0004992"}}, ""],
		[{"duo": "DUO:0000007", "study": {"disease": "MONDO:9999999"}}, "member"],
		[{"duo": "DUO:0000007"}, ""],
		[{"duo": "DUO:0000006"}, "yes"],
		[{"duo": "DUO:0000099"}, ""],
	]},
	"DUO:0000012": {"value": ["genetic", "methods"], "verdicts": [
		[{}, "member"],
		[{"study": {"kinds": ["genetic"]}}, "yes"],
		[{"study": {"kinds": ["methods", "genetic"]}}, "yes"],
		[{"study": {"kinds": ["genetic", "phenotype"]}}, ""],
		[{"duo": "DUO:0000043"}, ""],
	]},
	"DUO:0000015": {"value": true, "verdicts": [
		[{}, "member"],
		[{"study": {"kinds": ["genetic"]}}, "yes"],
		[{"study": {"kinds": ["genetic", "methods"]}}, ""],
		[{"duo": "DUO:0000043"}, "yes"],
		[{"duo": "DUO:0000099"}, ""],
	]},
	"DUO:0000016": {"value": true, "verdicts": [
		[{}, "member"],
		[{"study": {"kinds": ["genetic", "phenotype"]}}, "yes"],
		[{"study": {"kinds": ["phenotype"]}}, ""],
		[{"duo": "DUO:0000043"}, ""],
	]},
	"DUO:0000044": {"value": true, "verdicts": [
		[{}, "yes"],
		[{"study": {"kinds": ["ancestry"]}}, ""],
		[{"duo": "DUO:0000042"}, "member"],
		[{"duo": "DUO:0000042", "study": {"kinds": ["genetic"]}}, "yes"],
		[{"duo": "DUO:0000042", "study": {"kinds": ["genetic", "ancestry"]}}, ""],
		[{"duo": "DUO:0000011"}, ""],
		[{"duo": "DUO:0000043"}, "yes"],
	]},
	"ask": {"value": true, "verdicts": [[{}, "member"]]},
	"once": {"value": "unused", "verdicts": [[{}, "yes"]]},
}

test_verdicts[name] if {
	some code, c in cases
	some i, pair in c.verdicts
	name := sprintf("%s/%d", [code, i])
	said(code, c.value, fixture.with_request(pair[0])) == pair[1]
}

said(code, value, question) := out if out := consent.verdict(code, value) with input as question

said(code, value, question) := "" if not consent.verdict(code, value) with input as question

test_categories[name] if {
	some name, c in {
		"the kind itself": {"holds": ["HealthRecord"], "allowed": ["HealthRecord"], "want": "yes"},
		"a kind above": {"holds": ["HealthRecord", "DNACode"], "allowed": ["MedicalHealth"], "want": "yes"},
		"a kind below": {"holds": ["MedicalHealth"], "allowed": ["HealthRecord"], "want": ""},
		"one of two": {"holds": ["HealthRecord", "Location"], "allowed": ["MedicalHealth"], "want": ""},
		"a kind nobody knows": {"holds": ["Unheard"], "allowed": ["Unheard"], "want": ""},
		"no kind at all": {"holds": [], "allowed": ["MedicalHealth"], "want": ""},
	}
	said("categories", c.allowed, fixture.with_dataset({"categories": c.holds})) == c.want
}

test_used_up_is_used_up if said("once", "used", fixture.question) == ""
