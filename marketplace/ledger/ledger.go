// Package ledger keeps the co-op's books: double entry, append-only, one
// currency, every cent accounted for.
//
// Value moves by Post, in the caller's transaction, as transfers between
// accounts of a fixed chart. The four movements a co-op lives on:
//
//	a request is paid          from income:access           to assets:bank
//	a period is settled        from liabilities:member:<id> to income:access
//	a payout is released       from liabilities:payout      to liabilities:member:<id>
//	the bank has carried it out from assets:bank            to liabilities:payout
//
// "From" is credited and "to" is debited. The second line reads strangely only
// at first: settling uses up income, and what comes out of it is a debt to the
// member.
//
// # What it guarantees
//
// An entry's postings add up to zero, because a transfer cannot do otherwise;
// so do all postings together. A ref is posted once. What a member is owed never
// falls below zero. A balance is the sum of its postings: it is kept in the same
// transaction and derived again by Verify. A Post that is refused has written
// nothing, so a caller may go on after ErrPosted.
//
// Entries are chained: each has a digest over its text in the journal and the
// digest before it, and the audit log commits to that digest. Neither the leaf
// nor the log's record holds an account or an amount.
//
// Journal writes all of it as plain text that `hledger check --strict` accepts
// and VerifyJournal checks offline, chain included.
//
// # What it refuses
//
// Amounts of nothing or less, unknown accounts, an account paying itself, more
// than MaxTurnover ever moved, and books in two currencies. It has no call that
// changes or deletes an entry: a mistake is corrected by another entry.
//
// Entries are keyed by number and postings by (entry, position), so that a
// settlement of a million members inserts in order. There is no index by
// account for the same reason: histories of one member come from statements.
package ledger

import (
	"context"
	"embed"
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

//go:embed schema
var schema embed.FS

// Faults of this package.
var (
	ErrEntry    = fault.New(fault.Invalid, "entry-invalid", "This cannot be entered in the books as it stands.")
	ErrPosted   = fault.New(fault.Conflict, "already-posted", "This is in the books already.")
	ErrBalance  = fault.New(fault.Conflict, "insufficient-balance", "A member would be paid more than the member is owed.")
	ErrTurnover = fault.New(fault.Invalid, "amount-too-large", "The books cannot hold amounts this large.")
	ErrJournal  = fault.New(fault.Invalid, "journal-invalid", "This is not an unaltered journal of these books.")
)

// Config is what a ledger needs.
type Config struct {
	DB       *db.DB
	Log      *audit.Log
	Clock    coop.Clock
	Currency coop.Currency // of every amount, forever
}

// Service is the ledger. It is safe for concurrent use.
type Service struct {
	db       *db.DB
	log      *audit.Log
	clock    coop.Clock
	currency coop.Currency
}

var errCurrency = errors.New("the books are kept in another currency")

// New opens the ledger, making its tables if needed. It refuses a currency
// other than the one the books were begun in.
func New(ctx context.Context, c Config) (*Service, error) {
	if !c.Currency.Valid() {
		return nil, errors.New("ledger: the currency is not an ISO 4217 code")
	}
	if err := c.DB.Migrate(ctx, "ledger", schema); err != nil {
		return nil, err
	}
	err := c.DB.Update(ctx, func(tx *db.Tx) error {
		have, err := begin(tx, c.Currency)
		if err == nil && have != c.Currency {
			err = errCurrency
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return &Service{db: c.DB, log: c.Log, clock: c.Clock, currency: c.Currency}, nil
}
