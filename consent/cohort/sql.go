package cohort

import (
	"fmt"
	"strings"

	"distributed.ai/datacoop/policies"
)

// maxArguments is the most values one expression binds; SQLite takes 32,766 in
// a statement.
const maxArguments = 30_000

// maxBits is the most conditions one number can tell.
const maxBits = 62

// What SQL renders of conditions that hold for every row, and for none.
const (
	Everywhere = "1 = 1"
	Nowhere    = "1 = 0"
)

// Expression is a piece of SQL, the same for SQLite and PostgreSQL, with question
// marks where its arguments are bound.
type Expression struct {
	SQL  string
	Args []any
}

// SQL renders a condition for a WHERE clause. The error is ErrCondition.
func SQL(c policies.Condition) (Expression, error) {
	n, err := check(c)
	if err != nil {
		return Expression{}, err
	}
	return render(func(w *writer) { w.node(n) })
}

// Bits renders conditions as one integer whose binary digits say which of them
// hold. Conditions that hold for all rows or none have no digit.
func Bits(conditions []policies.Condition) (Expression, error) {
	nodes, err := telling(conditions)
	if err != nil {
		return Expression{}, err
	}
	return render(func(w *writer) {
		w.text.WriteString("0")
		for i, n := range nodes {
			w.text.WriteString(" + CASE WHEN ")
			w.node(n)
			fmt.Fprintf(&w.text, " THEN %d ELSE 0 END", int64(1)<<i)
		}
	})
}

// telling checks conditions and keeps those that tell rows apart.
func telling(conditions []policies.Condition) ([]node, error) {
	var nodes []node
	for _, c := range conditions {
		n, err := check(c)
		if err != nil {
			return nil, err
		}
		if !n.always() && !n.never() {
			nodes = append(nodes, n)
		}
	}
	if len(nodes) > maxBits {
		return nil, fmt.Errorf("%w: %d conditions to tell rows apart", ErrCondition, len(nodes))
	}
	return nodes, nil
}

type writer struct {
	text strings.Builder
	args []any
}

func render(write func(*writer)) (Expression, error) {
	var w writer
	write(&w)
	if len(w.args) > maxArguments {
		return Expression{}, fmt.Errorf("%w: %d values to bind", ErrCondition, len(w.args))
	}
	return Expression{w.text.String(), w.args}, nil
}

var symbols = map[string]string{
	policies.OpEq: " = ", policies.OpNe: " <> ", policies.OpLt: " < ",
	policies.OpLte: " <= ", policies.OpGt: " > ", policies.OpGte: " >= ",
}

func (w *writer) node(n node) {
	switch {
	case n.always():
		w.text.WriteString(Everywhere)
	case n.never():
		w.text.WriteString(Nowhere)
	case n.operator == policies.OpNot:
		w.text.WriteString("NOT (")
		w.node(n.of[0])
		w.text.WriteString(")")
	case n.operator == policies.OpAnd:
		w.compound(" AND ", n.of)
	case n.operator == policies.OpOr:
		w.compound(" OR ", n.of)
	case n.other != nil:
		w.text.WriteString(n.left.column + symbols[n.operator] + n.other.column)
	case n.operator == policies.OpIn:
		w.text.WriteString(n.left.column + " IN (?" + strings.Repeat(", ?", len(n.values)-1) + ")")
		w.args = append(w.args, n.values...)
	default:
		w.text.WriteString(n.left.column + symbols[n.operator] + "?")
		w.args = append(w.args, n.values...)
	}
}

func (w *writer) compound(word string, of []node) {
	w.text.WriteString("(")
	for i, n := range of {
		if i > 0 {
			w.text.WriteString(word)
		}
		w.node(n)
	}
	w.text.WriteString(")")
}
