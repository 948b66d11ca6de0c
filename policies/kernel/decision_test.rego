package coop.decision_test

import data.coop.decision
import data.coop.fixture

ban := {"code": "ban", "sentence": "Nothing is released today."}

look := {"code": "look", "sentence": "People look at this first."}

result := out if out := decision.result with input as fixture.question

test_releases_what_everybody_allows if {
	result.allow
	result.reasons == set()
	not result.needs_review
	count(result.obligations) > 3
}

test_voted_law_can_forbid if {
	out := decision.result with input as fixture.question with data.coop.access.forbid as {ban}
	not out.allow
	out.reasons == {object.union(ban, {"layer": "coop"})}
	out.obligations == set()
}

test_law_without_forbid_releases_nothing if {
	out := decision.result with input as fixture.question with data.coop.access as {}
	not out.allow
}

test_forbid_that_is_not_a_list_releases_nothing if {
	out := decision.result with input as fixture.question with data.coop.access.forbid as "none"
	not out.allow
}

test_review_holds_back_until_done if {
	out := decision.result with input as fixture.question with data.coop.access.review as {look}
	not out.allow
	out.needs_review
	out.reasons == {object.union(look, {"layer": "coop"})}
	reviewed := fixture.with_request({"reviewed": true})
	after := decision.result with input as reviewed with data.coop.access.review as {look}
	after.allow
	after.reasons == set()
}

test_review_does_not_cure_a_refusal if {
	question := object.union(fixture.with_records([]), {"request": {"reviewed": true}})
	out := decision.result with input as question with data.coop.access.review as {look}
	not out.allow
	not out.needs_review
}

test_every_layer_can_refuse[layer] if {
	some layer, question in {
		"base": fixture.with_request({"retention_days": 0}),
		"member": fixture.with_records([]),
	}
	out := decision.result with input as question
	not out.allow
	{reason.layer | some reason in out.reasons} == {layer}
}

test_nothing_at_all_is_refused if {
	out := decision.result with input as {}
	not out.allow
	not out.needs_review
	count(out.reasons) > 0
}

test_what_people_must_say_is_never_a_release[who] if {
	some who, question in {
		"member": fixture.with_limit("ask", true, {}),
		"steward": fixture.with_limit("DUO:0000021", true, {"study": {"ethics": true}}),
	}
	out := decision.result with input as question
	not out.allow
	out.needs_review
	out.asks == {who}
	{reason.layer | some reason in out.reasons} == {"member"}
}

test_a_steward_does_not_answer_for_a_member if {
	out := decision.result with input as fixture.with_limit("ask", true, {"reviewed": true})
	not out.allow
	out.asks == {"member"}
}

test_nobody_is_asked_about_a_refusal if {
	out := decision.result with input as fixture.with_limit("ask", true, {"retention_days": 0})
	not out.allow
	not out.needs_review
	out.asks == set()
	{reason.layer | some reason in out.reasons} == {"base"}
}

test_a_vote_still_forbids_what_a_member_answers if {
	question := object.union(fixture.with_record({"limits": {"ask": true}, "answer": "yes"}), {"request": {"reviewed": true}})
	open := decision.result with input as question
	open.allow
	out := decision.result with input as question with data.coop.access.forbid as {ban}
	not out.allow
}

test_conditions_bind_whoever_receives if {
	out := decision.result with input as fixture.with_limit("DUO:0000029", true, {"study": {"returns": true}})
	out.allow
	"return-results" in {duty.code | some duty in out.obligations}
}
