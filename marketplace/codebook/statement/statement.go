// Package statement reads what banks write about an account: OFX, camt.053 and
// the CSV that online banking offers.
//
// A [Movement] is a booking in the bank's own words for day, amount, currency
// and account, brought to one form but not yet judged: the caller checks it.
// Payees, remarks and balances are never looked at. The package guarantees
// that entries which are not booked yet are left out, and refuses files that
// break off and CSV whose numbers or days can be read in two ways.
package statement

// Movement is one booking, as text.
type Movement struct {
	Account  string // the bank's own number; empty where the file names none
	Date     string // YYYYMMDD; empty where the file's is no date
	Amount   string // with a point, negative for money out
	Currency string // ISO 4217
	Kind     string // of the codebook's column kind; empty where the file does not tell
}
