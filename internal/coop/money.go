package coop

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Money is an amount in minor units of the co-op's one currency (cents for
// EUR). It may be negative where a ledger says so.
type Money int64

// Currency is an ISO 4217 code.
type Currency string

// exponents holds the currencies whose minor unit is not a hundredth
// (ISO 4217, table A.1), as far as a co-op is likely to use them.
var exponents = map[Currency]int{
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
	"CLP": 0, "ISK": 0, "JPY": 0, "KRW": 0, "PYG": 0, "UGX": 0, "VND": 0, "XAF": 0, "XOF": 0,
}

// Valid reports whether c looks like an ISO 4217 code.
func (c Currency) Valid() bool {
	if len(c) != 3 {
		return false
	}
	for _, r := range c {
		if r < 'A' || r > 'Z' {
			return false
		}
	}
	return true
}

// Exponent is the number of decimals of c: 2 for most, 0 or 3 for a few.
func (c Currency) Exponent() int {
	if e, ok := exponents[c]; ok {
		return e
	}
	return 2
}

// Decimal writes m with a point and the decimals of c, without the code.
func (m Money) Decimal(c Currency) string {
	var room [24]byte // for any amount
	return string(m.AppendDecimal(room[:0], c))
}

// AppendDecimal appends what Decimal writes.
func (m Money) AppendDecimal(buf []byte, c Currency) []byte {
	abs := uint64(m) //nolint:gosec // a negative m is turned below
	if m < 0 {
		buf, abs = append(buf, '-'), uint64(-(m+1))+1 //nolint:gosec // -(m+1) is never negative
	}
	unit := uint64(1)
	for range c.Exponent() {
		unit *= 10
	}
	buf = strconv.AppendUint(buf, abs/unit, 10)
	if unit == 1 {
		return buf
	}
	buf = append(buf, '.')
	for rest := abs % unit; unit > 1; rest %= unit {
		unit /= 10
		buf = append(buf, byte('0'+rest/unit)) //nolint:gosec // one digit
	}
	return buf
}

// Format writes m as a person reads it, such as "12.50 EUR".
func (m Money) Format(c Currency) string { return m.Decimal(c) + " " + string(c) }

var errAmount = errors.New("not an amount of money")

// ParseMoney reads a decimal such as "12.5" or "-0.07" exactly. It refuses
// exponents, grouping, more decimals than c has, and anything over 64 bits.
func ParseMoney(s string, c Currency) (Money, error) {
	digits, neg := strings.CutPrefix(s, "-")
	whole, frac, _ := strings.Cut(digits, ".")
	exp := c.Exponent()
	if whole == "" || len(frac) > exp || strings.HasSuffix(digits, ".") {
		return 0, fmt.Errorf("%w: malformed", errAmount)
	}
	all := whole + frac + strings.Repeat("0", exp-len(frac))
	if strings.Trim(all, "0123456789") != "" {
		return 0, fmt.Errorf("%w: not a decimal number", errAmount)
	}
	v, err := strconv.ParseUint(all, 10, 64)
	if err != nil || v > math.MaxInt64 {
		return 0, fmt.Errorf("%w: too large", errAmount)
	}
	if neg {
		return -Money(v), nil
	}
	return Money(v), nil
}
