package jobs

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const (
	workers = 4 // handlers at the same time: one slow job must not hold up the rest

	poll = 200 * time.Millisecond // how late the queue may notice that the domain clock moved

	leaseFor   = 10 * time.Second // how long a job of a dead process waits
	renewEvery = 3 * time.Second

	firstPause = 100 * time.Millisecond
	mostPause  = 10 * time.Minute
)

// Run runs jobs as they fall due until ctx ends, and returns once the handlers
// under way have. Failures are logged.
func (q *Queue) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	slots := make(chan struct{}, workers)
	failing := false
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		j, ok, err := q.claim(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			q.logger.ErrorContext(ctx, "jobs: cannot claim", "error", err) // once, not five times a second
		}
		failing = err != nil
		if !ok {
			<-slots
			q.wait(ctx)
			continue
		}
		wg.Go(func() {
			defer func() { <-slots }()
			q.work(ctx, j)
		})
	}
}

// wait returns when there may be something to do.
func (q *Queue) wait(ctx context.Context) {
	timer := time.NewTimer(poll)
	defer timer.Stop()
	select {
	case <-q.wake:
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (q *Queue) work(ctx context.Context, j job) {
	if err := q.attempt(ctx, j); err != nil && ctx.Err() == nil {
		q.logger.ErrorContext(ctx, "jobs: handler failed and will be tried again",
			"kind", j.kind, "attempt", j.attempts, "error", err)
	}
}

// claim leases the job that is due first, if there is one.
func (q *Queue) claim(ctx context.Context) (j job, ok bool, err error) {
	now := q.machine()
	err = q.db.Update(ctx, func(tx *db.Tx) error {
		j, ok, err = due(tx, q.kinds(), q.clock(), now)
		if err != nil || !ok {
			return err
		}
		j.attempts++
		j.lease = coop.NewID()
		return lease(tx, j, now.Add(leaseFor))
	})
	if err != nil {
		return job{}, false, fmt.Errorf("jobs: claim: %w", err)
	}
	return j, ok, nil
}

// attempt runs the handler of a claimed job and records how it ended.
func (q *Queue) attempt(ctx context.Context, j job) error {
	err := q.call(ctx, j)
	record := finish
	switch {
	case err != nil && ctx.Err() != nil: // the process is stopping; not the job's fault
		record = func(tx *db.Tx, j job) error { return release(tx, j, q.machine()) }
	case err != nil:
		record = func(tx *db.Tx, j job) error { return release(tx, j, q.machine().Add(pause(j.attempts))) }
	}
	recorded := q.db.Update(context.WithoutCancel(ctx), func(tx *db.Tx) error { return record(tx, j) })
	return errors.Join(err, recorded)
}

// call runs the handler while keeping the lease alive.
func (q *Queue) call(ctx context.Context, j job) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { q.keep(ctx, j) })
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("handler panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return q.handler(j.kind)(ctx, j.payload)
}

// keep renews the lease until ctx ends. A renewal that fails is not the end:
// the next may succeed, and if none does another process may run the job too,
// which at-least-once allows.
func (q *Queue) keep(ctx context.Context, j job) {
	ticker := time.NewTicker(renewEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := q.db.Update(ctx, func(tx *db.Tx) error { return renew(tx, j, q.machine().Add(leaseFor)) })
		if err != nil && ctx.Err() == nil {
			q.logger.WarnContext(ctx, "jobs: lease not renewed", "kind", j.kind, "error", err)
		}
	}
}

// pause is how long a job waits after its n-th failure.
func pause(n int64) time.Duration {
	p := firstPause
	for ; n > 1 && p < mostPause; n-- {
		p *= 2
	}
	return min(p, mostPause)
}
