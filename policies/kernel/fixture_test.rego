# METADATA
# title: A question that is answered with yes
# description: What the tests of the kernel change, one thing at a time.
# scope: package
package coop.fixture

now := 1767225600000

forever := 253402300799000

question := {"request": request, "dataset": dataset, "records": [record]}

request := {
	"id": "request",
	"pool": "wearables",
	"requester": {"id": "requester", "kind": "university", "vetted": true, "region": "DE", "institution": ""},
	"duo": "DUO:0000006",
	"dpv": "AcademicResearch",
	"commercial": false,
	"price_minor": 500,
	"retention_days": 365,
	"reviewed": false,
	"study": study,
	"time": now,
}

study := {
	"disease": "",
	"kinds": [],
	"ethics": false,
	"publishes": false,
	"publish_from": 0,
	"returns": false,
	"collaborates": false,
	"project": "",
}

dataset := {
	"id": "dataset",
	"member": "member",
	"pool": "wearables",
	"categories": ["HealthRecord"],
	"region": "DE",
	"sealed": now - 1000,
	"closed": forever,
}

record := {
	"id": "record",
	"effect": "given",
	"scope": "pool",
	"purposes": ["DUO:0000006"],
	"except": [],
	"dpv": [],
	"requester_kinds": ["university"],
	"regions": [],
	"commercial": false,
	"min_price_minor": 500,
	"not_before": now - 1000,
	"expires": forever,
	"withdrawn": forever,
	"paused": false,
	"limits": {},
	"answer": "",
}

with_request(change) := object.union(question, {"request": change})

with_dataset(change) := object.union(question, {"dataset": change})

with_record(change) := object.union(question, {"records": [object.union(record, change)]})

with_records(records) := object.union(question, {"records": records})

# METADATA
# description: The question with one condition more on the record, and a change to the request.
with_limit(code, value, change) := object.union(with_record({"limits": {code: value}}), {"request": change})
