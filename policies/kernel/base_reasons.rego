# Base law, explained.
# One reason for each condition of base law that does not hold. Nothing here
# decides: a reason that were forgotten would leave a refusal unexplained, not
# a door open.
package coop.base

# METADATA
# title: Only vetted requesters
reasons contains {
	"code": "requester-unvetted",
	"sentence": "The requester has not been vetted by the co-op.",
} if not vetted

# METADATA
# title: Only known kinds of organisation
reasons contains {
	"code": "requester-kind-unknown",
	"sentence": "The requester is not one of the kinds of organisation the co-op knows.",
} if not kind_known

# METADATA
# title: A purpose must be stated
reasons contains {
	"code": "purpose-missing",
	"sentence": "The request does not say what the data are wanted for.",
} if not purpose_stated

# METADATA
# title: The purpose must be one the co-op knows
reasons contains {
	"code": "purpose-unknown",
	"sentence": "The stated purpose is not one that can be asked for.",
} if {
	purpose_stated
	not purpose_known
}

# METADATA
# title: No advertising, no profiling of single people, no selling on
reasons contains {
	"code": "purpose-forbidden",
	"sentence": "The co-op never releases data for advertising, for profiling single people or for selling the data on.",
} if {
	purpose_known
	not purpose_lawful
}

# METADATA
# title: Commercial use must be declared
reasons contains {
	"code": "commercial-undeclared",
	"sentence": "The stated purpose is commercial, but the request does not say so.",
} if {
	purpose_known
	not commercial_declared
}

# METADATA
# title: The price must be a number, nothing below zero
reasons contains {
	"code": "price-missing",
	"sentence": "The request does not state a price of zero or more.",
} if not price_stated

# METADATA
# title: The time the data are kept must be stated
reasons contains {
	"code": "retention-missing",
	"sentence": "The request does not say for how long the data would be kept.",
} if not retention_stated

# METADATA
# title: Nobody keeps data for ever
reasons contains {
	"code": "retention-too-long",
	"sentence": "The data would be kept longer than the co-op permits.",
} if {
	retention_stated
	not retention_bounded
}

# METADATA
# title: The dataset belongs to the pool asked for
reasons contains {
	"code": "pool-mismatch",
	"sentence": "The dataset does not belong to the pool that was asked for.",
} if not same_pool

# METADATA
# title: Only sealed datasets
reasons contains {
	"code": "dataset-not-sealed",
	"sentence": "The dataset has not been sealed by its member yet.",
} if not sealed

# METADATA
# title: Nothing is released after revocation
reasons contains {
	"code": "dataset-closed",
	"sentence": "The dataset has been revoked by its member.",
} if not open
