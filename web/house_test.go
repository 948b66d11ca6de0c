package web_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/governance/inbox"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/demo"
	"distributed.ai/datacoop/internal/jobs"
	"distributed.ai/datacoop/internal/once"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/marketplace/codebook"
	"distributed.ai/datacoop/marketplace/ledger"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web"
	"distributed.ai/datacoop/web/authserver"
	"distributed.ai/datacoop/web/client"
)

const (
	password = "correct-horse-battery"
	maxBytes = 1 << 20
)

// house is a whole co-op on a loopback port: real databases, real policy, real
// HTTP. Its people are those of the demo charter.
type house struct {
	t     *testing.T
	base  string
	clock *testkit.Clock
	logs  *bytes.Buffer
	db    *db.DB
	web   *web.Server
	vault *vault.Service
	auth  *authserver.Server

	builtIn    bool // accounts with passkeys, beside those of people()
	more       []web.Login
	people     coop.People
	models     []coop.Model // that the charter names as judges, wherever they are
	admission  string       // instead of the demo charter's
	largest    int64        // upload, if it is not maxBytes
	blobs      string       // where payloads are
	address    string       // of the database
	limits     vault.Limits
	governance *governance.Service
	languages  fs.FS
	mail       *inbox.Server
	patience   time.Duration // with bodies and answers, if it is not the usual one
}

func people() []authserver.Account {
	var out []authserver.Account
	for _, s := range []string{"ada", "bea", "cem", "dan", "eva", "finn", "gül"} {
		out = append(out, authserver.Account{Subject: strings.ReplaceAll(s, "ü", "ue"), Name: strings.ToUpper(s[:1]) + s[1:], Password: password})
	}
	return out
}

// builtIn gives a house accounts with passkeys, and members by invitation only.
func builtIn(h *house) { h.builtIn, h.admission = true, "invited" }

func openHouse(t *testing.T, changes ...func(*house)) *house {
	t.Helper()
	ctx := context.Background()
	listener, err := net.Listen("tcp", "localhost:0")
	ok(t, err)
	h := &house{t: t, base: "http://" + strings.Replace(listener.Addr().String(), "127.0.0.1", "localhost", 1),
		clock: testkit.NewClock(), logs: &bytes.Buffer{}}
	for _, change := range changes {
		change(h)
	}
	if h.address == "" {
		h.address = testkit.Address(t)
	}
	d := testkit.Open(t, h.address)
	h.db = d
	log, queue := testkit.Audit(t, d), testkit.Queue(t, d, h.clock.Now)
	charter, err := coop.ParseCharter(governance.DemoCharter())
	ok(t, err)
	charter.Admission = cmp.Or(h.admission, charter.Admission)
	charter.People = h.people
	charter.Judges, charter.RemoteJudges = h.models, len(h.models) > 0
	engine, key := policies.NewEngine(nil), testkit.Key()
	_, err = once.New(ctx, d)
	ok(t, err)
	con, err := consent.New(ctx, consent.Config{DB: d, Engine: engine, Log: log, Clock: h.clock.Now, Key: key, PermitFor: time.Minute, Charter: charter})
	ok(t, err)
	h.openVault(ctx, d, con, log, key)
	gov, err := governance.New(ctx, governance.Config{DB: d, Consent: con, Engine: engine, Log: log, Jobs: queue, Clock: h.clock.Now, Key: key,
		Charter: charter, CharterText: governance.DemoCharter(), Issuer: h.base})
	ok(t, err)
	h.governance = gov
	books, err := ledger.New(ctx, ledger.Config{DB: d, Log: log, Clock: h.clock.Now, Currency: charter.Currency})
	ok(t, err)
	market, err := marketplace.New(ctx, marketplace.Config{DB: d, Consent: con, Vault: h.vault, Governance: gov, Ledger: books, Log: log,
		Jobs: queue, Clock: h.clock.Now, Charter: charter, Key: key, Judges: judgesOf})
	ok(t, err)
	ok(t, gov.LoadLaw(ctx))
	h.openIssuer(ctx, d, gov, queue)
	secret, err := h.auth.EnsureClient(ctx, "portal", []string{h.base + "/auth/callback"})
	ok(t, err)
	h.web, err = web.New(ctx, web.Config{DB: d, BaseURL: h.base, Charter: charter, CharterDigest: coop.Digest(governance.DemoCharter()),
		Clock: h.clock.Now, Engine: engine, Consent: con, Vault: h.vault, Governance: gov, Market: market, Log: log, Jobs: queue, Key: key, AuthServer: h.auth,
		Login: web.Login{Issuer: h.base, ClientID: "portal", ClientSecret: secret}, More: h.more,
		ReceiptKey: key.Public().(ed25519.PublicKey), Secret: bytes.Repeat([]byte{7}, 32), Logger: slog.New(slog.NewTextHandler(h.logs, nil)), Patience: h.patience, Languages: h.languages, Mail: h.mail})
	ok(t, err)
	for _, route := range h.web.Routes() {
		routes.Store(route, true)
	}
	h.serve(listener, func(ctx context.Context) { queue.Run(ctx) })
	return h
}

func (h *house) openVault(ctx context.Context, d *db.DB, con *consent.Service, log *audit.Log, key ed25519.PrivateKey) {
	h.blobs = h.t.TempDir()
	blobs, err := vault.OpenBlobs(h.blobs)
	ok(h.t, err)
	master, err := vault.NewMaster()
	ok(h.t, err)
	h.vault, err = vault.New(ctx, vault.Config{DB: d, Keystore: testkit.File(h.t), EpochDirs: []string{h.t.TempDir()}, Blobs: blobs, Consent: con, Log: log, Clock: h.clock.Now,
		Master: master, Key: key, MaxBytes: cmp.Or(h.largest, maxBytes), Limits: h.limits, ClassicRecipients: true})
	ok(h.t, err)
}

func (h *house) openIssuer(ctx context.Context, d *db.DB, gov *governance.Service, queue *jobs.Queue) {
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(h.t, err)
	admit := func(tx *db.Tx, subject, name, invitation string) error {
		_, err := gov.AdmitTx(tx, governance.Identity{Issuer: h.base, Subject: subject, Name: name, Invitation: invitation})
		return err
	}
	h.auth, err = authserver.New(ctx, authserver.Config{DB: d, Issuer: h.base, Secret: bytes.Repeat([]byte{7}, 32), SigningKey: signer,
		Accounts: people(), Demo: true, Languages: h.languages, BuiltIn: h.builtIn, AdultAge: h.people.AdultAge, Younger: coop.Charter{People: h.people}.Younger(), Name: "Test Co-op", SignIn: h.base + "/login",
		Admission: authserver.Admission{Check: gov.Invited, Admit: admit, Recovered: func(tx *db.Tx, subject string) error {
			m, err := gov.ByIdentity(tx, h.base, subject)
			if err != nil {
				return err
			}
			return web.Recovered(tx, queue, m.ID)
		}}})
	ok(h.t, err)
}

func (h *house) serve(listener net.Listener, work func(context.Context)) {
	server := web.NewHTTP(h.web, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(context.Background())
	worked := make(chan struct{})
	go func() { defer close(worked); work(ctx) }()
	go func() { _ = server.Serve(web.Narrow(listener)) }()
	h.t.Cleanup(func() { stop(); <-worked; _ = server.Close() })
}

// member signs somebody in through the issuer's page and answers their client.
func (h *house) member(subject string) (*client.Client, string) {
	h.t.Helper()
	token, err := demo.SignIn(context.Background(), h.base, demo.Account{Subject: subject, Password: password})
	ok(h.t, err)
	c, err := client.New(h.base, client.WithToken(token))
	ok(h.t, err)
	return c, token
}

// researcher is vetted by ada and has proven an X25519 recipient.
func (h *house) researcher() (*client.Client, client.Recipient, client.Identity) {
	h.t.Helper()
	ctx := context.Background()
	ada, _ := h.member("ada")
	r, err := ada.VetResearcher(ctx, client.ResearcherDraft{Name: "Example University", Kind: "university", Region: "DE"})
	ok(h.t, err)
	c, err := client.New(h.base, client.WithCredentials(r.ClientID, r.ClientSecret))
	ok(h.t, err)
	id, err := client.Keygen(true)
	ok(h.t, err)
	recipient, err := c.ProveRecipient(ctx, id)
	ok(h.t, err)
	return c, recipient, id
}

// share uploads and seals an invented export of a member who agrees to
// research.
func (h *house) share(c *client.Client, seed uint64) client.Dataset {
	h.t.Helper()
	id, err := client.Keygen(false)
	ok(h.t, err)
	ok(h.t, c.SetRecipient(context.Background(), id.Recipient()))
	name, export, err := codebook.Synthesise("fitbit-daily-activity", seed, h.clock.Now().AddDate(0, -2, 0), 30)
	ok(h.t, err)
	d, err := c.Share(context.Background(), client.ShareOptions{Pool: "wearables", Inputs: []codebook.Input{codebook.Bytes(name, export)},
		Recipient: id.Recipient(), Consent: agree(), Dir: h.t.TempDir()})
	ok(h.t, err)
	return d
}

func agree() *client.Terms {
	return &client.Terms{Effect: "given", Purposes: []string{"DUO:0000042"}, RequesterKinds: []string{"university"}}
}

// answer is what came back from a plain request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// problem decodes the problem document that every refusal is.
func (a answer) problem(t *testing.T) client.Problem {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("content type %q of %d: %s", got, a.status, a.body)
	}
	var p client.Problem
	ok(t, json.Unmarshal(a.body, &p))
	if p.Title == "" || !strings.HasPrefix(p.Type, "urn:datacoop:problem:") || p.Status != a.status {
		t.Fatalf("not a usable problem: %+v", p)
	}
	return p
}

func (h *house) call(method, path, token, body string, headers ...string) answer {
	h.t.Helper()
	req, err := http.NewRequest(method, h.base+path, strings.NewReader(body))
	ok(h.t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	ok(h.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	ok(h.t, err)
	return answer{resp.StatusCode, resp.Header, text}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
