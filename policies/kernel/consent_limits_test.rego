package coop.consent_limits_test

import data.coop.consent
import data.coop.fixture

limited(limits) := fixture.with_record({"limits": limits})

reviewed(question) := object.union(question, {"request": {"reviewed": true}})

answered(question, answer) := object.union(
	question,
	{"records": [object.union(question.records[0], {"answer": answer})]},
)

test_nothing_said_is_settled if {
	consent.settled with input as fixture.question
	consent.questions == set() with input as fixture.question
}

test_every_condition_must_be_met if {
	both := {"DUO:0000045": true, "DUO:0000046": true}
	consent.settled with input as limited(both)
	not consent.permits with input as limited(object.union(both, {"DUO:0000019": true}))
}

test_a_condition_nobody_knows_refuses[name] if {
	some name, limits in {
		"another code": {"DUO:0000099": true},
		"beside a known one": {"DUO:0000045": true, "later": true},
		"a known one turned off": {"DUO:0000045": false},
		"one without its value": {"DUO:0000025": null},
		"a number as text": {"DUO:0000025": "999"},
		"a date that is missing": {"DUO:0000024": null},
		"a list as text": {"DUO:0000026": "requester"},
	}
	not consent.permits with input as limited(limits)
}

test_conditions_that_are_no_object_refuse[name] if {
	some name, limits in {"a text": "", "a list": [], "nothing": null, "a number": 0}
	not consent.permits with input as limited(limits)
}

test_steward_settles_what_a_steward_is_asked if {
	question := object.union(limited({"DUO:0000021": true}), {"request": {"study": {"ethics": true}}})
	consent.permits with input as question
	not consent.settled with input as question
	consent.asks == {"steward"} with input as question
	not consent.settled with input as answered(question, "yes")
	consent.settled with input as reviewed(question)
	consent.asks == set() with input as reviewed(question)
}

test_member_settles_what_a_member_is_asked if {
	question := limited({"ask": true})
	consent.permits with input as question
	not consent.settled with input as question
	consent.asks == {"member"} with input as question
	not consent.settled with input as reviewed(question)
	consent.settled with input as answered(question, "yes")
	not consent.permits with input as answered(question, "no")
	not consent.permits with input as answered(question, "perhaps")
}

test_both_can_be_asked if {
	question := object.union(limited({"ask": true, "DUO:0000020": true}), {"request": {"study": {"collaborates": true}}})
	consent.asks == {"member", "steward"} with input as question
	consent.asks == {"member"} with input as reviewed(question)
	consent.asks == {"steward"} with input as answered(question, "yes")
	consent.settled with input as reviewed(answered(question, "yes"))
}

test_no_answer_helps_a_condition_that_is_not_met if {
	question := reviewed(answered(limited({"DUO:0000021": true, "ask": true}), "yes"))
	not consent.permits with input as question
	not consent.settled with input as question
}

test_one_record_that_is_settled_is_enough if {
	both := fixture.with_records([object.union(fixture.record, {"limits": {"ask": true}}), fixture.record])
	consent.settled with input as both
}

test_a_no_to_this_request_stops_another_yes if {
	both := fixture.with_records([object.union(fixture.record, {"answer": "no"}), fixture.record])
	{reason.code | some reason in consent.refusals} == {"member-said-no"} with input as both
}

test_duties_follow_conditions if {
	question := object.union(limited({"DUO:0000019": true, "DUO:0000045": true}), {"request": {"study": {"publishes": true}}})
	{duty.code | some duty in consent.obligations} == {"publish-openly"} with input as question
	consent.obligations == set() with input as fixture.question
}
