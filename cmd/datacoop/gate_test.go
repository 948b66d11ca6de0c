package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/child"
	"distributed.ai/datacoop/policies"
)

// loosened puts another gatekeeper to work for one test.
func loosened(t *testing.T, change func(*child.Limits)) {
	t.Helper()
	l, was := gateLimits, gatekeeper
	change(&l)
	gatekeeper = child.NewRunner(l, 1)
	t.Cleanup(func() { gatekeeper = was })
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
			laid, here, err := governance.Gate(t.Context(), []byte(source))
			if err != nil {
				t.Fatal(err)
			}
			text, apart, err := gateApart(t.Context(), []byte(source))
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
			_, report, err := gateApart(t.Context(), policies.Default())
			if err != nil || report.OK || !slices.Equal(report.Findings, []string{exhausting}) {
				t.Fatalf("%+v, %v", report, err)
			}
		})
	}
}

// A caller who has gone has not been told anything about the policy.
func TestAGateThatIsLeftRefusesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, report, err := gateApart(ctx, policies.Default()); !errors.Is(err, context.Canceled) || len(report.Findings) > 0 {
		t.Fatalf("%+v, %v", report, err)
	}
}
