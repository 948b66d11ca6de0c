// Package calibration is the counter where a co-op collects what its members
// make of contributions, so that judges can be measured by people.
//
// # The life of a period's set
//
//	called ── asking ── sealed ── two periods later ── disclosed
//
// When a statement is published, members are drawn by lot to compare pairs of
// its dossiers (package spotcheck has the draw): three members look at each pair
// and say which of the two deserves more, or that neither does. They see what a
// judge saw and no name, score or pseudonym; which dossier stands first is
// another lot for each of them. Who steps back or lets the time pass is followed
// by the next in the round, once for each seat.
//
// Once the period is settled and nobody is waited for, the set is sealed. It
// holds the pairs that three members answered, ties included, and every verdict
// of an appeals panel, as a pair of the contested dossier with the middle of the
// scale ([Middle]). Half of it is open for everybody to learn from. Of the other
// half the log takes the digest at once; two periods later the half itself is
// disclosed. Package learning has the arithmetic.
//
// # What it guarantees
//
// Nothing of this moves money, but that an answer is a duty, which earns a
// point. Who may be asked about a pair, and why others may not, is sealed before
// the checkpoint that decides who is drawn. Anybody can draw the pairs and people
// again from the record and sees for what reason somebody was passed over; every
// pair has names of its own, so nobody is followed from one to another. Long readings for
// a draw, and of a bundle that is shown, happen outside of any write; sealing
// reads a period's answers within its own; steps that wait for time are jobs, and a process that
// dies does none of them twice.
//
// # What it refuses
//
// Asking somebody about what they made, own or reviewed; an answer after its
// time, or a second one. Where there are too few members or nothing to compare,
// nobody is asked and the set says so. As with panels, it cannot keep a member
// from guessing which line of the bundle a dossier is.
package calibration

import (
	"context"
	"embed"
	"encoding/hex"
	"fmt"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/jobs"
	"distributed.ai/datacoop/marketplace/appeals"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
	"distributed.ai/datacoop/marketplace/desk"
)

//go:embed schema/*.sql
var schema embed.FS

// Faults of this counter. Their codes are part of the API.
var (
	ErrNotAsked = fault.New(fault.NotFound, "not-asked", "You are not asked about this pair.")
	ErrOver     = fault.New(fault.Conflict, "spot-check-closed", "This spot check does not wait for your answer any more.")
	ErrAnswer   = fault.New(fault.Invalid, "spot-check-answer", "Say left, right or same.")
)

// Middle stands for the middle of the scale in a pair made of a panel's
// verdict: the panellists' scores say whether the dossier is above it.
const Middle = learning.Middle

// Points is what an answer counts for among governance duties.
const Points = 1

// DutyKind names answers among governance duties.
const DutyKind = "spot-check"

// The states of a set.
const (
	stateCalled = "called"
	stateAsking = "asking"
	stateSealed = "sealed"
)

// The jobs of this counter.
const (
	kindCall    = "calibration.call"
	kindDraw    = "calibration.draw"
	kindOverdue = "calibration.overdue"
	kindSeal    = "calibration.seal"
)

// again is how long sealing waits for a settlement before it looks anew.
const again = 6 * time.Hour

// Market is what the counter asks of the market.
type Market interface {
	// Contest finds a period's bundle and the key of its pseudonyms.
	Contest(tx *db.Tx, id coop.PeriodID) (appeals.Contest, error)
	// Evidence is a period's evidence before it is blinded.
	Evidence(tx *db.Tx, id coop.PeriodID) (appraisal.Evidence, error)
	// Record is what became of a settled period's appeals; desk.ErrNotFound
	// where there were none.
	Record(ctx context.Context, id coop.PeriodID) ([]byte, error)
	// Secret derives a key that only the co-op knows.
	Secret(label string) []byte
}

// Gauge is the counter. It is safe for concurrent use.
type Gauge struct {
	desk   *desk.Desk
	jobs   *jobs.Queue
	market Market

	// Sealed is called in the transaction that seals a period's set.
	Sealed func(tx *db.Tx, id coop.PeriodID) error
}

// New migrates the counter's tables and registers its jobs; call it before the
// queue runs.
func New(ctx context.Context, d *desk.Desk, q *jobs.Queue, m Market) (*Gauge, error) {
	if err := d.DB.Migrate(ctx, "calibration", schema); err != nil {
		return nil, fmt.Errorf("calibration: migrate: %w", err)
	}
	s := &Gauge{desk: d, jobs: q, market: m, Sealed: func(*db.Tx, coop.PeriodID) error { return nil }}
	q.Handle(kindCall, s.call)
	q.Handle(kindDraw, s.draw)
	q.Handle(kindOverdue, s.overdue)
	q.Handle(kindSeal, s.seal)
	return s, nil
}

// job is about a period; of a seat also where it is.
type job struct {
	Period coop.PeriodID `json:"period"`
	Place  int           `json:"place"`
	Seat   int           `json:"seat"`
}

func (s *Gauge) later(tx *db.Tx, kind, key string, j job, at time.Time) error {
	if err := s.jobs.Enqueue(tx, kind, key, j, at); err != nil {
		return fmt.Errorf("calibration: later: %w", err)
	}
	return nil
}

// Calibrate has members drawn to look at a period whose statement is being
// published, once: a statement that is computed again asks nobody anew.
func (s *Gauge) Calibrate(tx *db.Tx, id coop.PeriodID) error {
	return s.later(tx, kindCall, string(id), job{Period: id}, s.desk.Clock())
}

// Called reports whether a period's set was begun, so that its pairs may be known.
func (s *Gauge) Called(tx *db.Tx, id coop.PeriodID) (bool, error) {
	n, err := countSets(tx, id)
	return n > 0, err
}

// salt is the secret by which a period's pairs are halved.
func (s *Gauge) salt(id coop.PeriodID) string {
	return hex.EncodeToString(s.market.Secret("holdout/" + string(id)))
}

// answerTime is how long a member has to answer, in milliseconds.
func (s *Gauge) answerTime() int64 {
	return s.desk.Charter.Hearing().AnswerHours * time.Hour.Milliseconds()
}
