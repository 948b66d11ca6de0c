# Conditions of a record.
# Each condition a member makes has one of three verdicts about a request:
# "yes", it is met; "steward" or "member", people must say so; and none at all,
# which refuses. A record covers a request only if every one of its conditions
# has a verdict, so that a condition nobody knows refuses.
package coop.consent

covers_limits(record) if {
	is_object(record.limits)
	count(record.limits) == 0
}

covers_limits(record) if {
	is_object(record.limits)
	count(record.limits) > 0
	count([1 | some code, value in record.limits; verdict(code, value)]) == count(record.limits)
}

# METADATA
# description: Every condition of this record is met, or people have said so.
settled_by(record) if {
	is_object(record.limits)
	count(record.limits) > 0
	count([1 | some code, value in record.limits; said_yes(verdict(code, value), record)]) == count(record.limits)
}

said_yes("yes", _)

said_yes("steward", _) if input.request.reviewed == true

said_yes("member", record) if record.answer == "yes"

default settled := false

# METADATA
# description: A record in force covers the request, and nothing of it is left to people.
settled if {
	some record in candidates
	is_object(record.limits)
	count(record.limits) == 0
}

settled if {
	some record in candidates
	settled_by(record)
}

# METADATA
# description: Who must say something before this record permits, and about what.
questions contains {"who": who, "code": code} if {
	some record in candidates
	some code, value in record.limits
	who := verdict(code, value)
	open(who, record)
}

open("steward", _) if input.request.reviewed == false

open("member", record) if record.answer == ""

asks contains question.who if some question in questions

# METADATA
# title: What the conditions of a member bind a requester to
obligations contains duty if {
	some record in candidates
	some code, _ in record.limits
	duty := duties[code]
}
