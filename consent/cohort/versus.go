package cohort

import (
	"fmt"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// Difference is what the open datasets of a pool would gain and lose under
// another law, in figures. They are about members: whoever shows them keeps the
// pool's minimum group.
type Difference struct {
	Released, ReleasedMembers int // datasets that only the other law releases, and whose
	Refused, RefusedMembers   int // datasets that it no longer releases
	Datasets, Members         int // asked about
}

// Balance adds up what two laws say.
type Balance struct {
	d                      Difference
	released, refused, all Set
}

// Add counts one dataset of a member.
func (b *Balance) Add(who uint32, was, now bool) {
	b.d.Datasets++
	b.all.Add(who)
	switch {
	case now && !was:
		b.d.Released++
		b.released.Add(who)
	case was && !now:
		b.d.Refused++
		b.refused.Add(who)
	}
}

// Difference is what has been added so far.
func (b *Balance) Difference() Difference {
	d := b.d
	d.ReleasedMembers, d.RefusedMembers, d.Members = b.released.Len(), b.refused.Len(), b.all.Len()
	return d
}

// differing reads, in one pass over the rows of a pool, what two laws say of each,
// and calls fn with one dataset of each kind of answer on which they differ. The
// error is ErrFilter where rows cannot be asked, or fn's.
func differing(tx *db.Tx, at Where, was, now []Group, fn func(ds coop.DatasetID, was, now bool) error) (Difference, error) {
	var sum Balance
	for _, a := range was {
		for _, b := range now {
			holds, some := both(a.Holds, b.Holds)
			if !some {
				continue
			}
			at.Holds = holds
			if err := versus(tx, at, a, b, &sum, fn); err != nil {
				return Difference{}, err
			}
		}
	}
	return sum.Difference(), nil
}

// both are the categories of two groups; some says that there are any.
func both(a, b []any) (holds []any, some bool) {
	switch {
	case a == nil:
		return b, true
	case b == nil:
		return a, true
	}
	for _, h := range a {
		if slices.Contains(b, h) {
			holds = append(holds, h)
		}
	}
	return holds, len(holds) > 0
}

func versus(tx *db.Tx, at Where, was, now Group, sum *Balance, fn func(coop.DatasetID, bool, bool) error) error {
	bits := Expression{
		SQL:  "CASE WHEN " + was.Allow.SQL + " THEN 1 ELSE 0 END + CASE WHEN " + now.Allow.SQL + " THEN 2 ELSE 0 END",
		Args: slices.Concat(was.Allow.Args, now.Allow.Args),
	}
	if 2*len(bits.Args) > maxArguments { // they are bound twice where an example is looked for
		return fmt.Errorf("%w: %d values to bind", ErrFilter, len(bits.Args))
	}
	first, unread := map[int64]uint32{}, false
	err := EachPattern(tx, at, bits, func(who uint32, pattern int64) {
		unread = unread || pattern == Unread
		sum.Add(who, pattern&1 == 1, pattern&2 == 2)
		if _, known := first[pattern]; !known && (pattern == 1 || pattern == 2) {
			first[pattern] = who
		}
	})
	if err == nil && unread {
		err = fmt.Errorf("%w: rows of another layout", ErrFilter)
	}
	for pattern := int64(1); pattern <= 2 && err == nil; pattern++ {
		who, known := first[pattern]
		if !known {
			continue
		}
		var ds coop.DatasetID
		if ds, err = OneOf(tx, at, bits, who, pattern); err == nil {
			err = fn(ds, pattern == 1, pattern == 2)
		}
	}
	return err
}
