package cohort

import (
	"errors"
	"fmt"
	"slices"

	"distributed.ai/datacoop/policies"
)

// ErrCondition says that a condition holds something unknown.
var ErrCondition = errors.New("cohort: a condition that cannot be rendered")

// kind is what a column holds.
type kind int

const (
	texts   kind = iota // compared for being equal only: databases order texts differently
	numbers             // integers
	truths              // stored 0 and 1
	parts               // numbers of parts, compared for being equal only
)

// field is a column a condition may name.
type field struct {
	column string
	kind   kind
}

// fields is all a condition may speak of.
var fields = map[string]field{
	"dataset.region": {"region", texts},

	"record.effect":          {"effect", texts},
	"record.paused":          {"paused", truths},
	"record.commercial":      {"commercial", truths},
	"record.not_before":      {"not_before", numbers},
	"record.expires":         {"expires", numbers},
	"record.withdrawn":       {"withdrawn", numbers},
	"record.min_price_minor": {"min_price", numbers},
	"record.later":           {"later", texts},

	"record." + policies.PartPurposes: {"purposes", parts},
	"record." + policies.PartExcept:   {"excepted", parts},
	"record." + policies.PartDPV:      {"dpv", parts},
	"record." + policies.PartKinds:    {"kinds", parts},
	"record." + policies.PartRegions:  {"regions", parts},
	"record." + policies.PartLimits:   {"limits", parts},
	"record.later_purposes":           {"later_purposes", parts},
}

// operators lists the operators a kind of column knows.
var operators = map[kind][]string{
	texts:   {policies.OpEq, policies.OpNe, policies.OpIn},
	numbers: {policies.OpEq, policies.OpNe, policies.OpLt, policies.OpLte, policies.OpGt, policies.OpGte, policies.OpIn},
	truths:  {policies.OpEq, policies.OpNe},
	parts:   {policies.OpEq, policies.OpNe, policies.OpIn},
}

// node is a condition that has been checked: a comparison of a known field with
// values of its kind, or a compound of such.
type node struct {
	operator string
	of       []node // of a compound
	left     field  // of a comparison
	other    *field // that it is compared with; nil for values
	values   []any  // string or int64; one unless the operator is OpIn
}

func (n node) always() bool { return n.operator == policies.OpAnd && len(n.of) == 0 }
func (n node) never() bool  { return n.operator == policies.OpOr && len(n.of) == 0 }

// check reads a condition, and works out what of it holds everywhere or nowhere.
func check(c policies.Condition) (node, error) {
	switch c.Type {
	case policies.TypeCompound:
		return checkCompound(c)
	case policies.TypeField:
		return checkField(c)
	}
	return node{}, fmt.Errorf("%w: a node of type %q", ErrCondition, c.Type)
}

func checkCompound(c policies.Condition) (node, error) {
	list, ok := c.Value.([]policies.Condition)
	if !ok || c.Field != "" {
		return node{}, fmt.Errorf("%w: a compound of something else", ErrCondition)
	}
	of := make([]node, 0, len(list))
	for _, each := range list {
		n, err := check(each)
		if err != nil {
			return node{}, err
		}
		of = append(of, n)
	}
	switch {
	case c.Operator == policies.OpAnd, c.Operator == policies.OpOr:
		return fold(c.Operator, of), nil
	case c.Operator == policies.OpNot && len(of) == 1:
		return negated(of[0]), nil
	}
	return node{}, fmt.Errorf("%w: %d conditions under %q", ErrCondition, len(of), c.Operator)
}

func negated(n node) node {
	switch {
	case n.always():
		return node{operator: policies.OpOr}
	case n.never():
		return node{operator: policies.OpAnd}
	}
	return node{operator: policies.OpNot, of: []node{n}}
}

// fold flattens a compound and drops what does not matter in it.
func fold(operator string, of []node) node {
	out := node{operator: operator}
	for _, n := range of {
		neutral, decides := n.always(), n.never()
		if operator == policies.OpOr {
			neutral, decides = decides, neutral
		}
		switch {
		case decides:
			return n
		case neutral:
		case n.operator == operator:
			out.of = append(out.of, n.of...)
		default:
			out.of = append(out.of, n)
		}
	}
	if len(out.of) == 1 {
		return out.of[0]
	}
	if operator == policies.OpOr && len(out.of) > 1 {
		return factored(out)
	}
	return out
}

// factored takes out of the alternatives what all of them demand, so that it is
// compared once for each row and not once for each alternative.
func factored(n node) node {
	seen := map[string]int{}
	for _, alternative := range n.of {
		own := map[string]bool{}
		for _, each := range demands(alternative) {
			if k := each.key(); !own[k] {
				own[k], seen[k] = true, seen[k]+1
			}
		}
	}
	shared := func(each node) bool { return seen[each.key()] == len(n.of) }
	all := node{operator: policies.OpAnd, of: keep(demands(n.of[0]), shared)}
	if len(all.of) == 0 {
		return n
	}
	rest := make([]node, 0, len(n.of))
	for _, alternative := range n.of {
		own := keep(demands(alternative), func(each node) bool { return !shared(each) })
		rest = append(rest, fold(policies.OpAnd, own))
	}
	return fold(policies.OpAnd, append(all.of, fold(policies.OpOr, rest)))
}

// demands are the conditions that all have to hold for one to hold.
func demands(n node) []node {
	if n.operator == policies.OpAnd {
		return n.of
	}
	return []node{n}
}

func keep(list []node, which func(node) bool) (out []node) {
	for _, n := range list {
		if which(n) {
			out = append(out, n)
		}
	}
	return out
}

// key is the same for conditions that say the same in the same words.
func (n node) key() string {
	var w writer
	w.node(n)
	return fmt.Sprintf("%s %#v", w.text.String(), w.args)
}

func checkField(c policies.Condition) (node, error) {
	left, known := fields[c.Field]
	if !known {
		return node{}, fmt.Errorf("%w: the field %q", ErrCondition, c.Field)
	}
	if !slices.Contains(operators[left.kind], c.Operator) {
		return node{}, fmt.Errorf("%w: %q on %s", ErrCondition, c.Operator, c.Field)
	}
	n := node{operator: c.Operator, left: left}
	if ref, ok := c.Value.(policies.FieldRef); ok {
		other, known := fields[ref.Field]
		if !known || other.kind != left.kind || c.Operator == policies.OpIn {
			return node{}, fmt.Errorf("%w: %s compared with %q", ErrCondition, c.Field, ref.Field)
		}
		n.other = &other
		return n, nil
	}
	given := []any{c.Value}
	if c.Operator == policies.OpIn {
		var ok bool
		if given, ok = c.Value.([]any); !ok {
			return node{}, fmt.Errorf("%w: %s in something that is no list", ErrCondition, c.Field)
		}
	}
	for _, v := range given {
		value, err := left.value(v)
		if err != nil {
			return node{}, fmt.Errorf("%w: %s compared with a %T", err, c.Field, v)
		}
		n.values = append(n.values, value)
	}
	if c.Operator == policies.OpIn && len(given) == 0 {
		return node{operator: policies.OpOr}, nil
	}
	return n, nil
}

// value is v as the column holds it.
func (f field) value(v any) (any, error) {
	switch v := v.(type) {
	case string:
		if f.kind == texts {
			return v, nil
		}
	case int64:
		if f.kind == numbers || f.kind == parts {
			return v, nil
		}
	case bool:
		if f.kind == truths {
			return map[bool]int64{true: 1}[v], nil
		}
	}
	return nil, ErrCondition
}
