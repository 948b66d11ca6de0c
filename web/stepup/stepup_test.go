package stepup_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/web/stepup"
)

// bench is a desk, and two sessions of the same store.
type bench struct {
	desk      *stepup.Desk
	sessions  *scs.SessionManager
	clock     *testkit.Clock
	ada, eves context.Context
}

func open(t *testing.T) *bench {
	t.Helper()
	b := &bench{sessions: scs.New(), clock: testkit.NewClock()}
	b.desk = stepup.New(b.sessions, []byte("secret"))
	b.desk.Now = b.clock.Now
	var err error
	if b.ada, err = b.sessions.Load(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if b.eves, err = b.sessions.Load(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAProofIsForOneClassInOneSessionForMinutes(t *testing.T) {
	b := open(t)
	if b.desk.Fresh(b.ada, stepup.Revoke) {
		t.Fatal("nothing was proved")
	}
	b.desk.Proved(b.ada, stepup.Revoke)
	for _, c := range []stepup.Class{stepup.Vote, stepup.Account, stepup.Token, stepup.Release, stepup.Freeze, stepup.Key, stepup.Signer, stepup.Open, stepup.Ways, stepup.Close, stepup.Estate, "", "other"} {
		if b.desk.Fresh(b.ada, c) {
			t.Errorf("a proof for %s is one for %q", stepup.Revoke, c)
		}
	}
	if b.desk.Fresh(b.eves, stepup.Revoke) {
		t.Error("it is good in another session")
	}
	b.clock.Advance(stepup.Lifetime - time.Millisecond)
	if !b.desk.Fresh(b.ada, stepup.Revoke) {
		t.Error("it is not good until its time is over")
	}
	b.clock.Advance(time.Millisecond)
	if b.desk.Fresh(b.ada, stepup.Revoke) {
		t.Error("it is good for ever")
	}
}

func TestASignInIsAProofButNotForWhatIsGrave(t *testing.T) {
	b := open(t)
	b.desk.Proved(b.ada, stepup.Close) // of whoever was here before
	b.desk.SignedIn(b.ada)
	for c, want := range map[stepup.Class]bool{stepup.Revoke: true, stepup.Vote: true, stepup.Account: true, stepup.Token: true,
		stepup.Release: true, stepup.Freeze: true, stepup.Signer: true, stepup.Open: true, stepup.Key: false, stepup.Ways: false, stepup.Close: false, stepup.Estate: false, "": false, "other": false} {
		if b.desk.Fresh(b.ada, c) != want {
			t.Errorf("%q: %v", c, !want)
		}
	}
	b.clock.Advance(stepup.Lifetime)
	if b.desk.Fresh(b.ada, stepup.Vote) {
		t.Error("a sign-in is a proof for ever")
	}
}

func TestAProofForSomethingGraveIsSpent(t *testing.T) {
	b := open(t)
	b.desk.Proved(b.ada, stepup.Close)
	if !b.desk.Fresh(b.ada, stepup.Close) || b.desk.Fresh(b.ada, stepup.Close) {
		t.Error("it is not good exactly once")
	}
}

func TestWhatWasTypedWaitsSealedAndNotForLong(t *testing.T) {
	b := open(t)
	form := url.Values{"iban": {"DE89370400440532013000"}, "holder": {"Eva"}}
	if err := b.desk.Wait(b.ada, stepup.Account, "/money/account", form); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b.sessions.GetBytes(b.ada, "step-up-pending")), "DE89") {
		t.Error("the session can be read")
	}
	if _, ok := b.desk.Waiting(b.eves); ok {
		t.Error("another session has it")
	}
	if p, ok := b.desk.Waiting(b.ada); !ok || p.Path != "/money/account" || p.Form.Get("iban") != form.Get("iban") {
		t.Errorf("%+v %v", p, ok)
	}
	b.clock.Advance(16 * time.Minute)
	if _, ok := b.desk.Waiting(b.ada); ok {
		t.Error("it waits for ever")
	}
	other := stepup.New(b.sessions, []byte("another"))
	_ = b.desk.Wait(b.ada, stepup.Account, "/money/account", form)
	if _, ok := other.Waiting(b.ada); ok {
		t.Error("it opens without the secret")
	}
	b.desk.Drop(b.ada)
	if _, ok := b.desk.Waiting(b.ada); ok {
		t.Error("it was not dropped")
	}
}
