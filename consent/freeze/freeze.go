// Package freeze is the switch that stops every delivery of the co-op at once.
//
// It is an annex of package consent, whose decisions ask it in the transaction
// that would release something: there is no way to a permit past it.
//
// # The states
//
// Nothing is frozen, or one incident stands. One steward freezes, with a sentence
// that every member reads. It takes two to lift: one asks, and another agrees;
// whoever froze may be one of the two. Freezing while something is frozen changes
// nothing but is refused, so that the first reason stays the one that is read.
//
// # What it guarantees
//
// An incident is a row: it survives a restart, and both databases keep at most one
// standing. Each step leaves an entry in the audit log, in its own transaction.
// While an incident stands no decision that could release data is made, and a
// download that is running stops when it next asks whether it may go on. Nothing
// that members allowed or answered is touched, and lifting brings it all back.
//
// # What it refuses
//
// A freeze without a reason, and one person lifting it alone. Who is a steward is
// for the caller to know. The word of somebody who is one no more lifts nothing.
package freeze

import (
	"context"
	"embed"
	"fmt"
	"strings"
	"unicode/utf8"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

//go:embed schema
var schema embed.FS

// Faults of the switch. Their codes are part of the API.
var (
	ErrFrozen    = fault.New(fault.Conflict, "frozen", "The co-op has stopped all deliveries for now. Nothing was given out and nothing is charged; try again when it goes on.")
	ErrAlready   = fault.New(fault.Conflict, "already-frozen", "All deliveries are stopped already.")
	ErrNotFrozen = fault.New(fault.Conflict, "not-frozen", "Nothing is stopped, so there is nothing to lift.")
	ErrSecond    = fault.New(fault.Conflict, "second-steward-needed", "You have asked to lift the stop. A second steward has to agree.")
	ErrReason    = fault.New(fault.Invalid, "freeze-reason", "Say in a sentence why, in 10 to 300 characters. Every member reads it.")
)

// The shortest and the longest reason, in characters.
const (
	minReason = 10
	maxReason = 300
)

// Incident is one stop of all deliveries. Times are Unix milliseconds, 0 for what
// has not happened.
type Incident struct {
	ID       string
	Reason   string // for every member to read
	FrozenBy coop.MemberID
	FrozenAt int64
	AskedBy  coop.MemberID // who has asked to lift it
	AskedAt  int64
	LiftedBy coop.MemberID // who has agreed
	LiftedAt int64
}

// Standing reports whether it holds now.
func (i Incident) Standing() bool { return i.ID != "" && i.LiftedAt == 0 }

// Switch is the switch. It is safe for concurrent use.
type Switch struct {
	db    *db.DB
	log   *audit.Log
	clock coop.Clock
}

// New makes a switch; Migrate comes first.
func New(d *db.DB, log *audit.Log, clock coop.Clock) *Switch { return &Switch{d, log, clock} }

// Migrate makes the table.
func Migrate(ctx context.Context, d *db.DB) error { return d.Migrate(ctx, "freeze", schema) }

// Freeze stops all deliveries from tx's commit on. Errors: ErrReason, ErrAlready.
func (s *Switch) Freeze(tx *db.Tx, by coop.MemberID, reason string) (Incident, error) {
	reason = strings.Join(strings.Fields(reason), " ")
	if n := utf8.RuneCountInString(reason); n < minReason || n > maxReason || !utf8.ValidString(reason) {
		return Incident{}, ErrReason
	}
	now, err := standing(tx)
	switch {
	case err != nil:
		return Incident{}, err
	case now.Standing():
		return Incident{}, ErrAlready
	}
	i := Incident{ID: coop.NewID(), Reason: reason, FrozenBy: by, FrozenAt: s.clock().UnixMilli()}
	if err := insert(tx, i); err != nil {
		return Incident{}, fmt.Errorf("freeze: %w", err)
	}
	return i, s.note(tx, "frozen", by, i)
}

// Lift ends the standing incident once two stewards have said so: the first one
// asks, and the answer still stands. Steward tells whether whoever asked still is
// one; if not, the caller asks in their place. Errors: ErrNotFrozen, ErrSecond.
func (s *Switch) Lift(tx *db.Tx, by coop.MemberID, steward func(coop.MemberID) (bool, error)) (Incident, error) {
	i, err := standing(tx)
	if err != nil {
		return Incident{}, err
	}
	asked := i.AskedBy != ""
	if asked && i.AskedBy != by {
		if asked, err = steward(i.AskedBy); err != nil {
			return Incident{}, fmt.Errorf("freeze: lift: %w", err)
		}
	}
	now, verdict := s.clock().UnixMilli(), "lifted"
	switch {
	case !i.Standing():
		return Incident{}, ErrNotFrozen
	case i.AskedBy == by:
		return Incident{}, ErrSecond
	case !asked:
		i.AskedBy, i.AskedAt, verdict = by, now, "asked"
	default:
		i.LiftedBy, i.LiftedAt = by, max(now, 1)
	}
	if err := update(tx, i); err != nil {
		return Incident{}, fmt.Errorf("freeze: lift: %w", err)
	}
	return i, s.note(tx, verdict, by, i)
}

func (s *Switch) note(tx *db.Tx, verdict string, by coop.MemberID, i Incident) error {
	_, err := s.log.Append(tx, audit.Event{Kind: "freeze", Verdict: verdict,
		Record: map[string]any{"incident": i.ID, "by": string(by), "reason": i.Reason, "at": s.clock().UnixMilli()}})
	if err != nil {
		return fmt.Errorf("freeze: log: %w", err)
	}
	return nil
}

// Thawed answers nil while deliveries may be made, and ErrFrozen otherwise.
func (s *Switch) Thawed(tx *db.Tx) error {
	i, err := standing(tx)
	if err == nil && i.Standing() {
		err = ErrFrozen
	}
	return err
}

// Frozen is the incident that stands; the zero value if none does.
func (s *Switch) Frozen(ctx context.Context) (i Incident, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		i, err = standing(tx)
		return err
	})
	return i, err
}

// Freezes lists all incidents, newest first.
func (s *Switch) Freezes(ctx context.Context) (all []Incident, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		all, err = list(tx)
		return err
	})
	return all, err
}
