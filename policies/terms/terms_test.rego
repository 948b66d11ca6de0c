# METADATA
# title: The closures in data.json are what the parents say
# scope: package
package coop.terms_test

test_covering_is_reachability[tree] if {
	some tree, parents in data.terms.parents
	count(parents) > 0
	object.keys(parents) == object.keys(data.terms.covering[tree])
	wrong := [term |
		some term in object.keys(parents)
		graph.reachable(parents, {term}) != {ancestor | some ancestor in data.terms.covering[tree][term]}
	]
	wrong == []
}

test_touching_is_covering_both_ways[tree] if {
	some tree, touching in data.terms.touching
	covering := data.terms.covering[tree]
	object.keys(covering) == object.keys(touching)
	wrong := [term |
		some term, touched in touching
		up := {ancestor | some ancestor in covering[term]}
		down := {other | some other, ancestors in covering; term in ancestors}
		up | down != {t | some t in touched}
	]
	wrong == []
}

test_every_parent_is_a_term[tree] if {
	some tree, parents in data.terms.parents
	{parent | some list in parents; some parent in list} - object.keys(parents) == set()
}

test_what_can_be_asked_for_is_in_the_trees[tree] if {
	some tree in ["duo", "dpv"]
	count(data.terms[tree].requestable) > 0
	{term | some term in data.terms[tree].requestable} - object.keys(data.terms.parents[tree]) == set()
}

test_what_is_forbidden_or_commercial_can_be_asked_for[list] if {
	some list in ["forbidden", "commercial"]
	count(data.terms.dpv[list]) > 0
	{term | some term in data.terms.dpv[list]} - {term | some term in data.terms.dpv.requestable} == set()
}

test_no_tree_has_a_circle[tree] if {
	some tree, parents in data.terms.parents
	circles := [term |
		some term, above in parents
		term in graph.reachable(parents, {parent | some parent in above})
	]
	circles == []
}
