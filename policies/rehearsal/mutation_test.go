package rehearsal

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"

	"distributed.ai/datacoop/policies"
)

// The law is only as good as what would notice a mistake in it. This test makes
// mistakes, one at a time, in every file of the shipped law, and counts those
// that nothing notices. What may notice is: the compiler as it reads law, the
// same questions put to the shipped and to the broken law, the tests beside the
// law, and the invariants of the gate.
//
// Every twentieth mistake is tried unless DATACOOP_MUTANTS=all, which .ci/run sets.

const (
	goal   = 95 // per cent of the mutants that are not equivalent
	sample = 20 // every so many, without DATACOOP_MUTANTS
)

// sources are the files of the shipped law, by the paths of an archive.
func shipped(t testing.TB, access []byte) map[string]string {
	t.Helper()
	law, err := policies.Compile(t.Context(), access)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := law.Archive()
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]string
	if err := json.Unmarshal(archive, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

const accessFile = "access/access.rego"

// judge notices mistakes.
type judge struct {
	sources []map[string]string // the shipped law under several access policies
	cases   []policies.Input
	laws    []*policies.Revision
	answers []policies.Outcome // of the first law, to every case
	data    map[string]any

	tests, invariants map[string]*ast.Module
}

// strictAccess has a rule of each kind, so that mistakes in what the kernel
// makes of voted law show.
const strictAccess = `package coop.access

forbid contains {
	"code": "coop-no-japan",
	"sentence": "The co-op does not release data to Japan.",
} if input.request.requester.region == "JP"

review contains {
	"code": "coop-look-first",
	"sentence": "Somebody looks at requests that keep data for long.",
} if input.request.retention_days > 700

obligation contains {
	"code": "coop-report",
	"sentence": "Report what was found.",
} if input.request.requester.kind == "university"
`

// oneJudge is made once: it asks thousands of questions before it knows anything.
var oneJudge *judge

func newJudge(t testing.TB) *judge {
	t.Helper()
	if oneJudge != nil {
		return oneJudge
	}
	j := &judge{tests: map[string]*ast.Module{}, invariants: map[string]*ast.Module{}}
	for _, access := range []string{string(policies.Default()), strictAccess} {
		law, err := policies.Compile(t.Context(), []byte(access))
		if err != nil {
			t.Fatal(err)
		}
		j.sources, j.laws = append(j.sources, shipped(t, []byte(access))), append(j.laws, law)
	}
	j.telling(t, cases())
	j.readTests(t)
	oneJudge = j
	return j
}

// readTests reads the tests beside the law and the invariants, which the
// package policies embeds or leaves on disk.
func (j *judge) readTests(t testing.TB) {
	t.Helper()
	names, err := filepath.Glob("../*/*.rego")
	if err != nil || len(names) == 0 {
		t.Fatalf("no Rego: %v", err)
	}
	for _, file := range names {
		name := strings.TrimPrefix(filepath.ToSlash(file), "../")
		if _, law := j.sources[0][name]; law {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		of := j.tests
		switch path.Dir(name) {
		case "invariants":
			of = j.invariants
		case "terms":
			continue // of the terms, which are no Rego
		}
		of[name] = ast.MustParseModule(string(text))
	}
	var terms map[string]any
	if err := json.Unmarshal([]byte(j.sources[0]["terms/data.json"]), &terms); err != nil {
		t.Fatal(err)
	}
	j.data = map[string]any{"terms": terms, "gate": map[string]any{
		"regions": []any{"DE", "US"}, "pools": []any{"wearables"}, "categories": []any{[]any{}},
		"prices": []any{1_000_000, 0}, "retentions": []any{1, 3650},
	}}
}

// Who noticed a mutant.
const (
	byCompiler   = "the compiler"
	byQuestions  = "the questions"
	byTests      = "the tests"
	byInvariants = "the invariants"
	byNobody     = "nobody"
)

// notices says who notices a mutant first, the cheapest to ask coming first.
func (j *judge) notices(ctx context.Context, m mutant) (string, error) {
	var laws []*policies.Revision
	for _, sources := range j.sources {
		broken := maps.Clone(sources)
		if len(laws) > 0 && m.file != "kernel/decision.rego" {
			break // only there it matters what the voted law says
		}
		broken[m.file] = string(m.text)
		archive, err := json.Marshal(broken)
		if err != nil {
			return "", err
		}
		law, err := policies.Restore(ctx, archive)
		if err != nil {
			return byCompiler, nil // it was never law
		}
		laws = append(laws, law)
	}
	if j.answered(ctx, laws, 0, quick) {
		return byQuestions, nil
	}
	if failed := j.testsFail(ctx, m, j.tests); failed {
		return byTests, nil
	}
	if _, same := equivalents[m.name]; same {
		return byNobody, ctx.Err() // it was looked at, which says more than the rest
	}
	if j.answered(ctx, laws, quick, len(j.cases)) {
		return byQuestions, nil
	}
	if failed := j.testsFail(ctx, m, j.invariants); failed {
		return byInvariants, nil
	}
	return byNobody, ctx.Err()
}

// quick is how many questions are asked before the tests run.
const quick = 500

// telling puts questions first that get an answer no other got before them: most
// mistakes show at once.
func (j *judge) telling(t testing.TB, list []policies.Input) {
	t.Helper()
	answers := make([]policies.Outcome, len(list))
	each(len(list), func(i int) {
		var err error
		if answers[i], err = j.laws[0].Decide(t.Context(), list[i]); err != nil {
			t.Errorf("%+v: %v", list[i], err)
		}
		answers[i].Rules = nil // a mistake is one that changes an answer, not only how it came about
	})
	seen := map[string]bool{}
	var rest []int
	for i, out := range answers {
		if answer := fmt.Sprint(out); seen[answer] {
			rest = append(rest, i)
		} else {
			seen[answer] = true
			j.cases, j.answers = append(j.cases, list[i]), append(j.answers, out)
		}
	}
	t.Logf("%d questions with %d answers", len(list), len(j.cases))
	for _, i := range rest {
		j.cases, j.answers = append(j.cases, list[i]), append(j.answers, answers[i])
	}
}

// each calls do for every number below n, on all processors.
func each(n int, do func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	workers.Wait()
}

// answered reports whether some question is answered otherwise.
func (j *judge) answered(ctx context.Context, laws []*policies.Revision, from, to int) bool {
	for i, law := range laws {
		for k := from; k < to; k++ {
			want := j.answers[k]
			if i > 0 {
				want, _ = j.laws[i].Decide(ctx, j.cases[k])
			}
			out, err := law.Decide(ctx, j.cases[k])
			out.Rules, want.Rules = nil, nil
			if err != nil || !reflect.DeepEqual(out, want) {
				return true
			}
		}
	}
	return false
}

// testsFail runs tests of the law against a mutant.
func (j *judge) testsFail(ctx context.Context, m mutant, tests map[string]*ast.Module) bool {
	modules := map[string]*ast.Module{}
	for name, module := range tests {
		modules[name] = module.Copy()
	}
	for name, text := range j.sources[0] {
		if path.Ext(name) != ".rego" {
			continue
		}
		if name == m.file {
			text = string(m.text)
		}
		modules[name] = ast.MustParseModule(text)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results, err := tester.NewRunner().SetStore(inmem.NewFromObject(j.data)).SetModules(modules).
		RaiseBuiltinErrors(true).SetTimeout(time.Minute).RunTests(ctx, nil)
	if err != nil {
		return true // it does not compile together with its tests
	}
	failed := false
	for r := range results {
		if !failed && !r.Pass() && ctx.Err() == nil {
			failed = true
			cancel()
		}
	}
	return failed
}

// allMutants lists every mutant of the shipped law, by name. The rules that
// turn the law into conditions on rows of a table answer no question of a single
// dataset; that they say the same is proved by consent's own property test.
func (j *judge) allMutants(t testing.TB) []mutant {
	t.Helper()
	var out []mutant
	for _, name := range slices.Sorted(maps.Keys(j.sources[0])) {
		if path.Ext(name) != ".rego" || strings.HasPrefix(path.Base(name), "cohort") {
			continue
		}
		some, err := mutantsOf(name, []byte(j.sources[0][name]))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, some...)
	}
	seen := map[string]int{}
	for i := range out {
		if seen[out[i].name]++; seen[out[i].name] > 1 {
			out[i].name += fmt.Sprintf(" (%d)", seen[out[i].name])
		}
	}
	return out
}

func chosen(m mutant, all bool) bool {
	h := fnv.New32a()
	h.Write([]byte(m.name))
	return all || h.Sum32()%sample == 0
}

func TestMistakesInTheLawAreNoticed(t *testing.T) {
	all := os.Getenv("DATACOOP_MUTANTS") == "all"
	j := newJudge(t)
	mutants := slices.DeleteFunc(j.allMutants(t), func(m mutant) bool { return !chosen(m, all) })
	who := make([]string, len(mutants))
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // thousands of laws live for a moment
	each(len(mutants), func(i int) {
		var err error
		if who[i], err = j.notices(t.Context(), mutants[i]); err != nil {
			t.Errorf("%s: %v", mutants[i].name, err)
		}
		if _, same := equivalents[mutants[i].name]; who[i] == byNobody && !same {
			t.Logf("nobody notices %s", mutants[i].name)
		}
	})
	count, missed := map[string]int{}, 0
	for i, m := range mutants {
		count[who[i]]++
		_, same := equivalents[m.name]
		switch {
		case who[i] == byNobody && same:
			count["equivalent"]++
		case who[i] == byNobody:
			missed++
		case same && who[i] != byNobody:
			t.Errorf("said to change nothing, and %s notice: %s", who[i], m.name)
		}
	}
	real := len(mutants) - count[byCompiler] - count["equivalent"]
	t.Logf("%d mutants: %d do not compile, %d change nothing; of the other %d, %d are noticed by questions, %d by tests, %d by invariants, %d by nobody",
		len(mutants), count[byCompiler], count["equivalent"], real, count[byQuestions], count[byTests], count[byInvariants], missed)
	if real == 0 || 100*(real-missed) < goal*real {
		t.Errorf("%d of %d mistakes are noticed, less than %d %%", real-missed, real, goal)
	}
	if !all {
		return
	}
	names := map[string]bool{}
	for _, m := range mutants {
		names[m.name] = true
	}
	for name := range equivalents {
		if !names[name] {
			t.Errorf("there is no such mutant: %s", name)
		}
	}
}

// A judge that notices nothing, or everything, would say the same about any law.
func TestTheJudgeNoticesMistakesAndNothingElse(t *testing.T) {
	j := newJudge(t)
	text := j.sources[0]["kernel/decision.rego"]
	if who, err := j.notices(t.Context(), mutant{"none", "kernel/decision.rego", []byte(text + "\n# a word more\n")}); who != byNobody || err != nil {
		t.Errorf("a comment is noticed by %s, %v", who, err)
	}
	for name, c := range map[string]struct{ from, to, who string }{
		"a rule gone":   {"count(consent.refusals) == 0\n", "\n", byTests},
		"a wrong layer": {"object.union(reason, {\"layer\": \"base\"})", "object.union(reason, {\"layer\": \"coop\"})", byQuestions},
		"a word wrong":  {"count(consent.refusals) == 0\n", "count(consents.refusals) == 0\n", byCompiler},
		"a fixed limit": {"default allow := false", "default allow := true", byTests},
	} {
		broken := strings.Replace(text, c.from, c.to, 1)
		if broken == text {
			t.Fatalf("%s: the law does not say %q", name, c.from)
		}
		if who, err := j.notices(t.Context(), mutant{name, "kernel/decision.rego", []byte(broken)}); who != c.who || err != nil {
			t.Errorf("%s is noticed by %s, want %s: %v", name, who, c.who, err)
		}
	}
}

// Copying a file without a mistake must not change what it says.
func TestAMutatorWithoutATargetCopies(t *testing.T) {
	for name, text := range shipped(t, policies.Default()) {
		if path.Ext(name) != ".rego" {
			continue
		}
		module := ast.MustParseModule(text)
		m := &mutator{target: -1}
		if got, want := fmt.Sprint(m.module(module).Rules), fmt.Sprint(module.Rules); got != want {
			t.Errorf("%s:\n%s\n%s", name, want, got)
		}
		if m.sites < 5 {
			t.Errorf("%s has only %d places for mistakes", name, m.sites)
		}
	}
}
