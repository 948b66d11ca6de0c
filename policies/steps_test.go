package policies

import (
	"fmt"
	"strings"
	"testing"
)

// Whoever reads a report sees what was tried, what held, and what was not tried
// any more.
func TestEveryStepOfTheGateSaysHowItEnded(t *testing.T) {
	for name, ends := range map[string]string{
		"not a policy":            StepShape,
		"another package":         StepShape,
		"text in disorder":        StepLayout,
		"a call to the world":     StepCompile,
		"a number read as a text": StepTypes,
		"loops within loops":      StepBudget,
		"everybody banned":        StepInvariants,
	} {
		t.Run(name, func(t *testing.T) {
			text := hostile[name].text
			if text == "" {
				text = law(ban(`startswith(input.request.price_minor, "5")`))
			}
			report := inspect(t, text)
			ended := false
			for i, s := range report.Steps {
				switch {
				case s.Name == ends:
					ended = true
					if !s.Tried || s.OK || s.Figure == "" {
						t.Errorf("%+v", s)
					}
				case ended && s.Tried && s.Name != StepLayout, !ended && (!s.OK || !s.Tried || s.Figure == ""):
					t.Errorf("step %d: %+v", i, s)
				}
			}
			if !ended || len(report.Steps) != len(gateSteps()) || report.OK {
				t.Errorf("%+v", report)
			}
		})
	}
	report := inspect(t, string(Default()))
	for _, s := range report.Steps {
		if !s.Tried || !s.OK || s.Figure == "" || s.Holds == "" {
			t.Errorf("the law a co-op starts with: %+v", s)
		}
	}
}

// A policy that no filter can ask is slow and not refused, and its step says so.
func TestAPolicyThatIsNoFilterPassesWithAMarkAgainstIt(t *testing.T) {
	report := inspect(t, string(votedLawOf(t, `startswith(input.dataset.region, "D")`).Source()))
	last := report.Steps[len(report.Steps)-1]
	if !report.OK || len(report.Findings) > 0 || last.Name != StepFilters || last.OK || !last.Tried {
		t.Errorf("%+v", report)
	}
}

// rules is a policy with so many rules that every decision reads.
func rules(n int) string {
	var text strings.Builder
	text.WriteString("package coop.access\n")
	for i := range n {
		fmt.Fprintf(&text, "\nforbid contains {\n\t\"code\": \"rule-%d\",\n\t\"sentence\": \"This is rule number %d.\",\n} if {\n\tsome c in input.dataset.categories\n\tstartswith(c, \"Z%d\")\n}\n", i, i, i)
	}
	return text.String()
}

// The budget is twice what the law in force takes: what is too much for one
// co-op is not for another, and no policy takes more than there is.
func TestADecisionMayTakeTwiceTheStepsOfTheLawInForce(t *testing.T) {
	few, more, most := rules(1), rules(20), rules(400)
	for name, c := range map[string]struct {
		text, present string
		ok            bool
	}{
		"the same":               {few, few, true},
		"twenty rules more":      {more, few, false},
		"twenty rules as before": {more, more, true},
		"fewer rules":            {few, more, true},
		"beyond what there is":   {most, most, false},
	} {
		report, err := Gate(t.Context(), []byte(c.text), []byte(c.present))
		if err != nil {
			t.Fatal(err)
		}
		var budget Step
		for _, s := range report.Steps {
			if s.Name == StepBudget {
				budget = s
			}
		}
		if budget.OK != c.ok || !budget.Tried || !strings.Contains(budget.Figure, "the law in force takes") {
			t.Errorf("%s: %+v, %q", name, budget, report.Findings)
		}
	}
	if _, err := Gate(t.Context(), Default(), []byte("package coop\n")); err == nil {
		t.Error("compared with what is no law")
	}
}
