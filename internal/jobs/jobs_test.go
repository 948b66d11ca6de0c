package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/jobs"
	"distributed.ai/datacoop/internal/testkit"
)

// bench is a queue with both clocks in hand.
type bench struct {
	t       *testing.T
	d       *db.DB
	q       *jobs.Queue
	domain  *testkit.Clock
	machine *testkit.Clock
}

func fresh(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, d: testkit.DB(t), domain: testkit.NewClock(), machine: testkit.NewClock()}
	b.q = b.process()
	return b
}

// process opens the queue as another process on the same database would.
func (b *bench) process() *jobs.Queue {
	b.t.Helper()
	q := testkit.Queue(b.t, b.d, b.domain.Now)
	jobs.SetMachine(q, b.machine.Now)
	return q
}

func (b *bench) enqueue(kind, key string, payload any, in time.Duration) {
	b.t.Helper()
	err := b.d.Update(context.Background(), func(tx *db.Tx) error {
		return b.q.Enqueue(tx, kind, key, payload, b.domain.Now().Add(in))
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) runDue(want int) {
	b.t.Helper()
	if n, err := b.q.RunDue(b.t.Context()); n != want || err != nil {
		b.t.Fatalf("ran %d, %v; want %d", n, err, want)
	}
}

// record is a handler that remembers its payloads.
type record struct {
	mu   sync.Mutex
	seen []string
}

func (r *record) handle(_ context.Context, payload []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, string(payload))
	return nil
}

func (r *record) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

func TestJobRunsOnceTheDomainClockReachesIt(t *testing.T) {
	b := fresh(t)
	var r record
	b.q.Handle("tally", r.handle)
	b.enqueue("tally", "p1", map[string]string{"proposal": "p1"}, 72*time.Hour)
	b.runDue(0)
	b.machine.Advance(1000 * time.Hour) // the machine's time is not the co-op's
	b.runDue(0)
	b.domain.Advance(72*time.Hour - time.Millisecond)
	b.runDue(0)
	b.domain.Advance(time.Millisecond)
	b.runDue(1)
	b.runDue(0)
	if got := r.all(); !slices.Equal(got, []string{`{"proposal":"p1"}`}) {
		t.Errorf("ran %v", got)
	}
}

func TestJobOfARolledBackCauseNeverRuns(t *testing.T) {
	b := fresh(t)
	b.q.Handle("tally", func(context.Context, []byte) error { t.Error("ran"); return nil })
	sorry := errors.New("no cause")
	err := b.d.Update(t.Context(), func(tx *db.Tx) error {
		if err := b.q.Enqueue(tx, "tally", "p1", 1, time.Time{}); err != nil {
			return err
		}
		return sorry
	})
	if !errors.Is(err, sorry) {
		t.Fatal(err)
	}
	b.runDue(0)
}

func TestSameKeyIsOneJobEvenAfterItRan(t *testing.T) {
	b := fresh(t)
	var r record
	b.q.Handle("tally", r.handle)
	b.q.Handle("enact", r.handle)
	b.enqueue("tally", "p1", "first", 0)
	b.enqueue("tally", "p1", "second", 0)
	b.enqueue("enact", "p1", "other kind", 0)
	b.runDue(2)
	b.enqueue("tally", "p1", "third", 0)
	b.runDue(0)
	if got := r.all(); !slices.Equal(got, []string{`"first"`, `"other kind"`}) {
		t.Errorf("ran %v", got)
	}
}

func TestDueJobsRunInOrderOfTheirTimes(t *testing.T) {
	b := fresh(t)
	var r record
	b.q.Handle("a", r.handle)
	b.q.Handle("b", func(ctx context.Context, payload []byte) error {
		return errors.Join(r.handle(ctx, payload), b.d.Update(ctx, func(tx *db.Tx) error {
			return b.q.Enqueue(tx, "a", "follow-up", 25, b.domain.Now()) // a handler's own
		}))
	})
	b.enqueue("a", "late", 30, 30*time.Hour)
	b.enqueue("b", "middle", 20, 20*time.Hour)
	b.enqueue("a", "early", 10, 10*time.Hour)
	b.enqueue("a", "future", 99, 99*time.Hour)
	b.domain.Advance(40 * time.Hour)
	b.runDue(4)
	if got := r.all(); !slices.Equal(got, []string{"10", "20", "30", "25"}) {
		t.Errorf("ran %v", got)
	}
}

func TestFailureIsTriedAgainAfterAPauseOfMachineTime(t *testing.T) {
	b := fresh(t)
	sorry := errors.New("not yet")
	tries := 0
	b.q.Handle("pay", func(context.Context, []byte) error {
		if tries++; tries < 4 {
			return sorry
		}
		return nil
	})
	var other record
	b.q.Handle("tally", other.handle)
	b.enqueue("pay", "p", 1, 0)
	b.enqueue("tally", "p", 1, time.Minute)
	b.domain.Advance(time.Hour)
	if n, err := b.q.RunDue(t.Context()); n != 1 || !errors.Is(err, sorry) {
		t.Fatalf("a failing job must not hold up the others: %d, %v", n, err)
	}
	for failures := int64(1); failures < 3; failures++ {
		b.domain.Advance(1000 * time.Hour) // does not hurry it
		b.machine.Advance(jobs.Pause(failures) - time.Millisecond)
		b.runDue(0)
		b.machine.Advance(time.Millisecond)
		if _, err := b.q.RunDue(t.Context()); !errors.Is(err, sorry) {
			t.Fatalf("after %d failures: %v", failures, err)
		}
	}
	b.machine.Advance(jobs.Pause(3))
	b.runDue(1)
	if tries != 4 {
		t.Errorf("%d tries", tries)
	}
}

func TestPausesDoubleUpToTenMinutes(t *testing.T) {
	for n, want := range map[int64]time.Duration{
		0: 100 * time.Millisecond, 1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 3: 400 * time.Millisecond,
		12: 204800 * time.Millisecond, 14: 10 * time.Minute, 1 << 40: 10 * time.Minute,
	} {
		if got := jobs.Pause(n); got != want {
			t.Errorf("after %d failures %v, want %v", n, got, want)
		}
	}
}

func TestPanicIsAFailureLikeAnyOther(t *testing.T) {
	b := fresh(t)
	panicked := false
	b.q.Handle("pay", func(context.Context, []byte) error {
		if !panicked {
			panicked = true
			panic("boom")
		}
		return nil
	})
	b.enqueue("pay", "p", 1, 0)
	if _, err := b.q.RunDue(t.Context()); err == nil || !strings.Contains(err.Error(), "boom") {
		t.Fatalf("panic became %v", err)
	}
	b.machine.Advance(time.Hour)
	b.runDue(1)
}

// TestJobOfADeadProcessRunsAgain ends the goroutine that runs the handler,
// which leaves the job leased, as a kill does.
func TestJobOfADeadProcessRunsAgain(t *testing.T) {
	b := fresh(t)
	b.q.Handle("pay", func(context.Context, []byte) error { runtime.Goexit(); return nil })
	b.enqueue("pay", "p", 1, 0)
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = b.q.RunDue(context.Background()) })
	wg.Wait()
	var r record
	b.q = b.process()
	b.q.Handle("pay", r.handle)
	b.runDue(0) // it may still be running elsewhere
	b.machine.Advance(jobs.LeaseFor)
	b.runDue(1)
	if len(r.all()) != 1 {
		t.Error("the job of the dead process was lost")
	}
}

func TestLateFailureDoesNotTakeAJobFromItsNewOwner(t *testing.T) {
	b := fresh(t)
	second := b.process()
	var runs record
	second.Handle("pay", runs.handle)
	b.q.Handle("pay", func(ctx context.Context, _ []byte) error { // sleeps through its lease
		b.machine.Advance(jobs.LeaseFor)
		if n, err := second.RunDue(ctx); n != 1 || err != nil {
			t.Errorf("second process: %d, %v", n, err)
		}
		return errors.New("too late")
	})
	b.enqueue("pay", "p", 1, 0)
	if _, err := b.q.RunDue(t.Context()); err == nil {
		t.Fatal("the failure was swallowed")
	}
	b.machine.Advance(time.Hour)
	b.runDue(0)
	if len(runs.all()) != 1 {
		t.Errorf("ran %d times after it was done", len(runs.all()))
	}
}

func TestKindWithoutHandlerWaits(t *testing.T) {
	b := fresh(t)
	b.enqueue("unknown", "p", 1, 0)
	b.runDue(0)
	var r record
	b.q.Handle("known", r.handle)
	b.enqueue("known", "p", 1, time.Minute)
	b.domain.Advance(time.Hour)
	b.runDue(1)
	b.q.Handle("unknown", r.handle)
	b.runDue(1)
}

func TestSecondHandlerPanics(t *testing.T) {
	b := fresh(t)
	b.q.Handle("pay", func(context.Context, []byte) error { return nil })
	defer func() {
		if recover() == nil {
			t.Error("two handlers for a kind")
		}
	}()
	b.q.Handle("pay", func(context.Context, []byte) error { return nil })
}

func TestUnencodablePayloadIsRefused(t *testing.T) {
	b := fresh(t)
	err := b.d.Update(t.Context(), func(tx *db.Tx) error { return b.q.Enqueue(tx, "pay", "p", func() {}, time.Time{}) })
	if err == nil {
		t.Error("enqueued a function")
	}
}

// syncBuffer collects a log written by several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

func TestRunWorksThroughWhatIsEnqueued(t *testing.T) {
	d, domain := testkit.DB(t), testkit.NewClock()
	var log syncBuffer
	q, err := jobs.New(t.Context(), d, domain.Now, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	var r record
	failed := false
	block := make(chan struct{})
	q.Handle("good", r.handle)
	q.Handle("slow", func(context.Context, []byte) error { <-block; return nil })
	q.Handle("shaky", func(ctx context.Context, payload []byte) error {
		if !failed {
			failed = true
			return errors.New("out of luck")
		}
		return r.handle(ctx, payload)
	})
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { q.Run(ctx) })
	b := &bench{t: t, d: d, q: q, domain: domain}
	b.enqueue("slow", "s", 0, 0) // must not hold up the rest
	for i := range 20 {
		b.enqueue("good", fmt.Sprint(i), i, 0)
	}
	b.enqueue("shaky", "s", 100, 0)
	b.enqueue("good", "tomorrow", 200, 24*time.Hour)
	eventually(t, "21 jobs ran", func() bool { return len(r.all()) == 21 })
	domain.Advance(24 * time.Hour)
	eventually(t, "the moved clock was noticed", func() bool { return slices.Contains(r.all(), "200") })
	close(block)
	stop()
	wg.Wait()
	if text := log.String(); strings.Count(text, "out of luck") != 1 || !strings.Contains(text, "kind=shaky") {
		t.Errorf("log: %s", text)
	}
}

func TestStoppedRunGivesItsJobsBack(t *testing.T) {
	b := fresh(t)
	started := make(chan struct{})
	b.q.Handle("pay", func(ctx context.Context, _ []byte) error {
		close(started)
		<-ctx.Done()
		return ctx.Err()
	})
	b.enqueue("pay", "p", 1, 0)
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { b.q.Run(ctx) })
	<-started
	stop()
	wg.Wait()
	var r record
	b.q = b.process()
	b.q.Handle("pay", r.handle)
	b.runDue(1) // without waiting for a lease or a pause
}
