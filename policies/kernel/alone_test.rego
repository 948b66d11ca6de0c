# METADATA
# title: Each guard holds alone
# description: |
#   Much of the kernel says the same thing twice, so that one mistake opens no
#   door. Here the other guard is taken away.
# scope: package
package coop.alone_test

import data.coop.base
import data.coop.consent
import data.coop.decision
import data.coop.fixture

a_reason := {{"code": "a-reason", "sentence": "There is a reason."}}

test_base_law_stops_a_release if {
	not decision.allow with input as fixture.question with base.permits as false
}

test_a_reason_of_base_law_stops_a_release if {
	not decision.allow with input as fixture.question with base.reasons as a_reason
}

test_the_member_stops_a_release if {
	not decision.allow with input as fixture.question with consent.permits as false
}

test_a_refusal_stops_a_release if {
	not decision.allow with input as fixture.question with consent.refusals as a_reason with consent.reasons as set()
}

test_nobody_has_duties_who_gets_nothing if {
	asked := {"requester": {"vetted": false}, "study": {"publishes": true}}
	question := object.union(fixture.with_request(asked), fixture.with_record({"limits": {"DUO:0000019": true}}))
	count(decision.obligations) == 0 with input as object.union(question, {"request": asked})
}

test_a_condition_without_values_has_no_verdict[code] if {
	question := fixture.with_request({"duo": "DUO:0000007", "study": {"disease": "MONDO:9999999", "project": ""}})
	some code in ["DUO:0000007", "DUO:0000012", "DUO:0000026", "DUO:0000027", "DUO:0000028", "categories"]
	not consent.verdict(code, []) with input as question
}

test_what_has_no_name_is_not_named if {
	not consent.verdict("DUO:0000027", ["p1", ""]) with input as fixture.with_request({"study": {"project": ""}})
}

test_a_kind_of_study_that_is_no_list_is_not_unstated if {
	not consent.verdict("DUO:0000012", ["genetic"]) with input as fixture.with_request({"study": {"kinds": ""}})
}

test_care_of_patients_is_no_study[code] if {
	question := fixture.with_request({"duo": "DUO:0000043", "study": {"kinds": ["genetic", "methods"]}})
	some code, value in {"DUO:0000012": ["genetic", "methods"], "DUO:0000016": true, "DUO:0000015": true}
	not consent.verdict(code, value) with input as question
}

test_origins_are_not_allowed_by_what_is_left_unsaid[name] if {
	some name, kinds in {"unsaid": [], "something else": ["genetic"]}
	question := fixture.with_request({"duo": "DUO:0000011", "study": {"kinds": kinds}})
	not consent.verdict("DUO:0000044", true) with input as question
}

test_a_country_that_no_tree_knows_is_the_one_it_names if {
	question := object.union(
		fixture.with_request({"requester": {"region": "XX"}}),
		{"records": [object.union(fixture.record, {"regions": ["XX"]})]},
	)
	decision.allow with input as question
}

test_consent_from_this_moment_is_not_too_early if {
	question := fixture.with_record({"not_before": fixture.now, "requester_kinds": ["company"]})
	codes := {reason.code | some reason in consent.reasons} with input as question
	codes == {"requester-kind-not-allowed"}
}

test_only_what_was_given_has_exceptions if {
	question := fixture.with_record({"effect": "refused", "purposes": ["DUO:0000043"], "except": ["DUO:0000006"]})
	codes := {reason.code | some reason in consent.refusals} with input as question
	codes == set()
}

test_what_is_no_list_of_kinds_is_not_known if {
	not base.studies_known with input as fixture.with_request({"study": {"kinds": ""}})
}

test_what_is_no_list_of_kinds_fits_no_purpose if {
	not base.purpose_consistent with input as fixture.with_request({"study": {"kinds": ""}})
}
