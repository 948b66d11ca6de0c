package law

import (
	"context"
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/child"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/policies/rehearsal"
)

func TestMain(m *testing.M) {
	child.Serve(Work)
	os.Exit(m.Run())
}

// loosened puts another keeper to work for one test.
func loosened(t *testing.T, change func(*child.Limits)) {
	t.Helper()
	l, was := limits, keeper
	change(&l)
	keeper = child.NewRunner(l, 1)
	t.Cleanup(func() { keeper = was })
}

func TestTheGateSaysTheSameInAProcessOfItsOwn(t *testing.T) {
	for name, source := range map[string]string{
		"the law":         string(policies.Default()),
		"not laid out":    strings.ReplaceAll(string(policies.Default()), "\t", "    "),
		"no policy":       "package coop.access\n\nforbid := {",
		"another package": "package coop\n\nrelease if true\n",
		"too large":       strings.Repeat("#", policies.MaxAccess+1),
		"deep":            "package coop.access\n\nforbid := " + strings.Repeat("[", 50_000),
	} {
		t.Run(name, func(t *testing.T) {
			laid, here, err := governance.Gate(t.Context(), []byte(source), nil)
			if err != nil {
				t.Fatal(err)
			}
			text, apart, err := Gate(t.Context(), []byte(source), nil)
			if err != nil || string(text) != string(laid) || apart.OK != here.OK || !slices.Equal(apart.Findings, here.Findings) ||
				apart.Revision != here.Revision || !slices.Equal(apart.Sentences, here.Sentences) {
				t.Fatalf("%v\n%+v\n%+v", err, here, apart)
			}
		})
	}
}

func TestAPolicyThatExhaustsItsChildIsRefused(t *testing.T) {
	for name, change := range map[string]func(*child.Limits){
		"time":   func(l *child.Limits) { l.Wall = time.Millisecond },
		"answer": func(l *child.Limits) { l.Answer = 10 },
	} {
		t.Run(name, func(t *testing.T) {
			loosened(t, change)
			report, err := Check(t.Context(), policies.Default(), nil)
			if err != nil || report.OK || !slices.Equal(report.Findings, []string{Exhausting}) {
				t.Fatalf("%+v, %v", report, err)
			}
			if laid, report, err := Gate(t.Context(), policies.Default(), nil); !errors.Is(err, governance.ErrUntried) || report.OK || laid != nil {
				t.Fatalf("%+v, %v", report, err)
			}
		})
	}
}

// A caller who has gone has not been told anything about the policy.
func TestAGateThatIsLeftRefusesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, report, err := Gate(ctx, policies.Default(), nil); !errors.Is(err, context.Canceled) || len(report.Findings) > 0 {
		t.Fatalf("%+v, %v", report, err)
	}
}

const forbidsCompanies = `
forbid contains {
	"code": "coop-no-companies",
	"sentence": "The co-op does not release data to companies.",
} if input.request.requester.kind == "company"
`

func TestAComparisonSaysTheSameInAProcessOfItsOwn(t *testing.T) {
	was, now := policies.Default(), append(policies.Default(), forbidsCompanies...)
	here, err := rehearsal.CompareTexts(t.Context(), was, now, "EUR")
	if err != nil || len(here.Findings) == 0 {
		t.Fatalf("%+v, %v", here, err)
	}
	apart, err := Comparer()(t.Context(), was, now, "EUR")
	if err != nil || !reflect.DeepEqual(here, apart) {
		t.Errorf("%v\n%+v\n%+v", err, here, apart)
	}
	if _, err := Comparer()(t.Context(), was, []byte("package coop\n"), "EUR"); err == nil {
		t.Error("compared with what is no policy")
	}
}

// Members are told that nothing is known, and the vote goes on.
func TestAComparisonThatExhaustsItsChildSaysSo(t *testing.T) {
	loosened(t, func(l *child.Limits) { l.Wall = time.Millisecond })
	found, err := Comparer()(t.Context(), policies.Default(), policies.Default(), "EUR")
	if err != nil || found.Asked != 0 || !strings.Contains(found.Sentences()[0], "No request could be tried") {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestPiecesSayTheSameInProcessesOfTheirOwn(t *testing.T) {
	was, now := policies.Default(), append(policies.Default(), forbidsCompanies...)
	here, err := rehearsal.Here{}.Plan(t.Context(), was, now)
	if err != nil || len(here.Pieces) == 0 {
		t.Fatalf("%+v, %v", here, err)
	}
	plan, err := Apart{}.Plan(t.Context(), was, now)
	if err != nil || !reflect.DeepEqual(plan, here) {
		t.Fatalf("%+v, %v", plan, err)
	}
	want, err := rehearsal.Here{}.Try(t.Context(), was, now, plan.Pieces[0], "EUR")
	if err != nil {
		t.Fatal(err)
	}
	part, err := Apart{}.Try(t.Context(), was, now, plan.Pieces[0], "EUR")
	if err != nil || !reflect.DeepEqual(part, want) || part.Asked == 0 {
		t.Errorf("%v\n%+v\n%+v", err, want, part)
	}
	rehearser = child.NewRunner(child.Limits{Memory: 1 << 30, CPU: time.Second, Wall: time.Millisecond, Answer: 1 << 20}, 1)
	t.Cleanup(func() { rehearser = child.NewRunner(limits, 1) })
	if part, err := (Apart{}).Try(t.Context(), was, now, plan.Pieces[0], "EUR"); !errors.Is(err, child.ErrNoAnswer) || part.Asked != 0 {
		t.Errorf("out of time: %+v, %v", part, err)
	}
	if plan, err := (Apart{}).Plan(t.Context(), was, now); !errors.Is(err, child.ErrNoAnswer) || len(plan.Pieces) > 0 {
		t.Errorf("out of time: %+v, %v", plan, err)
	}
}
