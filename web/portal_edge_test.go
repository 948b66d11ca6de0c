package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestFormsFromOtherSitesAreRefused(t *testing.T) {
	h := openHouse(t)
	b := h.browse("eva")
	b.post("/pause", nil, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example").is(http.StatusForbidden)
	b.post("/pause", nil, "Sec-Fetch-Site", "same-site").is(http.StatusForbidden)
	if strings.Contains(b.get("/data").text, "Sharing is paused.") {
		t.Error("another site has paused a member")
	}
}

func TestFormsTooLargeOrBrokenAreRefused(t *testing.T) {
	h := openHouse(t)
	b := h.browse("eva")
	b.post("/work", url.Values{"text": {strings.Repeat("x", 600<<10)}}).is(http.StatusRequestEntityTooLarge).says("larger than the form takes")
	b.post("/work", nil, "Content-Type", "multipart/form-data; boundary=x").is(http.StatusUnprocessableEntity).says("could not be read")
	b.get("/uses?before=nonsense").is(http.StatusUnprocessableEntity)
	b.get("/votes?before=nonsense").is(http.StatusNotFound)
}

func TestRefusalsComeInTheFormTheCallerReads(t *testing.T) {
	h := openHouse(t)
	wellFormed(t, h.stranger().get("/nowhere").is(http.StatusNotFound).says("This page is not here"))
	refused(t, h.call("GET", "/nowhere", "", "", "Accept", "application/json"), http.StatusNotFound, "not-found")
	refused(t, h.call("GET", "/v1/nowhere", "", "", "Accept", "text/html"), http.StatusNotFound, "not-found")
	wellFormed(t, h.stranger().get("/auth/callback?state=x&code=y").is(http.StatusUnprocessableEntity).says("Start again"))
}

func TestSigningOutEndsTheSession(t *testing.T) {
	h := openHouse(t)
	b := h.browse("eva")
	b.post("/logout", nil).is(http.StatusOK).says("Your data, your vote, your share")
	if at := b.get("/data"); !strings.HasPrefix(at.path, "/oauth/authorize") {
		t.Errorf("a member's page after signing out: %s", at.path)
	}
}

func TestSigningInLeadsBackToThePage(t *testing.T) {
	h := openHouse(t)
	b := h.stranger()
	login := b.get("/money/account").is(http.StatusOK)
	form := url.Values{"account": {"eva"}, "password": {password}, "form": {login.hidden("form")}}
	if at := b.post("/oauth/login", form).is(http.StatusOK); at.path != "/money/account" {
		t.Errorf("came out at %s", at.path)
	}
}

func TestFilesOfThePortalMayBeKept(t *testing.T) {
	h := openHouse(t)
	b := h.stranger()
	page := b.get("/").text
	for _, name := range []string{"pico-2.1.1.min.css", "portal.css", "mark.svg"} {
		path := regexp.MustCompile(`/static/[0-9a-f]{16}/` + regexp.QuoteMeta(name)).FindString(page)
		if path == "" {
			t.Fatalf("the page does not name %s", name)
		}
		file := b.get(path).is(http.StatusOK)
		if got := file.header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %q", name, got)
		}
		old := b.get("/static/0000000000000000/" + name).is(http.StatusOK)
		if got := old.header.Get("Cache-Control"); got != "no-cache" || old.text != file.text {
			t.Errorf("%s under an old digest: %q", name, got)
		}
	}
	b.get("/static/0000000000000000/nothing.css").is(http.StatusNotFound)
	b.get("/static/0000000000000000/pico-LICENSE.md").is(http.StatusNotFound)
}

func TestTheIssuersPagesKeepTheirOwnPolicy(t *testing.T) {
	h := openHouse(t)
	login := h.stranger().get("/login").is(http.StatusOK)
	if csp := login.header.Get("Content-Security-Policy"); !strings.Contains(csp, "style-src 'sha256-") || strings.Contains(csp, "script-src") {
		t.Errorf("content policy %q", csp)
	}
	if got := login.header.Get("Referrer-Policy"); got != "same-origin" {
		t.Errorf("referrer policy %q", got)
	}
}

func TestSecurityTextIsInDate(t *testing.T) {
	h := openHouse(t)
	text := h.call("GET", "/.well-known/security.txt", "", "")
	m := regexp.MustCompile(`(?m)^Contact: mailto:(\S+)\nExpires: (\S+)\nPreferred-Languages: en\nCanonical: (\S+)\n$`).FindStringSubmatch(string(text.body))
	if text.status != http.StatusOK || m == nil || m[3] != h.base+"/.well-known/security.txt" {
		t.Fatalf("%d %s", text.status, text.body)
	}
	expires, err := time.Parse(time.RFC3339, m[2])
	ok(t, err)
	if in := time.Until(expires); in < 30*24*time.Hour || in > 365*24*time.Hour {
		t.Errorf("expires in %s", in)
	}
	if robots := h.call("GET", "/robots.txt", "", ""); !strings.Contains(string(robots.body), "Disallow: /\n") {
		t.Errorf("robots.txt: %s", robots.body)
	}
}
