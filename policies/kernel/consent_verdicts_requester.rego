# Verdicts about who asks, and about what they bind themselves to.
# The second half of the conditions; see the file of verdicts about the study.
package coop.consent

not_for_profit if input.request.requester.kind in data.terms.not_for_profit

not_commercial if input.request.commercial == false

verdict("DUO:0000018", true) := "yes" if {
	not_for_profit
	not_commercial
}

verdict("DUO:0000045", true) := "yes" if not_for_profit

verdict("DUO:0000046", true) := "yes" if not_commercial

# METADATA
# description: Publication and return are promises; a release makes them duties.
verdict("DUO:0000019", true) := "yes" if study.publishes == true

verdict("DUO:0000029", true) := "yes" if study.returns == true

# METADATA
# description: Somebody must read the approval, and agree to the collaboration.
verdict("DUO:0000020", true) := "steward" if study.collaborates == true

verdict("DUO:0000021", true) := "steward" if study.ethics == true

# METADATA
# description: The moratorium is over, or nothing is published before it is.
verdict("DUO:0000024", value) := "yes" if {
	is_number(value)
	value <= input.request.time
}

verdict("DUO:0000024", value) := "yes" if {
	is_number(value)
	value > input.request.time
	value <= study.publish_from
}

verdict("DUO:0000025", value) := "yes" if {
	is_number(value)
	input.request.retention_days <= value
}

# METADATA
# description: The requester is known by their sign-in, the institution by vetting.
verdict("DUO:0000026", value) := "yes" if input.request.requester.id in value

verdict("DUO:0000028", value) := "yes" if {
	input.request.requester.institution != ""
	input.request.requester.institution in value
}

# METADATA
# description: The project is only claimed, so somebody checks the claim.
verdict("DUO:0000027", value) := "steward" if {
	study.project != ""
	study.project in value
}
