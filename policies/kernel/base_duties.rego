# Duties that come with every release.
# What everybody who receives data takes on, whatever else was agreed.
package coop.base

# METADATA
# title: Delete in time
obligations contains {
	"code": "delete-after-retention",
	"sentence": "Delete the data when the stated time is over and confirm that you did.",
}

# METADATA
# title: Do not look for people
obligations contains {
	"code": "no-reidentification",
	"sentence": "Do not try to find out who the members are.",
}

# METADATA
# title: Do not pass on
obligations contains {
	"code": "no-onward-sharing",
	"sentence": "Do not pass the data on to anybody.",
}
