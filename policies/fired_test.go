package policies

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

var duties = []string{"base.obligations.delete-after-retention", "base.obligations.no-onward-sharing", "base.obligations.no-reidentification"}

// The names last: they stand in records, and replays compare them.
func TestADecisionNamesTheRulesThatFired(t *testing.T) {
	ask := law("review contains {\n\t\"code\": \"look-first\",\n\t\"sentence\": \"A steward looks at this first.\",\n} if input.request.retention_days > 300\n\n" +
		ban("late(input.request.retention_days)") + "\nlate(days) if days > 3000")
	ours, voted := compiled(t, Default()), compiled(t, []byte(ask))
	for name, c := range map[string]struct {
		law    *Revision
		change func(*Input)
		rules  []string
	}{
		"a release": {ours, func(*Input) {}, append([]string{"access.obligation.publish-results", "base.permits", "consent.permits", "consent.settled"}, duties...)},
		"an unvetted requester": {ours, func(in *Input) { in.Request.Requester.Vetted = false },
			[]string{"access.forbid.coop-requester-unvetted", "base.reasons.requester-unvetted", "consent.permits", "consent.settled"}},
		"a price too low": {ours, func(in *Input) { in.Records[0].MinPriceMinor = 501 }, []string{"base.permits", "consent.shortfalls.price-too-low"}},
		"a pause":         {ours, func(in *Input) { in.Records[0].Paused = true }, []string{"base.permits", "consent.refusals.member-paused"}},
		"a condition that is met": {ours, func(in *Input) { in.Records[0].Limits.Publication, in.Request.Study.Publishes = true, true },
			append([]string{"access.obligation.publish-results", "base.permits", "consent.permits", "consent.settled", "consent.verdict.DUO:0000019"}, duties...)},
		"a question to people": {voted, func(*Input) {}, append([]string{"access.review.look-first", "base.permits", "consent.permits", "consent.settled"}, duties...)},
		"what was voted": {voted, func(in *Input) { in.Request.RetentionDays = 3100 },
			[]string{"access.forbid.no-such-use", "access.review.look-first", "base.permits", "consent.permits", "consent.settled"}},
	} {
		in := released()
		c.change(&in)
		slices.Sort(c.rules)
		if out, err := c.law.Decide(t.Context(), in); err != nil || !slices.Equal(out.Rules, c.rules) {
			t.Errorf("%s: %q (%v)", name, out.Rules, err)
		}
	}
	var none *Revision
	if out, _ := none.Decide(t.Context(), released()); out.Rules == nil || len(out.Rules) != 0 {
		t.Errorf("without law there fired %q", out.Rules)
	}
}

// A reason or a duty with a code of its own in the law is there because its rule
// fired, and a rule that gives a code fires only if its answer counts somewhere.
func TestReasonsAndFiredRulesAgree(t *testing.T) {
	ours := compiled(t, Default())
	ruled := map[string]bool{}
	for name, text := range ours.sources {
		if strings.HasSuffix(name, ".rego") {
			for _, rule := range ast.MustParseModuleWithOpts(string(text), ast.ParserOptions{}).Rules {
				if law, ok := lawOf(rule); ok {
					ruled[law.code] = true
				}
			}
		}
	}
	for name, change := range changes {
		in := released()
		change(&in)
		out, err := ours.Decide(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.Reasons {
			fired := slices.ContainsFunc(out.Rules, func(rule string) bool { return strings.HasSuffix(rule, "."+r.Code) })
			if ruled[r.Code] && !fired {
				t.Errorf("%s: %s without a rule in %q", name, r.Code, out.Rules)
			}
		}
		if out.Allow != (slices.Contains(out.Rules, "access.obligation.publish-results") && slices.Contains(out.Rules, "consent.settled")) && !out.NeedsReview {
			t.Errorf("%s: allowed is %v by %q", name, out.Allow, out.Rules)
		}
	}
}

// Rules are found through an index, which once missed some; without it, law must
// say the same. A refusal that is missed would open a door.
func TestTheIndexOfRulesChangesNoAnswer(t *testing.T) {
	text, err := Format([]byte(law(ban("input.request.requester.region in {\"FR\", input.dataset.region}") +
		"\nreview contains {\n\t\"code\": \"look-first\",\n\t\"sentence\": \"Somebody looks at this.\",\n} if input.request.retention_days > 700\n")))
	if err != nil {
		t.Fatal(err)
	}
	questions, n := map[string]Input{}, 0
	for name, change := range changes {
		in := released()
		change(&in)
		questions["changed: "+name] = in
	}
	for _, g := range readGolden(t) {
		questions["golden row "+g.id] = g.ask(t)
	}
	kept, first := readFirstLaw(t)
	for _, d := range kept.Decisions {
		in, err := ParseInput([]byte(d.Input))
		if err != nil {
			t.Fatal(err)
		}
		questions["recorded: "+d.Name] = in
	}
	for _, r := range []*Revision{compiled(t, Default()), compiled(t, text), first} {
		for name, in := range questions {
			with, err := r.eval(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			without, err := r.eval(t.Context(), in, rego.EvalRuleIndexing(false))
			if err != nil {
				t.Fatal(err)
			}
			if n++; !reflect.DeepEqual(with, without) {
				t.Errorf("%s: %+v with the index, %+v without", name, with, without)
			}
		}
	}
	if n < 900 {
		t.Errorf("only %d questions", n)
	}
}

// What a decision costs that does not say which rules fired; BenchmarkDecide
// says.
func BenchmarkDecideWithoutRules(b *testing.B) {
	revision, in := compiled(b, Default()), released()
	for b.Loop() {
		rs, err := revision.query.Eval(b.Context(), rego.EvalParsedInput(in.value()))
		if err != nil {
			b.Fatal(err)
		}
		if out, err := outcome(rs, nil); err != nil || !out.Allow {
			b.Fatal(out, err)
		}
	}
}
