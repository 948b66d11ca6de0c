# Conditions in words.
# Why a condition is not met, what people are asked about, and what a release
# binds the requester to, each by the condition it comes from.
package coop.consent

unmet := {
	"DUO:0000007": {"code": "disease-not-allowed", "sentence": "The member allows research about other diseases, not this one."},
	"DUO:0000012": {"code": "study-not-allowed", "sentence": "The member allows other kinds of study, not this one."},
	"DUO:0000015": {"code": "methods-not-allowed", "sentence": "The member does not allow the development of methods."},
	"DUO:0000016": {"code": "not-genetic", "sentence": "The member allows genetic studies only."},
	"DUO:0000018": {"code": "for-profit", "sentence": "The member allows nothing that is for profit."},
	"DUO:0000019": {"code": "publication-missing", "sentence": "The member asks that the results be published, and the request does not promise it."},
	"DUO:0000020": {"code": "collaboration-missing", "sentence": "The member asks for work together with the co-op, and the request does not offer it."},
	"DUO:0000021": {"code": "ethics-missing", "sentence": "The member asks for an ethics approval, and there is none with the request."},
	"DUO:0000024": {"code": "published-too-early", "sentence": "The member asks that nothing be published before a date, and the request does not promise it."},
	"DUO:0000025": {"code": "kept-too-long", "sentence": "The member does not allow the data to be kept for so long."},
	"DUO:0000026": {"code": "requester-not-named", "sentence": "The member allows named researchers only."},
	"DUO:0000027": {"code": "project-not-named", "sentence": "The member allows named projects only."},
	"DUO:0000028": {"code": "institution-not-named", "sentence": "The member allows named institutions only."},
	"DUO:0000029": {"code": "return-missing", "sentence": "The member asks that results come back to the co-op, and the request does not promise it."},
	"DUO:0000044": {"code": "ancestry-not-allowed", "sentence": "The member does not allow research about where populations come from."},
	"DUO:0000045": {"code": "organisation-for-profit", "sentence": "The member allows organisations that do not work for profit only."},
	"DUO:0000046": {"code": "use-for-profit", "sentence": "The member allows no commercial use."},
	"categories": {"code": "category-not-allowed", "sentence": "The dataset holds kinds of data that the member does not share."},
	"once": {"code": "consent-used-up", "sentence": "The member allowed one release, and it has been made."},
}

# METADATA
# title: Questions to people
words_of_question := {
	"DUO:0000007": {"code": "disease-unclear", "sentence": "The member is asked whether the disease is one of those they allow research about."},
	"DUO:0000012": {"code": "study-unclear", "sentence": "The request does not say what kind of study it is, so the member is asked."},
	"DUO:0000015": {"code": "methods-unclear", "sentence": "The request does not say whether it develops methods, so the member is asked."},
	"DUO:0000016": {"code": "genetic-unclear", "sentence": "The request does not say whether it is a genetic study, so the member is asked."},
	"DUO:0000020": {"code": "collaboration-unread", "sentence": "A steward agrees on the collaboration before anything is released."},
	"DUO:0000021": {"code": "ethics-unread", "sentence": "A steward reads the ethics approval before anything is released."},
	"DUO:0000027": {"code": "project-unread", "sentence": "A steward checks that the request belongs to the project it names."},
	"DUO:0000044": {"code": "ancestry-unclear", "sentence": "The request does not say whether it is about origins, so the member is asked."},
	"ask": {"code": "member-asked", "sentence": "The member decides about each request and is asked about this one."},
}

# METADATA
# title: Duties
duties := {
	"DUO:0000019": {"code": "publish-openly", "sentence": "Publish your results for everybody."},
	"DUO:0000020": {"code": "work-together", "sentence": "Work together with the co-op as agreed."},
	"DUO:0000024": {"code": "publish-later", "sentence": "Publish nothing before the date you stated."},
	"DUO:0000029": {"code": "return-results", "sentence": "Return to the co-op what you derive from the data."},
}

# METADATA
# description: Every condition there is; "ask" always has a verdict and lacks nothing.
words_of_conditions := object.union(unmet, {"ask": {}})

# METADATA
# title: A condition is not met
shortfalls contains shortfall if {
	some record in given
	some code, value in record.limits
	not verdict(code, value)
	shortfall := unmet[code]
}

# METADATA
# title: A condition nobody knows
shortfalls contains {
	"code": "condition-unknown",
	"sentence": "The member has made a condition that this law cannot read.",
} if {
	some record in given
	object.keys(record.limits) - object.keys(words_of_conditions) != set()
}

review contains words_of_question[question.code] if some question in questions
