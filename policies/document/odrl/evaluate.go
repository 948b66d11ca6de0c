package odrl

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is what a rule does.
type Kind string

// Kinds of rules.
const (
	Permission  Kind = "permission"
	Prohibition Kind = "prohibition"
	Obligation  Kind = "obligation"
)

// Request is what somebody wants to do.
type Request struct {
	Action   string // IRI
	Assignee string // IRI of who asks; "" is nobody named
	Target   string // IRI of what is asked for

	// Facts are what is known of the request, by left operand: every operand that
	// a policy names needs its fact, be it an empty list.
	Facts map[string][]Term

	// Above lists a term and all terms above it in the tree it stands in, nothing
	// for a term in no tree. The operators of the profile need it.
	Above func(iri string) []string
}

// Report says what a policy makes of a request, rule by rule in order of their
// names.
type Report struct{ Rules []RuleReport }

// RuleReport is one rule. It is active where all its premises hold.
type RuleReport struct {
	Rule     Term
	Kind     Kind
	Active   bool
	Premises []Premise
}

// Premise is one thing a rule asks for: "target", "party", "action" or
// "constraint", with the constraint's node.
type Premise struct {
	About      string
	Constraint Term
	Holds      bool
}

// Allows reports whether a permission is active and no prohibition is: the
// strategy odrl:prohibit.
func (r Report) Allows() bool {
	return slices.ContainsFunc(r.Rules, func(x RuleReport) bool { return x.Kind == Permission && x.Active }) &&
		!slices.ContainsFunc(r.Rules, func(x RuleReport) bool { return x.Kind == Prohibition && x.Active })
}

// Evaluate says which rules of a policy of the graph a request activates. An
// obligation's action is what must be done and not what is asked for, so it is
// no premise.
func Evaluate(g *Graph, policy Term, q Request) (Report, error) {
	e := evaluator{g, q}
	if err := e.knows(policy, "policy", "uid", "profile", "conflict", "permission", "prohibition", "obligation", "assigner"); err != nil {
		return Report{}, err
	}
	var out Report
	for _, kind := range []Kind{Permission, Prohibition, Obligation} {
		rules := g.Objects(policy, NS+string(kind))
		slices.SortFunc(rules, func(a, b Term) int { return strings.Compare(a.Value, b.Value) })
		for _, rule := range rules {
			one, err := e.rule(rule, kind)
			if err != nil {
				return Report{}, err
			}
			out.Rules = append(out.Rules, one)
		}
	}
	conflict, said := g.object(policy, NS+"conflict")
	both := len(g.Objects(policy, NS+"permission")) > 0 && len(g.Objects(policy, NS+"prohibition")) > 0
	if (said || both) && conflict != IRI(NS+"prohibit") {
		return Report{}, fmt.Errorf("%w: the strategy for conflicts is not odrl:prohibit", ErrUnsupported)
	}
	return out, nil
}

type evaluator struct {
	graph *Graph
	q     Request
}

// knows refuses a node that says of itself in ODRL what is not known here.
func (e evaluator) knows(node Term, what string, known ...string) error {
	if len(e.graph.about[node]) == 0 {
		return fmt.Errorf("%w: nothing is said about a %s", ErrUnsupported, what)
	}
	for _, t := range e.graph.about[node] {
		if name, ours := strings.CutPrefix(t.Predicate, NS); ours && !slices.Contains(known, name) {
			return fmt.Errorf("%w: odrl:%s of a %s", ErrUnsupported, name, what)
		}
	}
	return nil
}

func (e evaluator) rule(rule Term, kind Kind) (RuleReport, error) {
	out := RuleReport{Rule: rule, Kind: kind, Active: true}
	if err := e.knows(rule, string(kind), "uid", "action", "assignee", "assigner", "target", "constraint"); err != nil {
		return out, err
	}
	hold := func(about string, constraint Term, holds bool, err error) error {
		out.Premises = append(out.Premises, Premise{about, constraint, holds})
		out.Active = out.Active && holds
		return err
	}
	for _, side := range []struct{ about, predicate, asked string }{
		{"target", NS + "target", e.q.Target}, {"party", NS + "assignee", e.q.Assignee},
	} {
		if all := e.graph.Objects(rule, side.predicate); len(all) > 0 {
			holds, err := e.anyOf(all, side.asked)
			if err := hold(side.about, Term{}, holds, err); err != nil {
				return out, err
			}
		}
	}
	if actions := e.graph.Objects(rule, NS+"action"); len(actions) > 0 && kind != Obligation {
		holds, err := e.action(actions)
		if err := hold("action", Term{}, holds, err); err != nil {
			return out, err
		}
	}
	for _, c := range e.graph.Objects(rule, NS+"constraint") {
		holds, err := e.constraint(c)
		if err := hold("constraint", c, holds, err); err != nil {
			return out, err
		}
	}
	return out, nil
}

// anyOf reports whether what is asked for is one of these, or a member of one of
// these collections: the source with every refinement met.
func (e evaluator) anyOf(all []Term, asked string) (bool, error) {
	found := false
	for _, t := range all {
		collected := e.graph.Objects(t, NS+"source")
		if len(collected) == 0 && !strings.HasPrefix(t.Value, "_:") {
			found = found || t == IRI(asked)
			continue
		}
		if err := e.knows(t, "collection", "source", "refinement", "uid"); err != nil {
			return false, err
		}
		holds := slices.Contains(collected, IRI(asked))
		for _, c := range e.graph.Objects(t, NS+"refinement") {
			met, err := e.constraint(c)
			if err != nil {
				return false, err
			}
			holds = holds && met
		}
		found = found || holds
	}
	return found, nil
}

func (e evaluator) action(all []Term) (bool, error) {
	holds := false
	for _, t := range all {
		if len(e.graph.about[t]) > 0 {
			return false, fmt.Errorf("%w: a refined action", ErrUnsupported)
		}
		holds = holds || includes(t.Value, e.q.Action)
	}
	return holds, nil
}

func (e evaluator) constraint(c Term) (bool, error) {
	if err := e.knows(c, "constraint", "uid", "leftOperand", "operator", "rightOperand", "unit"); err != nil {
		return false, err
	}
	left, okLeft := e.graph.object(c, NS+"leftOperand")
	operator, okOperator := e.graph.object(c, NS+"operator")
	right := e.graph.Objects(c, NS+"rightOperand")
	facts, known := e.q.Facts[left.Value]
	switch {
	case !okLeft || !okOperator || len(right) == 0:
		return false, fmt.Errorf("%w: a constraint is not complete", ErrUnsupported)
	case !known:
		return false, fmt.Errorf("%w: the operand %s", ErrUnsupported, left.Value)
	}
	return e.compare(facts, operator.Value, right)
}
