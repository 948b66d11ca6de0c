package coop.cohort_test

import data.coop.cohort
import data.coop.fixture

row := object.union(fixture.record, {
	"purposes": 1,
	"except": 2,
	"dpv": 3,
	"requester_kinds": 4,
	"regions": 5,
	"limits": 6,
	"later": "",
	"later_purposes": 0,
})

all_parts := {"purposes": [1], "except": [2], "dpv": [3], "requester_kinds": [4], "regions": [5], "limits": [6]}

asked := {"request": fixture.request, "record": row, "covers": all_parts, "settled": all_parts}

changed(change) := object.union(asked, {"record": change})

test_a_row_permits_what_its_record_permits if {
	cohort.permit with input as asked
	cohort.settled with input as asked
}

test_every_column_can_refuse[name] if {
	some name, change in {
		"no record": {"effect": ""},
		"a refusal": {"effect": "refused"},
		"a pause": {"paused": true},
		"not yet": {"not_before": fixture.now + 1},
		"expired": {"expires": fixture.now},
		"withdrawn": {"withdrawn": fixture.now},
		"price": {"min_price_minor": 501},
		"purposes": {"purposes": 7},
		"except": {"except": 7},
		"uses": {"dpv": 7},
		"kinds": {"requester_kinds": 7},
		"regions": {"regions": 7},
		"limits": {"limits": 7},
		"a later no": {"later": "refused"},
		"a later withdrawal": {"later": "withdrawn"},
	}
	not cohort.permit with input as changed(change)
}

test_what_people_must_say_is_not_settled if {
	cohort.permit with input as object.union(asked, {"settled": {"limits": []}})
	not cohort.settled with input as object.union(asked, {"settled": {"limits": []}})
}

judged(parts) := answer.parts if {
	answer := cohort.judgement with input as object.union(object.remove(fixture.question, ["records"]), {"parts": parts})
}

question(change) := object.union_n([fixture.question, {"parts": []}, change])

base(change) := answer.base if {
	answer := cohort.judgement with input as question(change)
}

test_base_law_is_asked_first if {
	base({}) == 1
	base({"request": {"requester": {"vetted": false}}}) == 0
}

test_parts_are_judged_as_records_are if {
	[yes, refuses, other] := judged([
		{"kind": "purposes", "value": ["DUO:0000042"]},
		{"kind": "purposes", "value": []},
		{"kind": "purposes", "value": ["DUO:0000011"]},
	])
	yes == {"covers": 1, "refuses": 1}
	refuses == {"covers": 0, "refuses": 1}
	other == {"covers": 0, "refuses": 0}
	[none, excepted] := judged([{"kind": "except", "value": []}, {"kind": "except", "value": ["DUO:0000007"]}])
	none == {"covers": 1, "touches": 0}
	excepted == {"covers": 0, "touches": 1}
}

test_uses_kinds_and_regions_are_judged if {
	judged([
		{"kind": "dpv", "value": []},
		{"kind": "dpv", "value": ["CommercialResearch"]},
		{"kind": "requester_kinds", "value": ["university"]},
		{"kind": "requester_kinds", "value": []},
		{"kind": "regions", "value": ["EU"]},
		{"kind": "regions", "value": ["FR"]},
	]) == [{"covers": 1}, {"covers": 0}, {"covers": 1}, {"covers": 0}, {"covers": 1}, {"covers": 0}]
}

test_limits_are_judged_one_by_one if {
	[none, asks, unmet] := judged([
		{"kind": "limits", "value": {}},
		{"kind": "limits", "value": {"ask": true}},
		{"kind": "limits", "value": {"DUO:0000019": true}},
	])
	none == {"covers": 1, "settled": 1, "said": [], "verdicts": {}}
	asks == {"covers": 1, "settled": 0, "said": ["ask"], "verdicts": {"ask": "member"}}
	unmet == {"covers": 0, "settled": 0, "said": ["DUO:0000019"], "verdicts": {}}
}

test_an_unknown_kind_of_part_is_not_judged if judged([{"kind": "wishes", "value": []}]) == []
