# METADATA
# title: Member consent
# description: |
#   Matches a request against the member's own governing records. A permission
#   must cover the request: each of its terms is the requested one or an
#   ancestor. A refusal need only touch it: ancestor, itself or descendant.
# scope: package
package coop.consent

default permits := false

# METADATA
# description: There is a record, and one of them is in force and covers the request.
permits if count(candidates) > 0

candidates := [record |
	some record in input.records
	in_force(record)
	covers(record)
]

in_force(record) if {
	record.effect == "given"
	record.paused == false
	is_number(record.not_before)
	is_number(record.expires)
	is_number(record.withdrawn)
	record.not_before <= input.request.time
	input.request.time < record.expires
	input.request.time < record.withdrawn
}

covers(record) if {
	covers_purpose(record)
	excepts_nothing_asked(record)
	covers_use(record)
	covers_kind(record)
	covers_region(record)
	covers_commercial(record)
	covers_price(record)
	covers_limits(record)
	record.answer in ["", "yes"]
}

covers_purpose(record) if {
	some term in record.purposes
	term in data.terms.covering.duo[input.request.duo]
}

excepts_nothing_asked(record) if {
	is_array(record.except)
	count([term | some term in record.except; term in data.terms.touching.duo[input.request.duo]]) == 0
}

covers_use(record) if {
	count(record.dpv) == 0
	input.request.dpv in data.terms.dpv.requestable
}

covers_use(record) if {
	some term in record.dpv
	term in data.terms.covering.dpv[input.request.dpv]
}

covers_kind(record) if input.request.requester.kind in record.requester_kinds

covers_region(record) if count(record.regions) == 0

covers_region(record) if input.request.requester.region in record.regions

covers_region(record) if {
	some term in record.regions
	term in data.terms.covering.region[input.request.requester.region]
}

covers_commercial(record) if {
	record.commercial == false
	input.request.commercial == false
}

covers_commercial(record) if record.commercial == true

covers_price(record) if {
	is_number(record.min_price_minor)
	record.min_price_minor <= input.request.price_minor
}
