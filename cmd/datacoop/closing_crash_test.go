//go:build unix

package main

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/codebook"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/farewell"
)

// moments are when the server is killed while somebody closes their account.
var moments = []struct {
	who  string
	when string
	kill func(r *running, ask *http.Request) // returns when the server may be killed
	want string                              // what becomes of the account; "" where either may
}{
	{"ann", "before it is asked", func(*running, *http.Request) {}, "open"},
	{"ben", "while it is asked", func(r *running, ask *http.Request) { go r.send(ask) }, ""},
	{"cleo", "once it has begun", func(r *running, ask *http.Request) { go r.send(ask); r.shows(ask, 0) }, "closed"},
	{"dora", "once the data are destroyed", func(r *running, ask *http.Request) { go r.send(ask); r.shows(ask, 2) }, "closed"},
	{"emil", "once the ways in are gone", func(r *running, ask *http.Request) { go r.send(ask); r.shows(ask, 5) }, "closed"},
	{"fay", "before the answer arrives", func(r *running, ask *http.Request) { r.send(ask) }, "closed"},
}

// TestNothingAcknowledgedIsHalfClosedWhenTheServerIsKilled kills the server at
// several moments of a closing: the next one finds the account open, with
// everything in its place, or closes it to the end.
func TestNothingAcknowledgedIsHalfClosedWhenTheServerIsKilled(t *testing.T) {
	database := ""
	if testkit.Postgres() {
		database = testkit.Address(t)
	}
	var people []string
	for _, m := range moments {
		people = append(people, m.who)
	}
	r := settle(t, database, people...)
	r.start()
	for _, who := range people {
		for i := range datasets(who) {
			r.share(who, uint64(i))
		}
	}
	half := 0
	for _, m := range moments {
		code := r.leave(m.who, m.kill)
		steps := r.left()
		half += len(steps)
		r.people = nil // who is leaving is not signed in again
		r.start()
		end := r.ended(m.who, code)
		t.Logf("killed %s: left at %q, ended %s", m.when, strings.Join(steps, " "), end)
		if m.want != "" && end != m.want {
			t.Errorf("killed %s: the account is %s", m.when, end)
		}
	}
	if half == 0 {
		t.Error("no closing was stopped half-way, so nothing was tried")
	}
	r.kill()
	r.verified()
}

// datasets is how many somebody shares: cleo so many that her closing is still
// under way when it is seen to have begun.
func datasets(who string) int {
	if who == "cleo" {
		return 8
	}
	return 1
}

// share has somebody share a month's data and agree to a purpose.
func (r *running) share(who string, seed uint64) {
	r.t.Helper()
	own, err := client.Keygen(false)
	check(r.t, err)
	check(r.t, r.as(who).SetRecipient(r.t.Context(), own.Recipient()))
	name, export, err := codebook.Synthesise("fitbit-daily-activity", seed, time.Now().AddDate(0, -2, 0), 30)
	check(r.t, err)
	_, err = r.as(who).Share(r.t.Context(), client.ShareOptions{Pool: "wearables", Inputs: []codebook.Input{codebook.Bytes(name, export)}, Recipient: own.Recipient(),
		Consent: &client.Terms{Effect: "given", Purposes: []string{"DUO:0000042"}, RequesterKinds: []string{"university"}}, Dir: r.t.TempDir()})
	check(r.t, err)
}

// lost is a way to the server on which the answer to a closing is lost, because
// the server is killed.
type lost struct {
	r      *running
	moment func(*running, *http.Request)
	cancel context.CancelFunc
}

func (l lost) RoundTrip(ask *http.Request) (*http.Response, error) {
	l.moment(l.r, ask.Clone(context.WithoutCancel(ask.Context())))
	l.r.kill()
	l.cancel() // nobody asks again
	return nil, errors.New("the answer is lost")
}

// leave has somebody close their account, and answers the code by which they
// look for what became of it.
func (r *running) leave(who string, moment func(*running, *http.Request)) string {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	defer cancel()
	api, err := client.New(r.base, client.WithToken(r.tokens[who]), client.WithTransport(lost{r, moment, cancel}))
	check(r.t, err)
	c, err := api.CloseAccount(ctx, "", false)
	if err == nil || c.Code == "" {
		r.t.Fatalf("%s: %v, %+v", who, err, c)
	}
	return c.Code
}

// send is for an answer that nobody reads.
func (r *running) send(ask *http.Request) {
	if answer, err := http.DefaultTransport.RoundTrip(ask); err == nil {
		_ = answer.Body.Close()
	}
}

// shows waits until a closing has so many steps behind it.
func (r *running) shows(ask *http.Request, steps int) {
	api, err := client.New(r.base)
	check(r.t, err)
	for deadline := time.Now().Add(time.Minute); ; {
		c, err := api.Closing(r.t.Context(), ask.URL.Query().Get("code"))
		if err == nil && (c.State == "closed" || c.Steps[max(steps, 1)-1].Done || steps == 0) {
			return
		}
		if time.Now().After(deadline) {
			r.t.Errorf("the closing does not come to step %d: %v", steps, err)
			return
		}
	}
}

// left lists, while no server runs, at which steps closings have stopped.
func (r *running) left() []string {
	r.t.Helper()
	d, err := db.Open(r.t.Context(), cmp.Or(r.database, filepath.Join(r.data, "coop", custody.MainFile)))
	check(r.t, err)
	defer func() { check(r.t, d.Close()) }()
	var steps string
	check(r.t, d.View(r.t.Context(), func(tx *db.Tx) error {
		steps, err = testkit.Dump(tx, "SELECT step FROM farewell_closings WHERE ended_at = 0")
		return err
	}))
	return strings.Fields(steps)
}

// ended waits until an account is wholly open or closed, and says which.
func (r *running) ended(who, code string) string {
	r.t.Helper()
	api, err := client.New(r.base)
	check(r.t, err)
	c, err := api.Closing(r.t.Context(), code)
	if client.IsStatus(err, http.StatusNotFound) {
		r.untouched(who)
		return "open"
	}
	for deadline := time.Now().Add(20 * time.Second); err == nil && c.State != "closed" && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		c, err = api.Closing(r.t.Context(), code)
	}
	check(r.t, err)
	if c.State != "closed" {
		return "half closed"
	}
	receipt, err := farewell.ParseReceipt([]byte(c.Receipt))
	check(r.t, err)
	if len(receipt.Datasets) != datasets(who) || receipt.Datasets[0].ReceiptSHA256 == "" {
		r.t.Errorf("%s: the receipt names %v", who, receipt.Datasets)
	}
	file := filepath.Join(r.t.TempDir(), "receipt.json")
	check(r.t, os.WriteFile(file, []byte(c.Receipt), 0o600))
	if out, err := r.command("verify", "receipt", file, "--server", r.base).CombinedOutput(); err != nil {
		r.t.Errorf("%s: verify receipt: %v\n%s", who, err, out)
	}
	if _, err := r.as(who).Me(r.t.Context()); !client.IsStatus(err, http.StatusUnauthorized) {
		r.t.Errorf("%s has left, and their token answers %v", who, err)
	}
	return "closed"
}

// untouched checks that nothing of an account has gone.
func (r *running) untouched(who string) {
	r.t.Helper()
	me, err := r.as(who).Me(r.t.Context())
	check(r.t, err)
	if me.Paused || me.Recipient == "" {
		r.t.Errorf("%s did not leave: %+v", who, me)
	}
	for d, err := range r.as(who).Datasets(r.t.Context()) {
		check(r.t, err)
		if d.State != "available" {
			r.t.Errorf("%s did not leave, and their data are %s", who, d.State)
		}
		standing, err := r.as(who).Consent(r.t.Context(), client.DatasetScope(d.ID))
		check(r.t, err)
		if standing.Terms.Effect != "given" {
			r.t.Errorf("%s did not leave, and agrees to %+v", who, standing)
		}
	}
}
