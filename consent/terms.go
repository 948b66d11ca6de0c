package consent

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/policies"
)

// Answers a member can give.
const (
	Given   = policies.Given
	Refused = policies.Refused
)

// Limits of terms.
const (
	maxTerms = 32   // entries in any list
	maxDays  = 3660 // ten years
	maxPrice = 1_000_000_000_000
)

// Terms are a member's answer. A refusal covers everything and has nothing
// else in it; to refuse only some purposes, give consent and except them.
type Terms struct {
	Effect         string     `json:"effect" enum:"given,refused" doc:"Whether the member agrees"`
	Purposes       []string   `json:"purposes" doc:"DUO codes that are allowed, with everything below them"`
	Except         []string   `json:"except" doc:"DUO codes refused all the same, with whatever includes them or is part of them"`
	DPV            []string   `json:"dpv" doc:"DPV terms that are allowed; empty is any that base law permits"`
	RequesterKinds []string   `json:"requester_kinds" doc:"Kinds of organisation that may ask; at least one"`
	Regions        []string   `json:"regions" doc:"Countries (ISO 3166-1 alpha-2), EU or EEA; empty is anywhere"`
	Commercial     bool       `json:"commercial" doc:"Whether commercial use is allowed"`
	MinPrice       coop.Money `json:"min_price" doc:"Lowest price for one dataset, in minor units"`
	Days           int64      `json:"days" doc:"How long this holds; 0 is until withdrawn"`
}

// ErrTerms refuses terms that cannot be recorded; its details are sentences.
var ErrTerms = fault.New(fault.Invalid, "consent-invalid", "These consent terms cannot be recorded as they stand.")

// Validate refuses terms that are contradictory, unknown or empty, with
// ErrTerms and one sentence for each fault.
func (t Terms) Validate() error {
	var wrong []string
	switch t.Effect {
	case Given:
		wrong = t.wrongGiven()
	case Refused:
		wrong = t.wrongRefused()
	default:
		wrong = []string{"The answer must be given or refused."}
	}
	if len(wrong) > 0 {
		return ErrTerms.With(wrong...)
	}
	return nil
}

func (t Terms) wrongRefused() []string {
	restricted := len(t.Purposes)+len(t.Except)+len(t.DPV)+len(t.RequesterKinds)+len(t.Regions) > 0
	if restricted || t.Commercial || t.MinPrice != 0 || t.Days != 0 {
		return []string{"A refusal covers everything and lasts until it is changed; to refuse only some purposes, give consent and except them."}
	}
	return nil
}

func (t Terms) wrongGiven() []string {
	var wrong []string
	say := func(bad bool, sentence string) {
		if bad {
			wrong = append(wrong, sentence)
		}
	}
	unknown := func(list []string, known []coop.Term) bool {
		return slices.ContainsFunc(list, func(s string) bool { return !slices.Contains(codes(known), s) })
	}
	long := slices.Max([]int{len(t.Purposes), len(t.Except), len(t.DPV), len(t.RequesterKinds), len(t.Regions)})
	never := func(s string) bool { return slices.Contains(policies.Forbidden(), s) }
	say(long > maxTerms, "A list is too long.")
	say(len(t.Purposes) == 0, "Say which purposes are allowed.")
	say(unknown(t.Purposes, coop.DUOPurposes()), "An allowed purpose is not a known DUO code.")
	say(unknown(t.Except, coop.DUOPurposes()), "An excepted purpose is not a known DUO code.")
	say(unknown(t.DPV, coop.DPVPurposes()), "An allowed use is not a known DPV term.")
	say(slices.ContainsFunc(t.DPV, never), "The co-op never releases data for advertising, profiling or selling on, so that cannot be allowed.")
	say(len(t.RequesterKinds) == 0, "Say which kinds of organisation may ask.")
	say(unknown(t.RequesterKinds, coop.RequesterKinds()), "A kind of organisation is not known.")
	say(slices.ContainsFunc(t.Regions, func(r string) bool { return !ValidRegion(r) }), "A region must be a country code of two capital letters, EU or EEA.")
	say(t.MinPrice < 0 || t.MinPrice > maxPrice, "The lowest price must be zero or more, and payable.")
	say(t.Days < 0 || t.Days > maxDays, "The number of days must be between 0 and 3660.")
	say(len(wrong) == 0 && t.empty(), "What is excepted leaves nothing of what is allowed.")
	say(len(wrong) == 0 && t.onlyCommercial(), "Only commercial uses are allowed, but commercial use is not.")
	return wrong
}

// empty reports whether no purpose that can be asked for would pass.
func (t Terms) empty() bool {
	return !slices.ContainsFunc(codes(coop.DUOPurposes()), func(asked string) bool {
		covers := slices.ContainsFunc(t.Purposes, func(p string) bool { return policies.Covers(p, asked) })
		touches := slices.ContainsFunc(t.Except, func(p string) bool { return policies.Touches(p, asked) })
		return covers && !touches
	})
}

func (t Terms) onlyCommercial() bool {
	commercial := func(term string) bool { return coop.Purpose{DPV: term}.Commercial() }
	return !t.Commercial && len(t.DPV) > 0 && !slices.ContainsFunc(t.DPV, func(d string) bool { return !commercial(d) })
}

var countryPattern = regexp.MustCompile(`^[A-Z]{2}$`)

// ValidRegion reports whether r is a country code or a group of countries that
// terms may name.
func ValidRegion(r string) bool {
	return countryPattern.MatchString(r) || slices.Contains(policies.RegionGroups(), r)
}

func codes(terms []coop.Term) []string {
	out := make([]string, 0, len(terms))
	for _, t := range terms {
		out = append(out, t.Code)
	}
	return out
}

// Sentences says what the terms mean, in the words of the member they belong
// to: what they allow, then what they refuse. Money is written in c.
func (t Terms) Sentences(c coop.Currency) []string {
	if t.Effect != Given {
		return []string{"You refuse every use."}
	}
	out := []string{"You allow " + plain(coop.DUOPurposes(), t.Purposes) + "."}
	out = append(out, "Those who may ask: "+plain(coop.RequesterKinds(), t.RequesterKinds)+", once the co-op has vetted them.")
	if len(t.DPV) > 0 {
		out = append(out, "You allow it only for "+plain(coop.DPVPurposes(), t.DPV)+".")
	}
	if len(t.Except) > 0 {
		out = append(out, "You refuse "+plain(coop.DUOPurposes(), t.Except)+", and every request that includes it or is part of it.")
	}
	if t.Commercial {
		out = append(out, "You allow commercial use.")
	} else {
		out = append(out, "You refuse commercial use.")
	}
	if len(t.Regions) > 0 {
		out = append(out, "You refuse everybody outside "+strings.Join(t.Regions, ", ")+".")
	}
	if t.MinPrice > 0 {
		out = append(out, "You refuse requests that pay less than "+t.MinPrice.Format(c)+" for a dataset.")
	}
	return append(out, "Advertising, profiling of single people and selling on are always refused.", lasting(t.Days))
}

func lasting(days int64) string {
	switch days {
	case 0:
		return "This holds until you change or withdraw it."
	case 1:
		return "This holds for one day, and you can withdraw it before."
	}
	return "This holds for " + strconv.FormatInt(days, 10) + " days, and you can withdraw it before."
}

// plain joins the members' words for codes: "a, b or c".
func plain(terms []coop.Term, list []string) string {
	var words []string
	for _, t := range terms {
		if slices.Contains(list, t.Code) {
			words = append(words, t.Plain)
		}
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// normal sorts the lists, drops what is said twice and leaves none nil, so that
// equal terms are equal texts.
func (t Terms) normal() Terms {
	for _, l := range []*[]string{&t.Purposes, &t.Except, &t.DPV, &t.RequesterKinds, &t.Regions} {
		sorted := slices.Compact(slices.Sorted(slices.Values(*l)))
		if sorted == nil {
			sorted = []string{}
		}
		*l = sorted
	}
	return t
}
