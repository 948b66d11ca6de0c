// Package web is the hall of the house: HTTP in, HTML and JSON out.
//
// It turns requests into calls of the rooms below and their answers into
// documents, and holds no rule of its own. The API is described from its Go
// types and served at /openapi.yaml; the portal is plain server-rendered pages
// that work without JavaScript. Members come in through an OpenID Connect
// issuer and are then known by a session cookie or a bearer token of their
// own making; researchers by OAuth 2 client credentials.
//
// # What it guarantees
//
// Who calls is settled before any input is read, and who may not know a thing
// is told that there is none. Every error is an RFC 9457 problem document with
// a stable type and a sentence, and never echoes what was sent. A repeated
// Idempotency-Key gets the first answer again. State-changing requests from
// other origins are refused. Encrypted files are streamed, never held.
//
// # What it refuses
//
// To open transactions of the domain, to keep anything but sessions and
// tokens, and to answer with the text of an internal error.
package web

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/governance/inbox"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/jobs"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web/account"
	"distributed.ai/datacoop/web/authserver"
	"distributed.ai/datacoop/web/bereavement"
	"distributed.ai/datacoop/web/entry"
	"distributed.ai/datacoop/web/farewell"
	"distributed.ai/datacoop/web/patience"
	"distributed.ai/datacoop/web/sealed"
	"distributed.ai/datacoop/web/signin"
	"distributed.ai/datacoop/web/stepup"
)

//go:embed schema/*.sql
var schema embed.FS

// Config wires the hall to the rooms.
type Config struct {
	DB            *db.DB
	BaseURL       string // as members and researchers reach it, without a trailing slash
	Charter       coop.Charter
	CharterDigest string
	Clock         coop.Clock // domain time; sessions and tokens use the machine's
	Engine        *policies.Engine
	Consent       *consent.Service
	Vault         *vault.Service
	Governance    *governance.Service
	Market        *marketplace.Service
	Log           *audit.Log
	Jobs          *jobs.Queue
	AuthServer    *authserver.Server
	Login         Login
	More          []Login // other issuers that members may choose, or link
	ReceiptKey    ed25519.PublicKey
	Key           ed25519.PrivateKey // its private half, for the receipts of closed accounts
	Secret        []byte             // keys what is remembered of calls that may be repeated; at least 32 bytes
	Logger        *slog.Logger
	Backup        func() (at time.Time, opens bool) // the last backup, for the stewards' page; nil where nobody keeps track
	Mail          *inbox.Server                     // where letters to members are handed in; nil is none are sent
	Languages     fs.FS                             // catalogues of messages beside the built-in ones; nil is none
	Patience      time.Duration                     // how long a body or an answer may stand still; 0 for half a minute
}

// Login is the OpenID Connect issuer that members sign in at.
type Login = signin.Login

// Server answers HTTP. It is safe for concurrent use.
type Server struct {
	Config
	echo     *echo.Echo
	api      huma.API
	sessions *scs.SessionManager
	tokens   *entry.Tokens
	proofs   *stepup.Desk
	signin   *signin.Desk
	account  account.API
	pages    *pages
	inbox    *inbox.Service

	bereavement *bereavement.Service

	secure bool

	downloads patience.Crowd[caller]
}

// New migrates the hall's tables and mounts every route. It does not contact
// the issuer: that happens at the first sign-in. Where the issuer is AuthServer
// itself, at BaseURL, it is asked within the process.
func New(ctx context.Context, c Config) (*Server, error) {
	base, err := url.Parse(c.BaseURL)
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("web: base URL: needs a scheme and a host")
	}
	if len(c.Secret) < sha256.Size {
		return nil, fmt.Errorf("web: secret: needs %d bytes", sha256.Size)
	}
	if err := c.DB.Migrate(ctx, "web", schema); err != nil {
		return nil, fmt.Errorf("web: migrate: %w", err)
	}
	if err := sealed.Migrate(ctx, c.DB); err != nil {
		return nil, fmt.Errorf("web: migrate sealed identities: %w", err)
	}
	c.Patience = cmp.Or(c.Patience, usualPatience)
	s := &Server{Config: c, echo: echo.New(), tokens: entry.NewTokens(c.DB), secure: base.Scheme == "https" || loopback(base)}
	s.sessions = entry.NewSessions(c.DB, s.secure)
	if err := s.openDoors(ctx); err != nil {
		return nil, err
	}
	if s.pages, err = parsePages(c.Languages); err != nil {
		return nil, fmt.Errorf("web: templates: %w", err)
	}
	s.echo.HideBanner, s.echo.HidePort = true, true
	s.echo.IPExtractor = echo.ExtractIPFromXFFHeader() // believes a proxy on a loopback or private address, and nobody else
	s.echo.HTTPErrorHandler = s.answerError
	s.middleware()
	s.api = s.newAPI()
	s.register()
	s.registerPortal()
	s.registerHealth()
	return s, nil
}

// openDoors opens the desks about how members come in and go.
func (s *Server) openDoors(ctx context.Context) (err error) {
	s.proofs = stepup.New(s.sessions, s.Secret)
	if s.inbox, err = inbox.New(ctx, inbox.Config{DB: s.DB, Jobs: s.Jobs, Governance: s.Governance, Clock: s.Clock, Name: s.Charter.Name,
		BaseURL: s.BaseURL, Secret: s.Secret, Mail: s.Mail, Logger: s.Logger}); err != nil {
		return err
	}
	c := signin.Config{DB: s.DB, Logins: append([]Login{s.Login}, s.More...), Base: s.BaseURL, Redirect: s.BaseURL + "/auth/callback",
		Sessions: s.sessions, Proofs: s.proofs, Governance: s.Governance, Inside: s.AuthServer.Handler(), AdultAge: s.Charter.People.AdultAge, Younger: s.Charter.Younger(),
		Tell: s.Jobs.Tell, SignOut: entry.EndAll,
		Admits: func(tx *db.Tx, m coop.MemberID) error {
			return cmp.Or(s.account.Farewell.Open(tx, m), s.bereavement.Alive(tx, m))
		},
		Choose: func(c echo.Context, ways []signin.Way) error { return account.Choose(s.pages.portal, c, ways) }}
	if s.signin, err = signin.New(ctx, c); err != nil {
		return fmt.Errorf("web: sign-in: %w", err)
	}
	bye, err := farewell.New(ctx, farewell.Config{DB: s.DB, Clock: s.Clock, Charter: s.Charter, Consent: s.Consent, Vault: s.Vault, Governance: s.Governance,
		Market: s.Market, Log: s.Log, Jobs: s.Jobs, Key: s.Key, Logger: s.Logger, Bars: bereavement.Bars, SignOut: entry.EndAll, Ways: account.Ways(s.signin.Own(s.BaseURL), s.AuthServer), Hall: []farewell.Forget{sealed.Forget, inbox.ForgetTx, s.Market.ForgetSplit, bereavement.Forget}})
	if err != nil {
		return err
	}
	s.bereavement, err = bereavement.New(ctx, bereavement.Config{DB: s.DB, BaseURL: s.BaseURL, Clock: s.Clock, Consent: s.Consent, Governance: s.Governance, Market: s.Market, Farewell: bye,
		Log: s.Log, Jobs: s.Jobs, Secret: s.Secret, SignOut: entry.EndAll})
	s.account = account.API{Tell: s.inbox.Tell, Member: func(ctx context.Context) coop.MemberID { return callerOf(ctx).Member }, Desk: &account.Desk{DB: s.DB, BaseURL: s.BaseURL,
		Currency: s.Charter.Currency, Sessions: s.sessions, Tokens: s.tokens, Proofs: s.proofs, Signin: s.signin, Farewell: bye}}
	return err
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// loopback reports whether base is this machine, where browsers take secure
// cookies without TLS.
func loopback(base *url.URL) bool {
	h := base.Hostname()
	return h == "localhost" || h == "127.0.0.1" || h == "::1"
}
