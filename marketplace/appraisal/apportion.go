package appraisal

import (
	"bytes"
	"cmp"
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"math/bits"

	"distributed.ai/datacoop/internal/fault"
)

// Weight is one party's claim on a total. W is not negative and has no unit:
// only proportions count.
type Weight struct {
	Key string
	W   int64
}

// Share is what a party gets, in the unit of the total.
type Share struct {
	Key    string
	Amount int64
}

// Faults of Apportion.
var (
	ErrNobody  = fault.New(fault.Invalid, "nobody-to-pay", "There is an amount to divide and nobody to divide it between.")
	errWeights = fault.New(fault.Invalid, "weights-invalid", "The amount cannot be divided by these weights.")
)

// Apportion divides total by largest remainder (Hamilton's method): everybody
// gets the whole part of their quota total×W/ΣW, the units left over go to the
// largest remainders, ties to the smaller SHA-256(tie ‖ key).
//
// The shares come in the order of the weights and add up to total exactly;
// each lies within one unit of its quota; a zero weight gets nothing; what a
// key gets does not depend on the order. Refused are a negative total or weight
// and a key that occurs twice (Invalid), and a total without any positive
// weight (ErrNobody).
func Apportion(total int64, weights []Weight, tie string) ([]Share, error) {
	var sumHi, sumLo uint64
	for _, w := range weights {
		if w.W < 0 {
			return nil, errWeights.With("a weight is negative")
		}
		var carry uint64
		sumLo, carry = bits.Add64(sumLo, uint64(w.W), 0)
		sumHi += carry
	}
	switch {
	case total < 0:
		return nil, errWeights.With("the total is negative")
	case !distinct(weights):
		return nil, errWeights.With("a key occurs twice")
	case sumHi|sumLo == 0 && total > 0:
		return nil, ErrNobody
	}
	claims := make([]claim, len(weights))
	for i, w := range weights {
		claims[i] = claim{key: w.Key, hi: math.MaxInt64}
		if w.W == 0 {
			claims[i].hi = 0
			continue
		}
		claims[i].whole, claims[i].rem = divide(uint64(total), uint64(w.W), sumHi, sumLo)
	}
	if err := deal(total, claims, tie); err != nil {
		return nil, err
	}
	out := make([]Share, len(weights))
	for i := range claims {
		out[i] = Share{claims[i].key, claims[i].got}
	}
	return out, nil
}

// divide returns whole part and remainder of total×w/sum, for w ≤ sum.
func divide(total, w, sumHi, sumLo uint64) (int64, [2]uint64) {
	hi, lo := bits.Mul64(total, w)
	if sumHi == 0 {
		q, r := bits.Div64(hi, lo, sumLo)
		return int64(q), [2]uint64{0, r}
	}
	q, r := new(big.Int).QuoRem(wide(hi, lo), wide(sumHi, sumLo), new(big.Int))
	var buf [16]byte
	r.FillBytes(buf[:])
	return q.Int64(), [2]uint64{binary.BigEndian.Uint64(buf[:8]), binary.BigEndian.Uint64(buf[8:])}
}

func wide(hi, lo uint64) *big.Int {
	v := new(big.Int).SetUint64(hi)
	return v.Or(v.Lsh(v, 64), new(big.Int).SetUint64(lo))
}

// distinct reports whether no key occurs twice; in ascending order it needs no
// memory to tell.
func distinct(weights []Weight) bool {
	ascending := true
	for i := 1; i < len(weights) && ascending; i++ {
		ascending = weights[i-1].Key < weights[i].Key
	}
	if ascending {
		return true
	}
	seen := make(map[string]struct{}, len(weights))
	for _, w := range weights {
		seen[w.Key] = struct{}{}
	}
	return len(seen) == len(weights)
}

// claim is one party's quota before rounding, and the bounds on what it gets.
// Remainders of one deal share a denominator. The k-th unit of a claim
// (counting from 0) has priority quota − k; a deal hands out the units of
// highest priority, which is largest remainder where the bounds do not bind.
// Since it is a choice of the largest in one ordered list, raising one claim's
// quota or bounds and lowering the others' never costs that claim a unit.
type claim struct {
	key    string
	whole  int64
	rem    [2]uint64
	lo, hi int64
	tie    uint64 // first bytes of SHA-256(tie ‖ key)
	got    int64
}

var errDeal = errors.New("appraisal: bounds leave no way to divide the amount")

// deal sets got of every claim so that they add up to total. It needs
// Σlo ≤ total ≤ Σhi.
func deal(total int64, claims []claim, tie string) error {
	left, free := total, true
	for i := range claims {
		c := &claims[i]
		c.got = min(max(c.whole, c.lo), c.hi)
		left -= c.got
		free = free && (c.got == c.whole || c.hi == 0)
	}
	if left == 0 {
		return nil
	}
	q := newQueue(claims, tie, left < 0)
	if free && left > 0 && left <= int64(len(q.order)) {
		q.choose(int(left))
		for _, i := range q.order[:left] {
			claims[i].got++
		}
		return nil
	}
	return q.deal(left)
}

// queue orders claims by who gets the next unit or, when taking, who gives one.
type queue struct {
	claims []claim
	order  []int32
	tie    string
	taking bool
}

// newQueue holds the claims that a unit can be given to, or taken from.
func newQueue(claims []claim, tie string, taking bool) *queue {
	q := &queue{claims: claims, tie: tie, taking: taking, order: make([]int32, 0, len(claims))}
	text := []byte(tie)
	for i := range claims {
		if q.full(&claims[i]) {
			continue
		}
		sum := sha256.Sum256(append(text[:len(tie)], claims[i].key...))
		claims[i].tie = binary.BigEndian.Uint64(sum[:8])
		q.order = append(q.order, int32(i))
	}
	return q
}

// full reports whether c is at the bound towards which the queue moves it.
func (q *queue) full(c *claim) bool {
	if q.taking {
		return c.got <= c.lo
	}
	return c.got >= c.hi
}

// deal hands out left units one by one, or takes them where left is negative.
func (q *queue) deal(left int64) error {
	step := int64(1)
	if q.taking {
		step = -1
	}
	for heap.Init(q); left != 0; left -= step {
		if len(q.order) == 0 {
			return errDeal
		}
		next := &q.claims[q.order[0]]
		if next.got += step; q.full(next) {
			q.drop()
		} else {
			heap.Fix(q, 0)
		}
	}
	return nil
}

// choose moves the first n of the order to its front, in no order of their own
// (Hoare's quickselect): where nobody gets a second unit, it does what deal
// does in linear time.
func (q *queue) choose(n int) {
	for from, to, turn := 0, len(q.order), uint32(1); to-from > 1; {
		turn = turn*1664525 + 1013904223 // any pivot is right; a varying one is fast
		q.Swap(from, from+int(turn>>1)%(to-from))
		at := from
		for i := from + 1; i < to; i++ {
			if q.Less(i, from) {
				at++
				q.Swap(i, at)
			}
		}
		q.Swap(from, at)
		switch {
		case at == n || at+1 == n:
			return
		case at > n:
			to = at
		default:
			from = at + 1
		}
	}
}

func (q *queue) Len() int      { return len(q.order) }
func (q *queue) Swap(i, j int) { q.order[i], q.order[j] = q.order[j], q.order[i] }
func (q *queue) Push(any)      { panic("appraisal: a queue of claims does not grow") }
func (q *queue) Pop() any      { panic("appraisal: claims leave a queue through drop") }

func (q *queue) Less(i, j int) bool {
	order := q.compare(&q.claims[q.order[i]], &q.claims[q.order[j]])
	if q.taking {
		return order > 0
	}
	return order < 0
}

// compare is negative where a's next unit goes before b's.
func (q *queue) compare(a, b *claim) int {
	if order := cmp.Or(
		cmp.Compare(b.whole-b.got, a.whole-a.got),
		cmp.Compare(b.rem[0], a.rem[0]),
		cmp.Compare(b.rem[1], a.rem[1]),
		cmp.Compare(a.tie, b.tie),
	); order != 0 {
		return order
	}
	one, other := sha256.Sum256([]byte(q.tie+a.key)), sha256.Sum256([]byte(q.tie+b.key))
	return bytes.Compare(one[:], other[:])
}

func (q *queue) drop() {
	last := len(q.order) - 1
	q.Swap(0, last)
	q.order = q.order[:last]
	if last > 0 {
		heap.Fix(q, 0)
	}
}
