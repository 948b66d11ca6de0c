# METADATA
# title: The decision
# description: |
#   A dataset is released if base law permits, the member permits and refuses
#   nothing, and the law the members voted forbids nothing. What was voted can
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

allow if {
	passes == true
	count(reviews) == 0
}

allow if {
	passes == true
	input.request.reviewed == true
}

default needs_review := false

needs_review if {
	passes == true
	count(reviews) > 0
	input.request.reviewed == false
}

reviews := {review | some review in access.review}

reasons contains object.union(reason, {"layer": "base"}) if some reason in base.reasons

reasons contains object.union(reason, {"layer": "coop"}) if some reason in access.forbid

reasons contains object.union(reason, {"layer": "member"}) if some reason in consent.reasons

reasons contains object.union(review, {"layer": "coop"}) if {
	needs_review
	some review in reviews
}

obligations contains duty if {
	passes == true
	some duty in base.obligations
}

obligations contains duty if {
	passes == true
	some duty in access.obligation
}
