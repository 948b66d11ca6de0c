package odrl_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/deiu/rdf2go"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/policies/document"
	"distributed.ai/datacoop/policies/document/odrl"
)

// Words of the test suite (SolidLabResearch/ODRL-Test-Suite).
const (
	ex     = "http://example.org/"
	report = "https://w3id.org/force/compliance-report#"
	issued = "http://purl.org/dc/terms/issued"
	now    = "http://example.com/request/currentTime"
)

// suite reads policies, requests, states of the world and test cases into one
// graph: every node has a name of its own, but for the current time.
func suite(t *testing.T) (g *odrl.Graph, cases map[string]odrl.Term, times map[odrl.Term]odrl.Term) {
	t.Helper()
	g, cases, times = &odrl.Graph{}, map[string]odrl.Term{}, map[odrl.Term]odrl.Term{}
	folder := filepath.Dir(filepath.Dir(testkit.Fixture(t, "18-policy/odrl/policies/policy-1.ttl")))
	files, err := filepath.Glob(filepath.Join(folder, "*", "*.ttl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		one := turtle(t, file)
		for _, triple := range one.Triples() {
			if triple.Subject != odrl.IRI(now) {
				g.Add(triple)
			}
		}
		for _, world := range one.Subjects(ex + "Sotw") {
			times[world] = one.Objects(odrl.IRI(now), issued)[0]
		}
		for _, testcase := range one.Subjects(ex + "TestCase") {
			cases[filepath.Base(file)] = testcase
		}
	}
	return g, cases, times
}

func turtle(t *testing.T, file string) *odrl.Graph {
	t.Helper()
	text, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	read := rdf2go.NewGraph("urn:nowhere")
	if err := read.Parse(text, "text/turtle"); err != nil {
		t.Fatal(err)
	}
	term := func(t rdf2go.Term) odrl.Term {
		l, literal := t.(*rdf2go.Literal)
		switch {
		case literal && l.Datatype != nil:
			return odrl.Term{Value: l.Value, Datatype: l.Datatype.RawValue()}
		case literal:
			return odrl.Literal(l.Value, "string")
		}
		return odrl.IRI(t.RawValue())
	}
	out := &odrl.Graph{}
	for triple := range read.IterTriples() {
		out.Add(odrl.Triple{Subject: term(triple.Subject), Predicate: triple.Predicate.RawValue(), Object: term(triple.Object)})
	}
	return out
}

func only(t *testing.T, g *odrl.Graph, node odrl.Term, predicate string) odrl.Term {
	t.Helper()
	all := g.Objects(node, predicate)
	if len(all) != 1 {
		t.Fatalf("%s has %d of %s", node.Value, len(all), predicate)
	}
	return all[0]
}

// asked is what a request of the suite asks: the one permission it wants.
func asked(t *testing.T, g *odrl.Graph, request, time odrl.Term) odrl.Request {
	t.Helper()
	want := only(t, g, request, odrl.NS+"permission")
	return odrl.Request{
		Action: only(t, g, want, odrl.NS+"action").Value, Assignee: only(t, g, want, odrl.NS+"assignee").Value,
		Target: only(t, g, want, odrl.NS+"target").Value, Facts: map[string][]odrl.Term{odrl.NS + "dateTime": {time}},
	}
}

// wanted is what a report of the suite says of one rule: its state and that of
// each premise.
func wanted(t *testing.T, g *odrl.Graph, of odrl.Term) (active bool, premises []string) {
	t.Helper()
	for _, p := range g.Objects(of, report+"premiseReport") {
		class := only(t, g, p, odrl.RDF+"type").Value
		state := only(t, g, p, report+"satisfactionState").Value
		premises = append(premises, strings.ToLower(strings.TrimSuffix(class[len(report):], "Report"))+" "+state[len(report):])
	}
	slices.Sort(premises)
	return only(t, g, of, report+"activationState").Value == report+"Active", premises
}

func found(r odrl.RuleReport) (premises []string) {
	for _, p := range r.Premises {
		state := " Unsatisfied"
		if p.Holds {
			state = " Satisfied"
		}
		premises = append(premises, p.About+state)
	}
	slices.Sort(premises)
	return premises
}

// expressible says of each policy of the suite whether a rule document can say
// the same, and why not.
var expressible = map[string]string{
	"policy-1": "no: the rule has no action, and what the co-op publishes always names one",
	"policy-2": "no: the rule has no action, and what the co-op publishes always names one",
	"policy-3": "yes: the one permission of every document, where base law and the member permit",
	"policy-4": "yes: a rule that forbids without a condition",
	"policy-5": "no: it names a person, and law is about kinds of requests",
	"policy-6": "no: it names a person, and law is about kinds of requests",
	"policy-7": "no: it names a person, and an action besides use",
	"policy-8": "no: it names a person, an action besides use and a single thing",
	"policy-9": "no: it names a person and a moment, and law does not read the time",
}

// Every case of the suite comes out as the suite expects, premise by premise;
// where a rule document says what a policy of the suite says, so does the ODRL
// of that document.
func TestTheTestSuite(t *testing.T) {
	g, cases, times := suite(t)
	folder := filepath.Dir(testkit.Fixture(t, "18-policy/odrl/policies/policy-1.ttl"))
	names := map[odrl.Term]string{}
	for name := range expressible {
		one := turtle(t, filepath.Join(folder, name+".ttl"))
		names[one.Subjects(odrl.NS + "Set")[0]] = name
	}
	said := 0
	for _, file := range slices.Sorted(maps.Keys(cases)) {
		testcase := cases[file]
		policy := only(t, g, testcase, ex+"policy")
		q := asked(t, g, only(t, g, testcase, ex+"request"), times[only(t, g, testcase, ex+"sotw")])
		rule := only(t, g, only(t, g, testcase, ex+"expectedReport"), report+"ruleReport")
		active, premises := wanted(t, g, rule)

		got, err := odrl.Evaluate(g, policy, q)
		if err != nil || len(got.Rules) != 1 {
			t.Errorf("%s: %d rules, %v", file, len(got.Rules), err)
			continue
		}
		one := got.Rules[0]
		if one.Rule != only(t, g, rule, report+"rule") || one.Active != active || !slices.Equal(found(one), premises) {
			t.Errorf("%s: active %v for %q; expected %v for %q", file, one.Active, found(one), active, premises)
			continue
		}
		why := expressible[names[policy]]
		if strings.HasPrefix(why, "yes") {
			said++
			if ours(t, names[policy], q.Action) != active {
				t.Errorf("%s: a rule document comes to another state than %v", file, active)
			}
		}
		t.Logf("%-32s active %-5v as expected; a rule document says it: %s", file, active, why)
	}
	if len(cases) != 32 || said != 8 {
		t.Errorf("%d cases, %d of which a document says", len(cases), said)
	}
}

// ours is whether the document that says what policy-3 or policy-4 says has its
// rule active for an action.
func ours(t *testing.T, policy, action string) bool {
	t.Helper()
	when, kind := `"when":[{"about":"requester-vetted","is":"no"}]`, odrl.Permission
	if policy == "policy-4" {
		when, kind = `"when":[]`, odrl.Prohibition
	}
	d, err := document.Parse([]byte(`{"rules":[{"code":"the-rule","effect":"forbid","title":"The rule",`+when+`}]}`), "EUR")
	if err != nil {
		t.Fatal(err)
	}
	g, root, err := odrl.ReadJSONLD(d.ODRL(""))
	if err != nil {
		t.Fatal(err)
	}
	yes := []odrl.Term{odrl.Literal("true", "boolean")}
	got, err := odrl.Evaluate(g, root, odrl.Request{Action: action, Assignee: odrl.Own + "requesters", Target: odrl.Own + "datasets",
		Facts: map[string][]odrl.Term{odrl.Own + "consent": yes, odrl.Own + "vetted": yes}})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(got.Rules, func(r odrl.RuleReport) bool { return r.Kind == kind })
	return got.Rules[i].Active
}
