# METADATA
# title: The requests invariants are tried on
# description: |
#   Lawful requests of every purpose and every use by every kind of organisation,
#   the dataset each asks for, and a record that allows all of them.
# scope: package
package coop.invariants

now := 1767225600000

forever := 253402300799000

lawful := [use | some use in data.terms.dpv.requestable; count([1 | some no in data.terms.dpv.forbidden; no == use]) == 0]

requests contains request(purpose, "AcademicResearch", kind, "DE", "wearables") if {
	some purpose in data.terms.duo.requestable
	some kind in data.terms.kinds
}

requests contains request("DUO:0000042", use, kind, "DE", "wearables") if {
	some use in lawful
	some kind in data.terms.kinds
}

request(purpose, use, kind, region, pool) := {
	"id": "request",
	"pool": pool,
	"requester": {"id": "requester", "kind": kind, "vetted": true, "region": region, "institution": ""},
	"duo": purpose,
	"dpv": use,
	"commercial": count([1 | some term in data.terms.dpv.commercial; term == use]) > 0,
	"price_minor": 1000000,
	"retention_days": 30,
	"reviewed": true,
	"study": study,
	"time": now,
}

study := {
	"disease": "MONDO:0005015",
	"kinds": [],
	"ethics": true,
	"publishes": true,
	"publish_from": forever,
	"returns": true,
	"collaborates": true,
	"project": "project",
}

# METADATA
# description: Conditions that none of the requests meets.
unmet := [
	{"DUO:0000019": false},
	{"DUO:0000024": forever + 1},
	{"DUO:0000025": 29},
	{"DUO:0000026": ["another"]},
	{"DUO:0000027": ["another"]},
	{"DUO:0000028": ["another"]},
	{"categories": ["Financial"]},
]

dataset(pool, categories) := {
	"id": "dataset",
	"member": "member",
	"pool": pool,
	"categories": categories,
	"region": "DE",
	"sealed": now - 86400000,
	"closed": forever,
}

given := {
	"id": "record",
	"effect": "given",
	"scope": "pool",
	"purposes": data.terms.duo.requestable,
	"except": [],
	"dpv": [],
	"requester_kinds": data.terms.kinds,
	"regions": [],
	"commercial": true,
	"min_price_minor": 0,
	"not_before": now - 86400000,
	"expires": forever,
	"withdrawn": forever,
	"paused": false,
	"limits": {},
	"answer": "",
}

# METADATA
# description: Whether the law releases, asked as the engine asks it.
released(question) if data.coop.decision.result.allow == true with input as question

# METADATA
# description: The requests that are released with this change to each part of the question.
leaks(of_request, of_dataset, records) := [request |
	some request in requests
	released({
		"request": object.union(request, of_request),
		"dataset": object.union(dataset("wearables", []), of_dataset),
		"records": records,
	})
]
