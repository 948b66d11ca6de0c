package governance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/jobs"
	"distributed.ai/datacoop/internal/once"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/policies/rehearsal"
)

const issuer = "https://login.coop.test"

// week is the demo charter's window for policies, pause its timelock.
const (
	week  = 168 * time.Hour
	pause = 72 * time.Hour
)

// world is a co-op on a real database with a clock that tests move.
type world struct {
	*Service
	t     *testing.T
	clock *testkit.Clock
	queue *jobs.Queue
	log   *audit.Log
}

func newWorld(t *testing.T, change ...func(*coop.Charter)) *world {
	t.Helper()
	charter, err := coop.ParseCharter(DemoCharter())
	must(t, err)
	for _, c := range change {
		c(&charter)
	}
	clock, d := testkit.NewClock(), testkit.DB(t)
	log, engine := testkit.Audit(t, d), policies.NewEngine(nil)
	_, err = once.New(t.Context(), d)
	must(t, err)
	conscience, err := consent.New(t.Context(), consent.Config{
		DB: d, Engine: engine, Log: log, Clock: clock.Now, Key: testkit.Key(), PermitFor: time.Minute, Charter: charter,
	})
	must(t, err)
	w := &world{t: t, clock: clock, log: log}
	w.start(Config{
		DB: d, Consent: conscience, Engine: engine, Log: log, Clock: clock.Now,
		Key: testkit.Key(), Charter: charter, CharterText: DemoCharter(), Issuer: issuer,
	})
	must(t, w.LoadLaw(t.Context()))
	return w
}

// start makes the service, as a process does.
func (w *world) start(c Config) {
	w.t.Helper()
	w.queue = testkit.Queue(w.t, c.DB, c.Clock)
	c.Jobs = w.queue
	if c.Gate == nil {
		c.Gate = gateOnce
	}
	if c.Trier == nil {
		c.Trier = tryOnce{}
	}
	s, err := New(w.t.Context(), c)
	must(w.t, err)
	w.Service = s
}

// restart is a new process with a new engine on the same database.
func (w *world) restart() {
	w.t.Helper()
	c := w.Config
	c.Engine = policies.NewEngine(nil)
	w.start(c)
}

func (w *world) join(subject string) coop.MemberID {
	w.t.Helper()
	m, err := w.Admit(w.t.Context(), Identity{Issuer: issuer, Subject: subject, Name: subject})
	must(w.t, err)
	return m.ID
}

func (w *world) joinMany(n int) []coop.MemberID {
	w.t.Helper()
	ids := make([]coop.MemberID, n)
	for i := range ids {
		ids[i] = w.join(fmt.Sprintf("member-%02d", i))
	}
	return ids
}

// propose puts a policy before the members and has it rehearsed.
func (w *world) propose(by coop.MemberID, source []byte) Proposal {
	w.t.Helper()
	p := w.draft(by, source)
	w.pass(0)
	return w.state(p.ID)
}

// draft is a proposal that nobody has rehearsed yet.
func (w *world) draft(by coop.MemberID, source []byte) Proposal {
	w.t.Helper()
	p, err := w.Propose(w.t.Context(), by, Draft{Title: "A narrower policy", Text: "Because we want it.", Source: source})
	must(w.t, err)
	return p
}

// gateOnce is Gate, but tries each policy once in all these tests: it takes half
// a second, and its answer depends on the policy alone.
func gateOnce(ctx context.Context, source, present []byte) ([]byte, policies.Report, error) {
	if known, ok := tries.Load(string(source) + "\x00" + string(present)); ok {
		t, _ := known.(tried)
		return bytes.Clone(t.laid), t.report, nil
	}
	laid, report, err := Gate(ctx, source, present)
	if err == nil {
		tries.Store(string(source)+"\x00"+string(present), tried{laid, report})
	}
	return bytes.Clone(laid), report, err
}

type tried struct {
	laid   []byte
	report policies.Report
}

var tries sync.Map // tried by source

// tryOnce is rehearsal.Here with a memory, likewise.
type tryOnce struct{}

func (tryOnce) Plan(ctx context.Context, was, now []byte) (rehearsal.Plan, error) {
	return remembered(fmt.Sprintf("plan %s\x00%s", was, now), func() (rehearsal.Plan, error) { return rehearsal.Here{}.Plan(ctx, was, now) })
}

func (tryOnce) Try(ctx context.Context, was, now []byte, p rehearsal.Piece, c coop.Currency) (rehearsal.Part, error) {
	return remembered(fmt.Sprintf("%v %s %s\x00%s", p, c, was, now), func() (rehearsal.Part, error) { return rehearsal.Here{}.Try(ctx, was, now, p, c) })
}

func remembered[T any](name string, fn func() (T, error)) (T, error) {
	if known, ok := tries.Load(name); ok {
		out, _ := known.(T)
		return out, nil
	}
	out, err := fn()
	if err == nil {
		tries.Store(name, out)
	}
	return out, err
}

func (w *world) vote(p Proposal, choice string, members ...coop.MemberID) {
	w.t.Helper()
	for _, m := range members {
		_, err := w.Cast(w.t.Context(), m, p.ID, choice)
		must(w.t, err)
	}
}

// pass moves the clock and runs what is due.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.clock.Advance(d)
	_, err := w.queue.RunDue(w.t.Context())
	must(w.t, err)
}

func (w *world) state(id coop.ProposalID) Proposal {
	w.t.Helper()
	p, err := w.Proposal(w.t.Context(), id)
	must(w.t, err)
	return p
}

// enact takes a policy through a whole vote.
func (w *world) enact(source []byte, voters ...coop.MemberID) Proposal {
	w.t.Helper()
	p := w.propose(voters[0], source)
	w.vote(p, Yes, voters...)
	w.pass(week)
	w.pass(pause)
	p = w.state(p.ID)
	if p.State != Enacted {
		w.t.Fatalf("state %s (%s), want enacted", p.State, p.Reason)
	}
	return p
}

// tamper changes the tables behind the service's back.
func (w *world) tamper(query string, args ...any) {
	w.t.Helper()
	must(w.t, w.DB.Update(w.t.Context(), func(tx *db.Tx) error {
		n, err := tx.Exec(query, args...)
		if err == nil && n == 0 && !strings.HasPrefix(query, "ALTER") {
			err = errors.New("nothing was changed")
		}
		return err
	}))
}

// imagine runs fn in a co-op whose tables were tampered with, and undoes it.
func (w *world) imagine(fn func(ctx context.Context), queries ...string) {
	w.t.Helper()
	undo := errors.New("only imagined")
	err := w.DB.Update(w.t.Context(), func(tx *db.Tx) error {
		for _, q := range queries {
			n, err := tx.Exec(q)
			if err != nil || n == 0 {
				return fmt.Errorf("%d rows: %w", n, err)
			}
		}
		fn(tx.Context())
		return undo
	})
	if !errors.Is(err, undo) {
		w.t.Fatal(err)
	}
}

// narrower is the default policy with one more refusal.
func narrower(code string) []byte {
	return append(policies.Default(), []byte(strings.ReplaceAll(`
# METADATA
# title: No companies
# description: Companies ask somebody else.
forbid contains {
	"code": "CODE",
	"sentence": "The co-op releases nothing to companies.",
} if {
	input.request.requester.kind == "company"
}
`, "CODE", code))...)
}

// keyed is a context with an idempotency key.
func keyed(ctx context.Context, caller coop.MemberID, key string) context.Context {
	return once.With(ctx, once.Key{Caller: string(caller), Key: key, Body: sha256.Sum256([]byte(key))})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused fails the test unless err is the fault want.
func refused(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

// grep names the first table that holds text, among those that begin with one
// of the prefixes, or among all.
func (w *world) grep(text string, prefixes ...string) string {
	w.t.Helper()
	var found string
	must(w.t, w.DB.View(w.t.Context(), func(tx *db.Tx) error {
		tables, err := testkit.Tables(tx)
		for _, table := range tables {
			wanted := len(prefixes) == 0
			for _, p := range prefixes {
				wanted = wanted || strings.HasPrefix(table, p)
			}
			if wanted && err == nil && strings.Contains(dump(w.t, tx, table), text) {
				found = table
			}
		}
		return err
	}))
	return found
}

// dump writes every cell of a table.
func dump(t *testing.T, tx *db.Tx, table string) string {
	t.Helper()
	out, err := testkit.Dump(tx, `SELECT * FROM `+table)
	must(t, err)
	return out
}
