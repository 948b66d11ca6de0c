package policies

import (
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Values taken for what they are not, wherever the mistake hides: such a rule
// would compile, never apply, and be believed.
func TestGateRefusesValuesTakenForWhatTheyAreNot(t *testing.T) {
	for name, c := range map[string]struct{ rule, finding string }{
		"a price as text behind a name":      {ban("{\n\tp := input.request.price_minor\n\tp == \"500\"\n}"), "different kinds"},
		"a price as text behind a helper":    {ban("free") + "\nfree if price == \"0\"\n\nprice := input.request.price_minor", "different kinds"},
		"a price that begins with a five":    {ban("startswith(input.request.price_minor, \"5\")"), "given to startswith"},
		"a price in capitals":                {ban("upper(input.request.price_minor) == \"A\""), "given to upper"},
		"a country added to":                 {ban("input.request.requester.region + 1 > 3"), "given to plus"},
		"a truth counted":                    {ban("count(input.request.commercial) > 0"), "given to count"},
		"a country in a list of numbers":     {ban("{\n\tr := input.request.requester.region\n\tr == 49\n}"), "different kinds"},
		"a kind that is a list":              {ban("{\n\tk := input.request.requester.kind\n\tk == [\"company\"]\n}"), "different kinds"},
		"the largest of a text":              {ban("max(input.request.pool) == \"x\""), "given to max"},
		"a tree that is not there":           {ban("\"EU\" in data.terms.covering.regoin[input.request.requester.region]"), "nothing at data.terms.covering.regoin"},
		"terms that are not there":           {ban("input.request.requester.kind in data.terms.kindz"), "nothing at data.terms.kindz"},
		"a limit that is not there":          {ban("input.request.retention_days > data.terms.limits.retention"), "nothing at data.terms.limits.retention"},
		"a helper called with too much":      {ban("dear(1, 2)") + "\ndear(x) if input.request.price_minor > x", "dear"},
		"text in a list of categories as no": {ban("{\n\tsome c in input.dataset.categories\n\tc == 7\n}"), "different kinds"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := Format([]byte(law(c.rule)))
			if err != nil {
				t.Fatal(err)
			}
			report := inspect(t, string(text))
			if said := strings.Join(report.Findings, " "); report.OK || !strings.Contains(said, c.finding) {
				t.Errorf("findings do not mention %q: %q", c.finding, report.Findings)
			}
		})
	}
}

// The type checker knows every part of the vocabulary, by its type, and no
// other.
func TestTypesAreThoseOfTheVocabulary(t *testing.T) {
	fits := map[string]string{typeText: "upper(%) == \"A\"", typeTexts: "count(%) > 0", typeNumber: "% + 1 > 0", typeTruth: "% == true"}
	for _, leaf := range Vocabulary() {
		for kind, use := range fits {
			text := law(ban(strings.Replace(use, "%", leaf.Path, 1)))
			found := illTyped([]byte(text))
			if ok := len(found) == 0; ok != (kind == leaf.Type) && !(kind == typeTexts && leaf.Type == typeText) {
				t.Errorf("%s is %s, used as %s: %q", leaf.Path, leaf.Type, kind, found)
			}
		}
	}
	for _, path := range []string{"input.request.requestor.kind", "input.request.time", "input.records", "input.dataset.id"} {
		if found := illTyped([]byte(law(ban("count([" + path + "]) > 0")))); len(found) == 0 {
			t.Errorf("%s has a type", path)
		}
	}
}

// Law in force is not put to rules that are newer than it.
func TestLawInForceIsNotTypedAgain(t *testing.T) {
	text, err := Format([]byte(law(ban("{\n\tp := input.request.price_minor\n\tp == \"500\"\n}"))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Compile(t.Context(), text); err != nil {
		t.Errorf("the co-op could not start: %v", err)
	}
}

func TestTypeSentencesAreOnlyAboutTypes(t *testing.T) {
	for want, e := range map[string]*ast.Error{
		"":                        {Code: ast.ParseErr, Message: "match error"},
		"can never be equal":      {Code: ast.TypeErr, Message: "match error"},
		"given to plus":           {Code: ast.TypeErr, Message: "plus: invalid argument(s)"},
		"nothing of that name to": {Code: ast.TypeErr, Message: "undefined ref: input.x"},
	} {
		if got := typeSentence(e); !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("%v: %q", e, got)
		}
	}
}
