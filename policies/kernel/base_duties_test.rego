package coop.base_duties_test

import data.coop.base

test_duties_are_named if {
	{duty.code | some duty in base.obligations} == {"delete-after-retention", "no-onward-sharing", "no-reidentification"}
}
