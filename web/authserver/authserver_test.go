package authserver

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/testkit"
)

const callback = "http://127.0.0.1:9/auth/callback"

// rig is a provider behind a real HTTP server, with a demo member and the
// portal as its relying party.
type rig struct {
	t *testing.T
	*Server
	config Config
	base   string
	portal string // the portal's client secret
	logs   *bytes.Buffer
	live   *atomic.Pointer[Server]
}

func newRig(t *testing.T, adjust ...func(*Config)) *rig {
	t.Helper()
	g := &rig{t: t, logs: new(bytes.Buffer), live: new(atomic.Pointer[Server])}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.live.Load().Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	g.base = web.URL
	g.config = Config{
		DB: testkit.DB(t), Issuer: g.base, Secret: bytes.Repeat([]byte{7}, 32), SigningKey: ecdsaKey(t), Demo: true,
		Accounts: []Account{
			{Subject: "ada", Name: "Ada Member", Password: "correct horse"},
			{Subject: "bo", Name: "Bo <Member>", Password: "battery staple"},
		},
		Logger: slog.New(slog.NewTextHandler(g.logs, nil)),
	}
	for _, a := range adjust {
		a(&g.config)
	}
	g.restart()
	return g
}

// restart makes a new Server on the same database, as after a stop.
func (g *rig) restart() {
	g.t.Helper()
	var err error
	if g.Server, err = New(g.t.Context(), g.config); err != nil {
		g.t.Fatal(err)
	}
	g.live.Store(g.Server)
	if g.portal, err = g.EnsureClient(g.t.Context(), "portal", []string{callback}); err != nil {
		g.t.Fatal(err)
	}
}

func ecdsaKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t *testing.T, bits int) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	text string
	json map[string]any
}

func (g *rig) send(client *http.Client, r *http.Request) answer {
	g.t.Helper()
	response, err := client.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	out := answer{Response: response, text: string(text)}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(text, &out.json); err != nil {
			g.t.Fatal(err)
		}
	}
	return out
}

// post sends a form; id and secret go into HTTP Basic unless id is empty.
func (g *rig) post(path, id, secret string, form url.Values) answer {
	g.t.Helper()
	r, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, g.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if id != "" {
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	}
	return g.send(http.DefaultClient, r)
}

func (a answer) expect(t *testing.T, status int, code string) {
	t.Helper()
	got, _ := a.json["error"].(string)
	if a.StatusCode != status || got != code {
		t.Fatalf("got %d %q, want %d %q: %s", a.StatusCode, got, status, code, a.text)
	}
}

// researcher issues credentials and a token for a new researcher.
func (g *rig) researcher() (researcherID, clientID, secret, token string) {
	g.t.Helper()
	researcherID = coop.NewID()
	clientID, secret, err := g.IssueResearcher(g.t.Context(), researcherID)
	if err != nil {
		g.t.Fatal(err)
	}
	a := g.post(pathToken, clientID, secret, url.Values{"grant_type": {grantClient}})
	a.expect(g.t, http.StatusOK, "")
	token, _ = a.json["access_token"].(string)
	return researcherID, clientID, secret, token
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	account := []Account{{Subject: "ada", Name: "Ada", Password: "correct horse"}}
	for name, adjust := range map[string]func(*Config){
		"no database":              func(c *Config) { c.DB = nil },
		"short secret":             func(c *Config) { c.Secret = make([]byte, 31) },
		"no issuer":                func(c *Config) { c.Issuer = "" },
		"issuer with a path":       func(c *Config) { c.Issuer = "http://localhost:8080/" },
		"issuer with a query":      func(c *Config) { c.Issuer = "http://localhost:8080?a=b" },
		"issuer with credentials":  func(c *Config) { c.Issuer = "http://a:b@localhost:8080" },
		"issuer of another scheme": func(c *Config) { c.Issuer = "ftp://localhost" },
		"plain http on a network":  func(c *Config) { c.Issuer, c.Demo = "http://coop.example", false },
		"demo on a network":        func(c *Config) { c.Issuer, c.Demo = "https://coop.example", true },
		"demo on a lookalike":      func(c *Config) { c.Issuer, c.Demo = "https://localhost.coop.example", true },
		"demo on a private address": func(c *Config) {
			c.Issuer, c.Demo = "https://192.168.0.1", true
		},
		"accounts without demo":            func(c *Config) { c.Demo, c.Accounts = false, account },
		"demo without a key":               func(c *Config) { c.SigningKey = nil },
		"key on another curve":             func(c *Config) { c.SigningKey = p384(t) },
		"short RSA key":                    func(c *Config) { c.SigningKey = rsaKey(t, 1024) },
		"negative lifetime":                func(c *Config) { c.TokenLifetime = -time.Second },
		"lifetime over a day":              func(c *Config) { c.TokenLifetime = 25 * time.Hour },
		"short password":                   func(c *Config) { c.Accounts = []Account{{"ada", "Ada", "short"}} },
		"no password":                      func(c *Config) { c.Accounts = []Account{{"ada", "Ada", ""}} },
		"no name":                          func(c *Config) { c.Accounts = []Account{{"ada", " ", "correct horse"}} },
		"accounts at an address":           func(c *Config) { builtIn(c); c.Issuer = "http://127.0.0.1:8080" },
		"accounts at an IPv6 address":      func(c *Config) { builtIn(c); c.Issuer = "http://[::1]:8080" },
		"accounts without a name":          func(c *Config) { builtIn(c); c.Name = " " },
		"accounts without a portal":        func(c *Config) { builtIn(c); c.SignIn = "" },
		"accounts with a portal elsewhere": func(c *Config) { builtIn(c); c.SignIn = "javascript:alert(1)" },
		"accounts nobody admits":           func(c *Config) { builtIn(c); c.Admission.Admit = nil },
		"accounts nobody checks":           func(c *Config) { builtIn(c); c.Admission.Check = nil },
		"accounts without a key":           func(c *Config) { builtIn(c); c.Demo, c.Accounts, c.SigningKey = false, nil, nil },
		"unusable subject":                 func(c *Config) { c.Accounts = []Account{{"ada b", "Ada", "correct horse"}} },
		"two of the same member":           func(c *Config) { c.Accounts = append(account, account...) },
	} {
		t.Run(name, func(t *testing.T) {
			c := Config{
				DB: testkit.DB(t), Issuer: "http://localhost:8080", Secret: bytes.Repeat([]byte{7}, 32),
				SigningKey: ecdsaKey(t), Demo: true, Accounts: account,
			}
			adjust(&c)
			_, err := New(t.Context(), c)
			if err == nil {
				t.Fatal("accepted")
			}
			if strings.Contains(err.Error(), "horse") || strings.Contains(err.Error(), "short\"") {
				t.Fatalf("the error holds a secret: %v", err)
			}
		})
	}
}

func p384(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestProductionServesNoLogin(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Demo, c.Accounts, c.SigningKey = false, nil, nil })
	for _, path := range []string{pathAuthorize, pathDiscovery, pathKeys, PathJoin, pathRecover, pathScript} {
		if a := g.get(path); a.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, a.StatusCode)
		}
	}
	if a := g.post(pathLogin, "", "", url.Values{"account": {"ada"}}); a.StatusCode != http.StatusNotFound {
		t.Errorf("POST %s: %d", pathLogin, a.StatusCode)
	}
	a := g.post(pathToken, "portal", g.portal, url.Values{"grant_type": {grantCode}, "code": {"a.b"}})
	if a.StatusCode != http.StatusBadRequest {
		t.Errorf("authorization code at the token endpoint: %d", a.StatusCode)
	}
	meta := g.get(pathMetadata)
	if meta.json["authorization_endpoint"] != nil || meta.json["jwks_uri"] != nil {
		t.Errorf("metadata promises a login: %s", meta.text)
	}
	if researcherID, _, _, token := g.researcher(); token == "" || researcherID == "" {
		t.Error("researchers cannot get a token")
	}
}

func (g *rig) get(path string) answer {
	g.t.Helper()
	r, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, g.base+path, http.NoBody)
	if err != nil {
		g.t.Fatal(err)
	}
	return g.send(http.DefaultClient, r)
}

func TestMetadataNamesWhatIsServed(t *testing.T) {
	g := newRig(t, builtIn)
	g.base = g.config.Issuer
	for _, path := range []string{pathDiscovery, pathMetadata} {
		a := g.get(path)
		a.expect(t, http.StatusOK, "")
		if a.json["issuer"] != g.base {
			t.Errorf("%s: issuer %v", path, a.json["issuer"])
		}
		for name, want := range map[string]string{
			"token_endpoint": pathToken, "authorization_endpoint": pathAuthorize, "jwks_uri": pathKeys,
			"revocation_endpoint": pathRevoke, "introspection_endpoint": pathIntrospect,
		} {
			if a.json[name] != g.base+want {
				t.Errorf("%s: %s is %v", path, name, a.json[name])
			}
		}
	}
	for _, path := range Paths() {
		a := g.get(path)
		if a.StatusCode == http.StatusNotFound {
			t.Errorf("%s is listed and not served", path)
		}
		if a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s has no security headers", path)
		}
	}
	if strings.Contains(g.get(pathKeys).text, `"d"`) {
		t.Error("the key set holds a private key")
	}
}

func TestExpiredSessionsArePruned(t *testing.T) {
	g := newRig(t, func(c *Config) { c.TokenLifetime = 30 * time.Millisecond })
	g.researcher()
	time.Sleep(50 * time.Millisecond)
	g.restart()
	if n := g.count("SELECT COUNT(*) FROM authserver_sessions"); n != 0 {
		t.Fatalf("%d expired rows are left", n)
	}
}

func (g *rig) count(query string) (n int) {
	g.t.Helper()
	err := g.db.View(g.t.Context(), func(tx *db.Tx) error { return tx.QueryRow(query).Scan(&n) })
	if err != nil {
		g.t.Fatal(err)
	}
	return n
}

// TestDatabaseHoldsNoSecret looks for everything handed out, in every column.
func TestDatabaseHoldsNoSecret(t *testing.T) {
	g := newRig(t)
	_, _, secret, token := g.researcher()
	login := g.startLogin()
	code := login.code("ada", "correct horse")
	dump := g.dump()
	exchanged, err := login.exchange(code)
	if err != nil {
		t.Fatal(err)
	}
	dump += g.dump()
	for name, value := range map[string]string{
		"researcher's secret": secret, "portal's secret": g.portal, "token": token, "code": code,
		"member's token": exchanged.AccessToken, "password": "correct horse", "PKCE verifier": login.verifier,
		"half a token": strings.TrimPrefix(strings.Split(token, ".")[0], TokenPrefix),
	} {
		if strings.Contains(dump, value) {
			t.Errorf("the database holds the %s", name)
		}
		if strings.Contains(g.logs.String(), value) {
			t.Errorf("the log holds the %s", name)
		}
	}
}

// dump is every text this package stores.
func (g *rig) dump() string {
	g.t.Helper()
	var out strings.Builder
	err := g.db.View(g.t.Context(), func(tx *db.Tx) error {
		for _, table := range []string{"authserver_clients", "authserver_sessions"} {
			text, err := testkit.Dump(tx, `SELECT * FROM `+table)
			if err != nil {
				return err
			}
			out.WriteString(text + hex.EncodeToString([]byte(text)))
		}
		return nil
	})
	if err != nil {
		g.t.Fatal(err)
	}
	return out.String()
}

func TestStorageFaultIsNotARefusal(t *testing.T) {
	g := newRig(t)
	_, clientID, secret, token := g.researcher()
	err := g.db.Update(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec("DROP TABLE authserver_sessions")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	g.post(pathToken, clientID, secret, url.Values{"grant_type": {grantClient}}).
		expect(t, http.StatusInternalServerError, "server_error")
	if _, err := g.Introspect(context.Background(), token); err == nil || strings.Contains(err.Error(), "token-invalid") {
		t.Errorf("introspection says %v", err)
	}
	if !strings.Contains(g.logs.String(), "authserver_sessions") {
		t.Error("the fault was not logged")
	}
	if strings.Contains(g.logs.String(), secret) || strings.Contains(g.logs.String(), token) {
		t.Error("the log holds a secret")
	}
}
