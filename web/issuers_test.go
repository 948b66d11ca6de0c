package web_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/web"
)

// otherIssuer is one that says of everybody what it is told to say.
type otherIssuer struct {
	t       *testing.T
	base    string
	key     *ecdsa.PrivateKey
	subject string
	nonce   string
	iss     string               // in the address that leads back, if any
	change  func(map[string]any) // what the id token says
	asked   url.Values           // what it was last asked
	pause   func()               // what happens while somebody is there
}

func openOther(t *testing.T, subject string) *otherIssuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	e := &otherIssuer{t: t, key: key, subject: subject}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		e.answer(w, map[string]any{"issuer": e.base, "authorization_endpoint": e.base + "/authorize", "token_endpoint": e.base + "/token",
			"jwks_uri": e.base + "/keys", "id_token_signing_alg_values_supported": []string{"ES256"}})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		point, err := key.PublicKey.Bytes()
		ok(t, err)
		e.answer(w, map[string]any{"keys": []any{map[string]any{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1",
			"x": b64(point[1:33]), "y": b64(point[33:])}}})
	})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		e.asked, e.nonce = q, q.Get("nonce")
		if e.pause != nil {
			e.pause()
		}
		back := url.Values{"code": {"code"}, "state": {q.Get("state")}}
		if e.iss != "" {
			back.Set("iss", e.iss)
		}
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusSeeOther)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, _ *http.Request) {
		now := time.Now().Unix()
		claims := map[string]any{"iss": e.base, "sub": e.subject, "aud": "portal", "exp": now + 60, "iat": now, "nonce": e.nonce, "auth_time": now,
			"name": "Else " + e.subject, "email": "eva@coop.test", "email_verified": true}
		if e.change != nil {
			e.change(claims)
		}
		e.answer(w, map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": e.signed(claims)})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	e.base = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	return e
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (e *otherIssuer) answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (e *otherIssuer) signed(claims map[string]any) string {
	text, err := json.Marshal(claims)
	ok(e.t, err)
	body := b64([]byte(`{"alg":"ES256","kid":"1"}`)) + "." + b64(text)
	sum := sha256.Sum256([]byte(body))
	r, s, err := ecdsa.Sign(rand.Reader, e.key, sum[:])
	ok(e.t, err)
	return body + "." + b64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

func (e *otherIssuer) login() web.Login {
	return web.Login{Issuer: e.base, Label: "Example ID", ClientID: "portal", ClientSecret: "secret"}
}

// two is a house with a second issuer, which knows everybody as eva.
func two(t *testing.T) (*house, *otherIssuer) {
	e := openOther(t, "eva")
	return openHouse(t, func(h *house) { h.more = []web.Login{e.login()} }), e
}

// here signs in at the co-op's own issuer where there are two.
func (h *house) here(subject string) *browser {
	h.t.Helper()
	b := h.stranger()
	b.loginAs(b.get("/login?at=1"), subject).is(http.StatusOK).says("Hello")
	return b
}

func (b *browser) id() string {
	b.h.t.Helper()
	page := b.get("/v1/me", "Accept", "application/json").is(http.StatusOK)
	var me struct{ ID string }
	ok(b.h.t, json.Unmarshal([]byte(page.text), &me))
	return me.ID
}

// TestTheSameSubjectOrAddressElsewhereIsSomebodyElse: both issuers say eva, and
// the same e-mail address.
func TestTheSameSubjectOrAddressElsewhereIsSomebodyElse(t *testing.T) {
	h, _ := two(t)
	choice := h.stranger().get("/login?return=/votes").is(http.StatusOK).says("Where do you sign in?", "Example ID")
	wellFormed(t, choice)
	if !strings.Contains(choice.text, "at=2&amp;return=%2Fvotes") {
		t.Error("the way back is lost")
	}
	h.stranger().get("/login?at=3").is(http.StatusNotFound)
	eva, other := h.here("eva"), h.stranger()
	other.get("/login?at=2").is(http.StatusOK).says("Hello, Else eva")
	if eva.id() == other.id() {
		t.Error("they are one member")
	}
}

func TestASecondWayInIsLinkedFromInsideAndUnlinked(t *testing.T) {
	h, _ := two(t)
	h.stranger().get("/ways/link?at=2").is(http.StatusUnauthorized)
	b := h.here("eva")
	wellFormed(t, b.get("/ways").is(http.StatusOK).says("You joined with this one", "This is not linked"))
	proof := b.get("/ways/link?at=2") // a sign-in alone is no proof for this
	b.loginAs(proof, "finn").is(http.StatusForbidden).says("another account")
	b.loginAs(b.get("/ways/link?at=2"), "eva").is(http.StatusOK).says("You linked this on")
	again := h.stranger()
	again.get("/login?at=2").is(http.StatusOK)
	if again.id() != b.id() {
		t.Error("the second way leads to somebody else")
	}
	if files := h.takeaway(b.token()); !strings.Contains(files["sign-in.json"], `"linked"`) {
		t.Errorf("the export says %s", files["sign-in.json"])
	}
	finn := h.here("finn")
	finn.loginAs(finn.get("/ways/link?at=2"), "finn").is(http.StatusConflict).says("in use by a membership already")
	b.loginAs(b.get("/ways/link?at=1"), "eva").is(http.StatusOK)
	b.post("/ways/unlink", url.Values{"at": {"1"}})
	b.proveAndGoOn("eva").is(http.StatusConflict).says("there must be a way in")
	b.post("/ways/unlink", url.Values{"at": {"2"}})
	program, other := b.token(), h.here("eva")
	b.proveAndGoOn("eva").is(http.StatusOK).says("That way in is gone", "Every other browser is signed out")
	for what, open := range map[string]*browser{"the way that was unlinked": again, "the other way": other} {
		if page := open.get("/data"); page.path == "/data" {
			t.Errorf("a browser that came in by %s is still signed in", what)
		}
	}
	if a := h.call("GET", "/v1/me", program, ""); a.status != http.StatusUnauthorized {
		t.Errorf("a token outlives it: %d", a.status)
	}
	h.eventually("the messages", func() bool {
		said := b.get("/inbox").is(http.StatusOK).said()
		return strings.Contains(said, "A second way to sign in to your account was linked.") && strings.Contains(said, "A way to sign in to your account was unlinked.")
	})
	after := h.stranger()
	after.get("/login?at=2").is(http.StatusOK)
	if after.id() == b.id() {
		t.Error("an unlinked account still opens the membership")
	}
}

// TestWhatWasBegunAtAnIssuerIsNotFinishedLater: a linking within the life of its
// proof, anything else within a quarter of an hour.
func TestWhatWasBegunAtAnIssuerIsNotFinishedLater(t *testing.T) {
	h, e := two(t)
	b := h.here("eva")
	e.pause = func() { h.later(5 * time.Minute) }
	b.loginAs(b.get("/ways/link?at=2"), "eva").is(http.StatusUnprocessableEntity).says("took too long")
	h.later(0)
	h.stranger().get("/login?at=2").is(http.StatusOK).says("Hello, Else eva") // so nothing was linked
	h.later(0)
	e.pause = func() { h.later(15 * time.Minute) }
	h.stranger().get("/login?at=2").is(http.StatusUnprocessableEntity).says("took too long")
}

// proveAndGoOn confirms what was just posted at the co-op's own issuer.
func (b *browser) proveAndGoOn(subject string) visited {
	b.h.t.Helper()
	return b.goOn(b.loginAs(b.get("/confirm/start?class="+b.waitsFor()), subject).says("Finish what you began"))
}

func TestWhatAnIssuerSaysIsBelievedOnlyIfAllOfItFits(t *testing.T) {
	h, e := two(t)
	for name, change := range map[string]func(map[string]any){
		"several audiences and no party": func(c map[string]any) { c["aud"] = []string{"portal", "other"} },
		"another party":                  func(c map[string]any) { c["aud"], c["azp"] = []string{"portal", "other"}, "other" },
		"another party alone":            func(c map[string]any) { c["azp"] = "other" },
		"another audience":               func(c map[string]any) { c["aud"] = "other" },
		"the other issuer":               func(c map[string]any) { c["iss"] = h.base },
		"another nonce":                  func(c map[string]any) { c["nonce"] = "other" },
		"no nonce":                       func(c map[string]any) { delete(c, "nonce") },
		"yesterday":                      func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() },
	} {
		e.change = change
		if at := h.stranger().get("/login?at=2"); at.status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, at.status)
		}
	}
	e.change, e.iss = nil, h.base
	h.stranger().get("/login?at=2").is(http.StatusUnauthorized)
	e.change, e.iss = func(c map[string]any) { c["aud"], c["azp"] = []string{"portal", "other"}, "portal" }, e.base
	h.stranger().get("/login?at=2").is(http.StatusOK).says("Hello")
}

// TestAFreshSignInElsewhereIsAProofIfItIsFresh: the issuer is asked to ask, and
// says when it did.
func TestAFreshSignInElsewhereIsAProofIfItIsFresh(t *testing.T) {
	h, e := two(t)
	b := h.stranger()
	b.get("/login?at=2").is(http.StatusOK)
	b.post("/account/close", url.Values{"sure": {"yes"}}).is(http.StatusOK).says("Confirm that it is you") // no form leads to another server
	if e.asked.Get("prompt") != "" {
		t.Error("an ordinary sign-in asks for a fresh one")
	}
	for _, stale := range []func(map[string]any){
		func(c map[string]any) { c["auth_time"] = time.Now().Add(-10 * time.Minute).Unix() },
		func(c map[string]any) { delete(c, "auth_time") },
	} {
		e.change = stale
		b.get("/confirm/start?class=close").is(http.StatusForbidden).says("did not ask who you are")
	}
	e.change = func(c map[string]any) { c["sub"] = "somebody" }
	b.get("/confirm/start?class=close").is(http.StatusForbidden).says("another account")
	e.change = nil
	page := b.get("/confirm/start?class=close").is(http.StatusOK).says("Finish what you began")
	if e.asked.Get("prompt") != "login" || e.asked.Get("max_age") != "0" {
		t.Errorf("the issuer was asked %v", e.asked)
	}
	b.goOn(page).is(http.StatusOK).says("The account is closed")
}

func TestWhoJoinsIsAskedHowOldTheyAre(t *testing.T) {
	e := openOther(t, "young")
	h := openHouse(t, func(h *house) { h.more, h.people.AdultAge = []web.Login{e.login()}, 18 })
	b := h.stranger()
	wellFormed(t, b.get("/login?at=2&return=/votes").is(http.StatusOK).says("Are you 18 or older?", "We do not keep your answer"))
	if page := b.get("/votes"); page.path == "/votes" {
		t.Error("they are in before they answered")
	}
	b.get("/login?at=2")
	b.post("/join/age", url.Values{"adult": {"no"}}).is(http.StatusForbidden).says("You can join when you are 18", "Nothing was saved").keepsQuiet("guardian")
	b.post("/join/age", url.Values{"adult": {"yes"}}).is(http.StatusUnprocessableEntity) // it was answered
	if h.holds("governance_members", "young") {
		t.Error("something was saved")
	}
	b.get("/login?at=2&return=/votes")
	if page := b.post("/join/age", url.Values{"adult": {"yes"}}).is(http.StatusOK); page.path != "/votes" {
		t.Errorf("it ends at %s", page.path)
	}
	if page := h.stranger().get("/login?at=2"); page.path != "/" {
		t.Errorf("a member is asked again: %s", page.path)
	}
}

func TestAnAccountIsMadeByWhoIsOldEnough(t *testing.T) {
	h := openHouse(t, builtIn, func(h *house) { h.people = coop.People{AdultAge: 18, Guardians: true} })
	link := strings.TrimPrefix(h.browse("ada").invite(), h.base)
	b, device := h.stranger(), testkit.NewPasskey(t, h.base)
	for _, adult := range []string{"", "no"} {
		options, form := b.get(link).is(http.StatusOK).says("Are you 18 or older?").form("/oauth/join")
		form.Set("name", "Kim")
		form.Set("credential", device.Make(t, options))
		form.Set("adult", adult)
		b.post("/oauth/join", form).is(http.StatusForbidden).says("You can join when you are 18", "guardian")
	}
	options, form := b.get(link).is(http.StatusOK).form("/oauth/join")
	form.Set("name", "Kim")
	form.Set("credential", device.Make(t, options))
	form.Set("adult", "yes")
	b.post("/oauth/join", form).is(http.StatusOK).says("Welcome, Kim")
}

// token is one that the browser's member makes for a program.
func (b *browser) token() string {
	b.h.t.Helper()
	page := b.post("/tokens", url.Values{"label": {"export"}, "hours": {"1"}}).is(http.StatusOK)
	return regexp.MustCompile(`dcm_[A-Z2-7]+`).FindString(page.text)
}
