// Package review is the waiting room of the market: access requests about which
// people must say something before they are decided.
//
// # Who is asked
//
// The law in force says so for each dataset: a steward of vetting, where a
// policy that was voted wants people to look or where a member's condition
// needs somebody to read an ethics approval, to agree on a collaboration or to
// check a project; and the members themselves, where their terms leave a request
// to them. Package consent keeps the questions to members.
//
// # What it guarantees
//
// Waiting releases nothing. A request leaves the waiting room once everybody has
// spoken, or after [Window]; then it is decided anew, by law and consent as they
// are at that moment, and silence is a no. A steward speaks once.
//
// # What it refuses
//
// A steward's word about a request that waits for no steward, or has had it.
package review

import (
	"context"
	"embed"
	"fmt"
	"slices"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/policies"
)

//go:embed schema/*.sql
var schema embed.FS

// Window is how long people have to answer.
const Window = 14 * 24 * time.Hour

// ErrNotAsked says that no steward is asked about a request, or no longer.
var ErrNotAsked = fault.New(fault.Conflict, "review-not-asked", "Nobody waits for a review of this request.")

// What a steward has said.
const (
	stewardNone  = ""
	stewardAsked = "asked"
	stewardYes   = "yes"
	stewardNo    = "no"
)

// Wait is a request in the waiting room.
type Wait struct {
	Request coop.RequestID
	Steward string // "" not asked, asked, yes or no
	Until   int64  // Unix milliseconds
	Reason  string // what the steward found; "" before, or if they did not say
}

// Approved reports whether a steward has said yes.
func (w Wait) Approved() bool { return w.Steward == stewardYes }

// Migrate makes the room's table.
func Migrate(ctx context.Context, d *db.DB) error { return d.Migrate(ctx, "review", schema) }

// Begin puts a request into the waiting room if anybody must be asked about one
// of the datasets of its cohort, and reports until when it waits; 0 if nobody
// must.
func Begin(tx *db.Tx, id coop.RequestID, c consent.Cohort, now int64) (until int64, err error) {
	w := Wait{Request: id, Steward: stewardNone}
	if c.Waiting > 0 {
		w.Until = now + Window.Milliseconds()
	}
	if slices.Contains(c.Asks, policies.AskSteward) {
		w.Steward = stewardAsked
	}
	if w.Until == 0 {
		return 0, nil
	}
	if err := insert(tx, w); err != nil {
		return 0, fmt.Errorf("review: begin: %w", err)
	}
	return w.Until, nil
}

// Concerns reports whether a steward is or was asked.
func (w Wait) Concerns() bool { return w.Steward != stewardNone }

// Spoken reports whether a steward has said something.
func (w Wait) Spoken() bool { return w.Steward == stewardYes || w.Steward == stewardNo }

// Of finds what people said about a request; ErrNotAsked if it never waited.
func Of(tx *db.Tx, id coop.RequestID) (Wait, error) { return byID(tx, id) }

// ErrReason refuses a reason that is not one.
var ErrReason = fault.New(fault.Invalid, "review-reason", "Say in at most 2000 characters of plain text what you found.")

const maxReason = 2000

// Say records a steward's word, and why; ErrReason if that is too long or no text.
func Say(tx *db.Tx, id coop.RequestID, by coop.MemberID, yes bool, reason string, now int64) error {
	if reason != "" && !coop.Prose(reason, 1, maxReason) {
		return ErrReason
	}
	verdict := stewardNo
	if yes {
		verdict = stewardYes
	}
	if err := say(tx, id, by, verdict, reason, now); err != nil {
		return fmt.Errorf("review: say: %w", err)
	}
	return nil
}

// Ready finds a waiting request, and whether it can be decided: everybody has
// spoken, or the time is over.
func Ready(tx *db.Tx, c *consent.Service, id coop.RequestID, now int64) (Wait, bool, error) {
	w, err := byID(tx, id)
	if err != nil {
		return Wait{}, false, err
	}
	silent, err := c.Unanswered(tx, id, "", 1)
	if err != nil {
		return Wait{}, false, err
	}
	return w, now >= w.Until || w.Steward != stewardAsked && len(silent) == 0, nil
}

// Asked lists the requests that wait for a steward, the most urgent first.
func Asked(tx *db.Tx) ([]Wait, error) {
	out, err := asked(tx)
	if err != nil {
		return nil, fmt.Errorf("review: listing: %w", err)
	}
	return out, nil
}

// forSteward are the conditions of members that a steward must look at.
var forSteward = []string{"collaboration-unread", "ethics-unread", "project-unread"}

// ForSteward reports whether a reason is one that a steward is asked about: a
// member's condition somebody has to read about, or what the members voted to
// have looked at.
func ForSteward(r policies.Reason) bool {
	return r.Layer == policies.LayerCoop || slices.Contains(forSteward, r.Code)
}
