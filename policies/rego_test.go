package policies

import (
	"bytes"
	"encoding/csv"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/testkit"
)

var update = flag.Bool("update", false, "bring Rego files into the canonical layout")

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

// A policy that read ids could answer differently for questions of one class.
func TestKernelReadsNoIDs(t *testing.T) {
	for name, text := range regoIn("kernel", false) {
		module := ast.MustParseModuleWithOpts(string(text), ast.ParserOptions{})
		ast.WalkRefs(module, func(ref ast.Ref) bool {
			words := ref.String()
			for _, id := range []string{".id", ".member", "scope", "requester.id"} {
				if strings.HasSuffix(words, id) {
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
		"time":   {"not_before", "expires", "withdrawn", "sealed", "closed"},
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
			a == "sealed" && b == "0" || a == "price_minor" && b == "0"
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
		for _, rule := range ast.MustParseModuleWithOpts(string(text), ast.ParserOptions{}).Rules {
			law, ok := lawOf(rule)
			if !ok {
				continue
			}
			if !codePattern.MatchString(law.code) || !sentencePattern.MatchString(law.sentence) {
				t.Errorf("%s: %s: %q", name, law.code, law.sentence)
			}
			if other, ok := seen[law.code]; ok && other != law.sentence {
				t.Errorf("%s says two things", law.code)
			}
			seen[law.code] = law.sentence
		}
	}
	if len(seen) < 20 {
		t.Errorf("only %d codes found", len(seen))
	}
}

// The codes are those of the Data Use Ontology as its maintainers publish it.
func TestPurposesAreInTheOntology(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(testkit.FixtureBytes(t, "18-policy/duo/duo.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	published := map[string]string{}
	for _, row := range rows {
		published[row[0]] = row[1]
	}
	want := map[string]string{"DUO:0000004": "NRES", "DUO:0000042": "GRU", "DUO:0000006": "HMB",
		"DUO:0000007": "DS", "DUO:0000011": "POA", "DUO:0000043": "CC"}
	for code := range terms.Covering["duo"] {
		if want[code] == "" || published[code] != want[code] {
			t.Errorf("%s is %q in the ontology, %q here", code, published[code], want[code])
		}
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
	for _, term := range coop.DPVPurposes() {
		commercial := coop.Purpose{DPV: term.Code}.Commercial()
		if slices.Contains(terms.DPV.Commercial, term.Code) != commercial {
			t.Errorf("%s: commercial in one place only", term.Code)
		}
	}
	if groups := RegionGroups(); !slices.Equal(groups, []string{"EEA", "EU"}) {
		t.Errorf("groups of regions: %v", groups)
	}
}
