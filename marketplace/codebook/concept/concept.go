// Package concept tells codes of clinical terminologies from other numbers.
//
// A concept is written as its code system, a colon and the code, such as
// "LOINC:8480-6" or "SCT:160903007". The package guarantees that a LOINC or
// SNOMED CT code with one wrong digit is found out, and of numbers that are no
// codes nine in ten. It refuses to know what a code means: terminologies are
// licensed and large.
package concept

import (
	"strings"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
)

// Valid reports whether text names a clinical concept by a code system
// and a code of that system's form. The check digits make it hard for a number
// that is not a code to pass.
func Valid(text string) bool {
	system, code, _ := strings.Cut(text, ":")
	switch system {
	case "LOINC":
		body, digit, ok := strings.Cut(code, "-")
		return ok && len(body) <= 6 && len(digit) == 1 && digits(body) && digits(digit) && luhn(body+digit)
	case "SCT":
		return len(code) >= 6 && len(code) <= 18 && digits(code) && verhoeff(code)
	case "RXNORM":
		return len(code) <= 7 && digits(code)
	case "CVX":
		return len(code) <= 3 && digits(code)
	}
	return false
}

func digits(s string) bool { return s != "" && decimal.Digits(s) }

// luhn reports whether the last digit is the Mod 10 check digit of those
// before it (LOINC Users' Guide, appendix C).
func luhn(code string) bool {
	sum := 0
	for i := range len(code) {
		d := int(code[len(code)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// verhoeff reports whether the last digit is the check digit of an SCTID (SNOMED CT Release File
// Specification, 5.5): the dihedral group D5 with one permutation a place.
func verhoeff(code string) bool {
	permutation := [10]int{1, 5, 7, 6, 2, 8, 3, 0, 9, 4}
	check := 0
	for i := range len(code) {
		d := int(code[len(code)-1-i] - '0')
		for range i % 8 {
			d = permutation[d]
		}
		check = dihedral(check, d)
	}
	return check == 0
}

// dihedral multiplies in D5: 0 to 4 are rotations, 5 to 9 reflections.
func dihedral(a, b int) int {
	switch {
	case a < 5 && b < 5:
		return (a + b) % 5
	case a < 5:
		return 5 + (a+b-5)%5
	case b < 5:
		return 5 + (a-5-b+5)%5
	}
	return (a - b + 5) % 5
}
