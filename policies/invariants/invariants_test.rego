# METADATA
# title: What every access policy must leave true
# description: |
#   The gate runs these against a proposal. The kernel already makes them hold;
#   here they are tried, so that a mistake in either is found before a vote.
# scope: package
package coop.invariants_test

import data.coop.invariants

# METADATA
# title: A member who has given no consent is never included.
test_no_record if {
	count(invariants.requests) > 0
	count(invariants.leaks({}, {}, [])) == 0
}

# METADATA
# title: A member who has withdrawn is never included.
test_withdrawn if {
	count(leaks_with({"effect": "withdrawn", "withdrawn": invariants.now - 1})) == 0
	count(leaks_with({"effect": "withdrawn"})) == 0
	count(leaks_with({"withdrawn": invariants.now})) == 0
}

# METADATA
# title: Consent that has run out is never used.
test_expired if count(leaks_with({"expires": invariants.now})) == 0

# METADATA
# title: Consent is never used before it is in force.
test_not_yet if count(leaks_with({"not_before": invariants.now + 1})) == 0

# METADATA
# title: A member who has refused is never included.
test_refused if {
	count(leaks_with({"effect": "refused", "purposes": []})) == 0
	count(leaks_with({"effect": "refused"})) == 0
	refusal := object.union(invariants.given, {"effect": "refused", "purposes": []})
	count(invariants.leaks({}, {}, [invariants.given, refusal])) == 0
}

# METADATA
# title: A member who has paused is never included.
test_paused if count(leaks_with({"paused": true})) == 0

# METADATA
# title: Purposes, kinds of organisation and prices a member did not agree to are never served.
test_not_covered if {
	count(leaks_with({"purposes": []})) == 0
	count(leaks_with({"requester_kinds": []})) == 0
	count(leaks_with({"regions": ["XX"]})) == 0
	count(leaks_with({"min_price_minor": 1000001})) == 0
	count(leaks_with({"except": ["DUO:0000004"]})) == 0
}

# METADATA
# title: Nobody receives data without having been vetted.
test_unvetted if {
	unvetted := {"requester": {"id": "requester", "kind": "university", "vetted": false, "region": "DE", "institution": ""}}
	count(invariants.leaks(unvetted, {}, [invariants.given])) == 0
}

# METADATA
# title: Nothing is released for advertising, profiling or selling on.
test_forbidden_uses if {
	leaks := [use |
		some use in data.terms.dpv.forbidden
		some leak in invariants.leaks({"dpv": use, "commercial": true}, {}, [invariants.given])
		leak
	]
	count(data.terms.dpv.forbidden) > 0
	count(leaks) == 0
}

# METADATA
# title: Nothing is released without a known purpose.
test_no_purpose if {
	count(invariants.leaks({"duo": ""}, {}, [invariants.given])) == 0
	count(invariants.leaks({"dpv": ""}, {}, [invariants.given])) == 0
	count(invariants.leaks({"duo": "DUO:9999999"}, {}, [invariants.given])) == 0
	count(invariants.leaks({"dpv": "Anything"}, {}, [invariants.given])) == 0
}

# METADATA
# title: A revoked or unfinished dataset, or one of another pool, is never released.
test_closed if {
	count(invariants.leaks({}, {"closed": invariants.now}, [invariants.given])) == 0
	count(invariants.leaks({}, {"sealed": invariants.now + 1}, [invariants.given])) == 0
	count(invariants.leaks({}, {"pool": "glucose"}, [invariants.given])) == 0
}

# METADATA
# title: Data are not kept for ever.
test_retention if {
	over := data.terms.limits.retention_days + 1
	count(invariants.leaks({"retention_days": over}, {}, [invariants.given])) == 0
	count(invariants.leaks({"retention_days": 0}, {}, [invariants.given])) == 0
}

# METADATA
# title: Some lawful request can still be released to members who allow it.
# description: |
#   Tried are requests of everything a policy can tell apart, with the values
#   that the proposal itself names (data.gate).
test_something_can_be_released if invariants.something_is_released

leaks_with(change) := invariants.leaks({}, {}, [object.union(invariants.given, change)])
