// Package authserver is the co-op's embedded OAuth 2 and OpenID provider.
//
// It has two jobs, which share keys, tables and one handler:
//
//   - Researchers' programs get access tokens by the client credentials grant
//     (RFC 6749, section 4.4) and send them to the public API, which asks
//     Introspect what a token is worth.
//   - In a demo, members log in here: authorization code with PKCE (RFC 7636,
//     S256 only), a login page that needs no script, a signed id_token that
//     carries the caller's nonce. A production co-op uses an external issuer
//     instead, and this half is then not served at all.
//
// What it guarantees: a code is good once, and using it again also ends the
// token it had brought; codes and tokens are kept by signature only and client
// secrets by hash, so that the database alone opens nothing; whatever was
// handed out survives a restart; expired rows are removed; a redirect goes to
// an address registered character by character or nowhere; an answer holds no
// value that the caller submitted except the state they must get back; no
// secret is logged.
//
// What it refuses: demo accounts anywhere but on a loopback address; implicit,
// password and refresh grants; request objects and client assertions, and with
// them every unsigned or foreign-signed JWT; requests for the login page under
// another host name than the issuer's, which DNS rebinding would need; a
// posted login form that this server did not give to this very browser.
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
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/ory/fosite"

	"distributed.ai/datacoop/internal/db"
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
	// *rsa.PrivateKey of at least 2048 bits (RS256). Required with Demo.
	SigningKey crypto.Signer
	// Accounts are the members who can log in. They need Demo.
	Accounts []Account
	// Demo serves the login half. It needs an Issuer on a loopback address.
	Demo bool
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

// Lifetimes that no co-op needs to change: a code is exchanged by a redirect,
// an id_token is read at once, a login form waits for a person.
const (
	codeLifetime    = 2 * time.Minute
	idTokenLifetime = 10 * time.Minute
	formLifetime    = 15 * time.Minute
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
	demo     bool
	log      *slog.Logger

	pages         *pages
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
	if err := checkDemo(c, issuer); err != nil {
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
		db: c.DB, issuer: issuer, demo: c.Demo, log: c.Logger,
		attempts: newAttempts(time.Now), tokenLifetime: c.TokenLifetime,
		store: &store{replayWindow: codeLifetime + c.TokenLifetime},
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
	if s.pages, err = newPages(); err != nil {
		return err
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
