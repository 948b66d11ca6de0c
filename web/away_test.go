package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/web/client"
)

// oauth asks for a researcher's token.
func (h *house) oauth(id, secret string) answer {
	h.t.Helper()
	req, err := http.NewRequest(http.MethodPost, h.base+"/oauth/token", strings.NewReader(url.Values{"grant_type": {"client_credentials"}}.Encode()))
	ok(h.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(id, secret)
	resp, err := http.DefaultClient.Do(req)
	ok(h.t, err)
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header}
	if resp.StatusCode == http.StatusOK {
		var told struct {
			Token string `json:"access_token"`
		}
		ok(h.t, json.NewDecoder(resp.Body).Decode(&told))
		a.body = []byte(told.Token)
	}
	return a
}

// TestWhoeverAsksWhileTheDatabaseIsAwayIsToldToComeBack: a fault of the storage
// must not look like a bad token, or people throw good ones away.
func TestWhoeverAsksWhileTheDatabaseIsAwayIsToldToComeBack(t *testing.T) {
	var p *testkit.Proxy
	h := openHouse(t, func(h *house) {
		if testkit.Postgres() {
			p = testkit.NewProxy(t)
			h.address = p.Through(testkit.Address(t))
		}
	})
	ada, member := h.member("ada")
	r, err := ada.VetResearcher(context.Background(), client.ResearcherDraft{Name: "Example University", Kind: "university", Region: "DE"})
	ok(t, err)
	researcher := string(h.oauth(r.ClientID, r.ClientSecret).body)
	calls := []struct{ method, path, token, body string }{
		{http.MethodGet, "/v1/me", member, ""},
		{http.MethodGet, "/v1/me/tokens", member, ""},
		{http.MethodPost, "/v1/me/tokens", member, `{"label": "x", "hours": 1}`},
		{http.MethodGet, "/v1/me/statements", member, ""},
		{http.MethodGet, "/v1/requests", researcher, ""},
		{http.MethodGet, "/v1/proposals", member, ""},
		{http.MethodGet, "/readyz", "", ""},
	}
	if testkit.Postgres() {
		p.Cut()
	} else {
		ok(t, h.db.Close())
	}
	var load sync.WaitGroup
	for range 4 {
		load.Go(func() {
			for _, c := range calls {
				if a := h.call(c.method, c.path, c.token, c.body); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" && c.path != "/readyz" {
					t.Errorf("%s %s while the database is away: %d, Retry-After %q: %s", c.method, c.path, a.status, a.header.Get("Retry-After"), a.body)
				}
			}
			if a := h.oauth(r.ClientID, r.ClientSecret); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
				t.Errorf("a token for a researcher: %d, Retry-After %q", a.status, a.header.Get("Retry-After"))
			}
		})
	}
	load.Wait()
	if !testkit.Postgres() {
		return // a file that was closed does not come back
	}
	p.Restore()
	for _, c := range calls {
		if a := h.call(c.method, c.path, c.token, c.body); a.status >= 300 {
			t.Errorf("%s %s afterwards: %d: %s", c.method, c.path, a.status, a.body)
		}
	}
	if a := h.oauth(r.ClientID, r.ClientSecret); a.status != http.StatusOK {
		t.Errorf("a token afterwards: %d", a.status)
	}
}
