// Package treasury is the till of the market: invoices out, bank statements in,
// members' accounts, payouts, and what comes back.
//
// # What it guarantees
//
// Money is booked once, whatever is imported how often; what nobody was
// invoiced for is held as unassigned, never lost. A member's balance is paid out
// only above the charter's minimum and to an account they named; what the bank
// returns is theirs again, and nothing more is sent to an account that bounced
// until its holder names one anew. What a member gives to the common purpose
// leaves their balance at once and for good.
//
// Whatever arrives is a fixed number of postings, however many members there
// are: it is held for all of them together, and divided when their period is
// settled.
//
// # What it refuses
//
// A statement of which it does not understand every part that counts; a payment
// file in a version the bank cannot read; giving away more than one has.
package treasury

import (
	"context"
	"embed"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/desk"
)

//go:embed schema/*.sql
var schema embed.FS

// Migrate makes the counter's tables.
func Migrate(ctx context.Context, d *db.DB) error { return d.Migrate(ctx, "treasury", schema) }

// Faults of this counter. Their codes are part of the API.
var (
	ErrNothingToPay = fault.New(fault.Conflict, "nothing-to-pay", "No balance of this period can be paid out.")
	ErrIBAN         = fault.New(fault.Invalid, "bad-iban", "That is not a valid IBAN.")
	ErrHolder       = fault.New(fault.Invalid, "bad-holder", "Name the account holder as the bank does, in Latin letters and at most 70 characters.")
	ErrNoAccount    = fault.New(fault.Conflict, "no-account", "The charter names no valid account of the co-op's to pay from.")
)

// Till is the counter. It is safe for concurrent use.
type Till struct {
	desk *desk.Desk
	open func(*db.Tx, coop.RequestID) error
}

// New makes a till; open is told, in the transaction that books the last of it,
// which request has been paid.
func New(d *desk.Desk, open func(*db.Tx, coop.RequestID) error) *Till {
	return &Till{desk: d, open: open}
}
