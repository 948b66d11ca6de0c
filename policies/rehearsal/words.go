package rehearsal

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// always are the paths that every scene tells, whether changed or not.
var always = []string{
	"input.request.requester.kind", "input.request.requester.region", "input.request.requester.vetted",
	pathPool, "input.request.duo", pathUse,
}

// scene tells who asks for what, and whatever else was changed: "a company in
// Germany asks for wearables for any kind of research (…), at a price of 5.00 EUR".
func scene(in policies.Input, steps []step, c coop.Currency) string {
	who := coop.Label(coop.RequesterKinds(), in.Request.Requester.Kind)
	if in.Request.Requester.Region != "" {
		who += " in " + placeName(in.Request.Requester.Region)
	}
	if !in.Request.Requester.Vetted {
		who += " that nobody has vetted"
	}
	out := fmt.Sprintf("%s asks for %s for %s (%s)", who, or(in.Request.Pool, "no pool"),
		or(coop.Label(coop.DUOPurposes(), in.Request.DUO), "no purpose"), or(coop.Label(coop.DPVPurposes(), in.Request.DPV), "no use"))
	for _, s := range steps {
		if !slices.Contains(always, s.axis.leaf.Path) {
			out += ", " + s.words(c)
		}
	}
	return out
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// placeName is a country or a group of countries in English, or the code.
func placeName(code string) string {
	if name := coop.Label(coop.Groups(), code); name != code {
		return name
	}
	if region, err := language.ParseRegion(code); err == nil {
		if name := display.English.Regions().Name(region); name != "" {
			return name
		}
	}
	return code
}

// words says what a step changed that a scene does not tell anyway.
func (s step) words(c coop.Currency) string {
	switch path := s.axis.leaf.Path; path {
	case "input.request.price_minor":
		n, _ := s.value.(int64)
		if c != "" {
			return "at a price of " + coop.Money(n).Format(c)
		}
		return fmt.Sprintf("at a price of %d minor units", n)
	case "input.request.retention_days":
		return fmt.Sprintf("keeping the data for %v days", s.value)
	case pathCommercial:
		if s.value == true {
			return "commercially"
		}
		return "without commercial use"
	case "input.dataset.region":
		return "of members in " + placeName(fmt.Sprint(s.value))
	case "input.dataset.categories":
		return "of datasets with " + held(s.value)
	}
	return s.plainly()
}

func held(v any) string {
	list, _ := v.([]string)
	if len(list) == 0 {
		return "no known kind of personal data"
	}
	var out []string
	for _, code := range list {
		out = append(out, coop.Label(coop.Categories(), code))
	}
	if len(out) > 6 {
		return strings.Join(out[:6], ", ") + " and other kinds of data"
	}
	return strings.Join(out, ", ")
}

// plainly uses the words of the vocabulary itself.
func (s step) plainly() string {
	switch v := s.value.(type) {
	case bool:
		if v {
			return "where it is so: " + s.axis.leaf.Words
		}
		return "where it is not so: " + s.axis.leaf.Words
	case []string:
		return s.axis.leaf.Words + ": " + or(strings.Join(v, ", "), "none")
	}
	return fmt.Sprintf("%s: %v", s.axis.leaf.Words, s.value)
}
