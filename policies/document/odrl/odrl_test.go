package odrl

import (
	"errors"
	"testing"
)

func lit(v, kind string) Term { return Literal(v, kind) }

func TestValuesAreComparedByTheirKind(t *testing.T) {
	for _, c := range []struct {
		operator    string
		fact, right Term
		want        bool
	}{
		{"eq", lit("5.0", "decimal"), lit("5.00", "decimal"), true},
		{"lt", lit("49", "decimal"), lit("10", "decimal"), false},
		{"lt", lit("-0.01", "decimal"), lit("0", "decimal"), true},
		{"gt", lit("P366D", "duration"), lit("P365D", "duration"), true},
		{"lteq", lit("P365D", "duration"), lit("P365D", "duration"), true},
		{"gteq", lit("P9D", "duration"), lit("P10D", "duration"), false},
		{"neq", lit("1", "integer"), lit("2", "integer"), true},
		{"eq", lit("true", "boolean"), lit("true", "boolean"), true},
		{"eq", lit("true", "boolean"), lit("false", "boolean"), false},
		{"eq", lit("2024-02-12T11:20:10.999Z", "dateTime"), lit("2024-02-12T12:20:10.999+01:00", "dateTime"), true},
		{"eq", IRI("urn:a"), IRI("urn:a"), true},
	} {
		got, err := ordered(c.operator, c.fact, c.right)
		if err != nil || got != c.want {
			t.Errorf("%v %s %v: %v %v", c.fact, c.operator, c.right, got, err)
		}
	}
	for _, c := range []struct {
		operator    string
		fact, right Term
	}{
		{"lt", lit("5", "decimal"), lit("6", "string")},
		{"lt", lit("a", "string"), lit("b", "string")},
		{"lt", lit("5", "decimal"), lit("P6D", "duration")},
		{"lt", lit("P1M", "duration"), lit("P6D", "duration")},
		{"lt", lit("1e9", "decimal"), lit("6", "decimal")},
		{"eq", lit("2024-02-12T11:20:10", "dateTime"), lit("2024-02-12T11:20:10Z", "dateTime")},
		{"isA", lit("5", "decimal"), lit("6", "decimal")},
		{"lt", IRI("urn:a"), IRI("urn:b")},
	} {
		if got, err := ordered(c.operator, c.fact, c.right); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%v %s %v: %v %v", c.fact, c.operator, c.right, got, err)
		}
	}
}

func TestUseIncludesWhatODRLSaysAndNothingElse(t *testing.T) {
	for _, c := range []struct {
		action, asked string
		want          bool
	}{
		{NS + "use", NS + "use", true}, {NS + "use", NS + "read", true}, {NS + "use", NS + "sell", false},
		{NS + "transfer", NS + "sell", true}, {NS + "transfer", NS + "read", false}, {NS + "read", NS + "use", false},
		{NS + "use", NS + "anything", false}, {NS + "use", "urn:other:read", false}, {"urn:other:read", "urn:other:read", true},
	} {
		if got := includes(c.action, c.asked); got != c.want {
			t.Errorf("%s of %s: %v", c.action, c.asked, got)
		}
	}
}

// FuzzReadJSONLD reads texts of any kind: an error, or statements that can be
// evaluated without a fault.
func FuzzReadJSONLD(f *testing.F) {
	f.Add(`{"@context":{"odrl":"http://www.w3.org/ns/odrl/2/"},"@id":"urn:p","odrl:permission":{"odrl:action":{"@id":"odrl:use"}}}`)
	f.Add(`{"@context":{"a":"urn:a:"},"@id":"a:x","a:y":[{"@value":"1","@type":"a:t"},true,"s"]}`)
	f.Fuzz(func(t *testing.T, text string) {
		g, root, err := ReadJSONLD([]byte(text))
		if err != nil {
			if !errors.Is(err, ErrJSONLD) {
				t.Fatal(err)
			}
			return
		}
		report, err := Evaluate(g, root, Request{Action: NS + "use"})
		if err != nil && report.Allows() {
			t.Fatal("an error allows")
		}
	})
}
