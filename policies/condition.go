package policies

import "distributed.ai/datacoop/policies/condition"

// What law leaves to be compared with the columns of one dataset, see package
// condition.
type (
	// Condition is a compound of conditions, or a comparison of one field.
	Condition = condition.Condition
	// FieldRef is a value of a Condition that is another field of the same row.
	FieldRef = condition.FieldRef
)

// Types and operators of a Condition.
const (
	TypeField    = condition.TypeField
	TypeCompound = condition.TypeCompound

	OpAnd = condition.OpAnd
	OpOr  = condition.OpOr
	OpNot = condition.OpNot
	OpEq  = condition.OpEq
	OpNe  = condition.OpNe
	OpLt  = condition.OpLt
	OpLte = condition.OpLte
	OpGt  = condition.OpGt
	OpGte = condition.OpGte
	OpIn  = condition.OpIn
)

// ErrFragment says that a policy cannot be decided by comparing columns. The
// cohort is then decided dataset by dataset.
var ErrFragment = condition.ErrFragment

// All holds where every one of the conditions holds; of none, always.
func All(of ...Condition) Condition { return condition.All(of...) }

// Any holds where one of the conditions holds; of none, never.
func Any(of ...Condition) Condition { return condition.Any(of...) }

// Not holds where the condition does not.
func Not(of Condition) Condition { return condition.Not(of) }

// Always holds everywhere.
func Always() Condition { return condition.Always() }

// Never holds nowhere.
func Never() Condition { return condition.Never() }

// Compare is a comparison of a field.
func Compare(field, operator string, value any) Condition {
	return condition.Compare(field, operator, value)
}
