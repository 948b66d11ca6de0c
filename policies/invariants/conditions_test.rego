# What every access policy must leave true of conditions.
# The same as the other invariants, for what members say besides purposes.
package coop.invariants_test

import data.coop.invariants

# METADATA
# title: A condition a member made is never passed over, whatever people have said.
test_conditions if {
	count([1 | some limits in invariants.unmet; some leak in leaks_with({"limits": limits, "answer": "yes"}); leak]) == 0
	count(invariants.unmet) > 0
}

# METADATA
# title: A condition that law cannot read is never taken as met.
test_unknown_condition if count(leaks_with({"limits": {"unheard": true}, "answer": "yes"})) == 0

# METADATA
# title: A member who wants to be asked is never included without a yes, and never after a no.
test_ask if {
	count(leaks_with({"limits": {"ask": true}})) == 0
	count(leaks_with({"answer": "no"})) == 0
}

# METADATA
# title: Consent to one release is never used again.
test_once if count(leaks_with({"limits": {"once": "used"}, "answer": "yes"})) == 0

# METADATA
# title: What a steward must look at is never released before.
test_unread if {
	record := object.union(invariants.given, {"limits": {"DUO:0000021": true}})
	count(invariants.leaks({"reviewed": false}, {}, [record])) == 0
}
