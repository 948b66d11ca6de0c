// Package authserver is the co-op's embedded OAuth 2 and OpenID provider.
//
// It has two jobs, which share keys, tables and one handler:
//
//   - Researchers' programs get access tokens by the client credentials grant
//     (RFC 6749, section 4.4) and send them to the public API, which asks
//     Introspect what a token is worth.
//   - Members log in here where the co-op has no identity provider of its own:
//     authorization code with PKCE (RFC 7636, S256 only) and a signed id_token
//     that carries the caller's nonce, as from any other issuer. With an
//     external issuer this half is not served at all.
//
// There are two kinds of account to log in with. Demo accounts have passwords,
// which a demonstration prints, and live on one machine. Built-in accounts are
// for real co-ops. They have passkeys (Web Authentication Level 3) and no
// password: an invitation link opens a page that makes one, together with the
// account and the co-op's member.
//
// # Built-in accounts
//
// An invitation is used once for both, account and membership: the transaction
// that stores an account also calls Config.Admission.Admit, which uses up the
// code. If it refuses, nothing was stored, and the person reads why; with a
// better link they try again. An account without a member, or a code spent on
// half of a registration, cannot come about, so none has to be cleaned up; the
// code is never kept, and the id_token need not carry it.
//
// Subjects are random ids, but for those that Reserve keeps for whom the
// charter names as holders of an office.
//
// With the account its holder gets a recovery code of 120 bits, shown once and
// kept as a hash. It makes a new passkey in place of all old ones, and is then
// replaced itself; a passkey makes a new recovery code. Who has lost both has
// lost the account. The pages are in the language of the portal's, see package
// templates. A browser that just made or recovered an account may log in
// once within a quarter of an hour without being asked again.
//
// Passkeys are bound to the issuer's host: served under another name, a co-op
// starts with new ones.
//
// # What it guarantees
//
// A code is good once, and using it again also ends the token it had brought;
// codes and tokens are kept by signature only, client secrets and recovery codes
// by hash, so that the database alone opens nothing; whatever was handed out
// survives a restart; expired rows are removed; a redirect goes to an address
// registered character by character or nowhere; an answer holds no value that
// the caller submitted except the state they must get back and the name they
// typed; no secret is logged.
//
// A passkey's signature is taken for a challenge that this server gave to this
// very browser within a quarter of an hour, once, from the issuer's own origin,
// and only if the authenticator says that it verified its holder. A signature
// whose counter did not move on comes from a copy and is refused.
//
// # What it refuses
//
// Demo accounts anywhere but on a loopback address; implicit, password and
// refresh grants; request objects and client assertions, and with them every
// unsigned or foreign-signed JWT; requests for its pages under another host
// name than the issuer's, which DNS rebinding would need; a posted form that
// this server did not give to this very browser. Pages with passkeys need
// JavaScript and say so; their one script is the server's own, talks to nobody
// and is the only one the browser is allowed to run.
//
// Lifetimes run on the machine's clock, not on the co-op's: a token must
// expire although a demonstration has stopped or turned the domain's clock.
package authserver

import (
	"context"
	"crypto"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/ory/fosite"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/web/authserver/held"
	"distributed.ai/datacoop/web/authserver/passkey"
	"distributed.ai/datacoop/web/authserver/templates"
)

//go:embed schema/*.sql
var schema embed.FS

// Config is what a Server is made of. DB, Issuer and Secret are required.
type Config struct {
	// DB holds clients and sessions in tables of this package's own.
	DB *db.DB
	// Issuer is the base URL under which the handler is reached, such as
	// http://localhost:8080: https, or http on a loopback address; no path.
	Issuer string
	// Secret is at least 32 random bytes that stay the same over restarts.
	// Another value ends every token, and every client's secret when it is
	// next asked for.
	Secret []byte
	// SigningKey signs id_tokens: *ecdsa.PrivateKey on P-256 (ES256) or
	// *rsa.PrivateKey of at least 2048 bits (RS256). Required with Demo and
	// BuiltIn.
	SigningKey crypto.Signer
	// Accounts are the members who can log in. They need Demo.
	Accounts []Account
	// Demo lets Accounts log in. It needs an Issuer on a loopback address.
	Demo bool

	// BuiltIn serves accounts with passkeys, which need an Issuer with a host
	// name. The three fields after it are required with it.
	BuiltIn bool
	// Name is the co-op's, as its pages and people's passkeys show it.
	Name string
	// SignIn is the URL at which the co-op's portal starts a login: where a
	// person goes on with a new account.
	SignIn string
	// Admission decides whose account becomes a member.
	Admission Admission

	// AdultAge is what who makes an account is asked about, 0 for nothing; the
	// answer is not kept. Younger is the sentence for who says no.
	AdultAge int
	Younger  string

	// Languages are catalogues of messages beside the built-in ones, as package
	// language reads them; nil is none.
	Languages fs.FS

	// TokenLifetime is how long an access token is good for: more than
	// nothing and at most a day. Zero means one hour.
	TokenLifetime time.Duration
	// Logger gets faults of the server. Nil means slog.Default.
	Logger *slog.Logger
}

// Account is a demo member's login. Subject is what they type and what the
// id_token calls sub: a letter or digit, then up to 63 letters, digits or
// any of ._@- characters. Name is shown on the page and in the name claim.
// Password has at least 8 characters; DemoPassword makes one.
type Account struct {
	Subject  string
	Name     string
	Password string
}

// Admission is the co-op's own answer to who may join. A fault says why not, in
// a sentence that is shown; any other error is a failure of the server.
type Admission struct {
	// Check judges an invitation, "" for none, and leaves it unused.
	Check func(ctx context.Context, invitation string) error
	// Admit makes a member of a new account, in the transaction that stores
	// it, and uses the invitation up. Who holds a reserved subject brings none.
	Admit func(tx *db.Tx, subject, name, invitation string) error
	// Recovered ends what an account had opened before its passkeys were
	// replaced, in the transaction that replaces them. Nil for nothing.
	Recovered func(tx *db.Tx, subject string) error
}

// Holding is what this issuer keeps of one person.
type Holding = held.Account

// Held finds what is kept of a subject; found is false for who signs in
// elsewhere.
func (s *Server) Held(ctx context.Context, subject string) (h Holding, found bool, err error) {
	return held.Of(ctx, s.db, subject)
}

// Forget removes an account with all that opens it, and what it had opened, in
// the caller's transaction. Forgetting twice is harmless.
func (s *Server) Forget(tx *db.Tx, subject string) error { return held.Forget(tx, subject) }

// Lifetimes that no co-op needs to change: a code is exchanged by a redirect,
// an id_token is read at once, a form waits for a person, and so does a ticket
// while they write down a recovery code.
const (
	codeLifetime    = 2 * time.Minute
	idTokenLifetime = 10 * time.Minute
	formLifetime    = 15 * time.Minute
	ticketLifetime  = 15 * time.Minute
	reservationLife = 14 * 24 * time.Hour
	defaultLifetime = time.Hour
	longestLifetime = 24 * time.Hour
)

// Server answers the provider's endpoints and the server's own questions about
// tokens. It is safe for concurrent use.
type Server struct {
	db       *db.DB
	issuer   *url.URL
	keys     keys
	signing  signing
	accounts accounts
	attempts *attempts
	store    *store
	provider fosite.OAuth2Provider
	logins   bool // of either kind
	demo     bool
	builtIn  bool
	log      *slog.Logger

	name      string
	signIn    string
	admission Admission
	adultAge  int
	younger   error
	passkeys  *passkey.Ceremonies // nil unless builtIn

	pages         *templates.Pages
	discovery     []byte // OpenID Connect Discovery 1.0
	metadata      []byte // RFC 8414
	handler       http.Handler
	tokenLifetime time.Duration
}

// New checks the configuration, brings the tables up to date and removes what
// has expired. A configuration it refuses is described by the error in a
// sentence for the operator; the error never holds a secret.
func New(ctx context.Context, c Config) (*Server, error) {
	s, err := prepare(c)
	if err != nil {
		return nil, fmt.Errorf("authserver: %w", err)
	}
	if err := c.DB.Migrate(ctx, "authserver", schema); err != nil {
		return nil, fmt.Errorf("authserver: migrate: %w", err)
	}
	if err := c.DB.Update(ctx, func(tx *db.Tx) error { return s.store.prune(tx) }); err != nil {
		return nil, fmt.Errorf("authserver: prune: %w", err)
	}
	return s, nil
}

func prepare(c Config) (*Server, error) {
	if c.DB == nil {
		return nil, errors.New("a database is needed")
	}
	issuer, err := checkIssuer(c.Issuer)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(checkDemo(c, issuer), checkBuiltIn(c, issuer)); err != nil {
		return nil, err
	}
	if c.TokenLifetime == 0 {
		c.TokenLifetime = defaultLifetime
	}
	if c.TokenLifetime < 0 || c.TokenLifetime > longestLifetime {
		return nil, errors.New("the token lifetime must be more than nothing and at most a day")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	s := &Server{
		db: c.DB, issuer: issuer, logins: c.Demo || c.BuiltIn, demo: c.Demo, builtIn: c.BuiltIn, log: c.Logger,
		name: c.Name, signIn: c.SignIn, admission: c.Admission,
		attempts: newAttempts(time.Now), tokenLifetime: c.TokenLifetime, adultAge: c.AdultAge,
		younger: fault.New(fault.Forbidden, "too-young", c.Younger),
		store:   &store{replayWindow: codeLifetime + c.TokenLifetime},
	}
	return s, s.assemble(c)
}

// assemble builds what depends on keys and accounts.
func (s *Server) assemble(c Config) (err error) {
	if s.keys, err = deriveKeys(c.Secret); err != nil {
		return err
	}
	if c.SigningKey != nil {
		if s.signing, err = newSigning(c.SigningKey); err != nil {
			return err
		}
	}
	if s.accounts, err = s.keys.accounts(c.Accounts); err != nil {
		return err
	}
	if s.pages, err = templates.Read(c.Languages); err != nil {
		return err
	}
	if s.builtIn {
		if s.passkeys, err = passkey.New(s.issuer, s.name); err != nil {
			return err
		}
	}
	s.provider = s.newProvider()
	if s.discovery, err = json.Marshal(s.openIDMetadata()); err != nil {
		return fmt.Errorf("discovery document: %w", err)
	}
	if s.metadata, err = json.Marshal(s.oauthMetadata()); err != nil {
		return fmt.Errorf("metadata document: %w", err)
	}
	s.handler = s.routes()
	return nil
}
