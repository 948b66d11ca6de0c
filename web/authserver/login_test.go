package authserver

import (
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// login is one browser with one authorization request of the portal's.
type login struct {
	g        *rig
	browser  *http.Client
	oauth    oauth2.Config
	verifier string
	values   url.Values // the authorization request
}

func (g *rig) startLogin() *login {
	g.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		g.t.Fatal(err)
	}
	l := &login{
		g: g, verifier: oauth2.GenerateVerifier(),
		browser: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
		oauth: oauth2.Config{
			ClientID: "portal", ClientSecret: g.portal, RedirectURL: callback, Scopes: []string{"openid", "profile"},
			Endpoint: oauth2.Endpoint{
				AuthURL: g.base + pathAuthorize, TokenURL: g.base + pathToken, AuthStyle: oauth2.AuthStyleInHeader,
			},
		},
	}
	u, err := url.Parse(l.oauth.AuthCodeURL("state-of-the-portal", oauth2.S256ChallengeOption(l.verifier), oidc.Nonce("nonce-of-the-portal")))
	if err != nil {
		g.t.Fatal(err)
	}
	l.values = u.Query()
	return l
}

func (l *login) authorize() answer {
	l.g.t.Helper()
	return l.browse(http.MethodGet, pathAuthorize+"?"+l.values.Encode(), nil, nil)
}

func (l *login) browse(method, path string, form url.Values, header http.Header) answer {
	l.g.t.Helper()
	r, err := http.NewRequestWithContext(l.g.t.Context(), method, l.g.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		l.g.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if host := header.Get("Host"); host != "" {
		r.Host = host
	}
	return l.g.send(l.browser, r)
}

var (
	formField  = regexp.MustCompile(`name="form" value="([^"]*)"`)
	formAction = regexp.MustCompile(`<form method="post" action="([^"]*)"`)
)

// fields reads the login page as a browser would.
func (l *login) fields(page answer, account, password string) (action string, form url.Values) {
	l.g.t.Helper()
	hidden, target := formField.FindStringSubmatch(page.text), formAction.FindStringSubmatch(page.text)
	if hidden == nil || target == nil {
		l.g.t.Fatalf("no login form in %d %s", page.StatusCode, page.text)
	}
	return html.UnescapeString(target[1]), url.Values{
		"form": {html.UnescapeString(hidden[1])}, "account": {account}, "password": {password},
	}
}

func (l *login) submit(account, password string) answer {
	l.g.t.Helper()
	action, form := l.fields(l.authorize(), account, password)
	return l.browse(http.MethodPost, action, form, http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {l.g.base}})
}

// code logs in and returns the code the browser is sent back with.
func (l *login) code(account, password string) string {
	l.g.t.Helper()
	a := l.submit(account, password)
	back := a.returned(l.g.t)
	if back.Get("code") == "" || back.Get("state") != l.values.Get("state") || back.Get("iss") != l.g.base {
		l.g.t.Fatalf("sent back with %v", back)
	}
	return back.Get("code")
}

// returned reads a redirect to the portal's callback.
func (a answer) returned(t *testing.T) url.Values {
	t.Helper()
	to, err := url.Parse(a.Header.Get("Location"))
	if err != nil || a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to.String(), callback+"?") {
		t.Fatalf("no redirect to the portal: %d %q %s", a.StatusCode, a.Header.Get("Location"), a.text)
	}
	return to.Query()
}

func (l *login) exchange(code string) (*oauth2.Token, error) {
	return l.oauth.Exchange(l.g.t.Context(), code, oauth2.VerifierOption(l.verifier))
}

func TestMemberLogsInWithCodeAndChallenge(t *testing.T) {
	for algorithm, key := range map[string]crypto.Signer{"ES256": ecdsaKey(t), "RS256": rsaKey(t, 2048)} {
		t.Run(algorithm, func(t *testing.T) {
			g := newRig(t, func(c *Config) { c.SigningKey = key })
			provider, err := oidc.NewProvider(t.Context(), g.base)
			if err != nil {
				t.Fatal(err)
			}
			l := g.startLogin()
			l.oauth.Endpoint = provider.Endpoint()
			token, err := l.exchange(l.code("ada", "correct horse"))
			if err != nil {
				t.Fatal(err)
			}
			raw, _ := token.Extra("id_token").(string)
			id, err := provider.Verifier(&oidc.Config{ClientID: "portal"}).Verify(t.Context(), raw)
			if err != nil {
				t.Fatal(err)
			}
			var claims struct{ Name string }
			if err := id.Claims(&claims); err != nil {
				t.Fatal(err)
			}
			if id.Subject != "ada" || id.Nonce != "nonce-of-the-portal" || claims.Name != "Ada Member" {
				t.Errorf("subject %q, nonce %q, name %q", id.Subject, id.Nonce, claims.Name)
			}
			if err := id.VerifyAccessToken(token.AccessToken); err != nil {
				t.Error(err)
			}
			header, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[0])
			if err != nil || !strings.Contains(string(header), `"alg":"`+algorithm+`"`) {
				t.Errorf("header %s", header)
			}
			if token.RefreshToken != "" {
				t.Error("a refresh token was given")
			}
		})
	}
}

func TestMembersTokenIsNoResearchersToken(t *testing.T) {
	g := newRig(t)
	l := g.startLogin()
	token, err := l.exchange(l.code("ada", "correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Introspect(t.Context(), token.AccessToken); !errors.Is(err, ErrToken) {
		t.Fatalf("introspection says %v", err)
	}
}

func TestRequestsThatAreSentBackRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(url.Values)
		code   string
	}{
		"no challenge":       {func(v url.Values) { v.Del("code_challenge"); v.Del("code_challenge_method") }, "invalid_request"},
		"plain challenge":    {func(v url.Values) { v.Set("code_challenge_method", "plain") }, "invalid_request"},
		"unnamed method":     {func(v url.Values) { v.Del("code_challenge_method") }, "invalid_request"},
		"no hash":            {func(v url.Values) { v.Set("code_challenge", "x") }, "invalid_request"},
		"implicit token":     {func(v url.Values) { v.Set("response_type", "token") }, "unsupported_response_type"},
		"implicit id_token":  {func(v url.Values) { v.Set("response_type", "id_token") }, "unsupported_response_type"},
		"hybrid":             {func(v url.Values) { v.Set("response_type", "code id_token") }, "unsupported_response_type"},
		"no response type":   {func(v url.Values) { v.Del("response_type") }, "unsupported_response_type"},
		"unknown scope":      {func(v url.Values) { v.Set("scope", "openid requests:write") }, "invalid_scope"},
		"refresh scope":      {func(v url.Values) { v.Set("scope", "openid offline_access") }, "invalid_scope"},
		"not OpenID":         {func(v url.Values) { v.Set("scope", "profile") }, "invalid_scope"},
		"guessable state":    {func(v url.Values) { v.Set("state", "x") }, "invalid_request"},
		"silent login":       {func(v url.Values) { v.Set("prompt", "none") }, "login_required"},
		"foreign audience":   {func(v url.Values) { v.Set("audience", "https://elsewhere.example") }, "invalid_request"},
		"other mode":         {func(v url.Values) { v.Set("response_mode", "fragment") }, "invalid_request"},
		"page with a script": {func(v url.Values) { v.Set("response_mode", "form_post") }, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newRig(t).startLogin()
			c.change(l.values)
			back := l.authorize().returned(t)
			if back.Get("error") != c.code || back.Get("code") != "" || back.Get("iss") != l.g.base {
				t.Fatalf("sent back with %v", back)
			}
			if n := l.g.count("SELECT COUNT(*) FROM authserver_sessions"); n != 0 {
				t.Errorf("%d sessions were stored", n)
			}
		})
	}
}

func TestRequestsThatAreRedirectedNowhere(t *testing.T) {
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." +
		base64.RawURLEncoding.EncodeToString([]byte(`{"redirect_uri":"https://evil.example/","state":"chosen by evil"}`)) + "."
	for name, change := range map[string]func(url.Values){
		"unknown client":          func(v url.Values) { v.Set("client_id", "nobody") },
		"no client":               func(v url.Values) { v.Del("client_id") },
		"no redirect":             func(v url.Values) { v.Del("redirect_uri") },
		"unknown redirect":        func(v url.Values) { v.Set("redirect_uri", "https://evil.example/auth/callback") },
		"other port on loopback":  func(v url.Values) { v.Set("redirect_uri", "http://127.0.0.1:6666/auth/callback") },
		"credentials in redirect": func(v url.Values) { v.Set("redirect_uri", "http://evil@127.0.0.1:9/auth/callback") },
		"longer path":             func(v url.Values) { v.Set("redirect_uri", callback+"/../evil") },
		"added query":             func(v url.Values) { v.Set("redirect_uri", callback+"?next=evil") },
		"added fragment":          func(v url.Values) { v.Set("redirect_uri", callback+"#evil") },
		"script":                  func(v url.Values) { v.Set("redirect_uri", "javascript:alert(1)") },
		"two redirects":           func(v url.Values) { v.Add("redirect_uri", "https://evil.example/") },
		"two states":              func(v url.Values) { v.Add("state", "another one") },
		"unsigned request object": func(v url.Values) { v.Set("request", unsigned) },
		"request object by URL":   func(v url.Values) { v.Set("request_uri", "https://evil.example/request") },
		"pushed request":          func(v url.Values) { v.Set("request_uri", "urn:ietf:params:oauth:request_uri:x") },
		"overlong":                func(v url.Values) { v.Set("padding", strings.Repeat("x", maxQuery)) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newRig(t).startLogin()
			change(l.values)
			a := l.authorize()
			if a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" || strings.Contains(a.text, "evil") {
				t.Fatalf("%d %q %s", a.StatusCode, a.Header.Get("Location"), a.text)
			}
		})
	}
}

func TestResearchersClientCannotLogIn(t *testing.T) {
	g := newRig(t)
	_, clientID, _, _ := g.researcher()
	l := g.startLogin()
	l.values.Set("client_id", clientID)
	if a := l.authorize(); a.StatusCode != http.StatusBadRequest {
		t.Fatalf("%d %s", a.StatusCode, a.text)
	}
}

func TestUnsignedHintIsRefused(t *testing.T) {
	l := newRig(t).startLogin()
	l.values.Set("id_token_hint", base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))+"."+
		base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"ada"}`))+".")
	if back := l.submit("ada", "correct horse").returned(t); back.Get("error") != "invalid_request" {
		t.Fatalf("sent back with %v", back)
	}
}

func TestWrongVerifierGivesNothingAndBurnsTheCode(t *testing.T) {
	l := newRig(t).startLogin()
	code, right := l.code("ada", "correct horse"), l.verifier
	for _, wrong := range []string{oauth2.GenerateVerifier(), "short", right + "x", right} {
		l.verifier = wrong
		if _, err := l.exchange(code); !refusedAs(err, "invalid_grant") {
			t.Fatalf("verifier %q: %v", wrong, err)
		}
	}
	if _, err := l.oauth.Exchange(t.Context(), code); err == nil {
		t.Fatal("a token without a verifier")
	}
}

func refusedAs(err error, code string) bool {
	var refused *oauth2.RetrieveError
	return errors.As(err, &refused) && refused.ErrorCode == code
}

func TestReplayedCodeEndsTheTokenItBrought(t *testing.T) {
	g := newRig(t)
	l := g.startLogin()
	code := l.code("ada", "correct horse")
	token, err := l.exchange(code)
	if err != nil {
		t.Fatal(err)
	}
	if !g.introspects("portal", g.portal, token.AccessToken) {
		t.Fatal("the token is not good")
	}
	g.restart()
	if _, err := l.exchange(code); !refusedAs(err, "invalid_grant") {
		t.Fatalf("the second exchange: %v", err)
	}
	if g.introspects("portal", g.portal, token.AccessToken) {
		t.Fatal("the token outlived the replay of its code")
	}
}

func TestCodeRacedForIsExchangedOnce(t *testing.T) {
	g := newRig(t)
	l := g.startLogin()
	code := l.code("ada", "correct horse")
	var won, lost int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, err := l.oauth.Exchange(context.Background(), code, oauth2.VerifierOption(l.verifier))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case refusedAs(err, "invalid_grant"):
				lost++
			default:
				t.Errorf("exchange: %v", err)
			}
		})
	}
	all.Wait()
	if won != 1 || lost != 7 {
		t.Fatalf("%d exchanges succeeded, %d were refused", won, lost)
	}
	if n := g.count("SELECT COUNT(*) FROM authserver_sessions WHERE kind = 'token'"); n != 0 {
		t.Fatal("the token outlived the race for its code")
	}
}

func TestCodeIsBoundToClientAndAddress(t *testing.T) {
	g := newRig(t)
	other, err := g.EnsureClient(t.Context(), "other", []string{"http://127.0.0.1:9/other"})
	if err != nil {
		t.Fatal(err)
	}
	l := g.startLogin()
	code := l.code("ada", "correct horse")
	l.oauth.ClientID, l.oauth.ClientSecret = "other", other
	if _, err := l.exchange(code); !refusedAs(err, "invalid_grant") {
		t.Fatalf("another client: %v", err)
	}
	l = g.startLogin()
	code = l.code("ada", "correct horse")
	l.oauth.RedirectURL = "http://127.0.0.1:9/elsewhere"
	if _, err := l.exchange(code); !refusedAs(err, "invalid_grant") {
		t.Fatalf("another address: %v", err)
	}
}

func TestRestartKeepsLoginUnderWay(t *testing.T) {
	g := newRig(t)
	l := g.startLogin()
	action, form := l.fields(l.authorize(), "ada", "correct horse")
	g.restart()
	code := l.browse(http.MethodPost, action, form, nil).returned(t).Get("code")
	g.restart()
	if _, err := l.exchange(code); err != nil {
		t.Fatal(err)
	}
}
