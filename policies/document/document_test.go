package document

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/policies"
)

func mustParse(t testing.TB, text string) Document {
	t.Helper()
	d, err := Parse([]byte(text), "EUR")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheLawACoopStartsWithIsADocument(t *testing.T) {
	d := mustParse(t, string(Default()))
	if !bytes.Equal(d.Rego(), policies.Default()) {
		t.Errorf("rendered:\n%s", d.Rego())
	}
	back, ok := Read(policies.Default(), "EUR")
	if !ok || back.Digest() != d.Digest() {
		t.Errorf("read back: %v\n%s", ok, back.Canonical())
	}
	if asked, err := d.Agree(t.Context()); err != nil || asked < 100 {
		t.Errorf("%d requests: %v", asked, err)
	}
}

// narrow is a document that uses every subject and every effect.
const narrow = `{"rules": [
	{"code": "only-vetted", "effect": "forbid", "title": "Only vetted requesters", "when": [{"about": "requester-vetted", "is": "no"}],
	 "sentence": "The co-op releases data only to requesters it has vetted."},
	{"code": "no-companies-abroad", "effect": "forbid", "title": "No companies abroad: never", "when": [
		{"about": "requester-country", "is": "outside", "values": ["EU", "NO"]}, {"about": "requester-kind", "is": "one-of", "values": ["company"]}]},
	{"code": "fair-price", "effect": "forbid", "title": "A fair price", "description": "Data are worth something: at least \"this\".",
	 "when": [{"about": "commercial", "is": "yes"}, {"about": "price", "is": "below", "number": 500}]},
	{"code": "not-for-long", "effect": "forbid", "title": "Not for long", "when": [{"about": "retention", "is": "above", "number": 365}]},
	{"code": "genes-stay", "effect": "forbid", "title": "Genes stay in the Union", "when": [
		{"about": "data", "is": "touching", "values": ["DNACode"]}, {"about": "member-country", "is": "within", "values": ["EU"]},
		{"about": "requester-country", "is": "outside", "values": ["EU"]}]},
	{"code": "no-origins", "effect": "forbid", "title": "No research about origins", "when": [{"about": "purpose", "is": "touching", "values": ["DUO:0000011"]}]},
	{"code": "health-for-profit", "effect": "review", "title": "Health for profit", "when": [
		{"about": "data", "is": "within", "values": ["MedicalHealth"]}, {"about": "use", "is": "within", "values": ["CommercialPurpose"]}]},
	{"code": "glucose-first", "effect": "review", "title": "Glucose first", "when": [{"about": "pool", "is": "one-of", "values": ["glucose"]},
		{"about": "price", "is": "at-least", "number": 20000}]},
	{"code": "publish-results", "effect": "oblige", "title": "Results come back", "duty": "publish-results", "days": 365},
	{"code": "lecture", "effect": "oblige", "title": "A lecture", "sentence": "Give a lecture at the yearly meeting.", "when": [
		{"about": "use", "is": "clear-of", "values": ["PublicBenefit"]}, {"about": "requester-kind", "is": "none-of", "values": ["non-profit", "public-body"]}]}
]}`

func TestADocumentHasThreeRenderings(t *testing.T) {
	t.Run("narrow", func(t *testing.T) { threeRenderings(t, narrow, policies.Default()) })
	t.Run("wide", func(t *testing.T) { threeRenderings(t, wide, mustParse(t, wide).Rego()) })
}

// Beside the law in force, which bounds how many steps another may take.
func threeRenderings(t *testing.T, text string, present []byte) {
	d := mustParse(t, text)
	report, err := policies.Gate(t.Context(), d.Rego(), present)
	if err != nil || !report.OK {
		t.Fatalf("%v %q\n%s", err, report.Findings, d.Rego())
	}
	if slices.ContainsFunc(report.Sentences, func(s string) bool { return strings.Contains(s, "one by one") || strings.Contains(s, "by itself") }) {
		t.Errorf("outside of what a database can answer: %q", report.Sentences)
	}
	laid, err := policies.Format(d.Rego())
	if err != nil || !bytes.Equal(laid, d.Rego()) {
		t.Errorf("another layout: %v\n%s", err, laid)
	}
	if asked, err := d.Agree(t.Context()); err != nil {
		t.Errorf("%d requests: %v", asked, err)
	}
	back, ok := Read(d.Rego(), "EUR")
	if !ok || !bytes.Equal(back.Canonical(), d.Canonical()) {
		t.Errorf("read back: %v\n%s\n%s", ok, back.Canonical(), d.Canonical())
	}
}

func TestARequestOutsideOfTheFragmentHasNoDocument(t *testing.T) {
	law := string(policies.Default())
	for name, text := range map[string]string{
		"another title of the package": strings.Replace(law, "Access policy", "Access law", 1),
		"another layout":               strings.ReplaceAll(law, "\t", "    "),
		"a comment":                    law + "# by hand\n",
		"a helper":                     law + "\nhelper if input.request.commercial\n",
		"the opposite in other words":  strings.Replace(law, "input.request.requester.vetted == false", "not input.request.requester.vetted", 1),
		"two bodies":                   strings.Replace(law, "vetted == false\n}", "vetted == false\n} {\n\tinput.request.commercial == true\n}", 1),
		"a rule without a title":       strings.Replace(law, "# title: Only vetted requesters\n", "", 1),
		"no rule that forbids":         strings.Replace(law, "forbid contains", "review contains", 1),
		"nothing":                      "",
		"half":                         law[:len(law)/2],
	} {
		if d, ok := Read([]byte(text), "EUR"); ok {
			t.Errorf("%s: read as %s", name, d.Canonical())
		}
	}
}

// The same meaning in another order is the same document.
func TestADocumentHasOneForm(t *testing.T) {
	one := mustParse(t, `{"rules":[{"code":"a-b","effect":"forbid","title":"Here and there","when":[
		{"about":"price","is":"below","number":5},{"about":"pool","is":"one-of","values":["wearables","glucose","wearables"]},
		{"about":"member-country","is":"within","values":["EU","IS","NO","LI","DE"]}]}]}`)
	two := mustParse(t, `{"rules":[{"title":"Here and there","code":"a-b","effect":"forbid","sentence":"","when":[
		{"about":"member-country","is":"within","values":["EEA"]},
		{"about":"pool","is":"one-of","values":["glucose","wearables"]},{"about":"price","is":"below","number":5}]}]}`)
	if one.Digest() != two.Digest() || !bytes.Equal(one.Rego(), two.Rego()) {
		t.Errorf("%s\n%s", one.Canonical(), two.Canonical())
	}
	own := mustParse(t, `{"rules":[{"code":"a-b","effect":"forbid","title":"Never for profit","when":[{"about":"commercial","is":"yes"}],
		"sentence":"A request is refused if the use is commercial."},
		{"code":"c-d","effect":"oblige","title":"A duty with days","sentence":"Tell the members in plain words what you used the data for. You have 30 days from when you receive the data."}]}`)
	if own.Rules[0].Sentence != "" || own.Rules[1].Duty != "tell-the-members" || own.Rules[1].Days != 30 {
		t.Errorf("%s", own.Canonical())
	}
}
