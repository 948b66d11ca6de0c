package coop.access_test

import data.coop.access
import data.coop.fixture

test_forbids_unvetted_requesters if {
	codes := {law.code | some law in access.forbid} with input as fixture.with_request({"requester": {"vetted": false}})
	codes == {"coop-requester-unvetted"}
}

test_forbids_nothing_else if count(access.forbid) == 0 with input as fixture.question

test_asks_for_results if {
	codes := {law.code | some law in access.obligation} with input as fixture.question
	codes == {"publish-results"}
}
