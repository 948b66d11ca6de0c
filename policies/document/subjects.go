package document

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies/trees"
)

// What a condition can say of its subject.
const (
	isYes      = "yes"
	isNo       = "no"
	isOneOf    = "one-of"
	isNoneOf   = "none-of"
	isWithin   = "within"   // a value or something below it
	isOutside  = "outside"  // not within
	isTouching = "touching" // a value, or something below or above it
	isClearOf  = "clear-of" // not touching
	isBelow    = "below"
	isAtLeast  = "at-least"
	isAbove    = "above"
	isAtMost   = "at-most"
)

// Names of subjects.
const (
	aboutVetted     = "requester-vetted"
	aboutKind       = "requester-kind"
	aboutCountry    = "requester-country"
	aboutPurpose    = "purpose"
	aboutUse        = "use"
	aboutCommercial = "commercial"
	aboutPool       = "pool"
	aboutData       = "data"
	aboutMembers    = "member-country"
	aboutPrice      = "price"
	aboutRetention  = "retention"
)

// Subject is one thing a condition can speak of.
type Subject struct {
	Name   string   `json:"name"`
	Words  string   `json:"words"`            // what it is, for an author
	Is     []string `json:"is"`               // what can be said of it
	Values []string `json:"values,omitempty"` // the words it can be compared with; none where it is a truth, an amount or a pool
}

// Subjects lists what conditions can speak of, in the order in which a document
// has them. It holds no person, no time and nothing a member said: law is about
// kinds of request.
func Subjects() []Subject { return slices.Clone(subjects()) }

var subjects = sync.OnceValue(func() []Subject {
	truth, amountUp, amountDown := []string{isYes, isNo}, []string{isBelow, isAtLeast}, []string{isAbove, isAtMost}
	place := []string{isWithin, isOutside}
	tree := []string{isWithin, isOutside, isTouching, isClearOf}
	return []Subject{
		{aboutVetted, "whether the co-op has vetted who asks", truth, nil},
		{aboutKind, "the kind of organisation that asks", []string{isOneOf, isNoneOf}, codesOf(coop.RequesterKinds())},
		{aboutCountry, "the country of who asks; also EU and EEA", place, below("region")},
		{aboutPurpose, "the purpose, as a DUO code", tree, below("duo")},
		{aboutUse, "the purpose, as a DPV term", tree, below("dpv")},
		{aboutCommercial, "whether the use is commercial", truth, nil},
		{aboutPool, "the pool asked for", []string{isOneOf, isNoneOf}, nil},
		{aboutData, "the kinds of personal data in the dataset", tree, below("category")},
		{aboutMembers, "the country of the member; also EU and EEA", place, below("region")},
		{aboutPrice, "the price offered for one dataset, in minor units", amountUp, nil},
		{aboutRetention, "for how many days the data would be kept", amountDown, nil},
	}
})

func subjectOf(name string) (Subject, bool) {
	all := subjects()
	i := slices.IndexFunc(all, func(s Subject) bool { return s.Name == name })
	if i < 0 {
		return Subject{}, false
	}
	return all[i], true
}

// place orders conditions: by subject, then by what is said.
func (c Condition) place() int {
	all := subjects()
	i := slices.IndexFunc(all, func(s Subject) bool { return s.Name == c.About })
	if i < 0 {
		return -1
	}
	return i*8 + slices.Index(all[i].Is, c.Is)
}

func codesOf(terms []coop.Term) []string {
	out := make([]string, 0, len(terms))
	for _, t := range terms {
		out = append(out, t.Code)
	}
	slices.Sort(out)
	return out
}

// closures are the trees of law, each term with itself and all above it.
var closures = sync.OnceValue(func() map[string]map[string][]string {
	out := map[string]map[string][]string{}
	for name, tree := range trees.All() {
		covering, err := tree.Covering()
		if err != nil {
			panic("document: " + err.Error())
		}
		out[name] = covering
	}
	return out
})

// below lists the terms of a tree but its root: a condition about the root says
// of everything known what it says.
func below(tree string) []string {
	var out []string
	for term, above := range closures()[tree] {
		if len(above) > 1 {
			out = append(out, term)
		}
	}
	slices.Sort(out)
	return out
}

// countriesOf lists the countries of a group, or the country itself.
func countriesOf(place string) (out []string) {
	for term, above := range closures()["region"] {
		if len(term) == 2 && term != "EU" && slices.Contains(above, place) {
			out = append(out, term)
		}
	}
	slices.Sort(out)
	return out
}

// spread replaces groups by their countries: the country of a member is a column
// of a table, which is compared with countries only.
func spread(places []string) []string {
	all := map[string]bool{}
	for _, p := range places {
		for _, c := range countriesOf(p) {
			all[c] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// gather replaces the countries of a group by the group, the largest first.
func gather(countries []string) []string {
	for _, group := range []string{"EEA", "EU"} {
		members := countriesOf(group)
		if all := func(c string) bool { return slices.Contains(countries, c) }; !slices.ContainsFunc(members, func(c string) bool { return !all(c) }) {
			countries = slices.DeleteFunc(slices.Clone(countries), func(c string) bool { return slices.Contains(members, c) })
			countries = append(countries, group)
		}
	}
	slices.Sort(countries)
	return countries
}

// Duty is something that whoever receives data can be asked to do.
type Duty struct {
	Name     string `json:"name"`
	Sentence string `json:"sentence"` // to who receives data
	told     string // of them: "must …"
	action   string // IRI
	same     string // what it is in DUO, if anything
}

// Duties lists the duties a document knows besides those it puts in words of its
// own.
func Duties() []Duty { return slices.Clone(duties) }

var duties = []Duty{
	{"publish-results", "Publish what you found, openly, and report it to the members.",
		"publish what they found, openly, and report it to the members", own + "publishResults", obo + "DUO_0000019"},
	{"return-results", "Give what you derive from the data back to the co-op.",
		"give what they derive from the data back to the co-op", own + "returnResults", obo + "DUO_0000029"},
	{"collaborate", "Work together with the co-op on what you use the data for.",
		"work together with the co-op on what they use the data for", own + "collaborate", obo + "DUO_0000020"},
	{"name-the-source", "Name the co-op as the source of the data wherever you publish.",
		"name the co-op as the source of the data wherever they publish", odrlNS + "attribute", ""},
	{"tell-the-members", "Tell the members in plain words what you used the data for.",
		"tell the members in plain words what they used the data for", odrlNS + "inform", ""},
}

func dutyOf(name string) (Duty, bool) {
	i := slices.IndexFunc(duties, func(d Duty) bool { return d.Name == name })
	if i < 0 {
		return Duty{}, false
	}
	return duties[i], true
}

// term says how long there is for a duty.
func term(days int64) string {
	return fmt.Sprintf(" You have %d days from when you receive the data.", days)
}

// told is what whom the rule concerns is told: the sentence in the Rego.
func (d Document) told(r Rule) string {
	said := r.Sentence
	if duty, ok := dutyOf(r.Duty); ok {
		said = duty.Sentence
	}
	if said == "" {
		said = d.sentence(r)
	}
	if r.Days > 0 {
		said += term(r.Days)
	}
	return strings.TrimSpace(said)
}
