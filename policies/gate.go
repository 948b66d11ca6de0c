package policies

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"
)

const (
	gateDeadline = time.Minute
	testDeadline = 20 * time.Second

	// maxSteps is the most evaluation steps one decision may take, whatever the
	// law in force takes. The default policy takes under two thousand. Steps,
	// unlike time, do not depend on how busy the machine is.
	maxSteps = 20_000

	// stepsRatio is how many times the steps of the law in force a proposal may
	// take.
	stepsRatio = 2
)

var errLate = errors.New("not done in time; the machine may be busy")

// Report is what the gate found in an access policy.
type Report struct {
	OK        bool
	Findings  []string // sentences for the author; empty exactly if OK
	Revision  string   // hash the policy would be in force under; empty unless it compiles
	Sentences []string // what the policy says in plain English; empty unless it compiles
	Steps     []Step   // what was tried, in order
}

// Step is one thing the gate tries. After one that does not hold nothing more
// is tried.
type Step struct {
	Name   string `json:"name"`   // short and stable
	Holds  string `json:"holds"`  // what holds if it is OK, in words
	OK     bool   `json:"ok"`     // tried, and it holds
	Tried  bool   `json:"tried"`  // false after a step that did not hold
	Figure string `json:"figure"` // what was counted; "" if it was not tried
}

// Names of the steps, in order.
const (
	StepShape      = "shape"
	StepLayout     = "layout"
	StepCompile    = "compile"
	StepTypes      = "types"
	StepBudget     = "steps"
	StepInvariants = "invariants"
	StepFilters    = "filters"
)

// gateSteps are what the gate tries. The last is no refusal: a policy that is
// no filter is slow and not wrong.
func gateSteps() []Step {
	return []Step{
		{Name: StepShape, Holds: "It is an access policy and nothing else."},
		{Name: StepLayout, Holds: "It is in the canonical layout."},
		{Name: StepCompile, Holds: "It compiles strictly, with the built-ins on the list alone."},
		{Name: StepTypes, Holds: "It takes every part of a request for what it is."},
		{Name: StepBudget, Holds: "No decision takes too many steps."},
		{Name: StepInvariants, Holds: "What must hold under every law holds."},
		{Name: StepFilters, Holds: "It can be asked of all datasets at once."},
	}
}

// tell notes how a step ended.
func (r *Report) tell(name, figure string, findings []string) (holds bool) {
	for i := range r.Steps {
		if r.Steps[i].Name == name {
			r.Steps[i].Tried, r.Steps[i].OK, r.Steps[i].Figure = true, len(findings) == 0, figure
		}
	}
	r.Findings = append(r.Findings, findings...)
	return len(findings) == 0
}

// Gate tries an access policy before anybody votes on it: its shape and layout,
// a strict compile under the allow-list, the types of what it reads, the number
// of steps a decision takes, and the invariants, which are Rego tests run with
// the policy in force; and says whether it can be asked of all datasets at once.
// Present is the access policy in force, of whose steps a decision may take
// twice as many; nil is the one a co-op starts with. The error is for the
// operator and says nothing about the policy.
func Gate(ctx context.Context, access, present []byte) (Report, error) {
	ctx, cancel := context.WithTimeout(ctx, gateDeadline)
	defer cancel()
	report := Report{Steps: gateSteps()}
	revision, err := report.compiled(ctx, access)
	if err != nil || revision == nil {
		return report.without(err), err
	}
	if !report.tell(StepTypes, fmt.Sprintf("%d parts of a request", len(vocabulary)), illTyped(access)) {
		return report, nil
	}
	figure, findings, err := revision.tooSlow(ctx, present)
	if err != nil || !report.tell(StepBudget, figure, findings) {
		return report.without(err), err
	}
	figure, findings, err = revision.violations(ctx)
	if err != nil || !report.tell(StepInvariants, figure, findings) {
		return report.without(err), err
	}
	report.OK = true
	figure = fmt.Sprintf("asked for %d kinds of requests", len(terms.DUO.Requestable)*len(terms.Kinds))
	var slow []string
	if !revision.compiles(ctx) {
		slow = []string{oneByOne}
		report.Sentences = append(slices.Clone(report.Sentences), oneByOne)
	}
	report.tell(StepFilters, figure, slow)
	report.Findings = nil
	return report, ctx.Err()
}

// without is the report of a gate that could not say anything.
func (r Report) without(err error) Report {
	if err != nil {
		return Report{}
	}
	return r
}

// compiled tries what can be tried of a text, and compiles it; nil if it cannot
// be.
func (r *Report) compiled(ctx context.Context, access []byte) (*Revision, error) {
	module, findings := shape(access)
	var layout []string
	findings = slices.DeleteFunc(findings, func(f string) bool {
		if !strings.Contains(f, canonicalLayout) {
			return false
		}
		layout = append(layout, f)
		return true
	})
	rules := 0
	if module != nil {
		rules = len(module.Rules)
	}
	shaped := r.tell(StepShape, fmt.Sprintf("%d rules in %d bytes", rules, len(access)), findings)
	laid := module != nil && r.tell(StepLayout, fmt.Sprintf("%d lines", bytes.Count(access, []byte("\n"))), layout)
	if !shaped || !laid {
		return nil, nil
	}
	revision, err := Compile(ctx, access)
	var broken *Broken
	if errors.As(err, &broken) {
		r.tell(StepCompile, fmt.Sprintf("%d built-ins are allowed", len(allowed)), broken.Findings)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r.tell(StepCompile, fmt.Sprintf("%d built-ins are allowed", len(allowed)), nil)
	r.Revision, r.Sentences = revision.hash, revision.sentences
	return revision, nil
}

// violations runs the invariants against the revision and returns those that
// do not hold.
func (r *Revision) violations(ctx context.Context) (figure string, findings []string, err error) {
	modules, titles, err := r.withInvariants()
	if err != nil {
		return "", nil, err
	}
	data, err := termsData(r.sources[termsPath])
	if err != nil {
		return "", nil, err
	}
	data["gate"] = samples(modules[accessPath])
	caps := capabilities()
	caps.Builtins = append(caps.Builtins, ast.InternalTestCase)
	results, err := tester.NewRunner().
		SetCompiler(ast.NewCompiler().WithCapabilities(caps)).
		SetStore(inmem.NewFromObject(data)).
		SetModules(modules).
		SetPrefixMatchers(ast.MustParseRef("data.coop.invariants_test")).
		RaiseBuiltinErrors(true).
		SetTimeout(testDeadline).
		RunTests(ctx, nil)
	if err != nil {
		return "", nil, fmt.Errorf("policies: running invariants: %w", err)
	}
	ran, stopped := 0, false
	for result := range results {
		ran++
		stopped = stopped || topdown.IsCancel(result.Error)
		if !result.Pass() {
			findings = append(findings, "This must hold and does not: "+titles[result.Name])
		}
	}
	if stopped || ctx.Err() != nil {
		return "", nil, fmt.Errorf("policies: running invariants: %w", errLate)
	}
	if ran != len(titles) || ran == 0 {
		return "", nil, fmt.Errorf("policies: %d of %d invariants ran", ran, len(titles))
	}
	slices.Sort(findings)
	return fmt.Sprintf("%d of %d hold", ran-len(findings), ran), findings, nil
}

// withInvariants parses the revision and the invariants, and names each
// invariant by the title of its test.
func (r *Revision) withInvariants() (map[string]*ast.Module, map[string]string, error) {
	modules := map[string]*ast.Module{}
	for name, text := range r.sources {
		if name != termsPath {
			modules[name] = ast.MustParseModuleWithOpts(string(text), ast.ParserOptions{})
		}
	}
	for name, text := range regoIn("invariants", false) {
		modules[name] = ast.MustParseModuleWithOpts(string(text), ast.ParserOptions{})
	}
	titles := map[string]string{}
	for name, text := range regoIn("invariants", true) {
		module, err := ast.ParseModuleWithOpts(name, string(text), ast.ParserOptions{ProcessAnnotation: true})
		if err != nil {
			return nil, nil, fmt.Errorf("policies: parsing invariants: %w", err)
		}
		modules[name] = module
		set, errs := ast.BuildAnnotationSet([]*ast.Module{module})
		if len(errs) > 0 {
			return nil, nil, fmt.Errorf("policies: titles of invariants: %w", errs)
		}
		for _, rule := range module.Rules {
			if test, _ := plainName(rule); strings.HasPrefix(test, tester.TestPrefix) {
				titles[test] = cmp.Or(titleOf(set, rule), test)
			}
		}
	}
	return modules, titles, nil
}

// tooSlow counts the steps of decisions on the largest inputs there are, and
// compares them with those of the law in force.
func (r *Revision) tooSlow(ctx context.Context, present []byte) (figure string, findings []string, err error) {
	if present == nil {
		present = Default()
	}
	law, err := Compile(ctx, present)
	if err != nil {
		return "", nil, fmt.Errorf("policies: the law in force: %w", err)
	}
	now, _, err := law.mostSteps(ctx, maxSteps)
	if err != nil {
		return "", nil, fmt.Errorf("policies: the law in force: %w", err)
	}
	budget := min(maxSteps, stepsRatio*now)
	most, broken, err := r.mostSteps(ctx, budget)
	figure = fmt.Sprintf("%d of at most %d; the law in force takes %d", min(most, budget), budget, now)
	switch {
	case err != nil:
		return "", nil, err
	case broken:
		return figure, []string{"A decision ends in an error; check that every rule can be evaluated for every request."}, nil
	case most > budget:
		return fmt.Sprintf("more than %d; the law in force takes %d", budget, now),
			[]string{fmt.Sprintf("One decision takes more than %d steps, where the law in force takes %d; make the rules simpler.", budget, now)}, nil
	}
	return figure, nil, nil
}

// mostSteps is how many steps the longest decision takes; where that is over
// budget, one more than the budget. Broken says that a decision ends in an error.
func (r *Revision) mostSteps(ctx context.Context, budget int) (most int, broken bool, err error) {
	for _, in := range probes() {
		counter := &steps{most: budget, cancel: topdown.NewCancel()}
		_, err := r.eval(ctx, in, rego.EvalQueryTracer(counter), rego.EvalExternalCancel(counter.cancel))
		switch {
		case counter.cancel.Cancelled() || errors.Is(err, context.DeadlineExceeded):
			return budget + 1, false, ctx.Err()
		case topdown.IsError(err):
			return most, true, nil
		case err != nil:
			return 0, false, fmt.Errorf("policies: counting steps: %w", err)
		}
		most = max(most, counter.count)
	}
	return most, false, nil
}

// steps counts evaluation events and stops at the limit.
type steps struct {
	count, most int
	cancel      topdown.Cancel
}

// Enabled implements topdown.QueryTracer.
func (s *steps) Enabled() bool { return true }

// Config implements topdown.QueryTracer.
func (s *steps) Config() topdown.TraceConfig { return topdown.TraceConfig{} }

// TraceEvent implements topdown.QueryTracer.
func (s *steps) TraceEvent(topdown.Event) {
	if s.count++; s.count > s.most {
		s.cancel.Cancel()
	}
}
