// Package consenting is the portal's form about what data may be used for: what
// it offers, what it starts from, and what was filled in.
//
// It is an annex of the portal, which shows the form and saves what it says.
//
// # What it guarantees
//
// Every field of an answer can be reached: what is read from a form that was
// filled in from an answer is that answer, whatever it says; what the form has
// no field for is handed on as it stands. Before a member has answered, the form
// starts from the charter's default, which can narrow and never allow.
//
// # What it refuses
//
// An answer that was not chosen, and figures that are none. Whether an answer
// makes sense is for package consent to say.
package consenting

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

// Preset is an answer that needs no further questions.
type Preset struct {
	ID, Label, Hint string
	Terms           consent.Terms
}

// The presets that are spoken of elsewhere.
const (
	own   = "own" // none: the fields of the form count
	asked = "ask"
)

// Presets lists the ready answers from the usual to the widest, and no.
func Presets() []Preset {
	serving := []string{"university", "public-body", "non-profit"}
	return []Preset{
		{"public", "Research that serves everybody",
			"Universities, public bodies and non-profit organisations may use it for any research. No companies and no commercial use.",
			consent.Terms{Effect: consent.Given, Purposes: []string{"DUO:0000042"}, RequesterKinds: serving}},
		{"health", "Only research about health",
			"The same organisations, but only for research about health.",
			consent.Terms{Effect: consent.Given, Purposes: []string{"DUO:0000006"}, RequesterKinds: serving}},
		{asked, "Ask me each time",
			"The same organisations may ask, for any research. Nothing is given out before you say yes to the request.",
			consent.Terms{Effect: consent.Given, Purposes: []string{"DUO:0000042"}, RequesterKinds: serving, Mode: consent.ModeAsk}},
		{"any", "Any research, companies too",
			"Everybody the co-op has checked may use it for research, also to earn money with the results.",
			consent.Terms{Effect: consent.Given, Purposes: []string{"DUO:0000042"}, RequesterKinds: codes(coop.RequesterKinds()), Commercial: true}},
		{"none", "Nothing",
			"Every request is refused. This costs you nothing on what you share elsewhere.",
			consent.Terms{Effect: consent.Refused}},
	}
}

// Choices are what the form offers.
type Choices struct {
	Presets    []Preset
	Purposes   []coop.Term
	Kinds      []coop.Term
	Uses       []coop.Term // what base law does not refuse anyway
	Diseases   []coop.Term
	Conditions []coop.Term
	Studies    []coop.Term
	Categories []coop.Term
	Users      []coop.Term // vetted researchers, by id
	Modes      []Choice
	Keep       []Choice // months that copies may be kept
	Days       []Choice
	Kept       []Choice // what has no field: handed on as it stands
}

// Choice is a value with its words; in Choices.Kept with the name of its field.
type Choice struct{ Value, Label string }

// Offer is everything the form has for what is typed in it already: an unusual
// number of days or months stays on offer, and so does a researcher who is not
// among the vetted ones.
func Offer(typed url.Values, users []coop.Term) Choices {
	never := policies.Forbidden()
	uses := slices.DeleteFunc(coop.DPVPurposes(), func(t coop.Term) bool { return slices.Contains(never, t.Code) })
	c := Choices{Presets: Presets(), Purposes: coop.DUOPurposes(), Kinds: coop.RequesterKinds(), Uses: uses, Diseases: coop.Diseases(),
		Conditions: coop.Conditions(), Studies: coop.Studies(), Categories: coop.Categories(), Users: users, Modes: modes,
		Keep: with(keeping, typed.Get("keep"), "months"), Days: with(lasting, typed.Get("days"), "days")}
	for _, id := range typed["user"] {
		if !slices.Contains(codes(users), id) {
			c.Kept = append(c.Kept, Choice{id, "user"})
		}
	}
	return c
}

var (
	modes = []Choice{
		{"", "My answer stands until I change it"},
		{consent.ModeAsk, "Ask me about each request"},
		{consent.ModeOnce, "Once: each dataset is released one time, then this answer is used up"},
	}
	lasting = []Choice{{"0", "Until I change it"}, {"90", "Three months"}, {"365", "One year"}, {"730", "Two years"}}
	keeping = []Choice{{"", "As long as the co-op’s law allows"}, {"6", "Six months"}, {"12", "One year"}, {"24", "Two years"}, {"60", "Five years"}}
)

// with is a list of choices and one more, unless it is there already.
func with(list []Choice, value, unit string) []Choice {
	if value == "" || slices.ContainsFunc(list, func(c Choice) bool { return c.Value == value }) {
		return list
	}
	return append(slices.Clone(list), Choice{value, value + " " + unit})
}

// ticked are the parts of an answer that are lists of ticks, by their field in
// the form; typed those that are written into one field.
func ticked(t *consent.Terms) map[string]*[]string {
	return map[string]*[]string{"purpose": &t.Purposes, "except": &t.Except, "use": &t.DPV, "kind": &t.RequesterKinds,
		"disease": &t.Diseases, "condition": &t.Conditions, "study": &t.Studies, "user": &t.Users, "category": &t.Categories}
}

func typed(t *consent.Terms) map[string]*[]string {
	return map[string]*[]string{"project": &t.Projects, "institution": &t.Institutions}
}

// Faults of the form; the rest is said by package consent.
var (
	ErrPreset = fault.New(fault.Invalid, "preset-missing", "Choose one of the answers.")
	ErrPrice  = fault.New(fault.Invalid, "price-unreadable", "Write the lowest price as a number, such as 12.50.")
	ErrDays   = fault.New(fault.Invalid, "days-unreadable", "Choose how long your answer holds.")
)

// Read takes an answer from the form, with prices in the currency.
func Read(form url.Values, c coop.Currency) (consent.Terms, error) {
	chosen := form.Get("preset")
	for _, ready := range Presets() {
		if ready.ID == chosen {
			return ready.Terms, nil
		}
	}
	if chosen != own {
		return consent.Terms{}, ErrPreset
	}
	text := func(field string) string { return strings.TrimSpace(form.Get(field)) }
	t := consent.Terms{Effect: consent.Given, Regions: Words(strings.ToUpper(text("region"))), Commercial: form.Get("commercial") == "yes",
		PublishFrom: text("publish"), Mode: form.Get("mode")}
	for name, list := range ticked(&t) {
		*list = form[name]
	}
	for name, list := range typed(&t) {
		*list = Words(form.Get(name))
	}
	return figures(t, text, c)
}

func figures(t consent.Terms, text func(string) string, c coop.Currency) (consent.Terms, error) {
	var err error
	if price := strings.ReplaceAll(text("price"), ",", "."); price != "" {
		if t.MinPrice, err = coop.ParseMoney(price, c); err != nil {
			return consent.Terms{}, ErrPrice
		}
	}
	for field, number := range map[string]*int64{"keep": &t.KeepMonths, "days": &t.Days} {
		if said := text(field); said != "" {
			if *number, err = strconv.ParseInt(said, 10, 64); err != nil {
				return consent.Terms{}, ErrDays
			}
		}
	}
	return t, nil
}

// Words splits what was typed, however it was separated.
func Words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(",; \t\r\n", r) })
}

// Fill fills the form in with an answer.
func Fill(t consent.Terms, c coop.Currency) url.Values {
	f := url.Values{"preset": {presetOf(t)}, "publish": {t.PublishFrom}, "mode": {t.Mode}, "days": {strconv.FormatInt(t.Days, 10)},
		"region": {strings.Join(t.Regions, ", ")}}
	for name, list := range ticked(&t) {
		f[name] = *list
	}
	for name, list := range typed(&t) {
		f.Set(name, strings.Join(*list, "\n"))
	}
	if t.KeepMonths > 0 {
		f.Set("keep", strconv.FormatInt(t.KeepMonths, 10))
	}
	if t.MinPrice > 0 {
		f.Set("price", t.MinPrice.Decimal(c))
	}
	if t.Commercial {
		f.Set("commercial", "yes")
	}
	return f
}

// Start fills the form in before a member has answered, with what the charter
// lets rules of their own start from. It chooses an answer only where the
// charter's is to be asked: with that one nothing is released by itself.
func Start(d coop.Default) url.Values {
	f := Fill(consent.Terms{Conditions: d.Conditions, Days: d.Days, KeepMonths: d.KeepMonths}, "")
	f.Del("preset")
	if d.Answer == coop.DefaultAsk {
		f.Set("preset", asked)
		f.Set("mode", consent.ModeAsk)
	}
	return f
}

// presetOf finds the ready answer that says the same.
func presetOf(t consent.Terms) string {
	for _, ready := range Presets() {
		if reflect.DeepEqual(t.Normal(), ready.Terms.Normal()) {
			return ready.ID
		}
	}
	return own
}

func codes(terms []coop.Term) []string {
	out := make([]string, 0, len(terms))
	for _, t := range terms {
		out = append(out, t.Code)
	}
	return out
}
