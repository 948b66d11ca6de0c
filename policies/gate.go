package policies

import (
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

	// maxSteps is the most evaluation steps one decision may take. The default
	// policy takes under two thousand. Steps, unlike time, do not depend on how
	// busy the machine is.
	maxSteps = 20_000
)

var errLate = errors.New("not done in time; the machine may be busy")

// Report is what the gate found in an access policy.
type Report struct {
	OK        bool
	Findings  []string // sentences for the author; empty exactly if OK
	Revision  string   // hash the policy would be in force under; empty unless it compiles
	Sentences []string // what the policy says in plain English; empty unless it compiles
}

// Gate tries an access policy before anybody votes on it: its shape, a strict
// compile under the allow-list, the types of what it reads, the number of steps a decision takes, and the
// invariants, which are Rego tests run with the policy in force. The error is
// for the operator and says nothing about the policy.
func Gate(ctx context.Context, access []byte) (Report, error) {
	ctx, cancel := context.WithTimeout(ctx, gateDeadline)
	defer cancel()
	revision, err := Compile(ctx, access)
	var broken *Broken
	switch {
	case errors.As(err, &broken):
		return Report{Findings: broken.Findings}, nil
	case err != nil:
		return Report{}, err
	}
	report := Report{Revision: revision.hash, Sentences: revision.sentences}
	if report.Findings = illTyped(access); len(report.Findings) == 0 {
		report.Findings, err = revision.tooSlow(ctx)
	}
	if err != nil {
		return Report{}, err
	}
	if len(report.Findings) == 0 {
		report.Findings, err = revision.violations(ctx)
	}
	report.OK = err == nil && len(report.Findings) == 0
	if report.OK && !revision.compiles(ctx) {
		report.Sentences = append(slices.Clone(report.Sentences), oneByOne)
	}
	return report, err
}

// violations runs the invariants against the revision and returns those that
// do not hold.
func (r *Revision) violations(ctx context.Context) ([]string, error) {
	modules, titles, err := r.withInvariants()
	if err != nil {
		return nil, err
	}
	data, err := termsData(r.sources[termsPath])
	if err != nil {
		return nil, err
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
		return nil, fmt.Errorf("policies: running invariants: %w", err)
	}
	var findings []string
	ran, stopped := 0, false
	for result := range results {
		ran++
		stopped = stopped || topdown.IsCancel(result.Error)
		if !result.Pass() {
			findings = append(findings, "This must hold and does not: "+titles[result.Name])
		}
	}
	if stopped || ctx.Err() != nil {
		return nil, fmt.Errorf("policies: running invariants: %w", errLate)
	}
	if ran != len(titles) || ran == 0 {
		return nil, fmt.Errorf("policies: %d of %d invariants ran", ran, len(titles))
	}
	slices.Sort(findings)
	return findings, nil
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

// tooSlow counts the steps of decisions on the largest inputs there are.
func (r *Revision) tooSlow(ctx context.Context) ([]string, error) {
	for _, in := range probes() {
		counter := &steps{cancel: topdown.NewCancel()}
		_, err := r.eval(ctx, in, rego.EvalQueryTracer(counter), rego.EvalExternalCancel(counter.cancel))
		switch {
		case counter.cancel.Cancelled() || errors.Is(err, context.DeadlineExceeded):
			return []string{fmt.Sprintf("One decision takes more than %d steps; make the rules simpler.", maxSteps)}, ctx.Err()
		case topdown.IsError(err):
			return []string{"A decision ends in an error; check that every rule can be evaluated for every request."}, nil
		case err != nil:
			return nil, fmt.Errorf("policies: counting steps: %w", err)
		}
	}
	return nil, nil
}

// steps counts evaluation events and stops at the limit.
type steps struct {
	count  int
	cancel topdown.Cancel
}

// Enabled implements topdown.QueryTracer.
func (s *steps) Enabled() bool { return true }

// Config implements topdown.QueryTracer.
func (s *steps) Config() topdown.TraceConfig { return topdown.TraceConfig{} }

// TraceEvent implements topdown.QueryTracer.
func (s *steps) TraceEvent(topdown.Event) {
	if s.count++; s.count > maxSteps {
		s.cancel.Cancel()
	}
}
