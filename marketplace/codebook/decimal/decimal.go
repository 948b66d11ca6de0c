// Package decimal calculates exactly with numbers of up to six decimals.
//
// Values in exports are decimals and are often added up by the million. The
// package guarantees that a sum does not depend on the order or the processor,
// as sums of floating point numbers would, and that every number has one
// spelling. It refuses magnitudes of 10^12 and more and every spelling of a number
// that is not a plain decimal: no grouping, no hexadecimal, no infinity.
package decimal

import (
	"math/bits"
	"strconv"
	"strings"
)

// Number is a number in millionths. Sums are exact and do not depend on the
// order or the processor, which floating point sums would.
type Number int64

const (
	// One is the number 1.
	One Number = 1_000_000

	limit = 1_000_000_000_000 * One
)

// Whole is the whole number n.
func Whole(n int64) Number { return Number(n) * One }

// Parse reads a decimal number such as "-0.5", "6.96999979" or "8.5e-05",
// rounded half away from zero to millionths. It refuses anything else,
// including grouping, and magnitudes of 10^12 and more.
func Parse(s string) (Number, bool) {
	if len(s) > 64 {
		return 0, false
	}
	neg := strings.HasPrefix(s, "-")
	if neg || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	s, exponent, ok := cutExponent(s)
	intPart, frac, point := strings.Cut(s, ".")
	if !ok || intPart == "" || point && frac == "" || !Digits(intPart) || !Digits(frac) {
		return 0, false
	}
	v, ok := shifted(intPart+frac, exponent-len(frac)+6)
	if neg {
		v = -v
	}
	return v, ok
}

func cutExponent(s string) (mantissa string, exponent int, ok bool) {
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return s, 0, true
	}
	digits := strings.TrimPrefix(strings.TrimPrefix(s[i+1:], "+"), "-")
	n, err := strconv.Atoi(digits)
	if err != nil || !Digits(digits) || len(digits) > 2 || len(s)-i-1-len(digits) > 1 {
		return "", 0, false
	}
	if s[i+1] == '-' {
		n = -n
	}
	return s[:i], n, true
}

// Digits reports whether s holds nothing but the digits 0 to 9; empty does.
func Digits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// shifted is digits times ten to the shift, rounded half away from zero.
func shifted(digits string, shift int) (Number, bool) {
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return 0, true
	}
	roundUp := false
	if shift < 0 {
		keep := len(digits) + shift
		if keep < 0 {
			return 0, true
		}
		roundUp = digits[keep] >= '5'
		digits = digits[:keep]
	} else {
		digits += strings.Repeat("0", min(shift, 20))
	}
	if len(digits) > 18 {
		return 0, false
	}
	n, _ := strconv.ParseInt("0"+digits, 10, 64)
	if roundUp {
		n++
	}
	return Number(n), Number(n) <= limit
}

// Times multiplies exactly and rounds half away from zero to millionths. It
// reports false where the product leaves the range.
func (v Number) Times(w Number) (Number, bool) {
	hi, lo := bits.Mul64(v.abs(), w.abs())
	if hi >= uint64(One) {
		return 0, false
	}
	q, r := bits.Div64(hi, lo, uint64(One))
	if r >= uint64(One)/2 {
		q++
	}
	if q > uint64(limit) {
		return 0, false
	}
	if (v < 0) != (w < 0) {
		return -Number(q), true
	}
	return Number(q), true
}

func (v Number) abs() uint64 {
	if v < 0 {
		return uint64(-v)
	}
	return uint64(v)
}

// Per divides by a count, rounded half away from zero.
func (v Number) Per(n int64) Number {
	half := n / 2
	if v < 0 {
		half = -half
	}
	return (v + Number(half)) / Number(n)
}

// Text writes v rounded to at most the given decimals, without trailing
// zeros and never as "-0".
func (v Number) Text(decimals int) string {
	step := int64(1)
	for range 6 - decimals {
		step *= 10
	}
	v = v.Per(step) * Number(step)
	text := strconv.FormatUint(v.abs()/uint64(One), 10)
	if rest := v.abs() % uint64(One); rest != 0 {
		frac := strconv.FormatUint(uint64(One)+rest, 10)[1:]
		text += "." + strings.TrimRight(frac, "0")
	}
	if v < 0 {
		return "-" + text
	}
	return text
}
