package policies

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"distributed.ai/datacoop/policies/condition"
)

func votedLawOf(t *testing.T, condition string) *Revision {
	t.Helper()
	text, err := Format([]byte("package coop.access\n\nforbid contains {\"code\": \"voted\", \"sentence\": \"The members voted about this.\"} if {\n" + condition + "\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Compile(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func asked() CohortQuestion {
	return CohortQuestion{Request: probe("DUO:0000006", "AcademicResearch", "university").Request, Categories: []string{"HealthRecord"}}
}

func TestLawThatNoTableCanAnswerIsAnErrorAndNeverLeftOut(t *testing.T) {
	for _, condition := range []string{
		`startswith(input.dataset.region, "D")`,
		`lower(input.dataset.region) == "de"`,
		`count(input.dataset.region) > 1`,
		`contains("DE FR", input.dataset.region)`,
		`some region in [input.dataset.region]; endswith(region, "E")`,
	} {
		r := votedLawOf(t, condition)
		if law, err := r.Cohort(t.Context(), asked()); !errors.Is(err, ErrFragment) {
			t.Errorf("%s became %+v, %v", condition, law, err)
		}
		if r.compiles(t.Context()) {
			t.Errorf("%s is not told to voters", condition)
		}
	}
}

func TestLawThatTablesCanAnswerIsOne(t *testing.T) {
	for _, condition := range []string{
		`input.dataset.region == "DE"`, `[input.dataset.region] == ["DE"]`, `input.dataset.region != input.request.requester.region`,
		`not input.dataset.region in ["DE", "FR"]`, `"EU" in data.terms.covering.region[input.dataset.region]`,
		`startswith(input.request.requester.region, "D")`, `"Location" in input.dataset.categories`,
	} {
		r := votedLawOf(t, condition)
		if _, err := r.Cohort(t.Context(), asked()); err != nil {
			t.Errorf("%s: %v", condition, err)
		}
		if !r.compiles(t.Context()) {
			t.Errorf("%s is said to be slow", condition)
		}
	}
}

func TestVotersAreToldThatAPolicyIsDecidedOneByOne(t *testing.T) {
	r := votedLawOf(t, `startswith(input.dataset.region, "D")`)
	report, err := Gate(t.Context(), r.Source(), nil)
	if err != nil || !report.OK || !slices.Contains(report.Sentences, oneByOne) {
		t.Errorf("%+v, %v", report, err)
	}
	if report, err = Gate(t.Context(), Default(), nil); err != nil || slices.Contains(report.Sentences, oneByOne) {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestNothingIsAllowedWhereBaseLawRefuses(t *testing.T) {
	r, err := Compile(t.Context(), Default())
	if err != nil {
		t.Fatal(err)
	}
	q := asked()
	q.Request.Requester.Vetted = false
	law, err := r.Cohort(t.Context(), q)
	if never, ok := law.Allow.Value.([]Condition); err != nil || law.Allow.Operator != OpOr || !ok || len(never) > 0 {
		t.Errorf("%+v, %v", law.Allow, err)
	}
	q.Parts = []Part{{ID: 1, Kind: "wishes"}}
	if _, err := r.Cohort(t.Context(), q); err == nil {
		t.Error("a part of no kind was judged")
	}
	if _, err := (*Revision)(nil).Cohort(t.Context(), q); !errors.Is(err, ErrSealed) {
		t.Errorf("sealed: %v", err)
	}
}

// What is left of a policy is read as a whole or not at all.
func TestResidualsOutsideOfTheFragmentAreRefused(t *testing.T) {
	module := func(text string) *ast.Module { return ast.MustParseModuleWithOpts(text, ast.ParserOptions{}) }
	rule := func(text string) *rego.PartialQueries {
		return &rego.PartialQueries{Queries: []ast.Body{ast.MustParseBody("data.partial.p")}, Support: []*ast.Module{module("package partial\n" + text)}}
	}
	for name, left := range map[string]*rego.PartialQueries{
		"a rule that is not there": {Queries: []ast.Body{ast.MustParseBody("data.partial.p")}},
		"a rule with an else":      rule("p if input.record.effect == \"given\" else := true"),
		"a default":                rule("default p := true"),
		"a value":                  rule("p := 3 if input.record.effect == \"given\""),
		"a function":               rule("p(x) if x == 1"),
		"a set":                    rule("p contains 1 if input.record.effect == \"given\""),
		"a circle":                 rule("p if data.partial.q\nq if data.partial.p"),
	} {
		if c, err := condition.From(left); !errors.Is(err, ErrFragment) {
			t.Errorf("%s became %+v, %v", name, c, err)
		}
	}
	for _, body := range []string{
		`input.record.limits.once == "unused"`, `input.record == 1`, `input.record[x] == 1`, `input.record.price == 1.5`,
		`input.record.a == null`, `input.record.a == [1]`, `"x" in input.record.a`, `input.record.a in {"b": 1}`,
		`plus(input.record.a, 1) == 2`, `input.record.a`, `x = input.record.a`, `is_number(input.record.limits)`,
		`input.record.a == "b" with input.x as 1`, `every x in [1] { input.record.a == x }`, `is_string(input.record.expires)`,
	} {
		if c, err := condition.From(&rego.PartialQueries{Queries: []ast.Body{ast.MustParseBody(body)}}); !errors.Is(err, ErrFragment) {
			t.Errorf("%s became %+v, %v", body, c, err)
		}
	}
}

func TestConditionsCompareTheRightWayRound(t *testing.T) {
	for body, want := range map[string]string{
		`5 < input.record.a`:                        "gt",
		`5 <= input.record.a`:                       "gte",
		`5 > input.record.a`:                        "lt",
		`5 >= input.record.a`:                       "lte",
		`input.record.a < 5`:                        "lt",
		`"x" == input.record.a`:                     "eq",
		`"x" != input.record.a`:                     "ne",
		`input.record.a in {"x", "y"}`:              "in",
		`not input.record.a == "x"`:                 "not",
		`input.record.a == "x"; input.record.b > 1`: "and",
	} {
		c, err := condition.From(&rego.PartialQueries{Queries: []ast.Body{ast.MustParseBody(body)}})
		if err != nil || c.Operator != want {
			t.Errorf("%s is %+v, %v", body, c, err)
		}
	}
	if text := oneByOne; !strings.HasSuffix(text, ".") {
		t.Error(text)
	}
}
