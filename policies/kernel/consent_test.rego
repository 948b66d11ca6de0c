package coop.consent_test

import data.coop.consent
import data.coop.fixture

test_permits_what_is_covered if consent.permits with input as fixture.question

test_permits[name] if {
	some name, question in {
		"an ancestor of the purpose": fixture.with_record({"purposes": ["DUO:0000042"]}),
		"one of several purposes": fixture.with_record({"purposes": ["DUO:0000043", "DUO:0000006"]}),
		"the use itself": fixture.with_record({"dpv": ["AcademicResearch"]}),
		"an ancestor of the use": fixture.with_record({"dpv": ["ResearchAndDevelopment"]}),
		"the country": fixture.with_record({"regions": ["DE"]}),
		"a group of countries": fixture.with_record({"regions": ["EU"]}),
		"a group of groups": fixture.with_record({"regions": ["EEA"]}),
		"a lower price": fixture.with_record({"min_price_minor": 499}),
		"from this moment": fixture.with_record({"not_before": fixture.now}),
		"until a moment later": fixture.with_record({"expires": fixture.now + 1}),
		"one record of two": fixture.with_records([
			object.union(fixture.record, {"purposes": ["DUO:0000043"]}),
			fixture.record,
		]),
	}
	consent.permits with input as question
}

refused := {
	"no record": fixture.with_records([]),
	"a descendant of the purpose": fixture.with_record({"purposes": ["DUO:0000007"]}),
	"a sibling of the purpose": fixture.with_record({"purposes": ["DUO:0000011"]}),
	"an exception": fixture.with_record({"except": ["DUO:0000006"]}),
	"an exception of a part": fixture.with_record({"except": ["DUO:0000007"]}),
	"no purpose": fixture.with_record({"purposes": []}),
	"a purpose nobody knows": fixture.with_record({"purposes": ["DUO:0000099"]}),
	"another use": fixture.with_record({"dpv": ["ImproveHealthcare"]}),
	"a descendant of the use": fixture.with_record({"dpv": ["CommercialResearch"]}),
	"another kind": fixture.with_record({"requester_kinds": ["company"]}),
	"no kind": fixture.with_record({"requester_kinds": []}),
	"another country": fixture.with_record({"regions": ["FR"]}),
	"a group the country is not in": object.union(
		fixture.with_record({"regions": ["EU"]}),
		{"request": {"requester": {"region": "NO"}}},
	),
	"a country outside every group": object.union(
		fixture.with_record({"regions": ["EEA"]}),
		{"request": {"requester": {"region": "US"}}},
	),
	"no country": object.union(
		fixture.with_record({"regions": ["EEA"]}),
		{"request": {"requester": {"region": ""}}},
	),
	"commercial use": fixture.with_request({"commercial": true}),
	"a higher price": fixture.with_record({"min_price_minor": 501}),
	"expired now": fixture.with_record({"expires": fixture.now}),
	"no expiry": fixture.with_record({"expires": 0}),
	"not yet": fixture.with_record({"not_before": fixture.now + 1}),
	"withdrawn now": fixture.with_record({"withdrawn": fixture.now}),
	"withdrawn by effect": fixture.with_record({"effect": "withdrawn"}),
	"refused": fixture.with_record({"effect": "refused"}),
	"an effect nobody knows": fixture.with_record({"effect": "maybe"}),
	"paused": fixture.with_record({"paused": true}),
	"an unknown request": fixture.with_request({"duo": "DUO:0000099"}),
	"an unknown use": fixture.with_request({"dpv": "Curiosity"}),
}

test_refuses[name] if {
	some name, question in refused
	not consent.permits with input as question
}

test_refuses_without_each_part_of_a_record[name] if {
	some name in (object.keys(fixture.record) - {"id", "scope"})
	record := object.remove(fixture.record, [name])
	not consent.permits with input as fixture.with_records([record])
}

test_refuses_numbers_that_are_none[name] if {
	some name, change in {
		"a floor as text": {"min_price_minor": "0"},
		"no floor": {"min_price_minor": null},
		"no beginning": {"not_before": null},
		"an end as text": {"expires": "never"},
		"a withdrawal as text": {"withdrawn": "never"},
	}
	not consent.permits with input as fixture.with_record(change)
}

test_refuses_nothing_at_all if not consent.permits with input as {}
