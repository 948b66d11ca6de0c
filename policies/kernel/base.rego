# METADATA
# title: Base law
# description: |
#   What holds whatever members allow and whatever is voted. Every condition is
#   said positively: `permits` is true only when each of them is true, so that a
#   missing or misspelt field refuses.
# scope: package
package coop.base

default permits := false

# METADATA
# description: Every condition of base law holds.
permits if {
	vetted
	kind_known
	purpose_known
	purpose_lawful
	study_sound
	commercial_declared
	price_stated
	retention_stated
	retention_bounded
	same_pool
	sealed
	open
}

vetted if input.request.requester.vetted == true

kind_known if input.request.requester.kind in data.terms.kinds

purpose_stated if {
	input.request.duo != ""
	input.request.dpv != ""
}

purpose_known if {
	purpose_stated
	input.request.duo in data.terms.duo.requestable
	input.request.dpv in data.terms.dpv.requestable
}

purpose_lawful if {
	known_purpose_covering := data.terms.covering.dpv[input.request.dpv]
	count([term | some term in known_purpose_covering; term in data.terms.dpv.forbidden]) == 0
}

commercial_declared if input.request.commercial == true

commercial_declared if {
	input.request.commercial == false
	input.request.dpv in data.terms.dpv.requestable
	count([term | some term in data.terms.dpv.commercial; term == input.request.dpv]) == 0
}

# METADATA
# description: A price or a time that is a text compares as larger than any number.
price_stated if {
	is_number(input.request.price_minor)
	input.request.price_minor >= 0
}

retention_stated if {
	is_number(input.request.retention_days)
	input.request.retention_days >= 1
}

retention_bounded if input.request.retention_days <= data.terms.limits.retention_days

same_pool if {
	input.request.pool != ""
	input.request.pool == input.dataset.pool
}

sealed if {
	is_number(input.dataset.sealed)
	input.dataset.sealed > 0
	input.dataset.sealed <= input.request.time
}

open if {
	is_number(input.dataset.closed)
	input.request.time < input.dataset.closed
}
