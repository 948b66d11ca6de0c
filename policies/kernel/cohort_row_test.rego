package coop.cohort.row_test

import data.coop.cohort.row
import data.coop.fixture

columns := object.union(fixture.record, {"purposes": 1, "later": "", "later_purposes": 0})

asked := {"request": fixture.request, "record": columns, "refuses": {"purposes": [9]}}

changed(change) := object.union(asked, {"record": change})

test_a_row_that_permits_says_only_so if {
	row.given with input as asked
	row.commercial with input as asked
	row.price with input as asked
	not row.paused with input as asked
	not row.refused with input as asked
	not row.withdrawn with input as asked
	not row.expired with input as asked
	not row.early with input as asked
}

test_no_record_says_nothing if {
	none := changed({"effect": "", "paused": true, "expires": 0, "withdrawn": 0, "not_before": 0})
	not row.given with input as none
	not row.paused with input as none
	not row.withdrawn with input as none
	not row.expired with input as none
	not row.commercial with input as none
	not row.price with input as none
}

test_each_no_is_told_apart if {
	row.paused with input as changed({"paused": true})
	row.refused with input as changed({"effect": "refused", "purposes": 9})
	not row.refused with input as changed({"effect": "refused", "purposes": 1})
	row.refused with input as changed({"later": "refused", "later_purposes": 9})
	row.withdrawn with input as changed({"effect": "withdrawn"})
	row.withdrawn with input as changed({"withdrawn": fixture.now})
	row.withdrawn with input as changed({"later": "withdrawn"})
	row.expired with input as changed({"expires": fixture.now})
	row.early with input as changed({"not_before": fixture.now + 1})
	not row.price with input as changed({"min_price_minor": 501})
	not row.commercial with input as object.union(asked, {"request": {"commercial": true}})
}
