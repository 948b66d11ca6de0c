package rehearsal

// Why some mutants change nothing.
const (
	undefined  = "whoever reads it compares it with true, which what is undefined is not either"
	short      = "it is a short way to what the second rule says at length"
	kinds      = "without any kinds the other rules come to the same"
	limits     = "without any conditions the first rule holds, and as many of them are met as there are"
	covered    = "only records that cover the request get here, and covers_limits asks the same"
	number     = "what is no number is either not above the one bound or not at or below the other"
	moratorium = "a time that has come is answered by the first rule, with the same verdict"
)

// equivalents are mutants that answer every question as the shipped law does,
// with the reason why. Each was looked at; one that the first questions or the
// law's own tests notice after all fails the test.
var equivalents = map[string]string{
	`base.default permits: dropped`:              undefined,
	`base.purpose_known: without purpose_stated`: "an empty code is in no list of what can be asked for",
	`base.purpose_lawful: data.terms.covering.dpv[input.request.dpv] as touching in assign(known_purpose_covering, data.terms.covering.dpv[input.request.dpv])`: "no use that can be asked for has a forbidden one below it in the tree",
	`base.commercial_declared: without internal.member_2(input.request.dpv, data.terms.dpv.requestable)`:                                                        "purpose_known asks the same, and the reason waits for it",
	`base.sealed: without is_number(input.dataset.sealed)`:                                                                                                      number,
	`base.sealed: input.dataset.sealed as closed in is_number(input.dataset.sealed)`:                                                                            number,
	`base.disease_stated: without equal(input.request.duo, "DUO:0000007")`:                                                                                      "the first rule holds for every other purpose",
	`base.purpose_consistent: gt(count(input.request.study.kinds), 0) with gte`:                                                                                 kinds,
	`base.purpose_consistent: without gt(count(input.request.study.kinds), 0)`:                                                                                  kinds,
	`base.purpose_consistent: 0 as -1 in gt(count(input.request.study.kinds), 0)`:                                                                               kinds,
	`base.study_sound: dropped`: short,
	`base.study_sound: 0 as -1 in equal(count(input.request.study.kinds), 0)`: short,
	`base.reasons: without not study_sound`:                                   "there is no fault where the study is sound; it only saves looking",
	`consent.default permits: dropped`:                                        undefined,
	`consent.covers_limits(record): without gt(count(record.limits), 0)`:      limits,
	`consent.covers_limits(record): gt(count(record.limits), 0) with gte`:     limits,
	`consent.covers_limits(record): 0 as -1 in gt(count(record.limits), 0)`:   limits,
	`consent.settled_by(record): without is_object(record.limits)`:            covered,
	`consent.settled_by(record): without gt(count(record.limits), 0)`:         limits,
	`consent.settled_by(record): gt(count(record.limits), 0) with gte`:        limits,
	`consent.settled_by(record): 0 as -1 in gt(count(record.limits), 0)`:      limits,
	`consent.settled: without is_object(record.limits)`:                       covered,
	`consent.verdict("DUO:0000024"): without is_number(value) (2)`:            number,
	`consent.verdict("DUO:0000024"): without gt(value, input.request.time)`:   moratorium,
	`consent.verdict("DUO:0000024"): gt(value, input.request.time) with gte`:  moratorium,
	`decision.default passes: dropped`:                                        undefined,
}
