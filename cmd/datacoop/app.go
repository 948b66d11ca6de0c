package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/cmd/datacoop/law"
	"distributed.ai/datacoop/cmd/datacoop/meter"
	"distributed.ai/datacoop/cmd/datacoop/ops"
	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/governance/inbox"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/jobs"
	"distributed.ai/datacoop/internal/once"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/marketplace/ledger"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web"
	"distributed.ai/datacoop/web/authserver"
)

// appConfig is everything a running co-op is made from.
type appConfig struct {
	Data        string // directory of databases, payloads and keys
	Database    string // postgres:// URL; empty: as the directory says
	BaseURL     string
	CharterText []byte
	Charter     coop.Charter
	Clock       coop.Clock
	Keys        custody.ServerKeys
	Master      vault.Identity // nil: the vault starts sealed
	Accounts    []authserver.Account
	BuiltIn     bool      // members have accounts here, with passkeys
	Login       web.Login // empty: the embedded issuer
	More        []web.Login
	MaxBytes    int64
	Payloads    string        // bucket of whole payloads; empty: the data directory
	Mail        *inbox.Server // where letters to members are handed in; nil: no e-mail
	Metrics     net.Listener  // where figures are served; nil: nowhere
	Logger      *slog.Logger
}

// app holds the rooms of one process, wired from the ground up.
type app struct {
	appConfig
	db, keystore *db.DB
	log          *audit.Log
	jobs         *jobs.Queue
	once         *once.Store
	engine       *policies.Engine
	consent      *consent.Service
	vault        *vault.Service
	governance   *governance.Service
	ledger       *ledger.Service
	market       *marketplace.Service
	auth         *authserver.Server
	web          *web.Server
	closers      []func() error // of what is open beside the databases
}

// openApp wires the rooms floor by floor. Whoever gets an app closes it.
func openApp(ctx context.Context, c appConfig) (_ *app, err error) {
	a := &app{appConfig: c}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if err := a.claim(); err != nil {
		return nil, err
	}
	for _, floor := range []func(context.Context) error{a.openFoundation, a.openConsent, a.openRooms, a.openMarket, a.openWeb} {
		if err := floor(ctx); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// claim takes the data directory for this process alone, and keeps to it what
// it will know.
func (a *app) claim() error {
	if err := errors.Join(vault.Harden(), ops.Refuse(a.Data)); err != nil {
		return err
	}
	release, err := custody.Lock(a.Data)
	if err != nil {
		return err
	}
	a.closers = append(a.closers, release)
	return nil
}

// openFoundation opens the two databases, the log, the queue and the answers.
func (a *app) openFoundation(ctx context.Context) (err error) {
	if a.db, err = openDatabase(ctx, a.Data, a.Database, a.Keys); err != nil {
		return err
	}
	if a.keystore, err = db.Open(ctx, filepath.Join(a.Data, custody.KeystoreFile)); err != nil {
		return err
	}
	if a.log, err = audit.New(ctx, a.db, logOrigin(a.Charter.Name), a.Keys.Log(), a.Clock); err != nil {
		return err
	}
	if a.jobs, err = jobs.New(ctx, a.db, a.Clock, a.Logger); err != nil {
		return err
	}
	a.once, err = once.New(ctx, a.db)
	return err
}

// logOrigin is the transparency log's name: the co-op's, without spaces, as a
// signed note demands.
func logOrigin(name string) string {
	return "datacoop/" + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name)
}

// openConsent starts with no law in force: governance loads it.
func (a *app) openConsent(ctx context.Context) (err error) {
	a.engine = policies.NewEngine(nil)
	a.consent, err = consent.New(ctx, consent.Config{DB: a.db, Engine: a.engine, Log: a.log, Clock: a.Clock,
		Key: a.Keys.Receipt(), PermitFor: time.Duration(a.Charter.PermitMinutes) * time.Minute,
		Charter: a.Charter, Logger: a.Logger})
	return err
}

func (a *app) openRooms(ctx context.Context) error {
	payloads := filepath.Join(a.Data, "blobs")
	if err := os.MkdirAll(payloads, 0o700); err != nil {
		return fmt.Errorf("payload directory: %w", err)
	}
	open := func() (*vault.Blobs, error) { return vault.OpenBlobs(payloads) }
	if a.Payloads != "" {
		open = func() (*vault.Blobs, error) { return vault.OpenBucket(ctx, payloads, a.Payloads) }
	}
	blobs, err := open()
	if err != nil {
		return err
	}
	a.closers = append(a.closers, blobs.Close)
	a.vault, err = vault.New(ctx, vault.Config{DB: a.db, Keystore: a.keystore, Blobs: blobs, Consent: a.consent,
		Log: a.log, Clock: a.Clock, Master: a.Master, Key: a.Keys.Receipt(), MaxBytes: a.MaxBytes,
		EpochDirs: []string{filepath.Join(a.Data, custody.EpochDir)}, Ballast: filepath.Join(a.Data, "ballast"), ClassicRecipients: a.Charter.ClassicRecipients, Logger: a.Logger})
	if err != nil {
		return err
	}
	a.governance, err = governance.New(ctx, governance.Config{DB: a.db, Consent: a.consent, Engine: a.engine, Log: a.log,
		Jobs: a.jobs, Clock: a.Clock, Key: a.Keys.Receipt(), Charter: a.Charter, CharterText: a.CharterText, Issuer: a.issuer(), Gate: law.Gate, Rehearse: law.Comparer(), Trier: law.Apart{}})
	if err != nil {
		return err
	}
	a.ledger, err = ledger.New(ctx, ledger.Config{DB: a.db, Log: a.log, Clock: a.Clock, Currency: a.Charter.Currency})
	return err
}

func (a *app) openMarket(ctx context.Context) (err error) {
	judge, maker, err := a.judges()
	if err != nil {
		return err
	}
	a.market, err = marketplace.New(ctx, marketplace.Config{DB: a.db, Consent: a.consent, Vault: a.vault,
		Governance: a.governance, Ledger: a.ledger, Log: a.log, Jobs: a.jobs, Clock: a.Clock, Charter: a.Charter, Key: a.Keys.Receipt(),
		Judge: judge, Judges: maker, Logger: a.Logger})
	if err != nil {
		return err
	}
	return a.governance.LoadLaw(ctx)
}

// embedded reports whether members sign in at this process itself.
func (a *app) embedded() bool { return a.Login.Issuer == "" }

// embeddedIssuer is what members of the embedded issuer are known by, whatever
// address it listens on today.
const embeddedIssuer = "urn:datacoop:embedded"

func (a *app) issuer() string {
	if a.embedded() {
		return embeddedIssuer
	}
	return a.Login.Issuer
}

// portalClient is the portal's own client id at the embedded issuer.
const portalClient = "portal"

// openIssuer opens the embedded issuer. Its accounts with passkeys become
// members in the transaction that makes them; those with passwords need no
// more than the charter.
func (a *app) openIssuer(ctx context.Context) error {
	signer, err := a.Keys.Issuer()
	if err != nil {
		return err
	}
	admit := func(tx *db.Tx, subject, name, invitation string) error {
		_, err := a.governance.AdmitTx(tx, governance.Identity{Issuer: embeddedIssuer, Subject: subject, Name: name, Invitation: invitation})
		return err
	}
	a.auth, err = authserver.New(ctx, authserver.Config{DB: a.db, Issuer: a.BaseURL, Secret: a.Keys.OAuth, SigningKey: signer, Languages: a.languages(),
		Accounts: a.Accounts, Demo: a.embedded() && (len(a.Accounts) > 0 || !a.BuiltIn),
		BuiltIn: a.BuiltIn, AdultAge: a.Charter.People.AdultAge, Younger: a.Charter.Younger(), Name: a.Charter.Name, SignIn: a.BaseURL + "/login",
		Admission: authserver.Admission{Check: a.governance.Invited, Admit: admit, Recovered: a.recovered}, Logger: a.Logger})
	return err
}

// recovered ends what an account had opened before it was recovered, and forgets
// the other ways in that were linked to it.
func (a *app) recovered(tx *db.Tx, subject string) error {
	m, err := a.governance.ByIdentity(tx, embeddedIssuer, subject)
	if err != nil {
		return err
	}
	return web.Recovered(tx, a.jobs, m.ID)
}

// languages is where a co-op's own catalogues of messages lie.
func (a *app) languages() fs.FS { return os.DirFS(filepath.Join(a.Data, "languages")) }

func (a *app) openWeb(ctx context.Context) error {
	if err := a.openIssuer(ctx); err != nil {
		return err
	}
	var err error
	login := a.Login
	if a.embedded() {
		secret, err := a.auth.EnsureClient(ctx, portalClient, []string{a.BaseURL + "/auth/callback"})
		if err != nil {
			return err
		}
		login = web.Login{Issuer: a.BaseURL, Name: embeddedIssuer, ClientID: portalClient, ClientSecret: secret}
	}
	a.web, err = web.New(ctx, web.Config{DB: a.db, BaseURL: a.BaseURL, Charter: a.Charter,
		CharterDigest: coop.Digest(a.CharterText), Clock: a.Clock, Engine: a.engine, Consent: a.consent, Vault: a.vault,
		Governance: a.governance, Market: a.market, Log: a.log, Jobs: a.jobs, Backup: ops.LastBackup(a.Data, a.vault), Key: a.Keys.Receipt(), AuthServer: a.auth, Login: login, More: a.More,
		ReceiptKey: a.Keys.Receipt().Public().(ed25519.PublicKey), Secret: a.Keys.Repeat(), Logger: a.Logger, Languages: a.languages(), Mail: a.Mail})
	return err
}

// Close closes the databases. Rooms hold nothing else that needs it.
func (a *app) Close() error {
	var errs []error
	for _, c := range a.closers {
		errs = append(errs, c())
	}
	for _, d := range []*db.DB{a.db, a.keystore} {
		if d != nil {
			errs = append(errs, d.Close())
		}
	}
	return errors.Join(errs...)
}

// drainTimeout is how long requests under way may still take.
const drainTimeout = 10 * time.Second

// run serves on the listener and works the queue until ctx ends, then lets
// requests under way finish.
func (a *app) run(ctx context.Context, listener net.Listener) error {
	if err := a.vault.Sweep(ctx); err != nil {
		return fmt.Errorf("finish interrupted revocations: %w", err)
	}
	runtime.GC()         // what lies in a sync.Pool, such as 12 MB of the migrations' reader, outlives one collection
	debug.FreeOSMemory() // what starting took and serving does not need
	var worker sync.WaitGroup
	server := web.NewHTTP(a.counted(&worker), a.Logger)
	working, stop := context.WithCancel(ctx)
	defer stop()
	worker.Go(func() { a.jobs.Run(working) })
	worker.Go(func() { a.vault.Keep(working) })
	worker.Go(func() { a.once.Run(working, a.Logger) })
	drained := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, done := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer done()
		drained <- server.Shutdown(grace)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	err := <-drained
	stop()
	if a.Metrics != nil {
		err = errors.Join(err, a.Metrics.Close())
	}
	worker.Wait()
	return err
}

// counted is the hall, which is counted where the figures are served.
func (a *app) counted(worker *sync.WaitGroup) http.Handler {
	if a.Metrics == nil {
		return a.web
	}
	m := meter.New(meter.Config{Watch: web.Watch, Sealed: a.vault.Locked, Backlog: a.jobs.Backlog})
	worker.Go(func() {
		if err := m.Serve(a.Metrics); err != nil {
			a.Logger.Error("no more figures", "error", err)
		}
	})
	return m.Count(a.web)
}
