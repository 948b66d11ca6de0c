// Package adoption is where members decide whether what a model made of a period
// counts, before any of it is paid.
//
// # The life of a vote
//
//	waiting ── voting ─┬─ adopted            the statement is settled as it is
//	                   └─ rejected ─ baseline  computed again without the model
//
// A statement that is computed again, say because a dispute changed the revenue,
// is waiting again, whatever was voted about the one before: that roll and those
// ballots are dropped, and a leaf says so.
//
// A statement that judges moved waits until its window to contest it is over and
// every appeal is answered; then a vote opens by itself, for everybody who is a
// member at that moment, by the rule of the charter's electoral class for
// statements. What is not adopted, for want of support or of voters, is not
// paid: then the formula alone counts, whose amounts the statement has shown all
// along. Nobody's income waits on a model for longer than the vote takes.
//
// # What it guarantees
//
// One member has one vote, once. The tables say who has voted and what was
// voted, not who voted what, and nothing says how a vote is going before it is
// counted. A receipt, known to its voter alone, finds the ballot in the list
// whose digest the log takes with the count. Steps that wait for time are jobs; a process that
// dies does none of them twice.
//
// # What it refuses
//
// Settling before the members have decided; a second ballot, one after the
// close, one from outside the roll.
package adoption

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/jobs"
	"distributed.ai/datacoop/marketplace/desk"
)

//go:embed schema/*.sql
var schema embed.FS

// ErrUndecided says that members have not decided yet; its code is part of the
// API, as are those of package governance, which a ballot may be refused with.
var ErrUndecided = fault.New(fault.Conflict, "adoption-open", "The members have not decided yet whether what the model made of this period counts.")

// The states of a vote.
const (
	Waiting  = "waiting"  // until nobody contests the statement any more
	Voting   = "voting"   // ballots are taken until ClosesAt
	Adopted  = "adopted"  // the model counts
	Rejected = "rejected" // it does not; the statement is being computed again
	Baseline = "baseline" // it was
)

// The jobs of this counter: opening a vote, counting it, and computing the
// statement again where the model was not adopted. The subject of the votes
// stands before them.
const (
	kindOpen   = ".open"
	kindTally  = ".tally"
	kindReject = ".reject"
)

// What votes are about. Jobs and leaves of the log are named after it.
const (
	Statements = "adoption"  // whether what judges made of a period counts
	Candidates = "candidate" // whether other judges, or another way of asking, come into force
)

var errEarly = errors.New("adoption: too early by the domain clock")

// again is how long the opening waits for an appeal to be answered before it
// looks anew.
const again = 6 * time.Hour

// Vote is a period's vote. The counts are 0 until it is counted.
type Vote struct {
	Period           coop.PeriodID
	State            string
	OpenedAt         int64
	ClosesAt         int64
	Electorate       int
	Yes, No, Abstain int
	Needed           int // yes votes that it takes

	roll    string          // digest
	round   int64           // how often a statement was awaited anew
	rule    governance.Rule // frozen at opening
	ballots string          // digest of those that were counted
}

// Market is what the counter asks of the market.
type Market interface {
	// Uncontested refuses while a period's statement can be contested or an
	// appeal against it is open.
	Uncontested(tx *db.Tx, id coop.PeriodID) error
	// WithoutJudges computes a period's statement again without an opinion, once.
	WithoutJudges(ctx context.Context, id coop.PeriodID) error
}

// Booth is the counter. It is safe for concurrent use.
type Booth struct {
	desk    *desk.Desk
	jobs    *jobs.Queue
	market  Market
	subject string

	// Title says what a vote is on that is not on a statement.
	Title func(tx *db.Tx, id string) (string, error)
}

// New migrates the counter's tables and registers its jobs for one subject; call
// it before the queue runs. Ids of different subjects never are the same.
func New(ctx context.Context, d *desk.Desk, q *jobs.Queue, subject string, m Market) (*Booth, error) {
	if err := d.DB.Migrate(ctx, "adoption", schema); err != nil {
		return nil, fmt.Errorf("adoption: migrate: %w", err)
	}
	b := &Booth{desk: d, jobs: q, market: m, subject: subject}
	q.Handle(subject+kindOpen, b.open)
	q.Handle(subject+kindTally, b.tally)
	q.Handle(subject+kindReject, b.reject)
	return b, nil
}

// job is about a vote on one statement; one on a statement that another has
// replaced has another round, and nothing is done for it.
type job struct {
	Period coop.PeriodID `json:"period"`
	Round  int64         `json:"round"`
}

func (b *Booth) later(tx *db.Tx, kind string, v Vote, at time.Time) error {
	key := fmt.Sprint(v.Period, "/", v.round, "/", at.UnixMilli())
	if err := b.jobs.Enqueue(tx, b.subject+kind, key, job{v.Period, v.round}, at); err != nil {
		return fmt.Errorf("adoption: later: %w", err)
	}
	return nil
}

// Await has a vote open once the window to contest a statement that judges
// moved is over, at until (Unix ms). Call it once for each statement that is
// published: one that is computed again is awaited again, and a vote about the
// one before it is void. Only what the members rejected stays rejected: the new
// statement is computed without its model as well.
func (b *Booth) Await(tx *db.Tx, id coop.PeriodID, until int64) error {
	v, err := get(tx, id)
	switch {
	case errors.Is(err, desk.ErrNotFound):
		v = Vote{Period: id}
		err = await(tx, id, b.subject)
	case err == nil && v.State == Rejected:
		return nil
	case err == nil:
		v, err = b.void(tx, v)
	}
	if err != nil {
		return err
	}
	return b.later(tx, kindOpen, v, time.UnixMilli(until))
}

// void has a period's vote begin anew.
func (b *Booth) void(tx *db.Tx, v Vote) (Vote, error) {
	if v.State != Waiting {
		err := b.desk.Note(tx, b.subject+".void", v.State, map[string]any{"period": string(v.Period), "roll_sha256": v.roll})
		if err != nil {
			return Vote{}, err
		}
	}
	out := Vote{Period: v.Period, State: Waiting, round: v.round + 1}
	if err := forget(tx, v.Period); err != nil {
		return Vote{}, err
	}
	return out, put(tx, out)
}

// Published says that a period's statement was published: one that judges moved
// is awaited; where none did there is nothing to decide any more, whatever was
// being voted about the one before.
func (b *Booth) Published(tx *db.Tx, id coop.PeriodID, until int64, judged bool) error {
	if judged {
		return b.Await(tx, id, until)
	}
	v, err := get(tx, id)
	switch {
	case errors.Is(err, desk.ErrNotFound):
		return nil
	case err != nil || v.State == Rejected || v.State == Baseline:
		return err
	}
	if v, err = b.void(tx, v); err != nil {
		return err
	}
	v.State = Baseline
	return put(tx, v)
}

// current finds the vote that a job is about; false if it is in another state
// by now, or about another statement.
func current(tx *db.Tx, payload []byte, state string) (Vote, bool, error) {
	var j job
	if err := json.Unmarshal(payload, &j); err != nil {
		return Vote{}, false, fmt.Errorf("adoption: job: %w", err)
	}
	v, err := get(tx, j.Period)
	return v, err == nil && v.State == state && v.round == j.Round, err
}

func (b *Booth) open(ctx context.Context, payload []byte) error {
	return b.desk.DB.Update(ctx, func(tx *db.Tx) error {
		v, ok, err := current(tx, payload, Waiting)
		if err != nil || !ok {
			return err
		}
		if err := b.market.Uncontested(tx, v.Period); err != nil {
			var f *fault.Error
			if errors.As(err, &f) && f.Kind == fault.Conflict { // look again; a new statement is awaited by itself
				return b.later(tx, kindOpen, v, b.desk.Clock().Add(again))
			}
			return err
		}
		class := b.desk.Charter.Classes[coop.ClassStatement]
		v.rule = governance.RuleOf(class)
		v.State, v.OpenedAt, v.ClosesAt = Voting, b.desk.Now(), b.desk.Clock().Add(class.Window()).UnixMilli()
		if v.Electorate, v.roll, err = b.freeze(tx, v.Period); err != nil {
			return err
		}
		if err := put(tx, v); err != nil {
			return err
		}
		if err := b.desk.Note(tx, b.subject+".opened", Voting, map[string]any{"period": string(v.Period), "roll_sha256": v.roll, "electorate": v.Electorate}); err != nil {
			return err
		}
		if err := b.tell(tx, v); err != nil {
			return err
		}
		return b.later(tx, kindTally, v, time.UnixMilli(v.ClosesAt))
	})
}

// freeze puts every member of this moment on the roll.
func (b *Booth) freeze(tx *db.Tx, id coop.PeriodID) (n int, roll string, err error) {
	for before := ""; ; {
		page, err := b.desk.Governance.Members(tx.Context(), governance.Page{Before: before, Limit: 100})
		if err != nil {
			return 0, "", fmt.Errorf("adoption: members: %w", err)
		}
		for _, m := range page {
			if err := enroll(tx, id, m.ID); err != nil {
				return 0, "", err
			}
		}
		if n += len(page); len(page) < 100 {
			roll, err = rollDigest(tx, id)
			return n, roll, err
		}
		before = string(page[len(page)-1].ID)
	}
}

// ruleOf is the rule of a vote: the one it was opened by, or the charter's.
func (b *Booth) ruleOf(v Vote) governance.Rule {
	if v.rule != (governance.Rule{}) {
		return v.rule
	}
	return governance.RuleOf(b.desk.Charter.Classes[coop.ClassStatement])
}

// CastAdoption takes a member's one ballot on whether a period's model counts
// and answers the receipt that finds it among those counted.
func (b *Booth) CastAdoption(ctx context.Context, m coop.MemberID, id coop.PeriodID, choice string) (receipt string, err error) {
	if choice != governance.Yes && choice != governance.No && choice != governance.Abstain {
		return "", governance.ErrChoice
	}
	receipt = rand.Text()
	err = b.desk.DB.Update(ctx, func(tx *db.Tx) error {
		v, err := get(tx, id)
		switch {
		case err != nil:
			return err
		case v.State != Voting || b.desk.Now() >= v.ClosesAt:
			return governance.ErrVotingClosed
		}
		if err := tick(tx, id, m); err != nil {
			return err
		}
		digest := coop.Digest([]byte(receipt))
		if err := b.desk.Note(tx, b.subject+".ballot", "", map[string]any{"period": string(id), "choice": choice, "receipt_sha256": digest}); err != nil {
			return err
		}
		return insertBallot(tx, id, digest, choice)
	})
	if err != nil {
		return "", err
	}
	return receipt, nil
}

func (b *Booth) tally(ctx context.Context, payload []byte) error {
	return b.desk.DB.Update(ctx, func(tx *db.Tx) error {
		v, ok, err := current(tx, payload, Voting)
		if err != nil || !ok {
			return err
		}
		if b.desk.Now() < v.ClosesAt {
			return errEarly
		}
		if v.ballots, err = count(tx, &v); err != nil {
			return err
		}
		v.State = Rejected
		if b.ruleOf(v).Decide(v.Electorate, v.Yes, v.No) == governance.Passed {
			v.State = Adopted
		} else if err := b.later(tx, kindReject, v, b.desk.Clock()); err != nil {
			return err
		}
		if err := put(tx, v); err != nil {
			return err
		}
		counted, err := b.notice(tx, coop.NoticeVoteClosed, v)
		if err != nil {
			return err
		}
		return errors.Join(b.desk.Note(tx, b.subject+".counted", v.State, map[string]any{"period": string(v.Period), "yes": v.Yes, "no": v.No, "abstain": v.Abstain,
			"electorate": v.Electorate, "ballots_sha256": v.ballots}),
			b.desk.Jobs.Tell(tx, counted))
	})
}

// reject has the formula alone count. It is done again until it has been.
func (b *Booth) reject(ctx context.Context, payload []byte) error {
	var j job
	if err := json.Unmarshal(payload, &j); err != nil {
		return fmt.Errorf("adoption: reject: %w", err)
	}
	return b.market.WithoutJudges(ctx, j.Period)
}

// Rejected reports whether the members did not adopt a period's model and the
// statement has still to be computed without it.
func (b *Booth) Rejected(tx *db.Tx, id coop.PeriodID) (bool, error) {
	v, err := get(tx, id)
	if errors.Is(err, desk.ErrNotFound) {
		return false, nil
	}
	return v.State == Rejected, err
}

// Replaced notes that a statement was computed without its model.
func (b *Booth) Replaced(tx *db.Tx, id coop.PeriodID) error {
	v, err := get(tx, id)
	if err != nil {
		return err
	}
	v.State = Baseline
	return put(tx, v)
}

// Decided refuses with ErrUndecided while the members have not decided about a
// period. One that no judge moved has nothing to decide.
func (b *Booth) Decided(tx *db.Tx, id coop.PeriodID) error {
	v, err := get(tx, id)
	switch {
	case errors.Is(err, desk.ErrNotFound):
		return nil
	case err != nil:
		return err
	case v.State != Adopted && v.State != Baseline:
		return ErrUndecided
	}
	return nil
}
