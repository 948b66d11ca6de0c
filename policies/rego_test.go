package policies

import (
	"bytes"
	"encoding/csv"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/policies/trees"
)

var update = flag.Bool("update", false, "bring Rego files into the canonical layout and write terms/data.json")

// regoFiles lists every Rego file of the package on disk, so that a file that
// was added but not embedded is found.
func regoFiles(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("*/*.rego")
	if err != nil || len(names) == 0 {
		t.Fatalf("no Rego files: %v", err)
	}
	return names
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestRegoTestsPass(t *testing.T) {
	modules := map[string]*ast.Module{}
	wanted := map[string]bool{}
	for _, name := range regoFiles(t) {
		module := ast.MustParseModuleWithOpts(string(read(t, name)), ast.ParserOptions{})
		modules[name] = module
		for _, rule := range module.Rules {
			if test := rule.Head.Ref()[0].Value.String(); strings.HasPrefix(test, tester.TestPrefix) {
				wanted[module.Package.Path.String()+"."+test] = false
			}
		}
	}
	data, err := termsData(read(t, termsPath))
	if err != nil {
		t.Fatal(err)
	}
	data["gate"] = samples(modules[accessPath])
	results, err := tester.NewRunner().SetStore(inmem.NewFromObject(data)).SetModules(modules).
		RaiseBuiltinErrors(true).SetTimeout(time.Minute).RunTests(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	cases := 0
	for r := range results {
		wanted[r.Package+"."+r.Name] = true
		if !r.Pass() {
			t.Errorf("%s", r)
		}
		for range r.SubResults.Iter {
			cases++
		}
	}
	for name, ran := range wanted {
		if !ran {
			t.Errorf("%s did not run", name)
		}
	}
	if len(wanted) < 50 || cases < 90 {
		t.Errorf("only %d Rego tests with %d cases ran", len(wanted), cases)
	}
}

func TestEveryPolicyHasMetadataAndATest(t *testing.T) {
	names := regoFiles(t)
	for _, name := range names {
		if isTest(name) || strings.HasPrefix(name, "invariants") {
			continue
		}
		if !bytes.Contains(read(t, name), []byte("# METADATA\n")) {
			t.Errorf("%s has no metadata", name)
		}
		if test := strings.TrimSuffix(name, ".rego") + "_test.rego"; !slices.Contains(names, test) {
			t.Errorf("%s has no test beside it", name)
		}
	}
}

func TestRegoIsInCanonicalLayoutAndShort(t *testing.T) {
	for _, name := range regoFiles(t) {
		text := read(t, name)
		want, err := Format(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if *update {
			text = want
			if err := os.WriteFile(name, want, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(want, text) {
			t.Errorf("%s is not in the canonical layout; go test -update writes it", name)
		}
		if lines := bytes.Count(text, []byte("\n")); lines > 120 && !isTest(name) {
			t.Errorf("%s has %d lines", name, lines)
		}
	}
}

// A policy that read ids could answer differently for questions of one class. The
// requester's is read once, where a record names the only requesters it is for;
// Class keeps it there.
func TestKernelReadsNoIDs(t *testing.T) {
	for name, text := range regoIn("kernel", false) {
		module := ast.MustParseModuleWithOpts(string(text), ast.ParserOptions{})
		ast.WalkRefs(module, func(ref ast.Ref) bool {
			words := ref.String()
			for _, id := range []string{".id", ".member", "scope", "requester.id"} {
				if strings.HasSuffix(words, id) && (words != "input.request.requester.id" || name != "kernel/consent_verdicts_requester.rego") {
					t.Errorf("%s reads %s", name, words)
				}
			}
			if slices.Contains([]string{"input", "input.request", "input.dataset", "input.request.requester"}, words) {
				t.Errorf("%s reads %s whole", name, words)
			}
			return false
		})
	}
}

// Class relies on it: the kernel compares times with the time of the request
// (or, for sealed, with zero) and a price floor with the price, and does nothing
// else with them.
func TestKernelOnlyComparesTimesAndFloors(t *testing.T) {
	marks := map[string][]string{
		"time":   {"not_before", "expires", "withdrawn", "sealed", "closed", "publish_from"},
		"floors": {"min_price_minor"},
	}
	last := func(t *ast.Term) string {
		if ref, ok := t.Value.(ast.Ref); ok {
			if s, ok := ref[len(ref)-1].Value.(ast.String); ok {
				return string(s)
			}
		}
		return t.String()
	}
	allowed := func(a, b string) bool {
		return b == "time" && slices.Contains(marks["time"], a) || b == "price_minor" && a == "min_price_minor" ||
			a == "value" && (b == "time" || b == "publish_from") || a == "sealed" && b == "0" || a == "price_minor" && b == "0"
	}
	seen, compared := 0, 0
	for name, text := range regoIn("kernel", false) {
		module := ast.MustParseModuleWithOpts(string(text), ast.ParserOptions{})
		ast.WalkTerms(module, func(term *ast.Term) bool {
			if word := last(term); word == "time" || slices.Contains(slices.Concat(marks["time"], marks["floors"]), word) {
				if ref, ok := term.Value.(ast.Ref); ok && len(ref) > 1 {
					seen++
				}
			}
			return false
		})
		ast.WalkExprs(module, func(e *ast.Expr) bool {
			if e.IsCall() && e.Operator().String() == "is_number" && slices.Contains(slices.Concat(marks["time"], marks["floors"]), last(e.Operand(0))) {
				seen-- // whether it is a number is the same for all that are
			}
			if !e.IsCall() || !slices.Contains([]string{"lt", "lte", "gt", "gte"}, e.Operator().String()) {
				return false
			}
			a, b := last(e.Operand(0)), last(e.Operand(1))
			for _, word := range []string{a, b} {
				if word == "time" || slices.Contains(slices.Concat(marks["time"], marks["floors"]), word) {
					compared++
					if !allowed(a, b) && !allowed(b, a) {
						t.Errorf("%s compares %s", name, e)
					}
				}
			}
			return false
		})
	}
	if seen != compared || seen < 10 {
		t.Errorf("%d mentions, %d of them compared", seen, compared)
	}
}

func TestKernelSentencesAreFitToShow(t *testing.T) {
	seen := map[string]string{}
	for name, text := range regoIn("kernel", false) {
		for _, law := range lawsIn(text) {
			if !codePattern.MatchString(law.code) || !sentencePattern.MatchString(law.sentence) {
				t.Errorf("%s: %s: %q", name, law.code, law.sentence)
			}
			if other, ok := seen[law.code]; ok && other != law.sentence {
				t.Errorf("%s says two things", law.code)
			}
			seen[law.code] = law.sentence
		}
	}
	if len(seen) < 60 {
		t.Errorf("only %d codes found", len(seen))
	}
}

// The codes are those of the Data Use Ontology as its maintainers publish it:
// every current term, with its label, and no other.
func TestVocabularyIsTheOntology(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(testkit.FixtureBytes(t, "18-policy/duo/duo.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	published := map[string][]string{}
	for _, row := range rows[1:] {
		published[row[0]] = row[1:3]
	}
	for _, term := range coop.DUOTerms() {
		if want := []string{term.Shorthand, term.Label}; !slices.Equal(published[term.Code], want) {
			t.Errorf("%s is %q in the ontology, %q here", term.Code, published[term.Code], want)
		}
		delete(published, term.Code)
	}
	if len(published) > 0 || len(coop.DUOTerms()) != 25 {
		t.Errorf("not here: %v", published)
	}
}

// Every term of the ontology does something: a permission stands in the tree, a
// modifier is a condition of a record, and only the two headings say nothing.
func TestEveryTermOfTheOntologyIsUsed(t *testing.T) {
	limits := reflect.TypeFor[Limits]()
	conditions := map[string]bool{"DUO:0000022": true} // geography: the regions of a record
	for i := range limits.NumField() {
		name, _, _ := strings.Cut(limits.Field(i).Tag.Get("json"), ",")
		conditions[name] = true
	}
	for _, term := range coop.DUOTerms() {
		_, permission := terms.Covering["duo"][term.Code]
		switch {
		case term.Role == coop.DUOPermission != permission,
			term.Role == coop.DUOModifier && !conditions[term.Code],
			term.Role == coop.DUOHeading && (permission || conditions[term.Code]):
			t.Errorf("%s is a %s: in the tree %v, a condition %v", term.Code, term.Role, permission, conditions[term.Code])
		}
	}
}

func TestTermsAreWhatTheTreesGive(t *testing.T) {
	want, err := trees.Data()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(termsPath, want, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(read(t, termsPath), want) {
		t.Error("terms/data.json is not what package trees writes; go test -update writes it")
	}
}

func TestTermsAreTheHousesWords(t *testing.T) {
	same := func(what string, have []string, want []coop.Term) {
		for _, term := range want {
			if !slices.Contains(have, term.Code) {
				t.Errorf("%s: %s is not in the terms", what, term.Code)
			}
		}
		if len(have) != len(want) {
			t.Errorf("%s: %d terms, %d words", what, len(have), len(want))
		}
	}
	same("DUO", terms.DUO.Requestable, coop.DUOPurposes())
	same("DPV", terms.DPV.Requestable, coop.DPVPurposes())
	same("kinds", terms.Kinds, coop.RequesterKinds())
	same("studies", terms.Studies, coop.Studies())
	for _, term := range coop.DPVPurposes() {
		commercial := coop.Purpose{DPV: term.Code}.Commercial()
		if slices.Contains(terms.DPV.Commercial, term.Code) != commercial {
			t.Errorf("%s: commercial in one place only", term.Code)
		}
	}
	if groups := RegionGroups(); !slices.Equal(groups, []string{"EEA", "EU", "WORLD"}) {
		t.Errorf("groups of regions: %v", groups)
	}
}
