package rehearsal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
)

// mutant is a Rego file with one mistake in it.
type mutant struct {
	name string // package, rule and what was done; the same whatever else changes in the file
	file string
	text []byte
}

// mutantsOf makes every mistake the mutator knows in every place of a file.
func mutantsOf(file string, text []byte) ([]mutant, error) {
	module, err := ast.ParseModuleWithOpts(file, string(text), ast.ParserOptions{ProcessAnnotation: true})
	if err != nil {
		return nil, err
	}
	count := &mutator{target: -1}
	count.module(module)
	var out []mutant
	for i := range count.sites {
		m := &mutator{target: i, file: strings.TrimPrefix(module.Package.Path.String(), "data.coop.")}
		broken, err := format.AstWithOpts(m.module(module), format.Opts{RegoVersion: ast.RegoV1})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		out = append(out, mutant{m.name, file, broken})
	}
	return out, nil
}

// mutator copies a module and makes one mistake, at the place with the number
// of its target. It changes nothing of the original, whose parts may be shared.
type mutator struct {
	target int
	sites  int
	file   string
	rule   string
	within string // the expression, where there is one
	name   string
}

// here reports whether this is the place, and names the mistake.
func (m *mutator) here(format string, args ...any) bool {
	m.sites++
	if m.sites-1 != m.target {
		return false
	}
	m.name = m.file + "." + m.rule + ": " + fmt.Sprintf(format, args...)
	if m.within != "" && !strings.Contains(m.name, m.within) {
		m.name += " in " + m.within
	}
	return true
}

func (m *mutator) module(from *ast.Module) *ast.Module {
	to := *from
	to.Comments, to.Annotations, to.Rules = nil, nil, nil
	for _, rule := range from.Rules {
		m.rule = rule.Head.Ref().String()
		if rule.Default {
			m.rule = "default " + m.rule
		}
		if law := codeOf(rule); law != "" {
			m.rule += "[" + law + "]"
		}
		if args := rule.Head.Args; len(args) > 0 {
			m.rule += "(" + args[0].String() + ")"
		}
		if m.here("dropped") {
			continue
		}
		to.Rules = append(to.Rules, m.copyRule(rule))
	}
	return &to
}

// codeOf is the code in the head of a reason, which tells apart rules of one
// name.
func codeOf(rule *ast.Rule) string {
	if rule.Head.Key == nil {
		return ""
	}
	if object, ok := rule.Head.Key.Value.(ast.Object); ok {
		if code := object.Get(ast.StringTerm("code")); code != nil {
			return strings.Trim(code.String(), `"`)
		}
	}
	return ""
}

func (m *mutator) copyRule(from *ast.Rule) *ast.Rule {
	to, head := *from, *from.Head
	to.Annotations = nil
	if head.Value != nil {
		head.Value = m.term(head.Value)
	}
	if head.Key != nil {
		head.Key = m.term(head.Key)
	}
	to.Head, to.Body = &head, m.body(from.Body)
	if from.Else != nil {
		to.Else = m.copyRule(from.Else)
	}
	return &to
}

func (m *mutator) body(from ast.Body) ast.Body {
	var to ast.Body
	for _, expr := range from {
		_, declares := expr.Terms.(*ast.SomeDecl)
		if !plain(expr) && !declares && m.here("without %s", expr) {
			continue
		}
		outer := m.within
		m.within = expr.String()
		to = append(to, m.expr(expr))
		m.within = outer
	}
	if len(to) == 0 {
		to = append(to, ast.NewExpr(ast.BooleanTerm(true)))
	}
	return to
}

// plain reports whether an expression is the `true` of a rule without a body.
func plain(e *ast.Expr) bool {
	t, ok := e.Terms.(*ast.Term)
	return ok && t.Equal(ast.BooleanTerm(true))
}

var comparators = map[string][]string{
	"equal": {"neq"}, "neq": {"equal"},
	"lt": {"lte", "gt"}, "lte": {"lt", "gte"}, "gt": {"gte", "lt"}, "gte": {"gt", "lte"},
}

func (m *mutator) expr(from *ast.Expr) *ast.Expr {
	to := *from
	if plain(from) {
		return &to
	}
	switch terms := from.Terms.(type) {
	case *ast.SomeDecl:
		some := *terms
		some.Symbols = slices.Clone(some.Symbols)
		for i, s := range some.Symbols {
			if call, ok := s.Value.(ast.Call); ok { // some x in xs
				copied := slices.Clone(call)
				copied[len(call)-1] = m.term(call[len(call)-1])
				some.Symbols[i] = &ast.Term{Value: copied, Location: s.Location}
			}
		}
		to.Terms = &some
		return &to
	case *ast.Every:
		every := *terms
		every.Domain, every.Body = m.term(every.Domain), m.body(every.Body)
		to.Terms = &every
	case *ast.Term:
		to.Terms = m.term(terms)
	case []*ast.Term:
		copied := slices.Clone(terms)
		for _, operator := range comparators[from.Operator().String()] {
			if m.here("%s with %s", from, operator) {
				copied[0] = ast.NewTerm(ast.Ref{ast.VarTerm(operator)})
			}
		}
		for i := 1; i < len(terms); i++ {
			if name := from.Operator().String(); i > 1 || name != "assign" {
				copied[i] = m.term(terms[i])
			}
		}
		to.Terms = copied
	}
	if !from.IsAssignment() && m.here("%s turned around", from) {
		to.Negated = !from.Negated
	}
	return &to
}

// term copies a term and what is in it.
func (m *mutator) term(from *ast.Term) *ast.Term {
	to := &ast.Term{Value: from.Value, Location: from.Location}
	switch v := from.Value.(type) {
	case ast.Boolean:
		if m.here("%s turned", from) {
			to = ast.BooleanTerm(!bool(v))
		}
	case ast.Number:
		if n, ok := v.Int(); ok {
			for _, d := range []int{1, -1} {
				if m.here("%s as %d", from, n+d) {
					to = ast.IntNumberTerm(n + d)
				}
			}
		}
	case ast.String:
		if !strings.Contains(string(v), " ") && m.here("%s as another word", from) {
			to = ast.StringTerm("mutant") // without a location, whose text would be written instead
		}
	case ast.Ref:
		return m.ref(from, v)
	case ast.Call:
		copied := slices.Clone(v)
		for i := 1; i < len(v); i++ {
			copied[i] = m.term(v[i])
		}
		to.Value = copied
	default:
		return m.collection(from)
	}
	return to
}

func (m *mutator) collection(from *ast.Term) *ast.Term {
	to := &ast.Term{Value: from.Value, Location: from.Location}
	switch v := from.Value.(type) {
	case *ast.Array:
		if v.Len() > 0 && m.here("%s empty", from) {
			return ast.ArrayTerm()
		}
		var list []*ast.Term
		v.Foreach(func(t *ast.Term) { list = append(list, m.term(t)) })
		to.Value = ast.NewArray(list...)
	case ast.Set:
		if v.Len() > 0 && m.here("%s empty", from) {
			return ast.SetTerm()
		}
		var list []*ast.Term
		for _, t := range v.Slice() {
			list = append(list, m.term(t))
		}
		to.Value = ast.NewSet(list...)
	case ast.Object:
		var fields [][2]*ast.Term
		for _, key := range v.Keys() {
			value := v.Get(key)
			if !key.Equal(ast.StringTerm("sentence")) {
				value = m.term(value)
			}
			fields = append(fields, [2]*ast.Term{key, value})
		}
		to.Value = ast.NewObject(fields...)
	case *ast.ArrayComprehension:
		if m.here("%s empty", from) {
			return ast.ArrayTerm()
		}
		each := v.Term
		if _, counted := each.Value.(ast.Number); !counted { // what is only counted may be any number
			each = m.term(each)
		}
		to.Value = &ast.ArrayComprehension{Term: each, Body: m.body(v.Body)}
	case *ast.SetComprehension:
		if m.here("%s empty", from) {
			return ast.SetTerm()
		}
		to.Value = &ast.SetComprehension{Term: m.term(v.Term), Body: m.body(v.Body)}
	case *ast.ObjectComprehension:
		to.Value = &ast.ObjectComprehension{Key: v.Key, Value: m.term(v.Value), Body: m.body(v.Body)}
	}
	return to
}

// swaps are parts that are easily taken for one another.
var swaps = map[string]string{
	"duo": "dpv", "dpv": "duo", "kind": "region", "region": "kind",
	"price_minor": "retention_days", "retention_days": "price_minor", "vetted": "commercial", "commercial": "reviewed", "reviewed": "commercial",
	"not_before": "expires", "expires": "withdrawn", "withdrawn": "expires", "sealed": "closed", "closed": "sealed",
	"purposes": "except", "except": "purposes", "requester_kinds": "regions", "regions": "requester_kinds",
	"min_price_minor": "not_before", "paused": "commercial", "effect": "answer", "answer": "effect",
	"covering": "touching", "touching": "covering", "requestable": "forbidden", "forbidden": "commercial",
	"ethics": "publishes", "publishes": "returns", "returns": "collaborates", "collaborates": "ethics",
	"disease": "project", "project": "disease", "institution": "id", "publish_from": "time", "time": "publish_from",
	"base": "consent", "refusals": "reasons", "permits": "refusals", "forbid": "obligation", "review": "forbid", "obligation": "review",
}

// ref swaps the last part of a reference, or takes another tree of the terms.
func (m *mutator) ref(from *ast.Term, v ast.Ref) *ast.Term {
	copied := slices.Clone(v)
	for i := 1; i < len(v); i++ {
		name, ok := v[i].Value.(ast.String)
		if !ok {
			copied[i] = m.term(v[i])
			continue
		}
		with, ok := swaps[string(name)]
		if last := i == len(v)-1; (last || v[0].Equal(ast.DefaultRootDocument)) && ok && m.here("%s as %s", from, with) {
			copied[i] = ast.StringTerm(with)
		}
	}
	if v[0].Equal(ast.DefaultRootDocument) && m.here("%s empty", from) {
		return ast.ArrayTerm()
	}
	return &ast.Term{Value: copied, Location: from.Location}
}
