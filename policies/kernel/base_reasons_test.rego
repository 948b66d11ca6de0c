package coop.base_reasons_test

import data.coop.base
import data.coop.base_test
import data.coop.fixture

codes(question) := out if out := {reason.code | some reason in base.reasons} with input as question

test_no_reason_against_a_lawful_request if codes(fixture.question) == set()

test_each_refusal_has_a_reason[name] if {
	some name, question in base_test.broken
	count(codes(question)) > 0
}

test_codes[code] if {
	some code, question in {
		"requester-unvetted": fixture.with_request({"requester": {"vetted": false}}),
		"requester-kind-unknown": fixture.with_request({"requester": {"kind": "agency"}}),
		"purpose-unknown": fixture.with_request({"duo": "DUO:0000099"}),
		"purpose-forbidden": fixture.with_request({"dpv": "Marketing", "commercial": true}),
		"commercial-undeclared": fixture.with_request({"dpv": "CommercialResearch"}),
		"price-missing": fixture.with_request({"price_minor": -1}),
		"retention-missing": fixture.with_request({"retention_days": 0}),
		"retention-too-long": fixture.with_request({"retention_days": 4000}),
		"pool-mismatch": fixture.with_dataset({"pool": "glucose"}),
		"dataset-not-sealed": fixture.with_dataset({"sealed": fixture.now + 1}),
		"dataset-closed": fixture.with_dataset({"closed": fixture.now}),
	}
	codes(question) == {code}
}

test_a_missing_purpose_is_said if "purpose-missing" in codes(fixture.with_request({"duo": ""}))
