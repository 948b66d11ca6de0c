package web_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/web/client"
)

// loginAs answers the issuer's page that a browser has just been led to.
func (b *browser) loginAs(at visited, subject string) visited {
	b.h.t.Helper()
	if !strings.HasPrefix(at.path, "/oauth/authorize") {
		b.h.t.Fatalf("no sign-in is asked for, but %d %s: %s", at.status, at.path, at.said())
	}
	return b.post("/oauth/login", url.Values{"account": {subject}, "password": {password}, "form": {at.hidden("form")}})
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
var goesTo = regexp.MustCompile(`<form method="post" action="([^"]*)">\s*(<input type="hidden"|<p class="buttons">)`)

// confirm gives the proof that the last form asked for, and goes on.
func (b *browser) confirm(subject string) visited {
	b.h.t.Helper()
	page := b.loginAs(b.get("/confirm/start?class="+b.waitsFor()), subject).is(http.StatusOK).says("Finish what you began")
	wellFormed(b.h.t, page)
	return b.goOn(page)
}

// waitsFor is the class that the page about what waits leads to.
func (b *browser) waitsFor() string {
	b.h.t.Helper()
	m := regexp.MustCompile(`/confirm/start\?class=([a-z]+)`).FindStringSubmatch(b.get("/confirm").is(http.StatusOK).says("Confirm that it is you").text)
	if m == nil {
		b.h.t.Fatal("nothing waits")
	}
	return m[1]
}

// goOn sends the form of the page that follows a proof.
func (b *browser) goOn(page visited) visited {
	b.h.t.Helper()
	to := goesTo.FindStringSubmatch(page.text)
	if to == nil {
		b.h.t.Fatalf("there is nothing to go on with: %s", page.said())
	}
	form := url.Values{}
	for _, f := range hiddenField.FindAllStringSubmatch(page.text, -1) {
		form.Add(f[1], f[2])
	}
	return b.post(to[1], form)
}

// later moves the machine's clock of the proofs.
func (h *house) later(by time.Duration) {
	h.web.SetMachine(func() time.Time { return time.Now().Add(by) })
}

func TestRevokingNeedsAFreshProofAndLosesNothing(t *testing.T) {
	h := openHouse(t)
	c, _ := h.member("eva")
	d := h.share(c, 1)
	h.member("finn")
	b := h.browse("eva")
	h.later(6 * time.Minute)
	revoke, sure := "/data/"+d.ID+"/revoke", url.Values{"sure": {"yes"}}
	at := b.post(revoke, sure)
	if !strings.Contains(at.path, "prompt=login") || !strings.Contains(at.path, "login_hint=eva") {
		t.Errorf("the issuer is asked %s", at.path)
	}
	b.loginAs(at, "finn").is(http.StatusForbidden).says("another account")
	b.get("/data/" + d.ID).is(http.StatusOK).says("Shared as you allow")
	finished := b.loginAs(b.get("/confirm/start?class="+b.waitsFor()), "eva").says("Finish what you began", "revoke a dataset")
	b.get("/data/" + d.ID).is(http.StatusOK).says("Shared as you allow") // nothing happens by itself
	b.goOn(finished).is(http.StatusOK).says("revoked and destroyed")
	b.get("/confirm").is(http.StatusOK).says("Hello, Eva") // nothing waits any more
}

func TestAProofIsForItsOwnClassSessionAndTime(t *testing.T) {
	h := openHouse(t)
	c, token := h.member("eva")
	d := h.share(c, 1)
	b, other := h.browse("eva"), h.browse("eva")
	h.later(6 * time.Minute)
	account := url.Values{"holder": {"Eva Example"}, "iban": {evasIBAN}}
	b.post("/money/account", account)
	b.keepsNoIBAN()
	b.confirm("eva").is(http.StatusOK).says("ends in 3000")
	for who, use := range map[string]*browser{"another class": b, "another session": other} {
		path := "/data/" + d.ID + "/revoke"
		if who == "another session" {
			path = "/money/account"
		}
		if at := use.post(path, account); !strings.HasPrefix(at.path, "/oauth/authorize") {
			t.Errorf("a proof is good for %s: %d %s", who, at.status, at.path)
		}
	}
	b.post("/money/account", account).is(http.StatusOK).says("ends in 3000") // some minutes long
	h.later(12 * time.Minute)
	if at := b.post("/money/account", account); !strings.HasPrefix(at.path, "/oauth/authorize") {
		t.Errorf("a proof is good for ever: %d %s", at.status, at.path)
	}
	if a := h.call("DELETE", "/v1/datasets/"+d.ID, token, ""); a.status != http.StatusOK {
		t.Errorf("a program that may act: %d %s", a.status, a.body)
	}
}

// keepsNoIBAN looks for what was typed in what is stored of the session.
func (b *browser) keepsNoIBAN() {
	b.h.t.Helper()
	if b.h.holds("web_sessions", evasIBAN) {
		b.h.t.Error("what waits can be read in the database")
	}
}

func TestTheAPITakesNoOldSessionAndNoEverydayToken(t *testing.T) {
	h := openHouse(t)
	ctx := context.Background()
	eva, _ := h.member("eva")
	everyday, err := eva.CreateToken(ctx, client.TokenDraft{Label: "phone", Hours: 1, Scope: "everyday"})
	ok(t, err)
	if everyday.Scope != "everyday" {
		t.Fatalf("%+v", everyday)
	}
	b := h.browse("eva")
	cookie := strings.TrimSuffix(strings.TrimPrefix(b.cookie(), "Cookie: "), "\r\n")
	h.later(6 * time.Minute)
	account := `{"holder":"Eva Example","iban":"` + evasIBAN + `"}`
	for _, c := range []struct{ method, path, body string }{
		{"PUT", "/v1/me/payout-account", account}, {"POST", "/v1/me/tokens", `{"label":"more","hours":1}`}, {"DELETE", "/v1/me", ""},
		{"DELETE", "/v1/datasets/" + unknownID, ""}, {"POST", "/v1/proposals/" + unknownID + "/ballots", `{"choice":"yes"}`},
	} {
		if p := h.call(c.method, c.path, "", c.body, "Cookie", cookie, "Sec-Fetch-Site", "same-origin").problem(t); p.Type != "urn:datacoop:problem:step-up-needed" {
			t.Errorf("%s %s with an old session: %+v", c.method, c.path, p)
		}
		if p := h.call(c.method, c.path, everyday.Secret, c.body).problem(t); p.Type != "urn:datacoop:problem:token-scope" {
			t.Errorf("%s %s with a token for everyday things: %+v", c.method, c.path, p)
		}
	}
	if a := h.call("GET", "/v1/me", everyday.Secret, ""); a.status != http.StatusOK {
		t.Errorf("everyday things: %d", a.status)
	}
	if a := h.call("GET", "/v1/me/datasets", "", "", "Cookie", cookie); a.status != http.StatusOK {
		t.Errorf("an old session: %d", a.status)
	}
}

// TestTheWayBackFromAProofIsUsedOnce replays the address that ends a proof.
func TestTheWayBackFromAProofIsUsedOnce(t *testing.T) {
	h := openHouse(t)
	b := h.browse("eva")
	b.http.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if strings.HasPrefix(r.URL.Path, "/auth/callback") {
			return http.ErrUseLastResponse
		}
		return nil
	}
	stopped := b.loginAs(b.get("/confirm/start?class=close"), "eva")
	back := strings.TrimPrefix(stopped.header.Get("Location"), h.base)
	other := h.browse("eva")
	other.get(back).is(http.StatusUnprocessableEntity).says("not started here")
	if at := b.get(back); at.status != http.StatusOK && at.status != http.StatusSeeOther {
		t.Fatalf("%d %s", at.status, at.said())
	}
	b.get(back).is(http.StatusUnprocessableEntity).says("not started here")
	b.get("/confirm/start?class=nothing").is(http.StatusNotFound)
}

// TestASessionEndsAfterEightHoursAndTurnsItsCookie looks at when a session was
// to end, and at its cookie before and after somebody signed in.
func TestASessionEndsAfterEightHoursAndTurnsItsCookie(t *testing.T) {
	h := openHouse(t)
	b := h.stranger()
	login := b.get("/login").is(http.StatusOK)
	before := b.cookie()
	b.post("/oauth/login", url.Values{"account": {"eva"}, "password": {password}, "form": {login.hidden("form")}})
	in := b.cookie()
	if before == in {
		t.Error("the cookie from before is good after")
	}
	b.loginAs(b.get("/confirm/start?class=vote&return=/votes"), "eva")
	if b.cookie() == in {
		t.Error("a proof leaves the cookie as it was")
	}
	ok(t, h.db.Update(context.Background(), func(tx *db.Tx) error {
		var began, ends int64
		err := tx.QueryRow(`SELECT began_at, expires_at FROM web_sessions WHERE member <> ''`).Scan(&began, &ends)
		if age := time.Since(time.UnixMilli(began)); err == nil && (age < 0 || age > time.Minute || ends-began > int64(8*time.Hour/time.Millisecond)) {
			t.Errorf("a session of %d ms", ends-began)
		}
		if err != nil {
			return err
		}
		return tx.ExecOne(`UPDATE web_sessions SET expires_at = 1 WHERE member <> ''`)
	}))
	if page := b.get("/votes"); page.path == "/votes" {
		t.Error("a session whose time is over is good")
	}
}

func TestAnotherKeyIsRegisteredOnlyByWhoHasShownWhoTheyAre(t *testing.T) {
	h := openHouse(t)
	_, token := h.member("eva")
	b := h.browse("eva")
	cookie := strings.TrimSuffix(strings.TrimPrefix(b.cookie(), "Cookie: "), "\r\n")
	body := func() string {
		id, err := client.Keygen(false)
		ok(t, err)
		return `{"recipient":"` + id.Recipient() + `"}`
	}
	put := func(text string) answer {
		return h.call("PUT", "/v1/me/recipient", "", text, "Cookie", cookie, "Sec-Fetch-Site", "same-origin")
	}
	first := body()
	for range 2 { // the first one, and the same again
		if a := put(first); a.status != http.StatusNoContent {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if p := put(body()).problem(t); p.Type != "urn:datacoop:problem:step-up-needed" { // a sign-in is not enough
		t.Errorf("%+v", p)
	}
	if a := h.call("PUT", "/v1/me/recipient", token, body()); a.status != http.StatusNoContent {
		t.Errorf("a program that may act: %d %s", a.status, a.body)
	}
}
