package coop.consent_reasons_test

import data.coop.consent
import data.coop.consent_test
import data.coop.fixture

codes(question) := out if out := {reason.code | some reason in consent.reasons} with input as question

test_no_reason_against_what_is_allowed if codes(fixture.question) == set()

test_a_second_record_that_does_not_cover_is_no_reason if {
	other := object.union(fixture.record, {"purposes": ["DUO:0000043"]})
	codes(fixture.with_records([other, fixture.record])) == set()
}

test_each_refusal_has_a_reason[name] if {
	some name, question in consent_test.refused
	count(codes(question)) > 0
}

test_codes[code] if {
	some code, question in {
		"no-consent": fixture.with_records([]),
		"consent-expired": fixture.with_record({"expires": fixture.now}),
		"consent-not-yet": fixture.with_record({"not_before": fixture.now + 1}),
		"consent-withdrawn": fixture.with_record({"effect": "withdrawn"}),
		"consent-refused": fixture.with_record({"effect": "refused"}),
		"member-paused": fixture.with_record({"paused": true}),
		"purpose-not-allowed": fixture.with_record({"purposes": ["DUO:0000043"]}),
		"use-not-allowed": fixture.with_record({"dpv": ["ImproveHealthcare"]}),
		"requester-kind-not-allowed": fixture.with_record({"requester_kinds": ["company"]}),
		"region-not-allowed": fixture.with_record({"regions": ["FR"]}),
		"commercial-not-allowed": fixture.with_request({"commercial": true}),
		"price-too-low": fixture.with_record({"min_price_minor": 501}),
	}
	codes(question) == {code}
}
