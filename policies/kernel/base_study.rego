# The study, as the request states it.
# What is said about the work must be known words that do not contradict the
# purpose. Nothing needs to be said except the disease of disease-specific
# research; what is not said meets no condition of a member.
package coop.base

disease_stated if input.request.duo != "DUO:0000007"

disease_stated if {
	input.request.duo == "DUO:0000007"
	startswith(input.request.study.disease, "MONDO:")
}

studies_known if {
	is_array(input.request.study.kinds)
	count(input.request.study.kinds) == 0
}

studies_known if {
	count(input.request.study.kinds) > 0
	count([kind | some kind in input.request.study.kinds; kind in data.terms.studies]) == count(input.request.study.kinds)
}

# METADATA
# description: |
#   Clinical care is no study; health research is not about origins (DUO:0000006);
#   research about origins (DUO:0000011) that says what it is says so.
purpose_consistent if {
	is_array(input.request.study.kinds)
	count(input.request.study.kinds) == 0
}

purpose_consistent if {
	input.request.duo == "DUO:0000042"
	count(input.request.study.kinds) > 0
}

purpose_consistent if {
	input.request.duo == "DUO:0000011"
	"ancestry" in input.request.study.kinds
}

purpose_consistent if {
	input.request.duo in ["DUO:0000006", "DUO:0000007"]
	count(input.request.study.kinds) > 0
	count([kind | some kind in input.request.study.kinds; kind == "ancestry"]) == 0
}

# METADATA
# description: What is said of the study is known and fits the purpose.
study_sound if {
	input.request.duo != "DUO:0000007"
	is_array(input.request.study.kinds)
	count(input.request.study.kinds) == 0
}

study_sound if {
	disease_stated
	studies_known
	purpose_consistent
}

# METADATA
# title: What is wrong with what is said of the study
reasons contains fault if {
	purpose_known
	not study_sound
	some fault in study_faults
}

study_faults contains {
	"code": "disease-missing",
	"sentence": "The request is for research about one disease and does not say which.",
} if not disease_stated

study_faults contains {
	"code": "study-unknown",
	"sentence": "The request names a kind of study that the co-op does not know.",
} if not studies_known

study_faults contains {
	"code": "purpose-contradictory",
	"sentence": "What the request says about its study contradicts the purpose it states.",
} if not purpose_consistent
