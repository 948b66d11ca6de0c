package web_test

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/web"
	"distributed.ai/datacoop/web/client"
)

// form reads a page's form that is sent to an address: the options for the
// passkey, and what is hidden in it.
func (v visited) form(action string) (options string, form url.Values) {
	v.t.Helper()
	_, part, found := strings.Cut(v.text, `<form method="post" action="`+action+`"`)
	part, _, _ = strings.Cut(part, "</form>")
	if !found {
		v.t.Fatalf("%s has no form for %s:\n%s", v.path, action, v.said())
	}
	if m := regexp.MustCompile(`data-options="([^"]*)"`).FindStringSubmatch(part); m != nil {
		options = html.UnescapeString(m[1])
	}
	return options, url.Values{"form": {visited{t: v.t, path: v.path, text: part}.hidden("form")}}
}

// join accepts an invitation in a new browser, with a device of its own.
func (h *house) join(link, name string) (*browser, *testkit.Passkey, visited) {
	h.t.Helper()
	b, device := h.stranger(), testkit.NewPasskey(h.t, h.base)
	options, form := b.get(strings.TrimPrefix(link, h.base)).is(http.StatusOK).form("/oauth/join")
	form.Set("name", name)
	form.Set("credential", device.Make(h.t, options))
	return b, device, b.post("/oauth/join", form)
}

var linkPattern = regexp.MustCompile(`<code class="long" id="invitation">([^<]*)</code>`)

// invite makes an invitation on the portal's page.
func (b *browser) invite() string {
	b.h.t.Helper()
	form := url.Values{"key": {b.get("/invite").is(http.StatusOK).hidden("key")}}
	first := b.post("/invite", form).is(http.StatusOK).says("shown once")
	again := b.post("/invite", form)
	m, n := linkPattern.FindStringSubmatch(first.text), linkPattern.FindStringSubmatch(again.text)
	if m == nil || n == nil || m[1] != n[1] {
		b.h.t.Fatalf("links %q and %q", m, n)
	}
	b.get("/invite").keepsQuiet(m[1])
	return html.UnescapeString(m[1])
}

func TestInvitationToMembership(t *testing.T) {
	h := openHouse(t, builtIn)
	link := h.browse("ada").invite()
	if !strings.HasPrefix(link, h.base+"/oauth/join?invitation=") {
		t.Fatalf("link %s", link)
	}
	b, device, welcome := h.join(link, "Gül Member")
	recovery := regexp.MustCompile(`[A-Z2-7]{4}(-[A-Z2-7]{4}){5}`).FindString(welcome.says("Welcome, Gül Member", "Keep your recovery code").text)
	if recovery == "" {
		t.Fatal("no recovery code")
	}
	if at := b.get("/login"); at.path != "/" || !strings.Contains(at.text, "<span>Gül Member</span>") {
		t.Fatalf("the sign-in ended at %s: %s", at.path, at.said())
	}
	b.get("/invite").says("stewards invite new members")
	b.post("/invite", nil).is(http.StatusForbidden).says("does not let you invite")

	// Another day, another browser.
	b = h.stranger()
	options, form := b.get("/login?return=/data").is(http.StatusOK).form("/oauth/login")
	form.Set("credential", device.Use(t, options))
	if at := b.post("/oauth/login", form); at.path != "/data" {
		t.Fatalf("the sign-in ended at %s: %s", at.path, at.said())
	}
	if strings.Contains(h.logs.String(), "Gül") || strings.Contains(h.logs.String(), recovery) {
		t.Error("the log knows too much")
	}
}

func TestInvitationIsNotUsedTwice(t *testing.T) {
	h := openHouse(t, builtIn)
	link := h.browse("ada").invite()
	late := h.stranger()
	options, form := late.get(strings.TrimPrefix(link, h.base)).form("/oauth/join")
	h.join(link, "Gül")
	h.stranger().get(strings.TrimPrefix(link, h.base)).is(http.StatusForbidden).says("used already", "Ask for a new one")
	h.stranger().get(strings.TrimPrefix(link, h.base) + "x").is(http.StatusForbidden).says("by invitation")
	form.Set("name", "Mallory")
	form.Set("credential", testkit.NewPasskey(t, h.base).Make(t, options))
	late.post("/oauth/join", form).is(http.StatusForbidden).says("used already")
	old := h.browse("ada").invite()
	h.clock.Advance(15 * 24 * time.Hour)
	h.stranger().get(strings.TrimPrefix(old, h.base)).is(http.StatusForbidden).says("has expired")
}

// TestRecoveredAccountIsTheSameMember: the passkey is new, the data are theirs,
// and whoever held the lost one is signed out everywhere.
func TestRecoveredAccountIsTheSameMember(t *testing.T) {
	h := openHouse(t, builtIn)
	b, _, welcome := h.join(h.browse("ada").invite(), "Gül")
	b.get("/login")
	b.post("/tokens", url.Values{"label": {"Old laptop"}, "hours": {"24"}}).is(http.StatusOK)
	b.post("/work", url.Values{"kind": {"document"}, "title": {"Minutes of May"}, "evidence": {"sha256"}}).is(http.StatusOK)
	lost := b
	recovery := regexp.MustCompile(`[A-Z2-7]{4}(-[A-Z2-7]{4}){5}`).FindString(welcome.text)

	b, device := h.stranger(), testkit.NewPasskey(t, h.base)
	_, form := b.get("/oauth/recover").is(http.StatusOK).form("/oauth/recover")
	form.Set("code", recovery)
	options, form := b.post("/oauth/recover", form).is(http.StatusOK).says("account of Gül").form("/oauth/renew")
	form.Set("credential", device.Make(t, options))
	b.post("/oauth/renew", form).is(http.StatusOK).says("Your new recovery code").keepsQuiet(recovery)
	b.get("/login")
	b.get("/work").is(http.StatusOK).says("Minutes of May")
	b.get("/tokens").is(http.StatusOK).keepsQuiet("Old laptop")
	if page := lost.get("/data"); page.path == "/data" {
		t.Error("whoever held the lost passkey is still signed in")
	}
}

// TestRecoveryForgetsTheOtherWaysIn: whoever had the account may have linked an
// account of their own, which must not lead in again.
func TestRecoveryForgetsTheOtherWaysIn(t *testing.T) {
	other := openOther(t, "mallory")
	h := openHouse(t, builtIn, func(h *house) { h.more = []web.Login{other.login()} })
	gül, device, welcome := h.join(h.here("ada").invite(), "Gül")
	recovery := regexp.MustCompile(`[A-Z2-7]{4}(-[A-Z2-7]{4}){5}`).FindString(welcome.text)
	gül.get("/login?at=1").is(http.StatusOK)
	options, form := gül.get("/ways/link?at=2").is(http.StatusOK).form("/oauth/login")
	form.Set("credential", device.Use(t, options))
	gül.post("/oauth/login", form).is(http.StatusOK).says("You linked this on")
	stranger := h.stranger()
	stranger.get("/login?at=2").is(http.StatusOK)
	if stranger.id() != gül.id() {
		t.Fatal("the linked account leads nowhere, so that nothing is shown here")
	}

	b, fresh := h.stranger(), testkit.NewPasskey(t, h.base)
	_, form = b.get("/oauth/recover").is(http.StatusOK).form("/oauth/recover")
	form.Set("code", recovery)
	options, form = b.post("/oauth/recover", form).is(http.StatusOK).form("/oauth/renew")
	form.Set("credential", fresh.Make(t, options))
	b.post("/oauth/renew", form).is(http.StatusOK).says("Your new recovery code")
	b.get("/login?at=1").is(http.StatusOK)
	b.get("/ways").is(http.StatusOK).says("This is not linked")
	if page := stranger.get("/data"); page.path == "/data" {
		t.Error("a session that the linked account opened goes on")
	}
	h.stranger().get("/login?at=2").is(http.StatusForbidden).says("by invitation")
	h.eventually("the message", func() bool { return strings.Contains(b.get("/inbox").said(), "recovery code") })
}

func TestInvitationOverTheAPI(t *testing.T) {
	h := openHouse(t, builtIn)
	ctx := context.Background()
	ada, _ := h.member("ada")
	i, err := ada.Invite(ctx)
	ok(t, err)
	if i.Link != h.base+"/oauth/join?invitation="+i.Code || i.ExpiresAt.Sub(h.clock.Now()) != 14*24*time.Hour {
		t.Fatalf("%+v", i)
	}
	b, _, _ := h.join(i.Link, "Gül")
	b.get("/login")
	b.post("/v1/invitations", nil, "Accept", "application/json").is(http.StatusForbidden)
	if a := h.call(http.MethodPost, "/v1/invitations", "", ""); a.status != http.StatusUnauthorized {
		t.Fatalf("a stranger got %d", a.status)
	}
	r, _, _ := h.researcher()
	if _, err := r.Invite(ctx); !client.IsStatus(err, http.StatusForbidden) {
		t.Fatalf("a researcher got %v", err)
	}
}

// TestInvitationToAnIssuerElsewhere: members have accounts there, and the code
// comes along through the sign-in.
func TestInvitationToAnIssuerElsewhere(t *testing.T) {
	h := openHouse(t, func(h *house) { h.admission = "invited" })
	link := strings.TrimPrefix(h.browse("ada").invite(), h.base)
	b := h.stranger()
	form := url.Values{"account": {"eva"}, "password": {password}, "form": {b.get("/login").hidden("form")}}
	b.post("/oauth/login", form).is(http.StatusForbidden).says("by invitation")
	form.Set("form", b.get(link).is(http.StatusOK).hidden("form"))
	if at := b.post("/oauth/login", form); at.path != "/" {
		t.Fatalf("the sign-in ended at %s: %s", at.path, at.said())
	}
	b = h.stranger()
	form.Set("account", "finn")
	form.Set("form", b.get(link).hidden("form"))
	b.post("/oauth/login", form).says("used already")
}

func TestPasskeyPagesKeepTheirPolicyBehindTheHall(t *testing.T) {
	h := openHouse(t, builtIn)
	for _, path := range []string{"/login", "/oauth/recover"} {
		policy := h.stranger().get(path).header.Values("Content-Security-Policy")
		if len(policy) != 1 || !strings.Contains(policy[0], "script-src 'self';") || strings.Contains(policy[0], "unsafe") {
			t.Errorf("%s: %q", path, policy)
		}
	}
	script := h.stranger().get("/oauth/passkey.js").is(http.StatusOK)
	if !strings.HasPrefix(script.header.Get("Content-Type"), "text/javascript") {
		t.Error(script.header)
	}
}
