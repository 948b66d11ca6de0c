// Package dispute is the counter where researchers say that a file they paid for
// and fetched is no good: it does not decrypt, or it is not what the catalogue
// says of it. Nobody on the server can look into a file, so people judge.
//
//	opened ── a steward of appeals takes it ── in_review ─┬─ upheld
//	   └─ the member is told and can answer                └─ dismissed
//
// # What upholding does
//
// The price is credited to the researcher and the entry that booked it reversed.
// Before the period is settled the money leaves its revenue, and a statement
// that was published already is computed again. Afterwards it comes out of the
// co-op's reserve, which may fall below nothing by it: what members have been
// settled stays theirs. The use counts for nothing, and confirms nothing: a
// dataset without another paid use earns no stipend. The dataset's later uses
// count less, see [Trust], and as evidence that a researcher vouches against
// (grade C) where it was the server's own (A).
//
// # What it guarantees
//
// The member reads what is said of their dataset and by whom, has [AnswerTime]
// to answer before anything is decided, and reads the reason. The researcher
// reads the reason and the credit note, and never whose dataset it is nor what
// the member wrote. A case is decided once, and credited once.
//
// # What it refuses
//
// A file of somebody else, one that was never fetched or more than [Window] ago,
// a second dispute about it; a steward who is not uninvolved: whose dataset it
// is, or who vetted the researcher; a decision before the member has answered or
// had the time to.
package dispute

import (
	"context"
	"embed"
	"errors"
	"strings"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/desk"
	"distributed.ai/datacoop/marketplace/treasury"
)

//go:embed schema/*.sql
var schema embed.FS

const (
	// Window is how long after the first fetch a file can be disputed.
	Window = 30 * 24 * time.Hour
	// AnswerTime is how long the member has before anything is decided.
	AnswerTime = 7 * 24 * time.Hour
)

// What is said of a file.
const (
	Undecryptable  = "undecryptable"
	NotAsDescribed = "not-as-described"
)

// The states of a case.
const (
	Opened    = "opened"
	InReview  = "in_review"
	Upheld    = "upheld"
	Dismissed = "dismissed"
)

// Faults of this counter. Their codes are part of the API.
var (
	ErrKind       = fault.New(fault.Invalid, "dispute-kind", "Say what is wrong: undecryptable or not-as-described.")
	ErrText       = fault.New(fault.Invalid, "dispute-text", "Say it in words, at most 4000 characters.")
	ErrNotFetched = fault.New(fault.Conflict, "dispute-not-fetched", "A file can be disputed once it has been fetched.")
	ErrTooLate    = fault.New(fault.Conflict, "dispute-too-late", "A file can be disputed within 30 days of being fetched first.")
	ErrTwice      = fault.New(fault.Conflict, "dispute-twice", "This file has been disputed already.")
	ErrInvolved   = fault.New(fault.Forbidden, "steward-involved", "Somebody else has to judge this: it is your dataset, or you vetted the researcher.")
	ErrAwaiting   = fault.New(fault.Conflict, "dispute-awaits-member", "The member has seven days to answer first.")
)

// Case is a dispute and what became of it.
type Case struct {
	ID         string
	File       coop.FileID
	Request    coop.RequestID
	Researcher coop.ResearcherID
	Dataset    coop.DatasetID
	Member     coop.MemberID
	Kind       string
	Text       string // the researcher's
	State      string
	Answer     string        // the member's
	Steward    coop.MemberID // who took it
	Reason     string        // the steward's
	Note       int64         // number of the credit note, 0 without one
	Amount     coop.Money    // credited
	OpenedAt   int64
	AnsweredAt int64
	DecidedAt  int64
}

// AnswerUntil is how long the member has before anything is decided.
func (c Case) AnswerUntil() int64 { return c.OpenedAt + AnswerTime.Milliseconds() }

// Ripe reports whether a case that is in review can be decided.
func (c Case) Ripe(now int64) bool {
	return c.State == InReview && (c.AnsweredAt > 0 || now >= c.AnswerUntil())
}

// Counter takes disputes. It is safe for concurrent use.
type Counter struct {
	desk   *desk.Desk
	till   *treasury.Till
	reopen func(tx *db.Tx, id coop.PeriodID, by coop.MemberID, occasion string) error
}

// New makes the counter's table. Reopen makes a new statement of a closed period
// due.
func New(ctx context.Context, d *desk.Desk, till *treasury.Till, reopen func(*db.Tx, coop.PeriodID, coop.MemberID, string) error) (*Counter, error) {
	if err := d.DB.Migrate(ctx, "dispute", schema); err != nil {
		return nil, desk.Failed("migrate disputes", err)
	}
	return &Counter{d, till, reopen}, nil
}

// OpenDispute says that a researcher's file is no good. Faults: ErrKind,
// ErrText, ErrNotFound for somebody else's file, ErrNotFetched, ErrTooLate,
// ErrTwice.
func (c *Counter) OpenDispute(ctx context.Context, r coop.ResearcherID, file coop.FileID, kind, text string) (Case, error) {
	if kind != Undecryptable && kind != NotAsDescribed {
		return Case{}, ErrKind
	}
	text, err := prose(text)
	if err != nil {
		return Case{}, err
	}
	out, err := desk.Write(ctx, c.desk.DB, func(tx *db.Tx) (Case, error) {
		u, err := useOf(tx, file)
		switch {
		case err != nil:
			return Case{}, err
		case u.researcher != r:
			return Case{}, desk.ErrNotFound
		case u.firstAt == 0:
			return Case{}, ErrNotFetched
		case c.desk.Now() >= u.firstAt+Window.Milliseconds():
			return Case{}, ErrTooLate
		}
		one := Case{ID: coop.NewID(), File: file, Request: u.request, Researcher: r, Dataset: u.dataset, Member: u.member,
			Kind: kind, Text: text, State: Opened, OpenedAt: c.desk.Now()}
		if err := insert(tx, one); err != nil {
			return Case{}, err
		}
		return one, errors.Join(c.desk.Note(tx, "dispute.opened", one.Kind, map[string]any{"dispute": one.ID, "file": string(file)}),
			c.desk.Jobs.Tell(tx, coop.Notice{Kind: coop.NoticeDisputed, Ref: one.ID, Until: one.AnswerUntil(), To: []coop.Addressee{{Member: one.Member}}}),
			c.desk.Jobs.Tell(tx, coop.Notice{Kind: coop.NoticeJudge, Ref: one.ID, Office: coop.Appeals}))
	})
	if db.IsUnique(err) {
		return Case{}, ErrTwice
	}
	return out, err
}

// prose checks the words of a dispute, an answer or a reason.
func prose(text string) (string, error) {
	const most = 4000
	text = strings.TrimSpace(text)
	if !coop.Prose(text, 1, most) {
		return "", ErrText
	}
	return text, nil
}

// OwnDisputes lists a researcher's disputes, newest first.
func (c *Counter) OwnDisputes(ctx context.Context, r coop.ResearcherID) ([]Case, error) {
	return desk.Read(ctx, c.desk.DB, func(tx *db.Tx) ([]Case, error) { return byResearcher(tx, r) })
}

// MemberDisputes lists what was said about a member's datasets, newest first.
func (c *Counter) MemberDisputes(ctx context.Context, m coop.MemberID) ([]Case, error) {
	return desk.Read(ctx, c.desk.DB, func(tx *db.Tx) ([]Case, error) { return byMember(tx, m) })
}

// AnswerDispute is the member's word about one of their datasets: once, and
// while the case is not decided. ErrText, ErrNotFound, ErrState.
func (c *Counter) AnswerDispute(ctx context.Context, m coop.MemberID, id, text string) (Case, error) {
	text, err := prose(text)
	if err != nil {
		return Case{}, err
	}
	return desk.Write(ctx, c.desk.DB, func(tx *db.Tx) (Case, error) {
		one, err := byID(tx, id)
		switch {
		case err != nil:
			return Case{}, err
		case one.Member != m:
			return Case{}, desk.ErrNotFound
		case one.AnsweredAt > 0 || one.DecidedAt > 0:
			return Case{}, desk.ErrState
		}
		one.Answer, one.AnsweredAt = text, c.desk.Now()
		return one, errors.Join(update(tx, one), c.desk.Note(tx, "dispute.answered", "answered", map[string]any{"dispute": id}))
	})
}
