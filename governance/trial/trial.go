// Package trial rehearses a proposal before anybody votes on it: what it would
// have meant for the requests of the past, for requests of every kind that can
// be thought of, and for the data that are shared now.
//
// It is an annex of the council hall. A rehearsal is a job that takes seconds
// for most policies and minutes for some. It is cut into pieces; what each found
// is written down with how far it is, so that whoever looks sees it move, and a
// process that dies costs one piece.
//
// # What it guarantees
//
// A rehearsal that ended compared the proposal with one law that is named; if
// another law came into force meanwhile, it began anew. What could not be tried
// is said and counted: no rehearsal that was left, failed or cut short reads as
// one that found no difference. Made-up requests are tried where the Trier says,
// in a server in a process with limits; past decisions and open datasets are
// asked here, of policies that the gate has passed.
//
// # What it refuses
//
// It gives up after several failures in a row, and says so. It names no member,
// and tells no figure about open datasets that concerns fewer members than the
// smallest group of their pool.
package trial

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/policies/rehearsal"
)

// Window is how far back a rehearsal looks.
const Window = 365 * 24 * time.Hour

// mostFailures in a row end a rehearsal: they take a minute at least, because a
// job that failed is tried again after a pause that doubles.
const mostFailures = 10

// States of a rehearsal.
const (
	Untried = "untried" // there is none: the vote is older than rehearsals
	Waiting = "waiting" // it has not begun
	Running = "running"
	Failed  = "failed" // it was given up; Reason says why
	Ended   = "ended"
)

// Reasons why a rehearsal does not move, or was given up.
const (
	sealedReason = "No law is in force, so there is nothing to compare with."
	failedReason = "Trying the policy took more time or memory than there is, or failed otherwise."
)

// Rehearsal is how far the trial of a proposal is, and what it found so far.
type Rehearsal struct {
	State     string
	Law       string // revision of the law compared with
	Done      int64  // made-up requests that both laws have answered
	Total     int64
	Left      int64  // pairs of changes that are left out, because there are too many
	Reason    string // why it failed, or why it does not move
	StartedAt int64  // Unix ms; 0 if it has not begun
	EndedAt   int64  // Unix ms; 0 if it has not ended

	found    rehearsal.Part
	past     Impact
	pieces   int
	plan     string
	laws     []policies.Law // what the proposal can say
	failures int
}

// Impact is what was found, if it has ended; before that and after a failure it
// is empty.
func (r Rehearsal) Impact() Impact {
	if r.State != Ended {
		return Impact{}
	}
	im := r.past
	found := r.found.Result(r.laws)
	found.Left = r.Left
	im.Changes = found.Sentences()
	return im
}

// Digest names everything a rehearsal found: SHA-256 in hex.
func (r Rehearsal) Digest() (string, error) {
	text, err := json.Marshal([]any{r.Law, r.plan, r.Left, r.found, r.past, r.Reason})
	if err != nil {
		return "", fmt.Errorf("trial: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// Bench is what a rehearsal stands on.
type Bench struct {
	DB      *db.DB
	Consent *consent.Service
	Engine  *policies.Engine
	Clock   coop.Clock
	Charter coop.Charter
	Trier   rehearsal.Trier
}

// Open writes a rehearsal down, to be run.
func Open(tx *db.Tx, id coop.ProposalID) error { return insert(tx, id) }

// Of is the rehearsal of a proposal; one that is [Untried] if there is none.
func Of(tx *db.Tx, id coop.ProposalID) (Rehearsal, error) { return find(tx, id) }

// Replay asks a law what was asked in the last year.
func (b Bench) Replay(ctx context.Context, law *policies.Revision) (Impact, error) {
	flips, total, err := b.Consent.Replay(ctx, law, b.Clock().Add(-Window).UnixMilli())
	if err != nil {
		return Impact{}, fmt.Errorf("trial: %w", err)
	}
	return Summarise(flips, total), nil
}

// Run rehearses a proposal, from where an earlier Run was left, and returns it
// once it has ended or was given up. An error means that it should be tried
// again.
func (b Bench) Run(ctx context.Context, id coop.ProposalID, source []byte) (Rehearsal, error) {
	r, err := b.load(ctx, id)
	if err != nil || r.State == Ended || r.State == Failed {
		return r, err
	}
	failed := b.run(ctx, id, &r, source)
	switch {
	case failed == nil:
		return r, nil
	case ctx.Err() != nil: // the server is stopping; not the policy's fault
		return r, failed
	}
	r.Reason = failedReason
	if errors.Is(failed, policies.ErrSealed) {
		r.Reason = sealedReason
	} else {
		r.failures++
	}
	if r.failures >= mostFailures {
		r.State, r.EndedAt, failed = Failed, b.Clock().UnixMilli(), nil
	}
	return r, errors.Join(failed, b.save(ctx, id, r))
}

func (b Bench) load(ctx context.Context, id coop.ProposalID) (r Rehearsal, err error) {
	err = b.DB.View(ctx, func(tx *db.Tx) error {
		r, err = find(tx, id)
		return err
	})
	return r, err
}

func (b Bench) save(ctx context.Context, id coop.ProposalID, r Rehearsal) error {
	return b.DB.Update(ctx, func(tx *db.Tx) error { return update(tx, id, r) })
}

// errOtherLaw has a rehearsal begin anew, against the law that is in force now.
var errOtherLaw = errors.New("trial: another law came into force meanwhile")

// run tries piece after piece, then the past and the present.
func (b Bench) run(ctx context.Context, id coop.ProposalID, r *Rehearsal, source []byte) error {
	law := b.Engine.Current()
	if law == nil {
		return policies.ErrSealed
	}
	proposed, err := policies.Compile(ctx, source)
	if err != nil {
		return err
	}
	plan, err := b.Trier.Plan(ctx, law.Source(), source)
	if err != nil {
		return err
	}
	if err := b.begin(r, law, plan); err != nil {
		return err
	}
	for r.pieces < len(plan.Pieces) {
		part, err := b.Trier.Try(ctx, law.Source(), source, plan.Pieces[r.pieces], b.Charter.Currency)
		if err != nil {
			return err
		}
		next := *r
		next.found, next.failures, next.Reason = r.found.With(part), 0, ""
		next.Done += plan.Cases[r.pieces]
		next.pieces++
		if err := b.save(ctx, id, next); err != nil {
			return err
		}
		*r = next
	}
	if r.past, err = b.Replay(ctx, proposed); err != nil {
		return err
	}
	if r.past.Cohorts, r.past.Counted, err = b.cohorts(ctx, law, proposed, r.found.Kinds); err != nil {
		return err
	}
	if now := b.Engine.Current(); now == nil || now.Hash() != law.Hash() {
		return errOtherLaw
	}
	r.State, r.Reason, r.EndedAt = Ended, "", b.Clock().UnixMilli()
	return b.save(ctx, id, *r)
}

// begin goes on where the same comparison was left, or starts anew.
func (b Bench) begin(r *Rehearsal, law *policies.Revision, plan rehearsal.Plan) error {
	text, err := json.Marshal(plan)
	if err != nil {
		return fmt.Errorf("trial: %w", err)
	}
	sum := sha256.Sum256(text)
	digest := hex.EncodeToString(sum[:])
	if r.Law == law.Hash() && r.plan == digest {
		return nil
	}
	*r = Rehearsal{State: Running, Law: law.Hash(), plan: digest, laws: plan.Laws, Total: plan.Total(), Left: plan.Left,
		StartedAt: max(1, b.Clock().UnixMilli()), failures: r.failures}
	return nil
}
