// Package desk is what every counter of the market stands on: one database, the
// books, the log, the offices and the clock, and the few ways in which the
// counters use them.
//
// # What it guarantees
//
// [Write] has one effect and one answer for each idempotency key; [Duty] does
// that for somebody who holds an office in that very transaction; a posting
// goes through [Desk.Post] and is named after what happened.
//
// # What it refuses
//
// Anybody without the office ([ErrOffice]), and anything that is not there, in
// the same words as what the caller may not see ([ErrNotFound]).
package desk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/jobs"
	"distributed.ai/datacoop/internal/once"
	"distributed.ai/datacoop/marketplace/ledger"
)

// Faults that all counters share. Their codes are part of the API.
var (
	ErrOffice   = fault.New(fault.Forbidden, "office-needed", "This needs an office you do not hold.")
	ErrNotFound = fault.New(fault.NotFound, "not-found", "There is no such thing here.")
	ErrState    = fault.New(fault.Conflict, "wrong-state", "This is in a state that does not allow that step.")
)

// Desk is the ground of a counter. It is safe for concurrent use.
type Desk struct {
	DB         *db.DB
	Governance *governance.Service
	Ledger     *ledger.Service
	Log        *audit.Log
	Jobs       *jobs.Queue
	Clock      coop.Clock
	Charter    coop.Charter
}

// Now is domain time in Unix milliseconds.
func (d *Desk) Now() int64 { return d.Clock().UnixMilli() }

// Read runs fn in a snapshot.
func Read[T any](ctx context.Context, d *db.DB, fn func(*db.Tx) (T, error)) (out T, err error) {
	err = d.View(ctx, func(tx *db.Tx) error {
		out, err = fn(tx)
		return err
	})
	return out, err
}

// Write runs fn in a transaction, once for each idempotency key.
func Write[T any](ctx context.Context, d *db.DB, fn func(*db.Tx) (T, error)) (T, error) {
	var out, none T
	err := d.Update(ctx, func(tx *db.Tx) (err error) {
		out, err = once.Do(tx, func() (T, error) { return fn(tx) })
		return err
	})
	if err != nil {
		return none, err
	}
	return out, nil
}

// Duty is Write for somebody who holds the office in that very transaction, and
// ErrOffice for anybody else.
func Duty[T any](ctx context.Context, d *Desk, steward coop.MemberID, office coop.Office, fn func(*db.Tx) (T, error)) (T, error) {
	return Write(ctx, d.DB, func(tx *db.Tx) (T, error) {
		if err := d.Needs(tx.Context(), steward, office); err != nil {
			var none T
			return none, err
		}
		return fn(tx)
	})
}

// Needs refuses with ErrOffice unless member holds the office.
func (d *Desk) Needs(ctx context.Context, member coop.MemberID, office coop.Office) error {
	ok, err := d.Governance.Holds(ctx, member, office)
	if err != nil {
		return fmt.Errorf("marketplace: office: %w", err)
	}
	if !ok {
		return ErrOffice
	}
	return nil
}

// Note writes an event into the log in the transaction that causes it.
func (d *Desk) Note(tx *db.Tx, kind, verdict string, record map[string]any) error {
	if _, err := d.Log.Append(tx, audit.Event{Kind: kind, Verdict: verdict, Record: record}); err != nil {
		return fmt.Errorf("marketplace: log: %w", err)
	}
	return nil
}

// Post enters transfers in the books under a kind and a ref.
func (d *Desk) Post(tx *db.Tx, kind, ref string, transfers ...ledger.Transfer) error {
	_, err := d.Ledger.Post(tx, ledger.Entry{Kind: kind, Ref: ref, Memo: kind, Transfers: transfers})
	if err != nil {
		return fmt.Errorf("marketplace: post %s: %w", kind, err)
	}
	return nil
}

// Row is what a row of a table is scanned from.
type Row interface{ Scan(dest ...any) error }

// Failed names the operation of an error.
func Failed(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("marketplace: %s: %w", op, err)
}

// Found turns a missing row into ErrNotFound and names the operation otherwise.
func Found(err error, op string) error {
	if errors.Is(err, db.ErrNoRow) {
		return ErrNotFound
	}
	return Failed(op, err)
}

// Collect is db.Collect with an error that names the operation.
func Collect[T any](tx *db.Tx, op string, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	out, err := db.Collect(tx, scan, query, args...)
	return out, Failed(op, err)
}

// Number reads one number.
func Number[T ~int | ~int64](tx *db.Tx, op, query string, args ...any) (n T, err error) {
	err = tx.QueryRow(query, args...).Scan(&n)
	return n, Failed(op, err)
}
