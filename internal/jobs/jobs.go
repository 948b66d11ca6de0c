// Package jobs is the outbox: what must still happen, written down in the
// transaction that made it necessary.
//
// A room enqueues a job with its cause, in one transaction, and registers a
// handler for its kind. The queue runs the handler once the domain clock has
// reached the job's time.
//
// # What it guarantees
//
// A job whose cause was committed runs at least once, however often the
// process dies; a job whose cause was rolled back never runs. Jobs are known
// by kind and key: enqueuing the same again, before or after it ran, does
// nothing. Jobs that are due start in the order of their times. A handler that
// fails, panics or is killed is tried again, after pauses that double from a
// tenth of a second to ten minutes.
//
// # What it asks of handlers
//
// At least once is not exactly once: a handler must find out, in a transaction
// of its own, whether its effect is already there. Several handlers run at the
// same time. When its context ends a handler returns soon.
//
// # Two clocks
//
// When a job is due is a matter of the co-op, so the injected clock decides;
// tests and the demo move it. Leases and pauses protect the machine, so the
// machine's clock decides: moving the domain clock neither breaks a lease nor
// hurries a failing handler.
//
// # What it refuses
//
// It never gives a job up, and it never runs a kind that has no handler: such
// jobs wait for a program that has one.
package jobs

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

//go:embed schema
var schema embed.FS

// Handler does what a job says. Payload is the JSON that was enqueued.
type Handler = func(ctx context.Context, payload []byte) error

// Queue is the one job queue of a co-op.
type Queue struct {
	db      *db.DB
	clock   coop.Clock
	machine coop.Clock
	logger  *slog.Logger
	wake    chan struct{}

	mu       sync.RWMutex
	handlers map[string]Handler
}

// New opens the queue in d, making its table if needed. Clock decides what is
// due; failures of handlers go to logger.
func New(ctx context.Context, d *db.DB, clock coop.Clock, logger *slog.Logger) (*Queue, error) {
	if err := d.Migrate(ctx, "jobs", schema); err != nil {
		return nil, err
	}
	return &Queue{
		db: d, clock: clock, machine: coop.SystemClock, logger: logger,
		wake: make(chan struct{}, 1), handlers: map[string]Handler{},
	}, nil
}

// Handle registers the handler of a kind, before Run. A kind has one handler;
// a second one is a mistake of the program and panics.
func (q *Queue) Handle(kind string, fn func(ctx context.Context, payload []byte) error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, ok := q.handlers[kind]; ok {
		panic("jobs: two handlers for " + kind)
	}
	q.handlers[kind] = fn
}

// Enqueue writes a job down in the caller's transaction: kind says which
// handler, payload is what it gets as JSON (no personal data beyond ids), and
// runAt is when, in domain time; a time in the past means at once. A job with
// the same kind and key, waiting or finished, makes this a no-op.
func (q *Queue) Enqueue(tx *db.Tx, kind, key string, payload any, runAt time.Time) error {
	text, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("jobs: enqueue %s: %w", kind, err)
	}
	if err := insert(tx, kind, key, text, runAt); err != nil {
		return fmt.Errorf("jobs: enqueue %s: %w", kind, err)
	}
	q.nudge() // claiming is an Update and so waits for this one to end
	return nil
}

// Tell has members told something, in the caller's transaction; see [coop.Notice].
func (q *Queue) Tell(tx *db.Tx, n coop.Notice) error {
	return q.Enqueue(tx, coop.NoticeJob, n.Key(), n, time.UnixMilli(n.At))
}

func (q *Queue) nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Backlog is what should have been done by now.
type Backlog struct {
	Due     int
	Oldest  int64 // when the oldest of it was due, Unix milliseconds; 0 if nothing is
	Retried int   // of it, what failed before
}

// Backlog counts the jobs that are due and not done.
func (q *Queue) Backlog(ctx context.Context) (b Backlog, err error) {
	err = q.db.View(ctx, func(tx *db.Tx) error {
		b, err = backlog(tx, q.clock())
		return err
	})
	if err != nil {
		return Backlog{}, fmt.Errorf("jobs: backlog: %w", err)
	}
	return b, nil
}

// RunDue runs, one after the other, everything that is due by the domain clock
// and not pausing after a failure, including what the handlers enqueue. It
// returns how many jobs finished and the errors of those that did not.
func (q *Queue) RunDue(ctx context.Context) (done int, err error) {
	var failures []error
	for {
		j, ok, err := q.claim(ctx)
		if err != nil {
			return done, errors.Join(append(failures, err)...)
		}
		if !ok {
			return done, errors.Join(failures...)
		}
		if err := q.attempt(ctx, j); err != nil {
			failures = append(failures, fmt.Errorf("jobs: %s: %w", j.kind, err))
			continue
		}
		done++
	}
}

// kinds lists what there are handlers for.
func (q *Queue) kinds() []string {
	q.mu.RLock()
	defer q.mu.RUnlock()
	return slices.Sorted(maps.Keys(q.handlers))
}

func (q *Queue) handler(kind string) Handler {
	q.mu.RLock()
	defer q.mu.RUnlock()
	return q.handlers[kind]
}
