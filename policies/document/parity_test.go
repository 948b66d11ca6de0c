package document

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/deiu/rdf2go"
	"pgregory.net/rapid"

	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/policies/document/odrl"
)

// drawn is a document of random rules.
func drawn(t *rapid.T) Document {
	var d Document
	for i := range rapid.IntRange(1, 5).Draw(t, "rules") {
		r := Rule{Code: string(rune('a'+i)) + "-rule", Title: "Rule of chance", Effect: rapid.SampledFrom([]string{Forbid, Review, Oblige}).Draw(t, "effect")}
		if i == 0 {
			r.Effect = Forbid
		}
		if r.Effect == Oblige {
			r.Duty, r.Days = rapid.SampledFrom(duties).Draw(t, "duty").Name, rapid.Int64Range(0, 30).Draw(t, "days")
		}
		for range rapid.IntRange(1, 3).Draw(t, "conditions") {
			s := rapid.SampledFrom(subjects()).Draw(t, "subject")
			if slices.ContainsFunc(r.When, func(c Condition) bool { return c.About == s.Name }) {
				continue
			}
			c := Condition{About: s.Name, Is: rapid.SampledFrom(s.Is).Draw(t, "is")}
			switch {
			case s.Name == aboutPool:
				c.Values = rapid.SliceOfN(rapid.SampledFrom([]string{"wearables", "glucose", "energy"}), 1, 2).Draw(t, "pools")
			case s.Name == aboutPrice || s.Name == aboutRetention:
				c.Number = rapid.Int64Range(1, 3000).Draw(t, "number")
			case s.Values != nil:
				c.Values = rapid.SliceOfN(rapid.SampledFrom(s.Values), 1, 3).Draw(t, "values")
			}
			r.When = append(r.When, c)
		}
		d.Rules = append(d.Rules, r)
	}
	parsed, err := Parse(d.Canonical(), "EUR")
	if err != nil {
		t.Skip("two rules that say the same")
	}
	return parsed
}

func TestWhatIsPublishedIsWhatIsEnforced(t *testing.T) {
	asked, documents := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		if documents++; documents > 60 {
			return // each compiles a law
		}
		d := drawn(t)
		if laid, err := policies.Format(d.Rego()); err != nil || !bytes.Equal(laid, d.Rego()) {
			t.Fatalf("not in the canonical layout: %v\n%s", err, d.Rego())
		}
		n, err := d.Agree(t.Context())
		if err != nil {
			t.Fatalf("after %d requests: %v\n%s", n, err, d.Rego())
		}
		if back, ok := Read(d.Rego(), "EUR"); !ok || back.Digest() != d.Digest() {
			t.Fatalf("not read back:\n%s", d.Rego())
		}
		sentences := d.English()
		slices.Sort(sentences)
		if len(slices.Compact(sentences)) != len(d.Rules) {
			t.Fatalf("%d rules say %q", len(d.Rules), sentences)
		}
		asked += n
	})
	t.Logf("%d requests were answered alike", asked)
	if asked < 3000 {
		t.Errorf("only %d requests were asked", asked)
	}
}

// mutants are ways to publish something else than what is enforced.
func mutants(text string) map[string]string {
	out := map[string]string{}
	swap := func(name, from, to string) {
		for i, at := 0, 0; ; i++ {
			next := strings.Index(text[at:], from)
			if next < 0 {
				return
			}
			at += next
			out[name+string(rune('0'+i))] = text[:at] + to + text[at+len(from):]
			at += len(from)
		}
	}
	for _, pair := range [][2]string{
		{`"odrl:isAnyOf"`, `"odrl:isNoneOf"`}, {`"odrl:isNoneOf"`, `"odrl:isAnyOf"`}, {`"odrl:lt"`, `"odrl:lteq"`}, {`"odrl:gteq"`, `"odrl:gt"`},
		{`"odrl:gt"`, `"odrl:gteq"`}, {`"coop:isWithinAnyOf"`, `"coop:isOutsideAllOf"`}, {`"coop:isOutsideAllOf"`, `"coop:isWithinAnyOf"`},
		{`"coop:isWithinAnyOf"`, `"coop:touchesAnyOf"`}, {`"coop:touchesAnyOf"`, `"coop:isWithinAnyOf"`}, {`"coop:touchesNoneOf"`, `"coop:touchesAnyOf"`},
		{`"@value": "5.00"`, `"@value": "5.01"`}, {`"@value": "P365D"`, `"@value": "P364D"`}, {`"odrl:rightOperand": true`, `"odrl:rightOperand": false`},
		{`"odrl:rightOperand": false`, `"odrl:rightOperand": true`}, {`"loc:EU"`, `"loc:EEA"`}, {`"loc:NO"`, `"loc:CH"`}, {`"coop:company"`, `"coop:university"`},
		{`"pd:DNACode"`, `"pd:HealthRecord"`}, {`"pd:MedicalHealth"`, `"pd:PhysicalHealth"`}, {`"obo:DUO_0000011"`, `"obo:DUO_0000006"`},
		{`"dpv:CommercialPurpose"`, `"dpv:ResearchAndDevelopment"`}, {`"glucose"`, `"wearables"`}, {`"dct:identifier": "fair-price"`, `"dct:identifier": "unfair-price"`},
		{`"coop:reviewed"`, `"coop:vetted"`}, {`"coop:requesterCountry"`, `"coop:memberCountry"`}, {`"coop:consent"`, `"coop:vetted"`},
		{`"odrl:payAmount"`, `"odrl:elapsedTime"`}, {`"odrl:prohibition"`, `"odrl:obligation"`},
	} {
		swap(pair[0]+" to "+pair[1]+" ", pair[0], pair[1])
	}
	return out
}

// Publishing anything else than what is enforced is noticed: by an answer that
// differs, or because it cannot be read.
func TestPublishingSomethingElseIsNoticed(t *testing.T) {
	d := mustParse(t, narrow)
	law, err := policies.Compile(t.Context(), d.Rego())
	if err != nil {
		t.Fatal(err)
	}
	questions := d.questions()
	same := map[string]bool{ // what means the same, or stands where nothing is compared
		`"coop:isWithinAnyOf" to "coop:touchesAnyOf" 0`: true, // a member's country is above nothing
		`"coop:isWithinAnyOf" to "coop:touchesAnyOf" 1`: true, // neither is a use that can be asked for
		`"@value": "P365D" to "@value": "P364D" 0`:      true, // the days of a duty, which its sentence tells
	}
	all := mutants(string(d.ODRL("")))
	noticed := 0
	for name, text := range all {
		published, err := ReadPublished([]byte(text), "EUR")
		differs := err != nil
		for _, in := range questions {
			if differs {
				break
			}
			enforced, said, err := both(t.Context(), law, published, in)
			differs = err != nil || !enforced.equal(said)
		}
		if differs {
			noticed++
		}
		if differs == same[name] {
			t.Errorf("%s: noticed %v", name, differs)
		}
	}
	t.Logf("%d of %d mutants noticed by %d requests", noticed, len(all), len(questions))
	if len(all) < 30 {
		t.Errorf("only %d mutants", len(all))
	}
}

func TestForeignPoliciesAreNotEvaluated(t *testing.T) {
	text := string(mustParse(t, narrow).ODRL(""))
	for name, broken := range map[string]string{
		"no profile":            strings.Replace(text, `"odrl:profile"`, `"dct:subject"`, 1),
		"a remote context":      strings.Replace(text, `"@context": {`, `"@context": "http://www.w3.org/ns/odrl.jsonld", "dct:x": {`, 1),
		"dollars":               strings.Replace(text, "currency/EUR", "currency/USD", 1),
		"a term of the context": strings.Replace(text, `"coop": "urn:datacoop:odrl#"`, `"coop": {"@id": "urn:datacoop:odrl#"}`, 1),
		"a bare number":         strings.Replace(text, `"odrl:rightOperand": true`, `"odrl:rightOperand": 1`, 1),
		"a key twice":           strings.Replace(text, `"dct:language": "en"`, `"dct:language": "en", "dct:language": "de"`, 1),
		"a key without prefix":  strings.Replace(text, `"dct:language"`, `"language"`, 1),
		"text after the end":    text + "{}",
		"a keyword":             strings.Replace(text, `"dct:language": "en"`, `"@graph": []`, 1),
	} {
		if broken == text {
			t.Fatalf("%s changes nothing", name)
		}
		if _, err := ReadPublished([]byte(broken), "EUR"); err == nil {
			t.Errorf("%s: read", name)
		}
	}
	for name, broken := range map[string]string{
		"another strategy":     strings.Replace(text, `"odrl:prohibit"`, `"odrl:perm"`, 1),
		"no strategy":          strings.Replace(text, `"odrl:conflict"`, `"dct:relation"`, 1),
		"an unknown operand":   strings.Replace(text, `"odrl:payAmount"`, `"odrl:count"`, 1),
		"an unknown operator":  strings.Replace(text, `"odrl:lt"`, `"odrl:hasPart"`, 1),
		"a logical constraint": strings.ReplaceAll(text, `"odrl:leftOperand"`, `"odrl:or"`),
		"a duty before":        strings.Replace(text, `"dct:title": "A fair price"`, `"odrl:remedy": {"@id": "coop:x"}`, 1),
		"a policy above":       strings.Replace(text, `"odrl:uid"`, `"odrl:inheritFrom"`, 1),
	} {
		if broken == text {
			t.Fatalf("%s changes nothing", name)
		}
		published, err := ReadPublished([]byte(broken), "EUR")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if a, err := published.Ask(plainQuestion(), true); err == nil {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// Another reader of JSON-LD finds the same statements in what is published.
func TestAnotherReaderFindsTheSameStatements(t *testing.T) {
	for name, text := range map[string][]byte{
		"the law a co-op starts with": mustParse(t, string(Default())).ODRL("abc"), "a narrow law": mustParse(t, narrow).ODRL(""), "the profile": Profile(),
	} {
		graph, _, err := odrl.ReadJSONLD(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		other := rdf2go.NewGraph("urn:nowhere")
		if err := other.Parse(bytes.NewReader(text), "application/ld+json"); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		mine, theirs := shapes(graph.Triples()), shapes(triples(other))
		if len(mine) < 10 || !slices.Equal(mine, theirs) {
			t.Errorf("%s: %d and %d statements\n%s\n\n%s", name, len(mine), len(theirs), strings.Join(mine, "\n"), strings.Join(theirs, "\n"))
		}
	}
}

// triples are the statements of the other reader in our terms.
func triples(g *rdf2go.Graph) (out []odrl.Triple) {
	term := func(t rdf2go.Term) odrl.Term {
		switch t := t.(type) {
		case *rdf2go.Literal:
			switch {
			case t.Language != "":
				return odrl.Term{Value: t.Value, Datatype: odrl.RDF + "langString"}
			case t.Datatype == nil:
				return odrl.Literal(t.Value, "string")
			}
			return odrl.Term{Value: t.Value, Datatype: t.Datatype.RawValue()}
		case *rdf2go.BlankNode:
			return odrl.Term{Value: "_:" + t.RawValue()}
		}
		return odrl.IRI(t.RawValue())
	}
	for t := range g.IterTriples() {
		out = append(out, odrl.Triple{Subject: term(t.Subject), Predicate: t.Predicate.RawValue(), Object: term(t.Object)})
	}
	return out
}

// shapes writes statements with every blank node replaced by what is said about
// it, so that two readers may name it as they like.
func shapes(all []odrl.Triple) []string {
	about := map[string][]odrl.Triple{}
	for _, t := range all {
		about[t.Subject.Value] = append(about[t.Subject.Value], t)
	}
	var write func(t odrl.Term) string
	lines := func(node string) string {
		var out []string
		for _, t := range about[node] {
			out = append(out, t.Predicate+" "+write(t.Object))
		}
		slices.Sort(out)
		return strings.Join(out, "; ")
	}
	write = func(t odrl.Term) string {
		if strings.HasPrefix(t.Value, "_:") && t.Datatype == "" {
			return "[" + lines(t.Value) + "]"
		}
		return "<" + t.Value + ">^" + t.Datatype
	}
	var out []string
	for _, t := range all {
		if !strings.HasPrefix(t.Subject.Value, "_:") {
			out = append(out, write(t.Subject)+" "+t.Predicate+" "+write(t.Object))
		}
	}
	slices.Sort(out)
	return out
}
