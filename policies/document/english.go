package document

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"distributed.ai/datacoop/internal/coop"
)

// English says in plain words what each rule does, one sentence for each, in
// order. Nothing in them is an author's but a duty in words of its own, which
// stands in quotation marks.
func (d Document) English() []string {
	out := make([]string, 0, len(d.Rules))
	for _, r := range d.Rules {
		out = append(out, d.sentence(r))
	}
	return out
}

func (d Document) sentence(r Rule) string {
	var all []string
	for _, c := range r.When {
		all = append(all, d.phrase(c))
	}
	when := strings.Join(all, ", and ")
	if when != "" {
		when = " if " + when
	}
	switch {
	case r.Effect == Forbid && when == "":
		return "Every request is refused."
	case r.Effect == Forbid:
		return "A request is refused" + when + "."
	case r.Effect == Review && when == "":
		return "People look at every request first."
	case r.Effect == Review:
		return "People look at a request first" + when + "."
	}
	return "Whoever receives data" + dutyWords(r) + when + "."
}

func dutyWords(r Rule) string {
	within := ""
	if r.Days > 0 {
		within = fmt.Sprintf(" within %d days", r.Days)
	}
	if duty, ok := dutyOf(r.Duty); ok {
		return " must" + within + " " + duty.told
	}
	return " takes on a duty" + within + ", “" + strings.TrimSuffix(r.Sentence, ".") + "”,"
}

// phrase is a condition as a clause: "the co-op has not vetted who asks".
func (d Document) phrase(c Condition) string {
	names := make([]string, 0, len(c.Values))
	for _, v := range c.Values {
		names = append(names, name(c.About, v))
	}
	either, neither := join(names, "or"), join(names, "nor")
	if len(names) > 1 {
		neither = "neither " + neither
	} else {
		neither = "not " + neither
	}
	switch c.About {
	case aboutVetted:
		return choose(c.Is == isYes, "the co-op has vetted who asks", "the co-op has not vetted who asks")
	case aboutCommercial:
		return choose(c.Is == isYes, "the use is commercial", "the use is not commercial")
	case aboutKind:
		return "who asks is " + choose(c.Is == isOneOf, either, neither)
	case aboutPool:
		return "the pool asked for is " + choose(c.Is == isOneOf, either, neither)
	case aboutCountry:
		return "who asks is " + choose(c.Is == isWithin, "in "+either, "outside of "+join(names, "and"))
	case aboutMembers:
		return "the member is " + choose(c.Is == isWithin, "in "+either, "outside of "+join(names, "and"))
	case aboutData:
		return "the data " + treeWords(c.Is, "hold ", "hold none of: ", "hold or may hold ", "cannot hold ", names)
	case aboutPrice:
		return "the price offered for a dataset is " + choose(c.Is == isBelow, "below ", "at least ") + coop.Money(c.Number).Format(d.currency)
	case aboutRetention:
		return "the data would be kept for " + choose(c.Is == isAbove, "more than", "at most") + fmt.Sprintf(" %d days", c.Number)
	}
	what := choose(c.About == aboutUse, "the use", "the purpose")
	return what + " " + treeWords(c.Is, "falls under ", "falls under none of: ", "falls under or takes in ", "does not touch ", names)
}

func treeWords(is, within, outside, touching, clear string, names []string) string {
	either := join(names, "or")
	switch is {
	case isWithin:
		return within + either
	case isOutside:
		return outside + join(names, "and")
	case isTouching:
		return touching + either
	}
	return clear + either
}

func choose(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

func join(list []string, word string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	last := len(list) - 1
	return strings.Join(list[:last], ", ") + " " + word + " " + list[last]
}

// name is a value in words. No two values of a subject have the same.
func name(about, value string) string {
	switch about {
	case aboutKind:
		return coop.Label(coop.RequesterKinds(), value)
	case aboutPurpose:
		return coop.Label(coop.DUOPurposes(), value)
	case aboutUse:
		return coop.Label(slices.Concat(coop.DPVPurposes(), broad), value)
	case aboutData:
		return coop.Label(coop.Categories(), value)
	case aboutCountry, aboutMembers:
		return placeName(value)
	}
	return value
}

// broad are the terms of DPV that stand above those a request can name.
var broad = []coop.Term{
	{Code: "ResearchAndDevelopment", Plain: "research or development of any kind"},
	{Code: "PublicBenefit", Plain: "anything for the benefit of the public"},
	{Code: "CommercialPurpose", Plain: "anything for profit"},
	{Code: "NonCommercialPurpose", Plain: "anything that is not for profit"},
}

func placeName(code string) string {
	if label := coop.Label(coop.Groups(), code); label != code {
		return label
	}
	if region, err := language.ParseRegion(code); err == nil {
		if label := display.English.Regions().Name(region); label != "" {
			return label
		}
	}
	return code
}
