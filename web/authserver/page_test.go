package authserver

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/testkit"
)

func TestLoginPageIsSafeAndUsable(t *testing.T) {
	l := newRig(t).startLogin()
	page := l.authorize()
	if page.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", page.StatusCode, page.text)
	}
	for _, want := range []string{
		`<html lang="en">`, `<label for="account">`, `<label for="password">`, `autocomplete="current-password"`,
		"Ada Member", "Bo &lt;Member&gt;", "<main>", "<h1>",
	} {
		if !strings.Contains(page.text, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	for _, bad := range []string{"<script", "correct horse", "battery staple", "style=\"", "http://", "https://"} {
		if strings.Contains(page.text, bad) {
			t.Errorf("the page holds %s", bad)
		}
	}
	_, rest, _ := strings.Cut(page.text, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	policy := page.Header.Get("Content-Security-Policy")
	for _, want := range []string{
		"default-src 'none'", "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
		"form-action 'self' http://127.0.0.1:9", "frame-ancestors 'none'", "base-uri 'none'",
	} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q has no %s", policy, want)
		}
	}
	if page.Header.Get("Cache-Control") != "no-store" {
		t.Error("the page may be cached")
	}
}

func TestListedAccountFillsInItsName(t *testing.T) {
	l := newRig(t).startLogin()
	link := regexp.MustCompile(`<a href="([^"]*)">Bo`).FindStringSubmatch(l.authorize().text)
	if link == nil {
		t.Fatal("no link")
	}
	page := l.browse(http.MethodGet, html.UnescapeString(link[1]), nil, nil)
	if !strings.Contains(page.text, `name="account" value="bo"`) {
		t.Fatal(page.text)
	}
	action, form := l.fields(page, "bo", "battery staple")
	if l.browse(http.MethodPost, action, form, nil).returned(t).Get("code") == "" {
		t.Fatal("no code")
	}
}

func TestWrongPasswordIsToldWithoutSayingWhich(t *testing.T) {
	l := newRig(t).startLogin()
	known, unknown := l.submit("ada", "wrong"), l.submit("nobody", "wrong")
	for _, a := range []answer{known, unknown} {
		if a.StatusCode != http.StatusForbidden || !strings.Contains(a.text, messageWrong) || a.Header.Get("Location") != "" {
			t.Fatalf("%d %s", a.StatusCode, a.text)
		}
	}
	action, form := l.fields(known, "ada", "correct horse")
	if l.browse(http.MethodPost, action, form, nil).returned(t).Get("code") == "" {
		t.Fatal("the form shown again does not work")
	}
}

func TestNameTypedIsEscaped(t *testing.T) {
	a := newRig(t).startLogin().submit(`"><script>alert(1)</script>`, "wrong")
	if strings.Contains(a.text, "<script>") {
		t.Fatal(a.text)
	}
}

func TestGuessingIsLimitedPerAccount(t *testing.T) {
	g := newRig(t)
	l := g.startLogin()
	for range failuresAccount {
		if a := l.submit("ada", "wrong"); a.StatusCode != http.StatusForbidden {
			t.Fatalf("%d", a.StatusCode)
		}
	}
	a := g.startLogin().submit("ada", "correct horse")
	if a.StatusCode != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" || !strings.Contains(a.text, messageWait) {
		t.Fatalf("%d %s", a.StatusCode, a.text)
	}
	if a := l.submit("bo", "battery staple"); a.returned(t).Get("code") == "" {
		t.Fatal("another member is locked out")
	}
	g.attempts.now = func() time.Time { return time.Now().Add(attemptWindow) }
	if a := l.submit("ada", "correct horse"); a.returned(t).Get("code") == "" {
		t.Fatal("still locked out after the window")
	}
}

func TestUnknownNamesShareOneLimit(t *testing.T) {
	l := newRig(t).startLogin()
	for i := range failuresAccount {
		if a := l.submit(fmt.Sprint("nobody", i), "wrong"); a.StatusCode != http.StatusForbidden {
			t.Fatalf("%d", a.StatusCode)
		}
	}
	if a := l.submit("nobody else", "wrong"); a.StatusCode != http.StatusTooManyRequests {
		t.Fatalf("%d", a.StatusCode)
	}
	if a := l.submit("ada", "correct horse"); a.returned(t).Get("code") == "" {
		t.Fatal("a member is locked out")
	}
}

func TestCookieIsAsStrictAsTheSchemeAllows(t *testing.T) {
	for issuer, want := range map[string]string{
		"http://localhost:8080": "datacoop-login=", "https://localhost:8443": "__Host-datacoop-login=",
	} {
		s, err := New(t.Context(), Config{
			DB: testkit.DB(t), Issuer: issuer, Secret: make([]byte, 32), SigningKey: ecdsaKey(t), Demo: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		s.browser(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, issuer+pathAuthorize, http.NoBody))
		cookie := w.Header().Get("Set-Cookie")
		if !strings.HasPrefix(cookie, want) || !strings.Contains(cookie, "; Path=/; HttpOnly") ||
			!strings.Contains(cookie, "SameSite=Lax") || strings.Contains(cookie, "Secure") != strings.HasPrefix(issuer, "https") {
			t.Errorf("%s: %s", issuer, cookie)
		}
	}
}

func TestFormsThatAreNotTaken(t *testing.T) {
	for name, c := range map[string]struct {
		change func(l *login, form url.Values, header http.Header)
		status int
	}{
		"altered form": {func(_ *login, f url.Values, _ http.Header) { f.Set("form", "A"+f.Get("form")) }, 400},
		"no form":      {func(_ *login, f url.Values, _ http.Header) { f.Del("form") }, 400},
		"form of another server": {func(l *login, f url.Values, _ http.Header) {
			k, err := deriveKeys(make([]byte, 32))
			if err != nil {
				l.g.t.Fatal(err)
			}
			sealed, err := k.sealForm(form{Path: pathLogin, Query: l.values.Encode(), Browser: b64(hashSecret("x")), Expires: 1 << 40})
			if err != nil {
				l.g.t.Fatal(err)
			}
			f.Set("form", sealed)
		}, 400},
		"given to another browser": {func(l *login, _ url.Values, _ http.Header) {
			other := l.g.startLogin()
			other.authorize()
			l.browser = other.browser
		}, 400},
		"browser without cookies": {func(l *login, _ url.Values, _ http.Header) { l.browser = http.DefaultClient }, 400},
		"two accounts":            {func(_ *login, f url.Values, _ http.Header) { f.Add("account", "bo") }, 400},
		"other content type":      {func(_ *login, _ url.Values, h http.Header) { h.Set("Content-Type", "text/plain") }, 400},
		"overlong":                {func(_ *login, f url.Values, _ http.Header) { f.Set("password", strings.Repeat("x", maxBody)) }, 400},
		"posted by another site":  {func(_ *login, _ url.Values, h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") }, 403},
		"posted by another port":  {func(_ *login, _ url.Values, h http.Header) { h.Set("Sec-Fetch-Site", "same-site") }, 403},
		"posted by an old browser from another site": {func(_ *login, _ url.Values, h http.Header) {
			h.Set("Origin", "https://evil.example")
		}, 403},
		"rebound name": {func(_ *login, _ url.Values, h http.Header) { h.Set("Host", "evil.example") }, 421},
	} {
		t.Run(name, func(t *testing.T) {
			l := newRig(t).startLogin()
			action, form := l.fields(l.authorize(), "ada", "correct horse")
			header := http.Header{}
			c.change(l, form, header)
			a := l.browse(http.MethodPost, action, form, header)
			if a.StatusCode != c.status || a.Header.Get("Location") != "" {
				t.Fatalf("%d %q", a.StatusCode, a.Header.Get("Location"))
			}
			if n := l.g.count("SELECT COUNT(*) FROM authserver_sessions"); n != 0 {
				t.Errorf("%d sessions were stored", n)
			}
		})
	}
}

func TestLoginPageIsServedUnderTheIssuersNameOnly(t *testing.T) {
	l := newRig(t).startLogin()
	a := l.browse(http.MethodGet, pathAuthorize+"?"+l.values.Encode(), nil, http.Header{"Host": {"evil.example"}})
	if a.StatusCode != http.StatusMisdirectedRequest {
		t.Fatalf("%d", a.StatusCode)
	}
}

// TestRedirectWithdrawnMeanwhileIsNotUsed has the portal change its address
// between the page and the form.
func TestRedirectWithdrawnMeanwhileIsNotUsed(t *testing.T) {
	l := newRig(t).startLogin()
	action, form := l.fields(l.authorize(), "ada", "correct horse")
	if _, err := l.g.EnsureClient(t.Context(), "portal", []string{"http://127.0.0.1:9/moved"}); err != nil {
		t.Fatal(err)
	}
	a := l.browse(http.MethodPost, action, form, nil)
	if a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" {
		t.Fatalf("%d %q", a.StatusCode, a.Header.Get("Location"))
	}
}
