package document

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// mixed is how many questions change several things at once by chance.
const mixed = 48

// questions are requests at the edges of a document: a plain one and, for each
// rule, one to which it applies, both with one thing changed at a time; and some
// with several, drawn by the document's digest so that they are always the same.
func (d Document) questions() []policies.Input {
	axes := d.axes()
	var out []policies.Input
	around := func(base []change, only func(axis) bool) {
		out = append(out, changed(base...))
		for _, a := range axes {
			for _, c := range a.changes {
				if only(a) {
					out = append(out, changed(append(slices.Clone(base), c)...))
				}
			}
		}
	}
	around(nil, func(axis) bool { return true })
	for _, r := range d.Rules {
		around(meeting(r, axes), func(a axis) bool {
			return slices.ContainsFunc(r.When, func(c Condition) bool { return c.About == a.about })
		})
	}
	digest := []byte(d.Digest())
	dice := rand.New(rand.NewPCG(binary.BigEndian.Uint64(digest), binary.BigEndian.Uint64(digest[8:]))) //nolint:gosec // questions to try, no secret
	for range mixed {
		var all []change
		for _, a := range axes {
			if dice.IntN(3) > 0 {
				all = append(all, a.changes[dice.IntN(len(a.changes))])
			}
		}
		out = append(out, changed(all...))
	}
	return out
}

// meeting is what changes the plain question into one a rule applies to: for
// each condition the first value that meets it.
func meeting(r Rule, axes []axis) (all []change) {
	for _, c := range r.When {
		for _, a := range axes {
			i := slices.IndexFunc(a.changes, func(to change) bool { return a.about == c.About && c.holds(changed(to)) })
			if i >= 0 && !c.holds(changed()) {
				all = append(all, a.changes[i])
			}
		}
	}
	return all
}

// holds says whether a question meets a condition. Only the choice of questions
// depends on it, never an answer.
func (c Condition) holds(in policies.Input) bool {
	q := in.Request
	switch c.About {
	case aboutVetted:
		return q.Requester.Vetted == (c.Is == isYes)
	case aboutCommercial:
		return q.Commercial == (c.Is == isYes)
	case aboutPrice:
		return (q.PriceMinor < c.Number) == (c.Is == isBelow)
	case aboutRetention:
		return (q.RetentionDays > c.Number) == (c.Is == isAbove)
	case aboutKind:
		return slices.Contains(c.Values, q.Requester.Kind) == (c.Is == isOneOf)
	case aboutPool:
		return slices.Contains(c.Values, q.Pool) == (c.Is == isOneOf)
	}
	has := map[string][]string{aboutPurpose: {q.DUO}, aboutUse: {q.DPV}, aboutCountry: {q.Requester.Region},
		aboutMembers: {in.Dataset.Region}, aboutData: in.Dataset.Categories}[c.About]
	tree := closures()[treeOf[c.About]]
	met := slices.ContainsFunc(has, func(term string) bool {
		return slices.ContainsFunc(c.Values, func(v string) bool {
			down := c.Is == isTouching || c.Is == isClearOf
			return slices.Contains(tree[term], v) || down && slices.Contains(tree[v], term)
		})
	})
	return met == (c.Is == isWithin || c.Is == isTouching)
}

func changed(by ...change) policies.Input {
	in := plainQuestion()
	for _, c := range by {
		c(&in)
	}
	return in
}

// change sets one part of a question.
type change func(*policies.Input)

const (
	noon = int64(1_767_225_600_000)
	aDay = int64(86_400_000)
)

// plainQuestion is a request that base law and the member permit.
func plainQuestion() policies.Input {
	return policies.Input{
		Request: policies.Request{
			Pool: "wearables", Requester: policies.Requester{Kind: "university", Vetted: true, Region: "DE"},
			DUO: "DUO:0000006", DPV: "AcademicResearch", PriceMinor: 10_000, RetentionDays: 30, Time: noon,
			Study: policies.Study{Disease: "MONDO:0005015"},
		},
		Dataset: policies.Dataset{Pool: "wearables", Categories: []string{"PhysicalHealth"}, Region: "DE", Sealed: noon - aDay, Closed: coop.Forever},
		Records: []policies.Record{{
			Effect: policies.Given, Scope: "pool", Purposes: codesOf(coop.DUOPurposes()), RequesterKinds: codesOf(coop.RequesterKinds()),
			Commercial: true, NotBefore: noon - aDay, Expires: coop.Forever, Withdrawn: coop.Forever,
			Limits: policies.Limits{Diseases: []string{"MONDO:0000001"}},
		}},
	}
}

// axis is one subject and what a question can say of it; about is "" for what no
// condition speaks of.
type axis struct {
	about   string
	changes []change
}

// axes lists what can be changed of a question, and to what.
func (d Document) axes() []axis {
	each := func(about string, values []string, set func(*policies.Input, string)) axis {
		a := axis{about: about}
		for _, v := range values {
			a.changes = append(a.changes, func(in *policies.Input) { set(in, v) })
		}
		return a
	}
	held := slices.Concat(codesOf(coop.Categories()), []string{"PersonalData", "Unheard", "", "DNACode,TravelHistory"})
	return []axis{
		{"", []change{func(in *policies.Input) { in.Request.Reviewed = true }}},
		{"", []change{func(in *policies.Input) { in.Records = []policies.Record{} }}},
		{aboutVetted, []change{func(in *policies.Input) { in.Request.Requester.Vetted = false }}},
		each(aboutKind, codesOf(coop.RequesterKinds()), func(in *policies.Input, v string) { in.Request.Requester.Kind = v }),
		each(aboutCountry, d.places(aboutCountry), func(in *policies.Input, v string) { in.Request.Requester.Region = v }),
		each(aboutPurpose, codesOf(coop.DUOPurposes()), func(in *policies.Input, v string) { in.Request.DUO = v }),
		each(aboutUse, codesOf(coop.DPVPurposes()), func(in *policies.Input, v string) {
			in.Request.DPV, in.Request.Commercial = v, coop.Purpose{DPV: v}.Commercial()
		}),
		{aboutCommercial, []change{func(in *policies.Input) { in.Request.Commercial = true }}},
		each(aboutPool, append(d.values(aboutPool), "glucose", "energy"), func(in *policies.Input, v string) { in.Request.Pool, in.Dataset.Pool = v, v }),
		each(aboutData, held, func(in *policies.Input, v string) {
			in.Dataset.Categories = strings.FieldsFunc(v, func(r rune) bool { return r == ',' })
		}),
		each(aboutMembers, d.places(aboutMembers), func(in *policies.Input, v string) { in.Dataset.Region = v }),
		d.amounts(aboutPrice, func(in *policies.Input, n int64) { in.Request.PriceMinor = n }),
		d.amounts(aboutRetention, func(in *policies.Input, n int64) { in.Request.RetentionDays = n }),
	}
}

// values lists what the document compares a subject with.
func (d Document) values(about string) (out []string) {
	for _, r := range d.Rules {
		for _, c := range r.When {
			if c.About == about {
				out = append(out, c.Values...)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// places are countries that the document tells apart, some that it does not, and
// one that is none.
func (d Document) places(about string) []string {
	out := []string{"AT", "IS", "NO", "CH", "US", "ZZ", ""}
	for _, place := range d.values(about) {
		if all := countriesOf(place); len(all) > 0 && !slices.Contains(out, all[0]) {
			out = append(out, all[0])
		}
	}
	return out
}

// amounts are the numbers at, below and above those of the document.
func (d Document) amounts(about string, set func(*policies.Input, int64)) axis {
	a := axis{about: about}
	numbers := []int64{0, 1, 365, 3650}
	for _, r := range d.Rules {
		for _, c := range r.When {
			if c.About == about {
				numbers = append(numbers, c.Number-1, c.Number, c.Number+1)
			}
		}
	}
	slices.Sort(numbers)
	for _, n := range slices.Compact(numbers) {
		a.changes = append(a.changes, func(in *policies.Input) { set(in, n) })
	}
	return a
}
