# METADATA
# title: Access policy
# description: |
#   The members' own law. Everything in it narrows: `forbid` refuses, `review`
#   asks people first, `obligation` adds a duty. Members change it by vote.
# scope: package
package coop.access

# METADATA
# title: Only vetted requesters
# description: Somebody of the co-op has checked who asks before anything is released.
forbid contains {
	"code": "coop-requester-unvetted",
	"sentence": "The co-op releases data only to requesters it has vetted.",
} if {
	input.request.requester.vetted == false
}

# METADATA
# title: Results come back
# description: Whoever uses the data publishes what came out and tells the members.
obligation contains {
	"code": "publish-results",
	"sentence": "Publish what you found, openly, and report it to the members.",
}
