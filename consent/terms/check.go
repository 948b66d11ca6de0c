package terms

import (
	"reflect"
	"slices"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

func (t Terms) wrongRefused() []string {
	said := t
	said.Effect = ""
	if !reflect.DeepEqual(said.Normal(), Terms{}.Normal()) {
		return []string{"A refusal covers everything and lasts until it is changed; to refuse only some purposes, give consent and except them."}
	}
	return nil
}

// complaint collects the sentences about what is wrong.
type complaint []string

func (c *complaint) say(bad bool, sentence string) {
	if bad && !slices.Contains(*c, sentence) {
		*c = append(*c, sentence)
	}
}

func (t Terms) wrongGiven() []string {
	var c complaint
	t.wrongLists(&c)
	t.wrongPurposes(&c)
	t.wrongConditions(&c)
	c.say(t.MinPrice < 0 || t.MinPrice > MaxPrice, "The lowest price must be zero or more, and payable.")
	c.say(t.Days < 0 || t.Days > maxDays, "The number of days must be between 0 and 3660.")
	if len(c) == 0 {
		t.contradictions(&c)
	}
	return c
}

func (t Terms) wrongLists(c *complaint) {
	lists := [][]string{t.Purposes, t.Except, t.DPV, t.RequesterKinds, t.Regions, t.Diseases, t.Conditions, t.Studies, t.Users,
		t.Projects, t.Institutions, t.Categories}
	c.say(slices.ContainsFunc(lists, func(l []string) bool { return len(l) > MaxEntries }), "A list is too long.")
	unknown := func(list []string, known []coop.Term) bool {
		return slices.ContainsFunc(list, func(s string) bool { return !slices.Contains(codes(known), s) })
	}
	none := func(list []string, valid func(string) bool) bool {
		return slices.ContainsFunc(list, func(s string) bool { return !valid(s) })
	}
	never := func(s string) bool { return slices.Contains(policies.Forbidden(), s) }
	c.say(unknown(t.DPV, coop.DPVPurposes()), "An allowed use is not a known DPV term.")
	c.say(slices.ContainsFunc(t.DPV, never), "The co-op never releases data for advertising, profiling or selling on, so that cannot be allowed.")
	c.say(len(t.RequesterKinds) == 0, "Say which kinds of organisation may ask.")
	c.say(unknown(t.RequesterKinds, coop.RequesterKinds()), "A kind of organisation is not known.")
	c.say(none(t.Regions, ValidRegion), "A region must be the code of a country, EU, EEA or WORLD.")
	c.say(unknown(t.Studies, coop.Studies()), "A kind of study is not known.")
	c.say(unknown(t.Categories, coop.Categories()), "A kind of personal data is not known.")
	c.say(unknown(t.Diseases, coop.Diseases()), "A disease is not one of those the co-op knows.")
	c.say(none(t.Users, func(s string) bool { return coop.ValidID(coop.ResearcherID(s)) }), "A researcher is named by an id.")
	c.say(none(t.Projects, policies.ValidName), "A project is named by 1 to 128 letters, digits and signs without spaces.")
	c.say(none(t.Institutions, policies.ValidName), "An institution is named by 1 to 128 letters, digits and signs without spaces.")
}

func (t Terms) wrongPurposes(c *complaint) {
	c.say(len(t.Purposes) == 0, "Say which purposes are allowed.")
	for _, code := range slices.Concat(t.Purposes, t.Except) {
		why := coop.WhyNotDUO(code)
		c.say(why != "", why)
	}
	specific := slices.Contains(t.Purposes, diseaseSpecific)
	broader := slices.ContainsFunc(t.Purposes, func(p string) bool { return p != diseaseSpecific && policies.Covers(p, diseaseSpecific) })
	c.say(specific && !broader && len(t.Diseases) == 0, "Say which diseases the research may be about.")
	c.say(len(t.Diseases) > 0 && !specific, "Diseases belong to disease-specific research, DUO:0000007; allow that.")
	c.say(len(t.Diseases) > 0 && specific && broader, "Another allowed purpose covers research about every disease, so naming diseases changes nothing.")
}

const diseaseSpecific = "DUO:0000007"

func (t Terms) wrongConditions(c *complaint) {
	for _, code := range t.Conditions {
		why := coop.WhyNotCondition(code)
		c.say(why != "", why)
	}
	c.say(t.KeepMonths < 0 || t.KeepMonths > maxMonths, "The number of months must be between 0 and 120.")
	if t.PublishFrom != "" {
		_, err := time.Parse(time.DateOnly, t.PublishFrom)
		c.say(err != nil, "The day before which nothing is published must be written YYYY-MM-DD.")
	}
	c.say(!slices.Contains([]string{"", ModeStanding, ModeAsk, ModeOnce}, t.Mode), "The mode must be standing, ask or once.")
}

// contradictions refuses terms that are well formed and let nothing through.
func (t Terms) contradictions(c *complaint) {
	has := func(code string) bool { return slices.Contains(t.Conditions, code) }
	only := func(list []string, one string) bool {
		return len(list) > 0 && !slices.ContainsFunc(list, func(s string) bool { return s != one })
	}
	profit := has("DUO:0000045") || has("DUO:0000018")
	c.say(t.empty(), "What is excepted leaves nothing of what is allowed.")
	c.say(t.onlyCommercial(), "Only commercial uses are allowed, but commercial use is not.")
	c.say(t.Commercial && (has("DUO:0000046") || has("DUO:0000018")), "Commercial use is allowed and refused at once.")
	c.say(profit && only(t.RequesterKinds, "company"), "Only companies may ask, but no organisation that works for profit may.")
	c.say(has("DUO:0000044") && (only(t.Purposes, "DUO:0000011") || only(t.Studies, "ancestry")), "Research about origins is allowed and refused at once.")
	c.say(has("DUO:0000015") && only(t.Studies, "methods"), "Only the development of methods is allowed, and refused at once.")
	c.say(has("DUO:0000016") && len(t.Studies) > 0 && !slices.Contains(t.Studies, "genetic"), "Only genetic studies are allowed, and none of the kinds of study is one.")
	c.say((has("DUO:0000016") || len(t.Studies) > 0) && only(t.Purposes, "DUO:0000043"), "Only caring for patients is allowed, which is no study.")
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
