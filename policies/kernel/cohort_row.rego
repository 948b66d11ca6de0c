# METADATA
# title: The rows of a cohort
# description: |
#   What tells rows apart beside the parts of their records. Rows that agree in
#   every rule of this package, in the classes of their parts and in what the
#   voted law says about their dataset have one answer, and only one of them is
#   asked about. The engine asks about every rule here by itself.
# scope: package
package coop.cohort.row

import data.coop.consent

given if input.record.effect == "given"

paused if {
	input.record.effect != ""
	input.record.paused == true
}

refused if {
	input.record.effect == "refused"
	input.record.purposes in input.refuses.purposes
}

refused if {
	input.record.later == "refused"
	input.record.later_purposes in input.refuses.purposes
}

withdrawn if input.record.effect == "withdrawn"

withdrawn if {
	input.record.effect != ""
	input.record.withdrawn <= input.request.time
}

withdrawn if input.record.later == "withdrawn"

expired if {
	given
	input.record.expires <= input.request.time
}

early if {
	given
	input.request.time < input.record.not_before
}

commercial if {
	given
	consent.covers_commercial(input.record)
}

price if {
	given
	consent.covers_price(input.record)
}
