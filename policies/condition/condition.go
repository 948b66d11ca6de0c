// Package condition is what is left of law once everything is known but one row
// of a table: comparisons of the row's fields, and what joins them.
//
// It is an annex of the law book, which makes conditions by partial evaluation
// and hands them to whoever has rows. From guarantees that what it returns holds
// for a row exactly where what was left of the law would be true for it. It
// refuses with ErrFragment whatever cannot be said by comparing columns, rather
// than leave anything out.
package condition

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

// Types of a Condition, as UCAST names them.
const (
	TypeField    = "field"
	TypeCompound = "compound"
)

// Operators of a Condition, as UCAST names them.
const (
	OpAnd = "and"
	OpOr  = "or"
	OpNot = "not"
	OpEq  = "eq"
	OpNe  = "ne"
	OpLt  = "lt"
	OpLte = "lte"
	OpGt  = "gt"
	OpGte = "gte"
	OpIn  = "in"
)

// Condition is what law leaves to be compared with the columns of one dataset,
// in UCAST (the tree of ucast-js): a compound of conditions, or a comparison of
// one field with a value. Always and Never are the compounds of nothing; the
// zero Condition is none, and whoever renders one refuses it.
type Condition struct {
	Type     string `json:"type"`
	Operator string `json:"operator"`
	Field    string `json:"field,omitempty"` // "record.expires"
	Value    any    `json:"value"`           // []Condition; or string, bool, int64, a FieldRef, and for OpIn a []any of those
}

// FieldRef is a value of a Condition that is another field of the same row.
type FieldRef struct {
	Field string `json:"field"`
}

// All holds where every one of the conditions holds; of none, always.
func All(of ...Condition) Condition { return compound(OpAnd, of) }

// Any holds where one of the conditions holds; of none, never.
func Any(of ...Condition) Condition { return compound(OpOr, of) }

// Not holds where the condition does not.
func Not(of Condition) Condition { return compound(OpNot, []Condition{of}) }

// Always and Never hold everywhere and nowhere.
func Always() Condition { return All() }

// Never holds nowhere.
func Never() Condition { return Any() }

// Compare is a comparison of a field.
func Compare(field, operator string, value any) Condition {
	return Condition{Type: TypeField, Operator: operator, Field: field, Value: value}
}

func compound(operator string, of []Condition) Condition {
	if len(of) == 1 && operator != OpNot {
		return of[0]
	}
	return Condition{Type: TypeCompound, Operator: operator, Value: append([]Condition{}, of...)}
}

// ErrFragment says that a policy cannot be decided by comparing columns. The
// cohort is then decided dataset by dataset.
var ErrFragment = errors.New("policies: outside of what can be decided by comparing columns")

// residual turns what partial evaluation left into a condition. Only
// comparisons of one field with known values or another field, their negation,
// and rules made of nothing else can be; all else is ErrFragment.
type residual struct {
	rules map[string][]*ast.Rule // of the support modules, by reference
	depth int
}

// maxDepth bounds how far rules refer to rules.
const maxDepth = 16

// From turns what partial evaluation left into a condition. The error is
// ErrFragment.
func From(left *rego.PartialQueries) (Condition, error) {
	r := residual{rules: map[string][]*ast.Rule{}}
	for _, module := range left.Support {
		for _, rule := range module.Rules {
			name := module.Package.Path.Concat(rule.Head.Ref()).String()
			r.rules[name] = append(r.rules[name], rule)
		}
	}
	return r.bodies(left.Queries)
}

func (r *residual) bodies(bodies []ast.Body) (Condition, error) {
	out := make([]Condition, 0, len(bodies))
	for _, body := range bodies {
		all := make([]Condition, 0, len(body))
		for _, e := range body {
			c, err := r.expression(e)
			if err != nil {
				return Condition{}, err
			}
			all = append(all, c)
		}
		out = append(out, All(all...))
	}
	return Any(out...), nil
}

func (r *residual) expression(e *ast.Expr) (Condition, error) {
	var c Condition
	var err error
	switch terms := e.Terms.(type) {
	case []*ast.Term:
		c, err = comparison(terms)
	case *ast.Term:
		c, err = r.statement(terms)
	default:
		err = ErrFragment
	}
	switch {
	case err != nil:
		return Condition{}, err
	case len(e.With) > 0:
		return Condition{}, ErrFragment
	case e.Negated:
		return Not(c), nil
	}
	return c, nil
}

// statement reads a bare `true`, or a rule that is true where its body is.
func (r *residual) statement(t *ast.Term) (Condition, error) {
	switch v := t.Value.(type) {
	case ast.Boolean:
		if v {
			return Always(), nil
		}
		return Never(), nil
	case ast.Ref:
		return r.rule(v)
	}
	return Condition{}, fmt.Errorf("%w: %v", ErrFragment, t)
}

func (r *residual) rule(ref ast.Ref) (Condition, error) {
	rules := r.rules[ref.String()]
	if r.depth++; len(rules) == 0 || r.depth > maxDepth {
		return Condition{}, fmt.Errorf("%w: %v", ErrFragment, ref)
	}
	defer func() { r.depth-- }()
	var bodies []ast.Body
	for _, rule := range rules {
		truth := rule.Head.Value != nil && rule.Head.Value.Equal(ast.BooleanTerm(true))
		if !truth || rule.Default || rule.Else != nil || rule.Head.Key != nil || len(rule.Head.Args) > 0 {
			return Condition{}, fmt.Errorf("%w: %v", ErrFragment, ref)
		}
		bodies = append(bodies, rule.Body)
	}
	return r.bodies(bodies)
}

// operators are the built-ins a comparison may use, with the operator that
// means the same when the sides are swapped.
var operators = map[string][2]string{
	"eq": {OpEq, OpEq}, "equal": {OpEq, OpEq}, "neq": {OpNe, OpNe},
	"lt": {OpLt, OpGt}, "lte": {OpLte, OpGte}, "gt": {OpGt, OpLt}, "gte": {OpGte, OpLte},
	"internal.member_2": {OpIn, ""},
}

// types are what law may ask about the plain columns of a row. They always have
// a value of that type; a part has none that law could ask about.
var types = map[string]string{
	"dataset.region": "is_string", "record.effect": "is_string", "record.later": "is_string",
	"record.paused": "is_boolean", "record.commercial": "is_boolean",
	"record.not_before": "is_number", "record.expires": "is_number", "record.withdrawn": "is_number", "record.min_price_minor": "is_number",
}

func comparison(terms []*ast.Term) (Condition, error) {
	if len(terms) == 2 {
		if field, ok := fieldOf(terms[1]); ok && types[field] != "" && types[field] == terms[0].String() {
			return Always(), nil
		}
	}
	if len(terms) != 3 {
		return Condition{}, fmt.Errorf("%w: %v", ErrFragment, terms)
	}
	operator, known := operators[terms[0].String()]
	left, right, op := terms[1], terms[2], operator[0]
	field, ok := fieldOf(left)
	if !ok {
		left, right, op = right, left, operator[1]
		field, ok = fieldOf(left)
	}
	if !known || !ok || op == "" {
		return Condition{}, fmt.Errorf("%w: %v", ErrFragment, terms)
	}
	value, err := valueOf(right, op)
	return Compare(field, op, value), err
}

// fieldOf reads input.TABLE.COLUMN.
func fieldOf(t *ast.Term) (string, bool) {
	ref, ok := t.Value.(ast.Ref)
	if !ok || len(ref) != 3 || !ref.HasPrefix(ast.InputRootRef) {
		return "", false
	}
	table, okTable := ref[1].Value.(ast.String)
	column, okColumn := ref[2].Value.(ast.String)
	return string(table) + "." + string(column), okTable && okColumn
}

func valueOf(t *ast.Term, op string) (any, error) {
	if op == OpIn {
		return listOf(t)
	}
	if field, ok := fieldOf(t); ok {
		return FieldRef{field}, nil
	}
	switch v := t.Value.(type) {
	case ast.String:
		return string(v), nil
	case ast.Boolean:
		return bool(v), nil
	case ast.Number:
		if n, err := json.Number(v).Int64(); err == nil {
			return n, nil
		}
	}
	return nil, fmt.Errorf("%w: compared with %v", ErrFragment, t)
}

func listOf(t *ast.Term) (any, error) {
	list := []any{}
	var wrong error
	each := func(t *ast.Term) {
		v, err := valueOf(t, OpEq)
		if wrong == nil {
			wrong = err
		}
		list = append(list, v)
	}
	switch v := t.Value.(type) {
	case *ast.Array:
		v.Foreach(each)
	case ast.Set:
		v.Foreach(each)
	default:
		return nil, fmt.Errorf("%w: in %v", ErrFragment, t)
	}
	return list, wrong
}
