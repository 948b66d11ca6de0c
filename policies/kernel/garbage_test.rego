# METADATA
# title: What is of another kind than it should be releases nothing
# description: |
#   The engine builds questions from typed values, so none of this can reach the
#   law. Should it all the same, every comparison with it must refuse.
# scope: package
package coop.garbage_test

import data.coop.base
import data.coop.consent
import data.coop.decision
import data.coop.fixture

# METADATA
# description: Values of another kind, by the kind there should be.
garbage := {
	"number": ["365", null, true, [1], {"a": 1}],
	"string": [7, null, true, ["DUO:0000006"], {"a": "DUO:0000006"}],
	"boolean": ["true", 1, null, [], {"a": true}],
	"array": ["university", 7, null, true, {"a": 1}],
	"object": ["limits", 7, null, true, ["ask"]],
}

test_in_a_request[name] if {
	some field in ["duo", "dpv", "commercial", "price_minor", "retention_days", "time"]
	some i, value in garbage[type_name(fixture.request[field])]
	name := sprintf("%s/%d", [field, i])
	not decision.allow with input as fixture.with_request({field: value})
}

test_in_who_asks[name] if {
	some field in ["kind", "vetted"]
	some i, value in garbage[type_name(fixture.request.requester[field])]
	name := sprintf("%s/%d", [field, i])
	not decision.allow with input as fixture.with_request({"requester": {field: value}})
}

# METADATA
# description: What cannot be counted ends the decision with an error, which the engine refuses.
test_in_a_study[name] if {
	some i, value in ["genetic", ""]
	name := sprintf("kinds/%d", [i])
	not decision.allow with input as fixture.with_request({"study": {"kinds": value}})
}

test_in_a_dataset[name] if {
	some field in ["pool", "sealed", "closed"]
	some i, value in garbage[type_name(fixture.dataset[field])]
	name := sprintf("%s/%d", [field, i])
	not decision.allow with input as fixture.with_dataset({field: value})
}

test_in_a_record[name] if {
	some field in [
		"effect", "purposes", "except", "requester_kinds", "commercial", "min_price_minor",
		"not_before", "expires", "withdrawn", "paused", "limits", "answer",
	]
	some i, value in garbage[type_name(fixture.record[field])]
	name := sprintf("%s/%d", [field, i])
	not decision.allow with input as fixture.with_record({field: value})
}

test_a_time_that_is_a_text_has_its_reason if {
	question := fixture.with_request({"retention_days": "365"})
	{reason.code | some reason in base.reasons} == {"retention-missing"} with input as question
}

# METADATA
# description: A condition whose value is of another kind has no verdict, which refuses.
test_in_a_condition[name] if {
	conditions := {
		"DUO:0000007": "array", "DUO:0000012": "array", "DUO:0000015": "boolean", "DUO:0000016": "boolean",
		"DUO:0000018": "boolean", "DUO:0000019": "boolean", "DUO:0000020": "boolean", "DUO:0000021": "boolean",
		"DUO:0000024": "number", "DUO:0000025": "number", "DUO:0000026": "array", "DUO:0000027": "array",
		"DUO:0000028": "array", "DUO:0000029": "boolean", "DUO:0000044": "boolean", "DUO:0000045": "boolean",
		"DUO:0000046": "boolean", "categories": "array", "ask": "boolean", "once": "string",
	}
	some code, kind in conditions
	some i, value in garbage[kind]
	name := sprintf("%s/%d", [code, i])
	not consent.verdict(code, value) with input as fixture.with_request({"study": {"kinds": ["genetic"]}})
}
