package coop.base_study_test

import data.coop.base
import data.coop.fixture

codes(question) := out if out := {reason.code | some reason in base.reasons} with input as question

asks(duo, study) := fixture.with_request({"duo": duo, "study": study})

test_sound[name] if {
	some name, question in {
		"nothing said": fixture.question,
		"a disease named": asks("DUO:0000007", {"disease": "MONDO:0005015"}),
		"a disease outside the tree": asks("DUO:0000007", {"disease": "MONDO:9999999"}),
		"health research of a kind": asks("DUO:0000006", {"kinds": ["genetic", "methods"]}),
		"any research about origins": asks("DUO:0000042", {"kinds": ["ancestry"]}),
		"origins said to be that": asks("DUO:0000011", {"kinds": ["ancestry", "genetic"]}),
		"origins, nothing said": asks("DUO:0000011", {}),
		"care": asks("DUO:0000043", {}),
	}
	codes(question) == set()
	base.permits with input as question
}

test_unsound[name] if {
	some name, c in {
		"no disease": {"code": "disease-missing", "question": asks("DUO:0000007", {})},
		"a disease without a code": {"code": "disease-missing", "question": asks("DUO:0000007", {"disease": "diabetes"})},
		"an unknown kind": {"code": "study-unknown", "question": asks("DUO:0000006", {"kinds": ["genetic", "magic"]})},
		"health research about origins": {"code": "purpose-contradictory", "question": asks("DUO:0000006", {"kinds": ["ancestry"]})},
		"a disease and origins": {
			"code": "purpose-contradictory",
			"question": asks("DUO:0000007", {"disease": "MONDO:0005015", "kinds": ["genetic", "ancestry"]}),
		},
		"origins said to be else": {"code": "purpose-contradictory", "question": asks("DUO:0000011", {"kinds": ["genetic"]})},
		"care as a study": {"code": "purpose-contradictory", "question": asks("DUO:0000043", {"kinds": ["genetic"]})},
	}
	codes(c.question) == {c.code}
	not base.permits with input as c.question
}

test_refuses_without_what_is_said_of_the_study[name] if {
	some name in {"study", "kinds"}
	question := json.remove(fixture.question, [{"study": "request/study", "kinds": "request/study/kinds"}[name]])
	not base.permits with input as question
}

test_refuses_kinds_that_are_no_list if {
	not base.permits with input as fixture.with_request({"study": {"kinds": ""}})
	not base.permits with input as fixture.with_request({"study": {"kinds": {}}})
}
