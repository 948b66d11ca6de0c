# Member refusals.
# What a member's governing records say no to. Any single one of these stops
# the release, whatever another record allows.
package coop.consent

# METADATA
# title: Paused
refusals contains {
	"code": "member-paused",
	"sentence": "The member has paused all sharing.",
} if {
	some record in input.records
	record.paused == true
}

# METADATA
# title: Refused
refusals contains {
	"code": "consent-refused",
	"sentence": "The member has refused this.",
} if {
	some record in input.records
	record.effect == "refused"
	touches(record.purposes)
}

# METADATA
# title: A refusal that names no purpose refuses every purpose
refusals contains {
	"code": "consent-refused",
	"sentence": "The member has refused this.",
} if {
	some record in input.records
	record.effect == "refused"
	count(record.purposes) == 0
}

# METADATA
# title: Withdrawn
refusals contains {
	"code": "consent-withdrawn",
	"sentence": "The member has withdrawn their consent.",
} if {
	some record in input.records
	withdrawn(record)
}

# METADATA
# title: Excepted purposes
refusals contains {
	"code": "purpose-refused",
	"sentence": "The member has excepted this purpose, or one that it includes or is part of.",
} if {
	some record in input.records
	record.effect == "given"
	touches(record.except)
}

# METADATA
# title: No to this request
refusals contains {
	"code": "member-said-no",
	"sentence": "The member was asked about this request and said no.",
} if {
	some record in input.records
	record.answer == "no"
}

withdrawn(record) if record.effect == "withdrawn"

withdrawn(record) if record.withdrawn <= input.request.time

touches(purposes) if {
	some term in purposes
	term in data.terms.touching.duo[input.request.duo]
}
