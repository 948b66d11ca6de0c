package governance

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/governance/trial"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/policies/rehearsal"
)

// choppy tries in pieces of a few places, and fails when it is told to.
type choppy struct {
	tryOnce
	fail  func(n int) error // asked before each piece
	plans int
	tried []rehearsal.Piece
}

const chop = 13

func (c *choppy) Plan(ctx context.Context, was, now []byte) (rehearsal.Plan, error) {
	c.plans++
	whole, err := c.tryOnce.Plan(ctx, was, now)
	if err != nil || len(whole.Pieces) == 0 {
		return whole, err
	}
	var out rehearsal.Plan
	for from := 0; from < whole.Pieces[0].To; from += chop {
		p := rehearsal.Piece{From: from, To: min(from+chop, whole.Pieces[0].To)}
		part, err := c.tryOnce.Try(ctx, was, now, p, "")
		if err != nil {
			return out, err
		}
		out.Pieces, out.Cases = append(out.Pieces, p), append(out.Cases, int64(part.Asked))
	}
	return out, nil
}

func (c *choppy) Try(ctx context.Context, was, now []byte, p rehearsal.Piece, currency coop.Currency) (rehearsal.Part, error) {
	if c.fail != nil {
		if err := c.fail(len(c.tried)); err != nil {
			return rehearsal.Part{}, err
		}
	}
	c.tried = append(c.tried, p)
	return c.tryOnce.Try(ctx, was, now, p, currency)
}

// rehearse runs the job once, as a queue would.
func (w *world) rehearse(ctx context.Context, id coop.ProposalID) error {
	w.t.Helper()
	payload, err := json.Marshal(about{id})
	must(w.t, err)
	return w.rehearseJob(ctx, payload)
}

func (w *world) impact(id coop.ProposalID) Impact {
	w.t.Helper()
	im, err := w.Impact(w.t.Context(), id)
	must(w.t, err)
	return im
}

func TestNobodyVotesBeforeAProposalWasRehearsed(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	w.share(ids[:3]...)
	w.ask("university", "AcademicResearch")
	w.ask("company", "CommercialResearch")
	p := w.draft(ids[0], narrower("no-companies"))
	if im := w.impact(p.ID); p.State != Rehearsing || im.State != trial.Waiting || im.Total != 0 || len(im.Changes)+len(im.Sentences) > 0 {
		t.Errorf("%s, %+v", p.State, im)
	}
	_, err := w.Cast(t.Context(), ids[1], p.ID, Yes)
	refused(t, err, ErrRehearsing)
	_, err = w.Ballots(t.Context(), p.ID, "", 10)
	refused(t, err, ErrVotingOpen)
	_, err = w.Result(t.Context(), p.ID)
	refused(t, err, ErrVotingOpen)
	if n, err := w.Verify(t.Context()); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	w.clock.Advance(3 * time.Hour) // the server was away
	w.pass(0)
	open := w.state(p.ID)
	if open.State != Voting || open.OpenedAt != p.OpenedAt || open.ClosesAt != w.now()+week.Milliseconds() {
		t.Fatalf("%s until %d, a week from now is %d", open.State, open.ClosesAt, w.now()+week.Milliseconds())
	}
	im := w.impact(p.ID)
	if im.State != trial.Ended || im.Done == 0 || im.Done != im.Total || im.Left != 0 || im.Law != w.Engine.Current().Hash() || im.Reason != "" ||
		im.NowRefused != 3 || im.Decisions != 6 || len(im.Changes) == 0 {
		t.Errorf("%+v", im)
	}
	w.vote(p, Yes, ids...)
	w.pass(week - time.Second)
	if got := w.state(p.ID).State; got != Voting {
		t.Errorf("a second before the end: %s", got)
	}
	w.pass(time.Second)
	if got := w.state(p.ID).State; got != Passed {
		t.Errorf("at the end: %s", got)
	}
}

// A rehearsal that was killed goes on where it was, and says what one says that
// was not.
func TestARehearsalGoesOnWhereItWasKilled(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(3)
	p := w.draft(ids[0], narrower("no-companies"))
	ctx, kill := context.WithCancel(t.Context())
	first := &choppy{fail: func(n int) error {
		if n == 2 {
			kill()
			return context.Canceled
		}
		return nil
	}}
	w.Trier = first
	if err := w.rehearse(ctx, p.ID); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	im := w.impact(p.ID)
	if im.State != trial.Running || im.Done == 0 || im.Done >= im.Total || im.Reason != "" || len(im.Changes) > 0 || w.state(p.ID).State != Rehearsing {
		t.Fatalf("half-way: %+v", im)
	}
	second := &choppy{}
	w.restart()
	must(t, w.LoadLaw(t.Context()))
	w.Trier = second
	must(t, w.rehearse(t.Context(), p.ID))
	plan, err := second.Plan(t.Context(), policies.Default(), p.Source)
	must(t, err)
	if all := slices.Concat(first.tried, second.tried); !slices.Equal(all, plan.Pieces) || len(second.tried) == 0 {
		t.Errorf("tried %v of %v", all, plan.Pieces)
	}
	im = w.impact(p.ID)
	if im.State != trial.Ended || im.Done != im.Total || w.state(p.ID).State != Voting {
		t.Errorf("%+v", im)
	}
	w.Trier = tryOnce{}
	whole := w.propose(ids[1], narrower("no-companies"))
	if want := w.impact(whole.ID); !slices.Equal(im.Changes, want.Changes) || im.Done != want.Done || len(im.Changes) == 0 {
		t.Errorf("in two turns %q, in one %q", im.Changes, want.Changes)
	}
	must(t, w.rehearse(t.Context(), p.ID)) // at least once is twice, now and then
	if again := w.impact(p.ID); again.Done != im.Done || !slices.Equal(again.Changes, im.Changes) {
		t.Errorf("%+v", again)
	}
}

// What could not be tried is said, never passed off as no difference, and nobody
// votes on it.
func TestARehearsalThatFailsIsNoRehearsal(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(3)
	p := w.draft(ids[0], narrower("no-companies"))
	broken := errors.New("no room for another process")
	w.Trier = &choppy{fail: func(n int) error {
		if n >= 1 {
			return broken
		}
		return nil
	}}
	tries := 0
	for err := broken; err != nil; tries++ {
		if tries > 20 {
			t.Fatal("it is never given up")
		}
		if err = w.rehearse(t.Context(), p.ID); err == nil {
			break
		}
		if !errors.Is(err, broken) {
			t.Fatal(err)
		}
		im := w.impact(p.ID)
		if im.State != trial.Running || im.Done == 0 || !strings.Contains(im.Reason, "time or memory") || len(im.Changes)+len(im.Sentences) > 0 {
			t.Fatalf("after %d failures: %+v", tries+1, im)
		}
		_, err2 := w.Cast(t.Context(), ids[1], p.ID, Yes)
		refused(t, err2, ErrRehearsing)
	}
	im, void := w.impact(p.ID), w.state(p.ID)
	if im.State != trial.Failed || im.Done >= im.Total || len(im.Changes)+len(im.Sentences)+len(im.Cohorts) > 0 || !strings.Contains(im.Reason, "time or memory") {
		t.Errorf("%+v", im)
	}
	if void.State != Void || !strings.Contains(void.Reason, "could not be tried") || void.Tally != nil || tries < 5 {
		t.Errorf("after %d tries: %s, %s", tries, void.State, void.Reason)
	}
	_, err := w.Cast(t.Context(), ids[1], p.ID, Yes)
	refused(t, err, ErrVotingClosed)
	w.pass(week)
	if n, err := w.Verify(t.Context()); n != 1 || err != nil || w.state(p.ID).State != Void {
		t.Errorf("%d, %v", n, err)
	}
	w.tamper("UPDATE governance_roll SET voted = 1")
	if _, err := w.Verify(t.Context()); err == nil {
		t.Error("votes on what was never put to the vote go unnoticed")
	}
}

// Law that comes into force while a proposal is tried is what it is compared with.
func TestARehearsalBeginsAnewUnderNewLaw(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	p := w.draft(ids[0], narrower("no-companies"))
	stop := errors.New("a moment")
	w.Trier = &choppy{fail: func(n int) error {
		if n == 2 {
			return stop
		}
		return nil
	}}
	if err := w.rehearse(t.Context(), p.ID); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	before := w.impact(p.ID)
	law, err := policies.Compile(t.Context(), narrower("nobody-commercial"))
	must(t, err)
	w.Engine.Swap(law)
	w.Trier = tryOnce{}
	must(t, w.rehearse(t.Context(), p.ID))
	im := w.impact(p.ID)
	if im.Law != law.Hash() || im.Law == before.Law || im.State != trial.Ended || im.Done != im.Total {
		t.Errorf("%+v, then %+v", before, im)
	}
	back, err := policies.Compile(t.Context(), policies.Default())
	must(t, err)
	w.Engine.Swap(back)
	if im := w.impact(p.ID); !slices.Contains(im.Sentences, changedSince) {
		t.Errorf("the law changed, and members read %q", im.Sentences)
	}
}

func TestWithoutLawARehearsalWaits(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(2)
	p := w.draft(ids[0], narrower("no-companies"))
	w.Engine.Seal()
	for range 12 {
		if err := w.rehearse(t.Context(), p.ID); !errors.Is(err, policies.ErrSealed) {
			t.Fatal(err)
		}
	}
	if im := w.impact(p.ID); im.State != trial.Waiting || !strings.Contains(im.Reason, "No law is in force") {
		t.Errorf("%+v", im)
	}
	must(t, w.LoadLaw(t.Context()))
	must(t, w.rehearse(t.Context(), p.ID))
	if got := w.state(p.ID).State; got != Voting {
		t.Errorf("%s", got)
	}
}

// A vote that was opened before there were rehearsals says that it had none.
func TestAVoteFromBeforeRehearsalsSaysSo(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(3)
	p := w.propose(ids[0], narrower("no-companies"))
	w.tamper("DELETE FROM governance_rehearsals")
	if im := w.impact(p.ID); im.State != trial.Untried || len(im.Changes)+len(im.Sentences) > 0 {
		t.Errorf("%+v", im)
	}
	w.vote(p, Yes, ids...)
}

// Whose data a proposal concerns is told in figures, and not of fewer members
// than the pool's smallest group.
func TestAnImpactCountsTheDataThereAreNow(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(5)
	w.share(ids...)
	p := w.propose(ids[0], narrower("no-companies"))
	im := w.impact(p.ID)
	if len(im.Cohorts) == 0 || !strings.Contains(im.Counted, "kinds of requests") {
		t.Fatalf("%+v", im)
	}
	for _, c := range im.Cohorts {
		if c.Pool != "wearables" || c.Refused != 5 || c.RefusedMembers != 5 || c.Released != 0 || !strings.Contains(c.Request, "a company") ||
			c.Sentence != "Asked of the pool wearables, it would no longer get 5 datasets of 5 members." {
			t.Errorf("%+v", c)
		}
	}
	few := newWorld(t)
	ids = few.joinMany(2)
	few.share(ids...)
	p = few.propose(ids[0], narrower("no-companies"))
	if im := few.impact(p.ID); len(im.Cohorts) != 0 || !strings.Contains(im.Counted, "smallest group") || len(im.Changes) == 0 {
		t.Errorf("two members: %+v", im.Cohorts)
	}
}
