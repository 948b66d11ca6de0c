package cohort

import (
	"fmt"

	"distributed.ai/datacoop/policies"
)

// Flat is a row as a table holds it: with numbers for its parts.
type Flat struct {
	Region        string // of the dataset
	Effect, Later string
	Paused        bool
	Commercial    bool
	NotBefore     int64
	Expires       int64
	Withdrawn     int64
	MinPrice      int64

	Purposes, Except, DPV, Kinds, Regions, Limits, LaterPurposes int32
}

// Columns holds rows in memory, column by column. Adding and asking exclude each
// other; asking is safe side by side.
type Columns struct {
	rows  int
	words map[string]int32 // what texts are held as
	small map[string][]int32
	wide  map[string][]int64
	flags map[string][]uint8
}

// NewColumns makes room for rows.
func NewColumns(rows int) *Columns {
	c := &Columns{words: map[string]int32{}, small: map[string][]int32{}, wide: map[string][]int64{}, flags: map[string][]uint8{}}
	for _, f := range fields {
		switch f.kind {
		case texts, parts:
			c.small[f.column] = make([]int32, 0, rows)
		case numbers:
			c.wide[f.column] = make([]int64, 0, rows)
		case truths:
			c.flags[f.column] = make([]uint8, 0, rows)
		}
	}
	return c
}

// Rows is how many there are.
func (c *Columns) Rows() int { return c.rows }

// Add appends a row.
func (c *Columns) Add(f Flat) {
	c.rows++
	for column, text := range map[string]string{"region": f.Region, "effect": f.Effect, "later": f.Later} {
		c.small[column] = append(c.small[column], c.word(text))
	}
	for column, id := range map[string]int32{"purposes": f.Purposes, "excepted": f.Except, "dpv": f.DPV, "kinds": f.Kinds,
		"regions": f.Regions, "limits": f.Limits, "later_purposes": f.LaterPurposes} {
		c.small[column] = append(c.small[column], id)
	}
	for column, n := range map[string]int64{"not_before": f.NotBefore, "expires": f.Expires, "withdrawn": f.Withdrawn, "min_price": f.MinPrice} {
		c.wide[column] = append(c.wide[column], n)
	}
	for column, is := range map[string]bool{"paused": f.Paused, "commercial": f.Commercial} {
		c.flags[column] = append(c.flags[column], map[bool]uint8{true: 1}[is])
	}
}

func (c *Columns) word(text string) int32 {
	n, known := c.words[text]
	if !known {
		n = int32(len(c.words)) // #nosec G115 -- regions and effects, a few hundred
		c.words[text] = n
	}
	return n
}

// sieve keeps those of the chosen rows, in order, for which something holds. It
// may overwrite what it is given.
type sieve func(chosen []int32) []int32

// block is how many rows go through the sieves at once, few enough to stay in
// the processor's cache.
const block = 1024

// Count answers for how many rows the condition holds. The error is
// ErrCondition.
func (c *Columns) Count(condition policies.Condition) (count int, err error) {
	err = c.each(condition, func(held []int32) { count += len(held) })
	return count, err
}

// Select lists the rows for which the condition holds, by their place in order
// of Add.
func (c *Columns) Select(condition policies.Condition) (rows []int32, err error) {
	err = c.each(condition, func(held []int32) { rows = append(rows, held...) })
	return rows, err
}

func (c *Columns) each(condition policies.Condition, found func([]int32)) error {
	n, err := check(condition)
	if err != nil {
		return err
	}
	keep, err := c.sieve(n)
	if err != nil {
		return err
	}
	chosen := make([]int32, block)
	for from := 0; from < c.rows; from += block {
		some := chosen[:min(block, c.rows-from)]
		for i := range some {
			some[i] = int32(from + i) // #nosec G115 -- a row number; Add is called once for each
		}
		found(keep(some))
	}
	return nil
}

func (c *Columns) sieve(n node) (sieve, error) {
	switch n.operator {
	case policies.OpAnd, policies.OpOr, policies.OpNot:
		return c.compound(n)
	}
	if n.other != nil {
		return c.between(n)
	}
	values := make([]int64, 0, len(n.values))
	for _, v := range n.values {
		switch v := v.(type) {
		case int64:
			values = append(values, v)
		case string:
			word, known := c.words[v]
			if !known {
				word = -1 // no row has it
			}
			values = append(values, int64(word))
		}
	}
	switch n.left.kind {
	case numbers:
		return compare(c.wide[n.left.column], n.operator, values)
	case truths:
		return compare(c.flags[n.left.column], n.operator, values)
	case texts, parts:
	}
	return compare(c.small[n.left.column], n.operator, values)
}

func (c *Columns) compound(n node) (sieve, error) {
	list := make([]sieve, 0, len(n.of))
	for _, each := range n.of {
		s, err := c.sieve(each)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	switch n.operator {
	case policies.OpAnd:
		return func(chosen []int32) []int32 {
			for _, s := range list {
				if len(chosen) == 0 {
					break
				}
				chosen = s(chosen)
			}
			return chosen
		}, nil
	case policies.OpNot:
		return without(list[0]), nil
	}
	return either(list), nil
}

// without keeps what the sieve lets fall.
func without(s sieve) sieve {
	return func(chosen []int32) []int32 {
		held := s(append(make([]int32, 0, len(chosen)), chosen...))
		kept := chosen[:0]
		for _, row := range chosen {
			if len(held) > 0 && held[0] == row {
				held = held[1:]
				continue
			}
			kept = append(kept, row)
		}
		return kept
	}
}

// either keeps what one of the sieves keeps.
func either(list []sieve) sieve {
	return func(chosen []int32) []int32 {
		var drop sieve = func(rows []int32) []int32 {
			for _, s := range list {
				rows = without(s)(rows)
			}
			return rows
		}
		return without(drop)(chosen)
	}
}

func (c *Columns) between(n node) (sieve, error) {
	switch n.left.kind {
	case numbers:
		return pairs(c.wide[n.left.column], c.wide[n.other.column], n.operator)
	case truths:
		return pairs(c.flags[n.left.column], c.flags[n.other.column], n.operator)
	case texts, parts:
	}
	return pairs(c.small[n.left.column], c.small[n.other.column], n.operator)
}

func unknownOperator(operator string) error {
	return fmt.Errorf("%w: the operator %q", ErrCondition, operator)
}
