package policies

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"pgregory.net/rapid"
)

func TestWhatIsEvaluatedIsWhatIsRecorded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyInput(t)
		text, err := in.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		recorded, err := ast.ValueFromReader(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if extra := says(in.value(), recorded, ""); extra != "" {
			t.Fatalf("%s: evaluated %s\nrecorded %s", extra, in.value(), text)
		}
		if bytes.Contains(text, []byte("null")) {
			t.Fatalf("a null in %s", text)
		}
		again, err := ParseInput(text)
		if err != nil {
			t.Fatal(err)
		}
		if second, err := again.Canonical(); err != nil || !bytes.Equal(second, text) {
			t.Fatalf("read back as %s (%v)", second, err)
		}
	})
}

// says tells where the one evaluated differs from the one recorded: in anything
// but a field that is not recorded because it says nothing.
func says(evaluated, recorded ast.Value, path string) string {
	one, isObject := evaluated.(ast.Object)
	two, both := recorded.(ast.Object)
	list, isList := evaluated.(*ast.Array)
	other, lists := recorded.(*ast.Array)
	switch {
	case isObject && both:
		for _, key := range append(one.Keys(), two.Keys()...) {
			a, b := one.Get(key), two.Get(key)
			if a == nil || b == nil && !silent(a.Value) {
				return path + "." + key.String()
			}
			if b != nil {
				if where := says(a.Value, b.Value, path+"."+key.String()); where != "" {
					return where
				}
			}
		}
		return ""
	case isList && lists && list.Len() == other.Len():
		for i := range list.Len() {
			if where := says(list.Elem(i).Value, other.Elem(i).Value, path); where != "" {
				return where
			}
		}
		return ""
	case evaluated.Compare(recorded) == 0:
		return ""
	}
	return path
}

// silent reports whether a value says nothing.
func silent(v ast.Value) bool {
	object, ok := v.(ast.Object)
	if !ok {
		return slices.ContainsFunc([]ast.Value{ast.String(""), ast.Boolean(false), ast.Number("0"), ast.NewArray()},
			func(nothing ast.Value) bool { return nothing.Compare(v) == 0 })
	}
	return !slices.ContainsFunc(object.Keys(), func(key *ast.Term) bool { return !silent(object.Get(key).Value) })
}

func TestZeroInputIsWrittenInFullAndRefused(t *testing.T) {
	text, err := Input{}.Canonical()
	if err != nil || !bytes.Contains(text, []byte(`"records":[]`)) || !bytes.Contains(text, []byte(`"categories":[]`)) {
		t.Errorf("%s, %v", text, err)
	}
	out, err := compiled(t, Default()).Decide(t.Context(), Input{})
	if err != nil || out.Allow {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestZeroRecordPermitsNothing(t *testing.T) {
	in := released()
	in.Records = []Record{{Effect: Given}}
	out, err := compiled(t, Default()).Decide(t.Context(), in)
	if err != nil || out.Allow {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestMalformedInputIsRefusedAndNotWritten(t *testing.T) {
	revision := compiled(t, Default())
	for name, change := range map[string]func(*Input){
		"a number no reader keeps":  func(in *Input) { in.Request.PriceMinor = math.MaxInt64 },
		"a number below":            func(in *Input) { in.Dataset.Sealed = math.MinInt64 },
		"text that is not UTF-8":    func(in *Input) { in.Request.Pool = "\xff" },
		"a category not UTF-8":      func(in *Input) { in.Dataset.Categories = []string{"\xc3("} },
		"a purpose not UTF-8":       func(in *Input) { in.Records[0].Purposes = []string{"\xff"} },
		"an effect nobody knows":    func(in *Input) { in.Records[0].Effect = "allowed" },
		"no effect":                 func(in *Input) { in.Records[0].Effect = "" },
		"a disease of no ontology":  func(in *Input) { in.Request.Study.Disease = "diabetes" },
		"a project with a space":    func(in *Input) { in.Request.Study.Project = "a b" },
		"a kind not UTF-8":          func(in *Input) { in.Request.Study.Kinds = []string{"\xff"} },
		"a publication before 1970": func(in *Input) { in.Request.Study.PublishFrom = -1 },
		"a limit below zero":        func(in *Input) { in.Records[0].Limits.KeepDays = -1 },
		"a moratorium below zero":   func(in *Input) { in.Records[0].Limits.PublishFrom = -1 },
		"once and again":            func(in *Input) { in.Records[0].Limits.Once = "twice" },
		"an answer of maybe":        func(in *Input) { in.Records[0].Answer = "maybe" },
		"a user not UTF-8":          func(in *Input) { in.Records[0].Limits.Users = []string{"\xff"} },
		"a second record malformed": func(in *Input) { in.Records = append(in.Records, Record{}) },
	} {
		in := released()
		change(&in)
		if _, err := in.Canonical(); err == nil {
			t.Errorf("%s was written", name)
		}
		if _, err := in.Class(); err == nil {
			t.Errorf("%s has a class", name)
		}
		out, err := revision.Decide(t.Context(), in)
		if err == nil || out.Allow || out.Reasons[0].Code != CodeMalformed {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}

func TestParseInputReadsOnlyWhatCanonicalWrites(t *testing.T) {
	text, err := released().Canonical()
	if err != nil {
		t.Fatal(err)
	}
	good := string(text)
	for name, bad := range map[string]string{
		"nothing":         "",
		"half of it":      good[:len(good)/2],
		"something after": good + "{}",
		"a space":         good + " ",
		"one more field":  strings.Replace(good, `{"dataset"`, `{"admin":true,"dataset"`, 1),
		"a field less":    strings.Replace(good, `"vetted":true`, `"vetted":true,"vetted":false`, 1),
		"a price as text": strings.Replace(good, `"price_minor":500`, `"price_minor":"500"`, 1),
		"a fraction":      strings.Replace(good, `"price_minor":500`, `"price_minor":500.5`, 1),
		"a study unsaid":  strings.Replace(good, `"time":`, `"study":{},"time":`, 1),
		"limits unsaid":   strings.Replace(good, `"min_price_minor"`, `"limits":{},"min_price_minor"`, 1),
		"unknown limits":  strings.Replace(good, `"min_price_minor"`, `"limits":{"DUO:0000099":true},"min_price_minor"`, 1),
		"a limit as text": strings.Replace(good, `"min_price_minor"`, `"limits":{"DUO:0000025":"30"},"min_price_minor"`, 1),
		"a null":          strings.Replace(good, `"except":[]`, `"except":null`, 1),
		"other order":     strings.Replace(good, `"duo":"DUO:0000006"`, `"duo": "DUO:0000006"`, 1),
	} {
		if _, err := ParseInput([]byte(bad)); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

func TestClassmatesHaveOneAnswer(t *testing.T) {
	revision := compiled(t, Default())
	rapid.Check(t, func(t *rapid.T) {
		in := anyInput(t)
		other := in
		other.Request.ID = "another"
		if !slices.ContainsFunc(in.Records, func(r Record) bool { return len(r.Limits.Users) > 0 }) {
			other.Request.Requester.ID = "somebody else"
		}
		other.Dataset.ID, other.Dataset.Member = "elsewhere", "another member"
		other.eachRecord(func(r *Record) {
			r.ID, r.Scope = "other", "dataset"
			r.Expires, r.NotBefore = further(t, r.Expires), further(t, r.NotBefore)
			r.Withdrawn = further(t, r.Withdrawn)
		})
		other.Dataset.Closed = further(t, other.Dataset.Closed)
		one, err1 := in.Class()
		two, err2 := other.Class()
		if err1 != nil || err2 != nil || one != two {
			t.Fatalf("ids tell classes apart: %v %v", err1, err2)
		}
		a, _ := revision.Decide(t.Context(), in)
		b, _ := revision.Decide(t.Context(), other)
		if a.Allow != b.Allow {
			t.Fatalf("%+v and %+v", a, b)
		}
		if !slices.Equal(a.Reasons, b.Reasons) || !slices.Equal(a.Obligations, b.Obligations) || !slices.Equal(a.Rules, b.Rules) {
			t.Fatalf("%+v and %+v", a, b)
		}
	})
}

// further moves a time that is not the present away from it.
func further(t *rapid.T, at int64) int64 {
	by := rapid.Int64Range(0, 1000*testDay).Draw(t, "by")
	switch {
	case at < testNow:
		return at - by
	case at > testNow:
		return at + by
	}
	return at
}

// Inputs that are answered differently are of different classes.
func TestClassesTellAnswersApart(t *testing.T) {
	revision := compiled(t, Default())
	answers := map[string]Outcome{}
	for _, name := range sortedKeys(changes) {
		in := released()
		changes[name](&in)
		class, err := in.Class()
		if err != nil {
			t.Fatal(err)
		}
		out, err := revision.Decide(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := answers[class]; ok && (other.Allow != out.Allow || !slices.Equal(other.Reasons, out.Reasons)) {
			t.Errorf("%s: %+v and %+v are of one class", name, out, other)
		}
		answers[class] = out
	}
	if len(answers) < 40 {
		t.Errorf("only %d classes", len(answers))
	}
}

func FuzzParseInput(f *testing.F) {
	text, err := released().Canonical()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"dataset":{},"records":[],"request":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		in, err := ParseInput(text)
		if err != nil {
			return
		}
		if again, err := in.Canonical(); err != nil || !bytes.Equal(again, text) {
			t.Errorf("read %q, wrote %q (%v)", text, again, err)
		}
	})
}
