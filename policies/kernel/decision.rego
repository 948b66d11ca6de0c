# METADATA
# title: The decision
# description: |
#   A dataset is released if base law permits, the member permits, refuses
#   nothing and left nothing for people to say, and the law the members voted
#   forbids nothing. What people must say first is never a release. What was voted can
#   only be counted against a release: a file without `forbid` leaves the count
#   undefined, and nothing is released.
# scope: package
package coop.decision

import data.coop.access
import data.coop.base
import data.coop.consent

# METADATA
# title: What the engine asks
# entrypoint: true
result := {
	"allow": allow,
	"needs_review": needs_review,
	"asks": asks,
	"reasons": reasons,
	"obligations": obligations,
}

default passes := false

passes if {
	base.permits == true
	consent.permits == true
	count(consent.refusals) == 0
	count(base.reasons) == 0
	count(access.forbid) == 0
}

default allow := false

# METADATA
# description: Most refusals are members', so their part is asked first.
allow if {
	consent.settled == true
	passes == true
	count(reviews) == 0
}

allow if {
	consent.settled == true
	passes == true
	input.request.reviewed == true
}

default needs_review := false

needs_review if voted_review

needs_review if member_review

member_review if {
	consent.settled == false
	passes == true
}

voted_review if {
	input.request.reviewed == false
	count(reviews) > 0
	passes == true
}

reviews := {review | some review in access.review}

default asks := set()

# METADATA
# description: Whom a request waits for, "steward" or "member".
asks := {"steward" | voted_review} | consent.asks if needs_review == true

reasons contains object.union(reason, {"layer": "base"}) if some reason in base.reasons

reasons contains object.union(reason, {"layer": "coop"}) if some reason in access.forbid

reasons contains object.union(reason, {"layer": "member"}) if some reason in consent.reasons

reasons contains object.union(review, {"layer": "coop"}) if {
	voted_review
	some review in reviews
}

reasons contains object.union(question, {"layer": "member"}) if {
	member_review
	some question in consent.review
}

obligations contains duty if {
	passes == true
	some duty in base.obligations
}

obligations contains duty if {
	passes == true
	some duty in consent.obligations
}

obligations contains duty if {
	passes == true
	some duty in access.obligation
}
