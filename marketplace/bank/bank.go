// Package bank reads and writes what a co-op and its bank tell each other:
// account numbers and creditor references, statements of account in
// (ISO 20022 camt.053), payment orders out (pain.001). It is pure: no database,
// no clock, no network.
//
// # What it guarantees
//
// An entry of a statement has the same id in every statement that tells of it,
// and entries that look alike have different ones, so that money is booked once
// and none is overlooked. A statement is read as a whole or refused as a whole,
// with the reason. A payment order validates against the schema of ISO 20022
// whatever is in a name, and is written in letters that every European bank
// takes.
//
// # What it refuses
//
// Statements in another currency, amounts below nothing, document types and
// entities, more than one document, more than 10 MiB. It does not know national
// formats of account numbers, and it does not guess: a payment that several
// invoices are named for, without amounts, is nobody's.
package bank

import (
	"fmt"
	"strings"

	"distributed.ai/datacoop/internal/fault"
)

// Faults of ParseCamt053. ErrStatement carries the reason as its detail.
var (
	ErrStatement = fault.New(fault.Invalid, "bad-bank-statement", "This is not a camt.053 statement in the co-op's currency.")
	ErrNegative  = fault.New(fault.Invalid, "bad-amount", "An amount in this statement is negative.")

	// ErrVersion is of Pain001.
	ErrVersion = fault.New(fault.Invalid, "unknown-payment-version", "Payment files are written as pain.001.001.09 or pain.001.001.03.")
)

// NormaliseIBAN removes white space and upper-cases.
func NormaliseIBAN(s string) string { return compact(s) }

// compact writes a code without white space, in capitals.
func compact(s string) string { return strings.ToUpper(strings.Join(strings.Fields(s), "")) }

// ValidIBAN checks length, alphabet and check digits (ISO 13616) of a
// normalised number.
func ValidIBAN(iban string) bool {
	return len(iban) >= 15 && len(iban) <= 34 && letters(iban[:2]) && checked(iban)
}

// Reference makes the creditor reference of an invoice number above 0
// (ISO 11649): "RF", two check digits and the number.
func Reference(number int64) string {
	return fmt.Sprintf("RF%02d%d", 98-mod97(fmt.Sprintf("%dRF00", number)), number)
}

// ValidReference checks a creditor reference without white space, in capitals:
// "RF", check digits and 1 to 21 letters and digits (ISO 11649).
func ValidReference(ref string) bool {
	return len(ref) >= 5 && len(ref) <= 25 && ref[:2] == "RF" && checked(ref)
}

// checked reports whether the digits in the third and fourth place fit the
// rest: moved to the end with what is before them, they leave 1. They are
// between 02 and 98, so that there is one pair for each number.
func checked(s string) bool {
	return digits(s[2:4]) && s[2:4] >= "02" && s[2:4] <= "98" && mod97(s[4:]+s[:4]) == 1
}

// mod97 is the remainder modulo 97 of digits and capital letters, the letters
// read as 10 to 35 (ISO/IEC 7064, MOD 97-10); -1 for any other text.
func mod97(s string) int {
	rest := 0
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			return -1
		}
	}
	return rest
}

func letters(s string) bool { return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" }
func digits(s string) bool  { return strings.Trim(s, "0123456789") == "" }
