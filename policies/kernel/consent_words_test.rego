package coop.consent_words_test

import data.coop.consent
import data.coop.fixture

codes(question) := out if out := {reason.code | some reason in consent.reasons} with input as question

test_each_condition_says_why[code] if {
	some code, value in {
		"DUO:0000012": ["genetic"],
		"DUO:0000015": true,
		"DUO:0000016": true,
		"DUO:0000019": true,
		"DUO:0000020": true,
		"DUO:0000021": true,
		"DUO:0000024": fixture.now + 1,
		"DUO:0000025": 1,
		"DUO:0000026": ["another"],
		"DUO:0000027": ["another"],
		"DUO:0000028": ["another"],
		"DUO:0000029": true,
		"categories": ["Financial"],
		"once": "used",
	}
	codes(fixture.with_limit(code, value, {"study": {"kinds": ["methods"]}})) == {consent.unmet[code].code}
}

test_profit_says_why[code] if {
	some code in ["DUO:0000018", "DUO:0000045", "DUO:0000046"]
	question := fixture.with_limit(code, true, {"commercial": true, "requester": {"kind": "company"}})
	consent.unmet[code].code in codes(question)
}

test_what_nobody_knows_says_so if codes(fixture.with_limit("later", true, {})) == {"condition-unknown"}

test_questions_have_words[code] if {
	some code, change in {
		"DUO:0000012": {},
		"DUO:0000015": {},
		"DUO:0000016": {},
		"DUO:0000020": {"study": {"collaborates": true}},
		"DUO:0000021": {"study": {"ethics": true}},
		"DUO:0000027": {"study": {"project": "p1"}},
		"ask": {},
	}
	value := object.get({"DUO:0000012": ["genetic"], "DUO:0000027": ["p1"]}, code, true)
	consent.review == {consent.words_of_question[code]} with input as fixture.with_limit(code, value, change)
}

test_every_condition_that_can_ask_can_also_refuse if {
	object.keys(consent.words_of_question) - object.keys(consent.unmet) == {"ask"}
	object.keys(consent.duties) - object.keys(consent.unmet) == set()
}
