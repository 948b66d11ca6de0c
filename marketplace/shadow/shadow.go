// Package shadow is the workshop where other judges, or another way of asking
// them, are tried beside those in force before members vote on them.
//
// # The life of a candidate
//
//	running ─┬─ compared after every period ─┬─ not proven, worse   it runs on
//	         │                               └─ better ── offered ── voting ─┬─ adopted
//	         └─ withdrawn                                                    └─ rejected
//
// A steward of the treasury enters a candidate: models, a rubric, a prompt, or
// the weights of families as learned from people, in the keys of a charter. The
// log takes its digest. From then on it runs in shadow: when a statement is
// published, a job puts the very dossiers of the period before it, and, before it
// and the judge in force alike, weak texts with and without an attempt to steer.
// Nobody's money depends on any of this. Weights that were learned need no new
// answers: they are applied to the recorded ones.
//
// Once a period's calibration set is sealed (package calibration), every
// candidate that ran in at least [Fewest] such periods is compared with the judge
// in force by package learning: more agreement with people over the pairs drawn
// by lot, at 95 %; no family of attacks more successful; no group of pairs worse.
// Pairs from panels are counted beside it and prove nothing: those dossiers were
// contested because the judge in force looked wrong about them. Both halves of a
// set count, because a candidate is fixed before the pairs of its periods are
// drawn. Only runs beside the form in force today are compared. Forms that differ
// in one word are different candidates, so the document says how many had been
// entered. The comparison is a document that all members can read.
//
// Any member can offer a candidate to a vote whose comparison says better. The
// ballot shows the comparison. What is adopted is in force for periods that
// close after the vote's pause.
//
// # What it guarantees
//
// A candidate moves nothing before it was voted in. Runs are jobs: what a model
// has answered is not asked again after a crash. How much families count is
// computed from the open halves alone, never while a period is judged.
//
// # What it refuses
//
// Offering what is not proven better, in whatever words it is put; a candidate
// where no judge is in force to compare it with; offering where
// another form is in force, or was adopted, than the one it was compared with, or
// while another candidate is voted on; entering a form a second time, also with
// other spaces, line breaks or case of letters in its texts; learning from fewer than [FewestPairs] pairs.
package shadow

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/jobs"
	"distributed.ai/datacoop/marketplace/adoption"
	"distributed.ai/datacoop/marketplace/appeals"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/comparison"
	"distributed.ai/datacoop/marketplace/calibration"
	"distributed.ai/datacoop/marketplace/desk"
)

//go:embed schema/*.sql
var schema embed.FS

// Faults of this workshop. Their codes are part of the API.
var (
	ErrForm      = fault.New(fault.Invalid, "candidate-invalid", "This does not describe a candidate that could be tried.")
	ErrWords     = fault.New(fault.Invalid, "candidate-words", "A candidate needs a title of one line and a reason.")
	ErrNoJudge   = fault.New(fault.Conflict, "no-judge", "No judge is in force that a candidate could be compared with; a co-op takes its first one into its charter.")
	ErrRuns      = fault.New(fault.Conflict, "candidate-runs", "As many candidates as can run at once are running already.")
	ErrTried     = fault.New(fault.Conflict, "candidate-tried", "This was already tried. Spaces, line breaks and the case of letters make no new candidate.")
	ErrFewPairs  = fault.New(fault.Conflict, "too-few-pairs", "There are too few pairs that people judged to learn from.")
	ErrNotBetter = fault.New(fault.Conflict, "candidate-not-better", "The comparison does not say that this candidate is better, so it is not offered to a vote.")
)

// Fewest is how many periods with a calibration set a candidate runs in before
// it is compared.
const Fewest = comparison.Fewest

// FewestPairs is how many pairs weights are learned from at least.
const FewestPairs = 20

// mostRunning is how many candidates run at once: each costs as many answers as
// the judge in force.
const mostRunning = 3

// The states of a candidate. Once it is offered its vote says more.
const (
	Running   = "running"
	Offered   = "offered"
	Withdrawn = "withdrawn"
)

// Maker sets up a judge as a candidate describes it.
type Maker func(coop.Candidate) (appraisal.Judge, error)

// Market is what the workshop asks of the market.
type Market interface {
	// Contest finds a period's bundle and the key of its pseudonyms.
	Contest(tx *db.Tx, id coop.PeriodID) (appeals.Contest, error)
	// Evidence is a period's evidence before it is blinded.
	Evidence(tx *db.Tx, id coop.PeriodID) (appraisal.Evidence, error)
	// Judge is the charter's; nil without one.
	Judge() appraisal.Judge
	// Secret derives a key that only the co-op knows.
	Secret(label string) []byte
}

// Workshop tries candidates. It is safe for concurrent use.
type Workshop struct {
	desk   *desk.Desk
	jobs   *jobs.Queue
	gauge  *calibration.Gauge
	booth  *adoption.Booth
	market Market
	make   Maker
}

// The jobs of this workshop.
const (
	kindRun     = "shadow.run"
	kindCompare = "shadow.compare"
)

// New migrates the workshop's tables and registers its jobs; call it before the
// queue runs. Without a maker no candidate but learned weights can run.
func New(ctx context.Context, d *desk.Desk, q *jobs.Queue, g *calibration.Gauge, m Market, maker Maker) (*Workshop, error) {
	if err := d.DB.Migrate(ctx, "shadow", schema); err != nil {
		return nil, fmt.Errorf("shadow: migrate: %w", err)
	}
	if maker == nil {
		maker = func(coop.Candidate) (appraisal.Judge, error) { return nil, ErrNoJudge }
	}
	w := &Workshop{desk: d, jobs: q, gauge: g, market: m, make: maker}
	var err error
	if w.booth, err = adoption.New(ctx, d, q, adoption.Candidates, votes{w}); err != nil {
		return nil, err
	}
	w.booth.Title = func(tx *db.Tx, id string) (string, error) {
		c, err := getCandidate(tx, id)
		return c.Title, err
	}
	g.Sealed = w.sealed
	q.Handle(kindRun, w.run)
	q.Handle(kindCompare, w.compare)
	return w, nil
}

// job is about a candidate and a period.
type job struct {
	Candidate string        `json:"candidate"`
	Period    coop.PeriodID `json:"period"`
}

// each has a job done for every candidate that runs.
func (w *Workshop) each(tx *db.Tx, kind string, id coop.PeriodID) error {
	list, err := running(tx)
	if err != nil {
		return err
	}
	for _, c := range list {
		if err := w.jobs.Enqueue(tx, kind, c.ID+"/"+string(id), job{c.ID, id}, w.desk.Clock()); err != nil {
			return fmt.Errorf("shadow: later: %w", err)
		}
	}
	return nil
}

// Shadow has every candidate run on a period whose statement is being published
// for the first time. Once the period's set was called, no candidate is added
// to it: one that was entered since may know the pairs.
func (w *Workshop) Shadow(tx *db.Tx, id coop.PeriodID) error {
	if called, err := w.gauge.Called(tx, id); err != nil || called {
		return err
	}
	return w.each(tx, kindRun, id)
}

// sealed has every candidate compared once a period's calibration set is sealed.
func (w *Workshop) sealed(tx *db.Tx, id coop.PeriodID) error { return w.each(tx, kindCompare, id) }

// votes is what the booth asks of the workshop. A candidate's vote opens when it
// is offered, and where it is rejected there is nothing to compute again.
type votes struct{ w *Workshop }

func (votes) Uncontested(*db.Tx, coop.PeriodID) error { return nil }

func (v votes) WithoutJudges(ctx context.Context, id coop.PeriodID) error {
	return v.w.desk.DB.Update(ctx, func(tx *db.Tx) error {
		if due, err := v.w.booth.Rejected(tx, id); err != nil || !due {
			return err
		}
		return v.w.booth.Replaced(tx, id)
	})
}

// encode writes a document of this package: fields in the order in which they
// are declared, without escapes that nobody needs.
func encode(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("shadow: encode: %w", err)
	}
	return text, nil
}
