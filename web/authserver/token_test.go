package authserver

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
)

func (g *rig) introspects(clientID, secret, token string) bool {
	g.t.Helper()
	a := g.post(pathIntrospect, clientID, secret, url.Values{"token": {token}})
	a.expect(g.t, http.StatusOK, "")
	active, _ := a.json["active"].(bool)
	return active
}

func TestResearcherGetsATokenByBasicAndByPost(t *testing.T) {
	g := newRig(t)
	researcherID := coop.NewID()
	clientID, secret, err := g.IssueResearcher(t.Context(), researcherID)
	if err != nil {
		t.Fatal(err)
	}
	for name, style := range map[string]oauth2.AuthStyle{"basic": oauth2.AuthStyleInHeader, "post": oauth2.AuthStyleInParams} {
		t.Run(name, func(t *testing.T) {
			c := clientcredentials.Config{
				ClientID: clientID, ClientSecret: secret, TokenURL: g.base + pathToken, AuthStyle: style,
				Scopes: []string{ScopeRequestsWrite},
			}
			token, err := c.Token(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			grant, err := g.Introspect(t.Context(), token.AccessToken)
			if err != nil {
				t.Fatal(err)
			}
			left := time.Until(grant.Expires)
			if grant.ResearcherID != researcherID || !slices.Equal(grant.Scopes, c.Scopes) || left <= 0 || left > defaultLifetime {
				t.Fatalf("%+v", grant)
			}
			if !grant.Has(ScopeRequestsWrite) || grant.Has(ScopeFilesRead) {
				t.Fatalf("%+v", grant)
			}
			if !strings.HasPrefix(token.AccessToken, TokenPrefix) || token.RefreshToken != "" || token.TokenType != "bearer" {
				t.Fatal("unexpected shape of the token")
			}
		})
	}
}

func TestTokenWithoutScopeGetsAllOfThem(t *testing.T) {
	g := newRig(t)
	_, _, _, token := g.researcher()
	grant, err := g.Introspect(t.Context(), token)
	if err != nil || !slices.Equal(grant.Scopes, ResearcherScopes()) {
		t.Fatalf("%+v, %v", grant, err)
	}
}

func TestTokenRequestsThatAreRefused(t *testing.T) {
	g := newRig(t)
	_, id, secret, _ := g.researcher()
	good := url.Values{"grant_type": {grantClient}}
	with := func(pairs ...string) url.Values {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Add(pairs[i], pairs[i+1])
		}
		return v
	}
	for name, c := range map[string]struct {
		id, secret string
		form       url.Values
		status     int
		code       string
	}{
		"wrong secret":             {id, secret + "x", good, 401, "invalid_client"},
		"empty secret":             {id, "", good, 401, "invalid_client"},
		"unknown client":           {"researcher-" + coop.NewID(), secret, good, 401, "invalid_client"},
		"another client's secret":  {id, g.portal, good, 401, "invalid_client"},
		"no client":                {"", "", good, 401, "invalid_client"},
		"wrong secret in body":     {"", "", with("grant_type", grantClient, "client_id", id, "client_secret", "x"), 401, "invalid_client"},
		"secret by both ways":      {id, secret, with("grant_type", grantClient, "client_secret", secret), 400, "invalid_request"},
		"two ids":                  {id, secret, with("grant_type", grantClient, "client_id", "portal"), 400, "invalid_request"},
		"scope of others":          {id, secret, with("grant_type", grantClient, "scope", "openid"), 400, "invalid_scope"},
		"invented scope":           {id, secret, with("grant_type", grantClient, "scope", "everything"), 400, "invalid_scope"},
		"foreign audience":         {id, secret, with("grant_type", grantClient, "audience", "elsewhere"), 400, "invalid_request"},
		"no grant":                 {id, secret, with("scope", ScopeFilesRead), 400, "invalid_request"},
		"two grants":               {id, secret, with("grant_type", grantClient, "grant_type", grantCode), 400, "invalid_request"},
		"password grant":           {id, secret, with("grant_type", "password", "username", "ada", "password", "correct horse"), 400, "unsupported_grant_type"},
		"refresh grant":            {id, secret, with("grant_type", "refresh_token", "refresh_token", "x"), 400, "unsupported_grant_type"},
		"code of nobody":           {"portal", g.portal, with("grant_type", grantCode, "code", "a.b", "redirect_uri", callback), 400, "invalid_grant"},
		"code grant by researcher": {id, secret, with("grant_type", grantCode, "code", "a.b"), 400, "unauthorized_client"},
		"credentials by portal":    {"portal", g.portal, good, 400, "unauthorized_client"},
		"unsigned assertion": {"", "", with("grant_type", grantClient, "client_id", id,
			"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
			"client_assertion", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."), 401, "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			a := g.post(pathToken, c.id, c.secret, c.form)
			a.expect(t, c.status, c.code)
			if c.status == http.StatusUnauthorized && a.Header.Get("WWW-Authenticate") == "" {
				t.Error("no WWW-Authenticate")
			}
			for _, value := range []string{secret, "everything", "elsewhere", "correct horse", c.id + "x"} {
				if strings.Contains(a.text, value) {
					t.Errorf("the answer repeats %q", value)
				}
			}
		})
	}
	if g.logs.Len() > 0 {
		t.Errorf("refusals were logged: %s", g.logs)
	}
}

func TestOtherBodiesAndMethodsAreRefused(t *testing.T) {
	g := newRig(t)
	for _, kind := range []string{"", "application/json", "multipart/form-data; boundary=x"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.base+pathToken, strings.NewReader("grant_type=client_credentials"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", kind)
		g.send(http.DefaultClient, r).expect(t, http.StatusBadRequest, "invalid_request")
	}
	if a := g.get(pathToken + "?grant_type=client_credentials"); a.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", a.StatusCode)
	}
}

func TestExpiredTokenIsRefused(t *testing.T) {
	g := newRig(t, func(c *Config) { c.TokenLifetime = 40 * time.Millisecond })
	_, id, secret, token := g.researcher()
	time.Sleep(60 * time.Millisecond)
	if _, err := g.Introspect(t.Context(), token); !errors.Is(err, ErrToken) {
		t.Fatalf("introspection says %v", err)
	}
	if g.introspects(id, secret, token) {
		t.Fatal("the endpoint calls it active")
	}
}

func TestTokensThatAreNone(t *testing.T) {
	g := newRig(t)
	_, _, _, token := g.researcher()
	bare := strings.TrimPrefix(token, TokenPrefix)
	key, signature, _ := strings.Cut(bare, ".")
	forged := strings.Repeat("A", 43)
	for _, text := range []string{
		"", ".", "garbage", TokenPrefix, bare, "ory_at_" + bare, TokenPrefix + bare + "x", token + ".x",
		TokenPrefix + forged + "." + signature, TokenPrefix + key + "." + forged, TokenPrefix + "." + signature,
		"eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", strings.Repeat("x", 1<<20), TokenPrefix + strings.Repeat("\x00", 87),
		TokenPrefix + key + "." + signature[:42] + "'",
	} {
		grant, err := g.Introspect(t.Context(), text)
		if !errors.Is(err, ErrToken) || fault.KindOf(err) != fault.Unauthenticated || err.Error() != ErrToken.Error() || grant.ResearcherID != "" {
			t.Errorf("%.80q: %+v, %v", text, grant, err)
		}
	}
}

func TestRestartKeepsTokensAndSecrets(t *testing.T) {
	g := newRig(t)
	researcherID, clientID, secret, token := g.researcher()
	portal := g.portal
	g.restart()
	if g.portal != portal {
		t.Error("the portal's secret changed")
	}
	if grant, err := g.Introspect(t.Context(), token); err != nil || grant.ResearcherID != researcherID {
		t.Errorf("%+v, %v", grant, err)
	}
	again, sameSecret, err := g.IssueResearcher(t.Context(), researcherID)
	if err != nil || again != clientID || sameSecret != secret {
		t.Errorf("issued anew: %v", err)
	}
}

func TestOtherSecretEndsAllTokens(t *testing.T) {
	g := newRig(t)
	researcherID, _, old, token := g.researcher()
	g.config.Secret = bytes.Repeat([]byte{8}, 32)
	g.restart()
	if _, err := g.Introspect(t.Context(), token); !errors.Is(err, ErrToken) {
		t.Fatalf("introspection says %v", err)
	}
	clientID, secret, err := g.IssueResearcher(t.Context(), researcherID)
	if err != nil || secret == old {
		t.Fatalf("issued anew: %v", err)
	}
	g.post(pathToken, clientID, secret, url.Values{"grant_type": {grantClient}}).expect(t, http.StatusOK, "")
	g.post(pathToken, clientID, old, url.Values{"grant_type": {grantClient}}).expect(t, http.StatusUnauthorized, "invalid_client")
}

func TestRotationEndsOldSecretAndItsTokens(t *testing.T) {
	g := newRig(t)
	researcherID, clientID, old, token := g.researcher()
	sameID, secret, err := g.RotateResearcher(t.Context(), researcherID)
	if err != nil || sameID != clientID || secret == old {
		t.Fatalf("%q, %v", sameID, err)
	}
	if _, err := g.Introspect(t.Context(), token); !errors.Is(err, ErrToken) {
		t.Errorf("introspection says %v", err)
	}
	form := url.Values{"grant_type": {grantClient}}
	g.post(pathToken, clientID, old, form).expect(t, http.StatusUnauthorized, "invalid_client")
	g.post(pathToken, clientID, secret, form).expect(t, http.StatusOK, "")
	if _, again, err := g.IssueResearcher(t.Context(), researcherID); err != nil || again != secret {
		t.Errorf("issuing does not repeat the rotated secret: %v", err)
	}
}

func TestRevokedResearcherIsRefusedForGood(t *testing.T) {
	g := newRig(t)
	researcherID, clientID, secret, token := g.researcher()
	_, _, _, untouched := g.researcher()
	for range 2 {
		if err := g.RevokeResearcher(t.Context(), researcherID); err != nil {
			t.Fatal(err)
		}
	}
	g.post(pathToken, clientID, secret, url.Values{"grant_type": {grantClient}}).
		expect(t, http.StatusUnauthorized, "invalid_client")
	if _, err := g.Introspect(t.Context(), token); !errors.Is(err, ErrToken) {
		t.Errorf("introspection says %v", err)
	}
	if _, _, err := g.IssueResearcher(t.Context(), researcherID); !errors.Is(err, ErrRevoked) {
		t.Errorf("issuing says %v", err)
	}
	if _, _, err := g.RotateResearcher(t.Context(), researcherID); !errors.Is(err, ErrRevoked) {
		t.Errorf("rotating says %v", err)
	}
	if _, err := g.Introspect(t.Context(), untouched); err != nil {
		t.Errorf("another researcher's token: %v", err)
	}
}

func TestUnknownResearchers(t *testing.T) {
	g := newRig(t)
	for _, id := range []string{"", "portal", "x' OR '1'='1", coop.NewID()} {
		if err := g.RevokeResearcher(t.Context(), id); !errors.Is(err, ErrResearcher) {
			t.Errorf("revoking %q says %v", id, err)
		}
		if _, _, err := g.RotateResearcher(t.Context(), id); !errors.Is(err, ErrResearcher) {
			t.Errorf("rotating %q says %v", id, err)
		}
	}
	if _, _, err := g.IssueResearcher(t.Context(), "portal"); err == nil {
		t.Error("credentials for an id that is none")
	}
}

func TestClientsThatAreNotRegistered(t *testing.T) {
	g := newRig(t)
	researcherID, clientID, _, _ := g.researcher()
	for name, c := range map[string]struct{ id, redirect string }{
		"a researcher's id":   {clientID, callback},
		"an id with a space":  {"por tal", callback},
		"no id":               {"", callback},
		"http on a network":   {"x", "http://portal.example/auth/callback"},
		"a fragment":          {"x", "https://portal.example/#a"},
		"an empty fragment":   {"x", "https://portal.example/#"},
		"credentials":         {"x", "https://a:b@portal.example/"},
		"a script":            {"x", "javascript:alert(1)"},
		"a relative address":  {"x", "/auth/callback"},
		"a policy in a host":  {"x", "https://portal.example;script-src/"},
		"a wildcard":          {"x", "https://*.example/"},
		"nothing":             {"x", ""},
		"an unparsable thing": {"x", "https://portal.example/%zz"},
	} {
		if _, err := g.EnsureClient(t.Context(), c.id, []string{c.redirect}); err == nil {
			t.Errorf("%s was registered", name)
		}
	}
	if _, err := g.EnsureClient(t.Context(), "x", nil); err == nil {
		t.Error("a client without an address was registered")
	}
	if _, _, err := g.IssueResearcher(t.Context(), researcherID); err != nil {
		t.Error(err)
	}
}

func TestRevocationEndsOwnTokensOnly(t *testing.T) {
	g := newRig(t)
	_, id1, secret1, token1 := g.researcher()
	_, id2, secret2, token2 := g.researcher()
	for _, text := range []string{token2, "garbage", TokenPrefix + "x"} {
		g.post(pathRevoke, id1, secret1, url.Values{"token": {text}}).expect(t, http.StatusOK, "")
	}
	if _, err := g.Introspect(t.Context(), token2); err != nil {
		t.Fatalf("another client revoked the token: %v", err)
	}
	g.post(pathRevoke, id1, "wrong", url.Values{"token": {token1}}).expect(t, http.StatusUnauthorized, "invalid_client")
	g.post(pathRevoke, id1, secret1, url.Values{}).expect(t, http.StatusBadRequest, "invalid_request")
	if !g.introspects(id1, secret1, token1) || g.introspects(id2, secret2, token1) {
		t.Fatal("introspection before revocation")
	}
	g.post(pathRevoke, id1, secret1, url.Values{"token": {token1}}).expect(t, http.StatusOK, "")
	if g.introspects(id1, secret1, token1) {
		t.Fatal("revoked and still active")
	}
}

func TestIntrospectionNeedsAClient(t *testing.T) {
	g := newRig(t)
	_, id, _, token := g.researcher()
	g.post(pathIntrospect, "", "", url.Values{"token": {token}}).expect(t, http.StatusUnauthorized, "invalid_client")
	g.post(pathIntrospect, id, "wrong", url.Values{"token": {token}}).expect(t, http.StatusUnauthorized, "invalid_client")
}
