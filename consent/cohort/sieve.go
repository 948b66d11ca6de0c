package cohort

import "distributed.ai/datacoop/policies"

type integer interface{ ~uint8 | ~int32 | ~int64 }

// compare makes the sieve of a column compared with values. They are compared as
// they are held, so that a value no row can have meets none.
func compare[T integer](column []T, operator string, values []int64) (sieve, error) {
	if operator == policies.OpIn {
		return among(column, values), nil
	}
	value := values[0]
	if int64(T(value)) != value && (operator == policies.OpEq || operator == policies.OpNe) {
		if operator == policies.OpEq {
			return func([]int32) []int32 { return nil }, nil
		}
		return func(chosen []int32) []int32 { return chosen }, nil
	}
	v := T(value)
	switch operator {
	case policies.OpEq:
		return filter(func(row int32) bool { return column[row] == v }), nil
	case policies.OpNe:
		return filter(func(row int32) bool { return column[row] != v }), nil
	case policies.OpLt:
		return filter(func(row int32) bool { return column[row] < v }), nil
	case policies.OpLte:
		return filter(func(row int32) bool { return column[row] <= v }), nil
	case policies.OpGt:
		return filter(func(row int32) bool { return column[row] > v }), nil
	case policies.OpGte:
		return filter(func(row int32) bool { return column[row] >= v }), nil
	}
	return nil, unknownOperator(operator)
}

func filter(holds func(row int32) bool) sieve {
	return func(chosen []int32) []int32 {
		n := 0
		for _, row := range chosen {
			chosen[n] = row
			if holds(row) {
				n++
			}
		}
		return chosen[:n]
	}
}

// maxTable is the largest number looked up in a table instead of a map.
const maxTable = 1 << 20

func among[T integer](column []T, values []int64) sieve {
	most := int64(0)
	for _, v := range values {
		most = max(most, v)
	}
	if most > maxTable {
		known := make(map[int64]bool, len(values))
		for _, v := range values {
			known[v] = true
		}
		return filter(func(row int32) bool { return known[int64(column[row])] })
	}
	table := make([]bool, most+1)
	for _, v := range values {
		if v >= 0 {
			table[v] = true
		}
	}
	return func(chosen []int32) []int32 {
		n := 0
		for _, row := range chosen {
			chosen[n] = row
			if at := int64(column[row]); at >= 0 && at < int64(len(table)) && table[at] {
				n++
			}
		}
		return chosen[:n]
	}
}

// pairs makes the sieve of two columns compared with each other.
func pairs[T integer](left, right []T, operator string) (sieve, error) {
	switch operator {
	case policies.OpEq:
		return filter(func(row int32) bool { return left[row] == right[row] }), nil
	case policies.OpNe:
		return filter(func(row int32) bool { return left[row] != right[row] }), nil
	case policies.OpLt:
		return filter(func(row int32) bool { return left[row] < right[row] }), nil
	case policies.OpLte:
		return filter(func(row int32) bool { return left[row] <= right[row] }), nil
	case policies.OpGt:
		return filter(func(row int32) bool { return left[row] > right[row] }), nil
	case policies.OpGte:
		return filter(func(row int32) bool { return left[row] >= right[row] }), nil
	}
	return nil, unknownOperator(operator)
}
