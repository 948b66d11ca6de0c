# Member consent, explained.
# Why no record permits: what is missing, record by record. Refusals are
# reasons in any case; shortfalls only where nothing permits.
package coop.consent

reasons contains refusal if some refusal in refusals

reasons contains shortfall if {
	not permits
	some shortfall in shortfalls
}

given contains record if {
	some record in input.records
	record.effect == "given"
}

# METADATA
# title: No consent
shortfalls contains {
	"code": "no-consent",
	"sentence": "The member has not given consent for this.",
} if {
	count(given) == 0
	count(refusals) == 0
}

# METADATA
# title: Expired
shortfalls contains {
	"code": "consent-expired",
	"sentence": "The member's consent has run out.",
} if {
	some record in given
	record.expires <= input.request.time
}

# METADATA
# title: Not yet in force
shortfalls contains {
	"code": "consent-not-yet",
	"sentence": "The member's consent is not in force yet.",
} if {
	some record in given
	input.request.time < record.not_before
}

# METADATA
# title: Other purposes only
shortfalls contains {
	"code": "purpose-not-allowed",
	"sentence": "The member allows other purposes, not this one.",
} if {
	some record in given
	not covers_purpose(record)
}

# METADATA
# title: Other uses only
shortfalls contains {
	"code": "use-not-allowed",
	"sentence": "The member allows other uses, not this one.",
} if {
	some record in given
	not covers_use(record)
}

# METADATA
# title: Other kinds of organisation only
shortfalls contains {
	"code": "requester-kind-not-allowed",
	"sentence": "The member does not share with this kind of organisation.",
} if {
	some record in given
	not covers_kind(record)
}

# METADATA
# title: Other regions only
shortfalls contains {
	"code": "region-not-allowed",
	"sentence": "The member does not share with organisations of this region.",
} if {
	some record in given
	not covers_region(record)
}

# METADATA
# title: Not for commercial use
shortfalls contains {
	"code": "commercial-not-allowed",
	"sentence": "The member does not allow commercial use.",
} if {
	some record in given
	not covers_commercial(record)
}

# METADATA
# title: Price too low
shortfalls contains {
	"code": "price-too-low",
	"sentence": "The member asks for a higher price.",
} if {
	some record in given
	not covers_price(record)
}
