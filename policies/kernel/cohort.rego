# METADATA
# title: The cohort
# description: |
#   The same law for the rows of a table. The lists and conditions of a record
#   are parts with a number, each judged once by the rules that judge a single
#   dataset; the rest of a record is plain columns. What is left of the law then
#   only compares columns, which a database can do. Whatever is not said here is
#   not released.
# scope: package
package coop.cohort

import data.coop.base
import data.coop.consent

# METADATA
# title: What is asked first
# description: Whether base law permits the request, and what each part answers to it.
judgement := {
	"base": count([1 | base.permits == true; count(base.reasons) == 0]),
	"parts": [judged(part.kind, part.value) | some part in input.parts],
}

judged("purposes", value) := {
	"covers": count([1 | consent.covers_purpose({"purposes": value})]),
	"refuses": count([1 | refuses(value)]),
}

judged("except", value) := {
	"covers": count([1 | consent.excepts_nothing_asked({"except": value})]),
	"touches": count([1 | consent.touches(value)]),
}

judged("dpv", value) := {"covers": count([1 | consent.covers_use({"dpv": value})])}

judged("requester_kinds", value) := {"covers": count([1 | consent.covers_kind({"requester_kinds": value})])}

judged("regions", value) := {"covers": count([1 | consent.covers_region({"regions": value})])}

judged("limits", value) := {
	"covers": count([1 | consent.covers_limits({"limits": value})]),
	"settled": count([1 | settles(value)]),
	"said": [code | some code, _ in value],
	"verdicts": {code: verdict | some code, term in value; verdict := consent.verdict(code, term)},
}

refuses(list) if count(list) == 0

refuses(list) if consent.touches(list)

settles(limits) if count(limits) == 0

settles(limits) if consent.settled_by({"limits": limits, "answer": ""})

# METADATA
# title: A row permits
# description: Base law has been asked before; a request it refuses has no rows that permit.
permit if {
	consent.in_force(input.record)
	consent.covers_commercial(input.record)
	consent.covers_price(input.record)
	input.record.purposes in input.covers.purposes
	input.record.except in input.covers.except
	input.record.dpv in input.covers.dpv
	input.record.requester_kinds in input.covers.requester_kinds
	input.record.regions in input.covers.regions
	input.record.limits in input.covers.limits
	input.record.later == ""
}

# METADATA
# description: A row permits and leaves nothing for people to say.
settled if {
	permit
	input.record.limits in input.settled.limits
}
