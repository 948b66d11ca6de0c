// Package appeals is the counter where members contest a statement before a
// cent of it is posted.
//
// # Three tiers
//
// Tier 1 is about a fact. A steward of appeals mends it, naming the source, and
// the statement is computed again from the corrected evidence and the judges'
// recorded answers; nobody is asked anew, so nobody shops for answers. A member
// whose appeal a steward dismissed can take a line of their statement to
//
// tier 2, a panel. It is about a judgement: five members drawn by lot answer
// the questions that models answered about a dossier, without names and without
// the models' answers. Package jury has the draw and the arithmetic. The leaf
// "appeal.filed" carries the SHA-256 of the roll in its field revision, so that
// the roll is fixed before the checkpoint that decides the draw exists. Who does
// not answer in time, or steps back, is followed by the next in the draw, twice;
// then those who answered decide. Panel service is a duty that earns points.
//
// Tier 3 changes the rule, for everybody and from then on: which judges are
// asked, by what rubric and how much each counts, by a candidate that members
// vote on (package shadow); the charter's numbers in its text. It never changes
// one payout, so it is not here.
//
//	filed ─┬─ steward ─┬─ upheld      computed again, a new window to contest
//	       │           └─ dismissed ──┐ within three days
//	       └─ drawing ── scoring ◀────┘
//	                      └─ decided  upheld or dismissed
//
// # What it guarantees
//
// A member has one appeal for each statement, and again one after it was
// upheld, but one dossier goes to a panel once, so that no award is collected
// twice. A period is not settled while an appeal is open or can still be taken
// to a panel. What a panel adds is paid out of the part that was set aside for
// appeals, so nobody's amount shrinks, and what is left of it goes back.
// Everything that a panel did is published under pseudonyms and can be computed
// again. Steps that wait for time are jobs: a process that dies does none of
// them twice.
//
// # What it refuses
//
// An appeal after the window, about a line of somebody else or a line nobody
// judges; a steward deciding their own appeal; a panellist with a conflict of
// interest: who appealed, who holds an office of appeals or treasury, who made or reviewed
// the contested work, who reviewed the appellant's work or was reviewed by them
// in the period, and who has an appeal against the same statement. It cannot
// keep a panellist from looking the models' scores up in the bundle that every
// member may read; it shows none, and no name to look up by.
package appeals

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/jobs"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/desk"
)

//go:embed schema/*.sql
var schema embed.FS

// Faults of this counter. Their codes are part of the API.
var (
	ErrChallengeClosed = fault.New(fault.Conflict, "challenge-closed", "The time for contesting this statement is over.")
	ErrAppealOpen      = fault.New(fault.Conflict, "appeal-open", "An appeal against this statement is not decided yet.")
	ErrAppealText      = fault.New(fault.Invalid, "appeal-empty", "Say what is wrong with the statement.")
	ErrAppealTwice     = fault.New(fault.Conflict, "appeal-twice", "You have contested this statement already.")
	ErrOwnAppeal       = fault.New(fault.Forbidden, "own-appeal", "Nobody decides their own appeal.")
	ErrLine            = fault.New(fault.Invalid, "appeal-line", "Name a line of your own statement that is judged: data, work or governance.")
	ErrCorrection      = fault.New(fault.Invalid, "correction-invalid", "A correction names a figure of the appellant's own evidence, a value it can have, and the source.")
	ErrNotOnPanel      = fault.New(fault.NotFound, "not-on-panel", "You are not asked about this.")
	ErrPanelClosed     = fault.New(fault.Conflict, "panel-closed", "This panel does not wait for your answer any more.")
	ErrAnswer          = fault.New(fault.Invalid, "panel-answer", "Answer with some of the questions' ids, each once.")
)

// The states of an appeal.
const (
	Open      = "open"
	Upheld    = "upheld"
	Dismissed = "dismissed"
)

// The tiers of an appeal that are decided here.
const (
	Fact      = 1
	Judgement = 2
)

// Escalation is how long after a steward's no a member can still go to a panel.
const Escalation = 72 * time.Hour

// PanelPoints is what service on a panel counts for among governance duties.
const PanelPoints = 2

// Appeal is a member's objection to a statement, and its answer.
type Appeal struct {
	ID        string
	Period    coop.PeriodID
	Member    coop.MemberID
	Text      string
	State     string
	Answer    string
	OpenedAt  int64
	DecidedAt int64 // 0 while it is open

	Tier      int
	About     Line       // of a judgement; zero for a fact
	Paid      coop.Money // the member's amount when they appealed
	Award     coop.Money // what it was paid at settlement
	Escalates int64      // until when it can be taken to a panel; 0 if it cannot
}

// Line names a line of a member's statement: its kind, and the dataset, the
// contribution or the kind of duty it is about.
type Line struct{ Kind, Ref string }

// Contest is what a period says to somebody who wants to contest it.
type Contest struct {
	Bundle []byte // of the published statement; nil before there is one
	Open   bool   // not settled
	Until  int64  // the end of the window; 0 while a new statement is due
	Key    []byte // that the period's pseudonyms are made with

	Hearing coop.Hearing // by what its appeals are heard
}

// Market is what the counter asks of the market.
type Market interface {
	// Contest finds a period as an appeal needs it.
	Contest(tx *db.Tx, id coop.PeriodID) (Contest, error)
	// Secret derives a key of the market's.
	Secret(label string) []byte
	// Amend makes a new statement due, because of an appeal.
	Amend(tx *db.Tx, id coop.PeriodID, by coop.MemberID, appeal string) error
	// Publish computes a statement that is due.
	Publish(ctx context.Context, id coop.PeriodID, by coop.MemberID) error
	// Evidence is a period's evidence before it is blinded, corrections included.
	Evidence(tx *db.Tx, id coop.PeriodID) (appraisal.Evidence, error)
}

// Docket is the counter. It is safe for concurrent use.
type Docket struct {
	desk   *desk.Desk
	jobs   *jobs.Queue
	market Market
}

// New migrates the counter's tables and registers its jobs; call it before the
// queue runs.
func New(ctx context.Context, d *desk.Desk, q *jobs.Queue, m Market) (*Docket, error) {
	if err := d.DB.Migrate(ctx, "appeals", schema); err != nil {
		return nil, fmt.Errorf("appeals: migrate: %w", err)
	}
	out := &Docket{desk: d, jobs: q, market: m}
	q.Handle(kindDraw, out.draw)
	q.Handle(kindOverdue, out.overdue)
	return out, nil
}

const maxAppeal = 4000 // characters of an appeal and its answer

// Appeal contests a published statement while its window is open; the period
// cannot be settled until it is answered. Without a line it is about a fact and
// goes to a steward; with one it is about how that line was judged and goes to
// a panel. Faults: ErrAppealText, ErrChallengeClosed, ErrAppealTwice, ErrLine.
func (d *Docket) Appeal(ctx context.Context, m coop.MemberID, id coop.PeriodID, text string, about ...Line) (Appeal, error) {
	text, err := prose(text)
	if err != nil {
		return Appeal{}, err
	}
	room := crowd{}
	if len(about) > 0 {
		if room, err = d.crowd(ctx, id); err != nil {
			return Appeal{}, err
		}
	}
	a, err := desk.Write(ctx, d.desk.DB, func(tx *db.Tx) (Appeal, error) {
		c, err := d.market.Contest(tx, id)
		switch {
		case err != nil:
			return Appeal{}, err
		case !c.Open || d.desk.Now() >= c.Until:
			return Appeal{}, ErrChallengeClosed
		}
		a := Appeal{ID: coop.NewID(), Period: id, Member: m, Text: text, State: Open, OpenedAt: d.desk.Now(), Tier: Fact}
		if len(about) > 0 {
			a.Tier, a.About = Judgement, about[0]
		}
		if err := insertAppeal(tx, a); err != nil {
			return Appeal{}, err
		}
		return a, d.file(tx, &a, c, room)
	})
	if db.IsUnique(err) {
		return Appeal{}, ErrAppealTwice
	}
	return a, err
}

// file opens the case of an appeal.
func (d *Docket) file(tx *db.Tx, a *Appeal, c Contest, room crowd) error {
	b, err := appraisal.ParseBundle(c.Bundle)
	if err != nil {
		return fmt.Errorf("appeals: bundle: %w", err)
	}
	name := appraisal.Pseudonym(c.Key, string(a.Period), "member", string(a.Member))
	share, _ := b.Statement.Share(name)
	a.Paid = coop.Money(share.Amount)
	k := hearing{Appeal: a.ID, Period: a.Period, Member: a.Member, Tier: a.Tier, State: stateSteward, Name: name, About: a.About, Paid: a.Paid}
	if a.Tier == Judgement {
		if err := d.impanel(tx, &k, b, c.Key, room); err != nil {
			return err
		}
	} else if err := d.desk.Jobs.Tell(tx, coop.Notice{Kind: coop.NoticeContested, Ref: a.ID, Office: coop.Appeals}); err != nil {
		return err
	}
	return putCase(tx, k)
}

// prose checks the words of an appeal or its answer.
func prose(text string) (string, error) {
	text = strings.TrimSpace(text)
	if !coop.Prose(text, 1, maxAppeal) {
		return "", ErrAppealText
	}
	return text, nil
}

// Appeals lists a member's own appeals, or all of them for the appeals office,
// newest first.
func (d *Docket) Appeals(ctx context.Context, m coop.MemberID) ([]Appeal, error) {
	return desk.Read(ctx, d.desk.DB, func(tx *db.Tx) ([]Appeal, error) {
		err := d.desk.Needs(tx.Context(), m, coop.Appeals)
		if err != nil && !errors.Is(err, desk.ErrOffice) {
			return nil, err
		}
		list, err := listAppeals(tx, m, err == nil)
		for i := range list {
			if list[i].Escalates <= d.desk.Now() {
				list[i].Escalates = 0
			}
		}
		return list, err
	})
}

// Escalate takes an appeal that a steward dismissed to a panel, which looks at
// one line. Faults: ErrPanelClosed once the time for it is over, ErrLine,
// ErrAppealTwice.
func (d *Docket) Escalate(ctx context.Context, m coop.MemberID, appeal string, about Line) (Appeal, error) {
	was, err := desk.Read(ctx, d.desk.DB, func(tx *db.Tx) (Appeal, error) { return getAppeal(tx, appeal) })
	if err == nil && was.Member != m {
		err = desk.ErrNotFound
	}
	if err != nil {
		return Appeal{}, err
	}
	room, err := d.crowd(ctx, was.Period)
	if err != nil {
		return Appeal{}, err
	}
	return desk.Write(ctx, d.desk.DB, func(tx *db.Tx) (Appeal, error) {
		a, err := getAppeal(tx, appeal)
		if err == nil && a.Member != m {
			err = desk.ErrNotFound
		}
		if err != nil {
			return Appeal{}, err
		}
		c, err := d.market.Contest(tx, a.Period)
		switch {
		case err != nil:
			return Appeal{}, err
		case !c.Open || d.desk.Now() >= a.Escalates:
			return Appeal{}, ErrPanelClosed
		}
		a.State, a.Tier, a.About, a.DecidedAt, a.Escalates = Open, Judgement, about, 0, 0
		if err := reopenAppeal(tx, a.ID); err != nil {
			return Appeal{}, err
		}
		return a, d.file(tx, &a, c, room)
	})
}

// Settled refuses with ErrAppealOpen while an appeal against a period's
// statement is open, or can still be taken to a panel.
func (d *Docket) Settled(tx *db.Tx, id coop.PeriodID) error {
	open, err := countUnsettled(tx, id, d.desk.Now()-Escalation.Milliseconds())
	if err == nil && open > 0 {
		err = ErrAppealOpen
	}
	return err
}
