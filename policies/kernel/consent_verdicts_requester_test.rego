package coop.consent_verdicts_requester_test

import data.coop.consent
import data.coop.fixture

now := fixture.now

# What one condition says, by the change to the request; "" refuses.
cases := {
	"DUO:0000018": {"value": true, "verdicts": [
		[{}, "yes"],
		[{"requester": {"kind": "company"}}, ""],
		[{"commercial": true}, ""],
	]},
	"DUO:0000019": {"value": true, "verdicts": [[{}, ""], [{"study": {"publishes": true}}, "yes"]]},
	"DUO:0000020": {"value": true, "verdicts": [[{}, ""], [{"study": {"collaborates": true}}, "steward"]]},
	"DUO:0000021": {"value": true, "verdicts": [[{}, ""], [{"study": {"ethics": true}}, "steward"]]},
	"DUO:0000024": {"value": now + 10, "verdicts": [
		[{}, ""],
		[{"study": {"publish_from": now + 9}}, ""],
		[{"study": {"publish_from": now + 10}}, "yes"],
		[{"time": now + 10}, "yes"],
		[{"time": now + 9}, ""],
	]},
	"DUO:0000025": {"value": 365, "verdicts": [[{}, "yes"], [{"retention_days": 364}, "yes"], [{"retention_days": 366}, ""]]},
	"DUO:0000026": {"value": ["requester", "another"], "verdicts": [[{}, "yes"], [{"requester": {"id": "third"}}, ""]]},
	"DUO:0000027": {"value": ["p1"], "verdicts": [
		[{}, ""],
		[{"study": {"project": "p1"}}, "steward"],
		[{"study": {"project": "p2"}}, ""],
	]},
	"DUO:0000028": {"value": ["i1", ""], "verdicts": [
		[{}, ""],
		[{"requester": {"institution": "i1"}}, "yes"],
		[{"requester": {"institution": "i2"}}, ""],
	]},
	"DUO:0000029": {"value": true, "verdicts": [[{}, ""], [{"study": {"returns": true}}, "yes"]]},
	"DUO:0000045": {"value": true, "verdicts": [
		[{}, "yes"],
		[{"requester": {"kind": "public-body"}}, "yes"],
		[{"requester": {"kind": "non-profit"}}, "yes"],
		[{"requester": {"kind": "company"}}, ""],
		[{"requester": {"kind": "club"}}, ""],
	]},
	"DUO:0000046": {"value": true, "verdicts": [
		[{}, "yes"],
		[{"requester": {"kind": "company"}}, "yes"],
		[{"commercial": true}, ""],
	]},
}

test_verdicts[name] if {
	some code, c in cases
	some i, pair in c.verdicts
	name := sprintf("%s/%d", [code, i])
	said(code, c.value, fixture.with_request(pair[0])) == pair[1]
}

said(code, value, question) := out if out := consent.verdict(code, value) with input as question

said(code, value, question) := "" if not consent.verdict(code, value) with input as question
