package coop.base_test

import data.coop.base
import data.coop.fixture

test_permits_a_lawful_request if base.permits with input as fixture.question

test_permits_at_the_edges[name] if {
	some name, question in {
		"retention of one day": fixture.with_request({"retention_days": 1}),
		"longest retention": fixture.with_request({"retention_days": data.terms.limits.retention_days}),
		"no price": fixture.with_request({"price_minor": 0}),
		"sealed this moment": fixture.with_dataset({"sealed": fixture.now}),
		"closed a moment later": fixture.with_dataset({"closed": fixture.now + 1}),
		"declared commercial": fixture.with_request({"dpv": "CommercialResearch", "commercial": true}),
	}
	base.permits with input as question
}

broken := {
	"unvetted": fixture.with_request({"requester": {"vetted": false}}),
	"vetted as text": fixture.with_request({"requester": {"vetted": "true"}}),
	"unknown kind": fixture.with_request({"requester": {"kind": "agency"}}),
	"no kind": fixture.with_request({"requester": {"kind": ""}}),
	"no duo": fixture.with_request({"duo": ""}),
	"no dpv": fixture.with_request({"dpv": ""}),
	"unknown duo": fixture.with_request({"duo": "DUO:0000099"}),
	"unknown dpv": fixture.with_request({"dpv": "Curiosity"}),
	"broader dpv than can be asked": fixture.with_request({"dpv": "ResearchAndDevelopment"}),
	"marketing": fixture.with_request({"dpv": "Marketing", "commercial": true}),
	"personalisation": fixture.with_request({"dpv": "Personalisation", "commercial": true}),
	"selling on": fixture.with_request({"dpv": "SellDataToThirdParties", "commercial": true}),
	"undeclared commercial": fixture.with_request({"dpv": "CommercialResearch"}),
	"commercial as number": fixture.with_request({"commercial": 0}),
	"negative price": fixture.with_request({"price_minor": -1}),
	"no retention": fixture.with_request({"retention_days": 0}),
	"too long": fixture.with_request({"retention_days": data.terms.limits.retention_days + 1}),
	"other pool": fixture.with_dataset({"pool": "glucose"}),
	"no pool": object.union(fixture.with_request({"pool": ""}), {"dataset": {"pool": ""}}),
	"never sealed": fixture.with_dataset({"sealed": 0}),
	"sealed later": fixture.with_dataset({"sealed": fixture.now + 1}),
	"closed now": fixture.with_dataset({"closed": fixture.now}),
	"no closing time": fixture.with_dataset({"closed": 0}),
	"a price as text": fixture.with_request({"price_minor": "500"}),
	"a retention as text": fixture.with_request({"retention_days": "1"}),
	"a sealing as text": fixture.with_dataset({"sealed": "yesterday"}),
	"a closing as text": fixture.with_dataset({"closed": "never"}),
	"no time": fixture.with_request({"time": 0}),
}

test_refuses[name] if {
	some name, question in broken
	not base.permits with input as question
}

test_refuses_without_each_part[name] if {
	some name in (object.keys(fixture.request) - {"id", "reviewed"})
	question := object.union(
		object.remove(fixture.question, ["request"]),
		{"request": object.remove(fixture.request, [name])},
	)
	not base.permits with input as question
}

test_refuses_nothing_at_all if not base.permits with input as {}
