package coop.consent_refusals_test

import data.coop.consent
import data.coop.fixture

refusal := object.union(fixture.record, {"effect": "refused"})

codes(question) := out if out := {reason.code | some reason in consent.refusals} with input as question

beside(record) := fixture.with_records([fixture.record, record])

test_no_refusal_where_there_is_none if codes(fixture.question) == set()

test_one_no_outweighs_a_yes[name] if {
	some name, record in {
		"the purpose itself": refusal,
		"everything": object.union(refusal, {"purposes": []}),
		"an ancestor": object.union(refusal, {"purposes": ["DUO:0000042"]}),
		"a descendant": object.union(refusal, {"purposes": ["DUO:0000007"]}),
	}
	codes(beside(record)) == {"consent-refused"}
}

test_a_refusal_of_something_else_stops_nothing if {
	codes(beside(object.union(refusal, {"purposes": ["DUO:0000043"]}))) == set()
	codes(beside(object.union(refusal, {"purposes": ["DUO:0000011"]}))) == set()
}

test_an_exception_stops_what_it_touches[name] if {
	some name, except in {
		"itself": ["DUO:0000006"],
		"an ancestor": ["DUO:0000042"],
		"a descendant": ["DUO:0000007"],
	}
	codes(fixture.with_record({"except": except})) == {"purpose-refused"}
}

test_an_exception_of_something_else_stops_nothing if codes(fixture.with_record({"except": ["DUO:0000011"]})) == set()

test_withdrawn[name] if {
	some name, change in {
		"by effect": {"effect": "withdrawn"},
		"now": {"withdrawn": fixture.now},
		"before": {"withdrawn": fixture.now - 1},
	}
	codes(beside(object.union(fixture.record, change))) == {"consent-withdrawn"}
}

test_paused if codes(fixture.with_record({"paused": true})) == {"member-paused"}
