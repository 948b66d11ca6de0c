package portal

import (
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/policies"
)

// preset is an answer that needs no further questions.
type preset struct {
	ID, Label, Hint string
	terms           consent.Terms
}

// ownRules is the preset that is none: the fields of the form count.
const ownRules = "own"

// presets lists the ready answers from the usual to the widest, and no.
func presets() []preset {
	serving := []string{"university", "public-body", "non-profit"}
	return []preset{
		{"public", "Research that serves everybody",
			"Universities, public bodies and non-profit organisations may use it for any research. No companies and no commercial use.",
			consent.Terms{Effect: consent.Given, Purposes: []string{"DUO:0000042"}, RequesterKinds: serving}},
		{"health", "Only research about health",
			"The same organisations, but only for research about health.",
			consent.Terms{Effect: consent.Given, Purposes: []string{"DUO:0000006"}, RequesterKinds: serving}},
		{"any", "Any research, companies too",
			"Everybody the co-op has checked may use it for research, also to earn money with the results.",
			consent.Terms{Effect: consent.Given, Purposes: []string{"DUO:0000042"}, RequesterKinds: codes(coop.RequesterKinds()), Commercial: true}},
		{"none", "Nothing",
			"Every request is refused. This costs you nothing on what you share elsewhere.",
			consent.Terms{Effect: consent.Refused}},
	}
}

// choices are what the form offers.
type choices struct {
	Presets  []preset
	Purposes []coop.Term
	Kinds    []coop.Term
	Uses     []coop.Term // what base law does not refuse anyway
	Days     []choice

	Diseases   []coop.Term
	Conditions []coop.Term
	Modes      []choice
	Keep       []choice // months that copies may be kept
	Kept       []string // parts without fields of their own: handed on as they stand
}

type choice struct{ Value, Label string }

// choicesWith offers everything the form has; an unusual number of days or months
// that stands already stays on offer.
func choicesWith(days, keep string) choices {
	never := policies.Forbidden()
	uses := slices.DeleteFunc(coop.DPVPurposes(), func(t coop.Term) bool { return slices.Contains(never, t.Code) })
	lasting := []choice{{"0", "Until I change it"}, {"90", "Three months"}, {"365", "One year"}, {"730", "Two years"}}
	if days != "" && !slices.ContainsFunc(lasting, func(c choice) bool { return c.Value == days }) {
		lasting = append(lasting, choice{days, days + " days"})
	}
	return choices{presets(), coop.DUOPurposes(), coop.RequesterKinds(), uses, lasting,
		coop.Diseases(), coop.Conditions(), modes, keeping(keep),
		[]string{"study", "user", "project", "institution", "category", "publish"}}
}

var modes = []choice{
	{"", "My answer stands until I change it"},
	{consent.ModeAsk, "Ask me about each request"},
	{consent.ModeOnce, "Once: each dataset is released one time, then this answer is used up"},
}

func keeping(months string) []choice {
	out := []choice{{"", "As long as the co-op’s law allows"}, {"6", "Six months"}, {"12", "One year"}, {"24", "Two years"}, {"60", "Five years"}}
	if !slices.ContainsFunc(out, func(c choice) bool { return c.Value == months }) {
		out = append(out, choice{months, months + " months"})
	}
	return out
}

// lists are the parts of an answer that are lists, by their field in the form.
func lists(t *consent.Terms) map[string]*[]string {
	return map[string]*[]string{"purpose": &t.Purposes, "except": &t.Except, "use": &t.DPV, "kind": &t.RequesterKinds,
		"disease": &t.Diseases, "condition": &t.Conditions, "study": &t.Studies, "user": &t.Users, "project": &t.Projects,
		"institution": &t.Institutions, "category": &t.Categories}
}

var (
	errPreset = fault.New(fault.Invalid, "preset-missing", "Choose one of the answers.")
	errPrice  = fault.New(fault.Invalid, "price-unreadable", "Write the lowest price as a number, such as 12.50.")
	errDays   = fault.New(fault.Invalid, "days-unreadable", "Choose how long your answer holds.")
)

// terms reads an answer from the form.
func (p *Portal) terms(v *visit) (consent.Terms, error) {
	chosen := v.form.Get("preset")
	for _, ready := range presets() {
		if ready.ID == chosen {
			return ready.terms, nil
		}
	}
	if chosen != ownRules {
		return consent.Terms{}, errPreset
	}
	t := consent.Terms{Effect: consent.Given, Regions: regions(v.text("region")), Commercial: v.form.Get("commercial") == "yes",
		PublishFrom: v.text("publish"), Mode: v.form.Get("mode")}
	for name, list := range lists(&t) {
		*list = v.form[name]
	}
	var err error
	if t.KeepMonths, err = strconv.ParseInt(or(v.text("keep"), "0"), 10, 64); err != nil {
		return consent.Terms{}, errDays
	}
	if price := strings.ReplaceAll(v.text("price"), ",", "."); price != "" {
		if t.MinPrice, err = coop.ParseMoney(price, p.Charter.Currency); err != nil {
			return consent.Terms{}, errPrice
		}
	}
	if t.Days, err = strconv.ParseInt(or(v.text("days"), "0"), 10, 64); err != nil {
		return consent.Terms{}, errDays
	}
	return t, nil
}

// regions splits what was typed, however it was separated.
func regions(s string) []string {
	return strings.FieldsFunc(strings.ToUpper(s), func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' })
}

// typed fills the form in with the answer that stands; where there is none it
// leaves the choice to the member.
func (p *Portal) typed(s standing) url.Values {
	f := url.Values{"days": {"0"}}
	if !s.Found {
		return f
	}
	t := s.Record.Terms
	f.Set("preset", presetOf(t))
	for name, list := range lists(&t) {
		f[name] = *list
	}
	f.Set("publish", t.PublishFrom)
	f.Set("mode", t.Mode)
	if t.KeepMonths > 0 {
		f.Set("keep", strconv.FormatInt(t.KeepMonths, 10))
	}
	f.Set("region", strings.Join(t.Regions, ", "))
	f.Set("days", strconv.FormatInt(t.Days, 10))
	if t.MinPrice > 0 {
		f.Set("price", t.MinPrice.Decimal(p.Charter.Currency))
	}
	if t.Commercial {
		f.Set("commercial", "yes")
	}
	return f
}

// presetOf finds the ready answer that says the same.
func presetOf(t consent.Terms) string {
	for _, ready := range presets() {
		r := ready.terms
		rest := t
		rest.Purposes, rest.RequesterKinds, rest.Effect, rest.Commercial = nil, nil, "", false
		if t.Effect == r.Effect && same(t.Purposes, r.Purposes) && same(t.RequesterKinds, r.RequesterKinds) &&
			t.Commercial == r.Commercial && reflect.DeepEqual(rest.Normal(), consent.Terms{}.Normal()) {
			return ready.ID
		}
	}
	return ownRules
}

func same(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func codes(terms []coop.Term) []string {
	out := make([]string, 0, len(terms))
	for _, t := range terms {
		out = append(out, t.Code)
	}
	return out
}
