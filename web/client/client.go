// Package client is the co-op's public API in Go: what a member, a researcher
// or a steward can do over HTTP, and the age encryption that belongs on their
// side of it. The command line and the demonstration go through it; it knows
// nothing of the server but what a stranger can read in /openapi.yaml.
//
// # Which function do I call?
//
// [New] makes a [Client] for a base URL, with [WithToken] for a member or
// [WithCredentials] for a researcher. Its methods are the endpoints, one each,
// typed by the wire types of this package. Four operations put them together:
//
//   - [Client.Share] recognises a member's export, reduces it to the pool's
//     table, encrypts it and uploads it; run again, it goes on where it stood.
//   - [Client.Fetch] downloads everything granted to a request, verifies and
//     decrypts it.
//   - [Client.Approve] re-wraps the key of a file that its member alone can open,
//     for one granted request, on the member's own machine.
//   - [Client.ProveRecipient] registers a researcher's recipient and proves
//     that they hold its identity.
//
// [Keygen] and [ReadIdentity] deal with age identities; nobody outside this
// package and the vault handles age itself. How calls are repeated, redirects
// refused and problems read is the business of package rest.
//
// # What it guarantees
//
// Nothing leaves the machine in the clear: Share encrypts before the first
// byte is sent, and refuses a server that is reached without TLS anywhere but
// on this machine. A token or client secret goes to the base URL's origin and
// to nowhere else; a redirect or a link to another origin is refused.
//
// A call that creates or spends carries one Idempotency-Key, made once and
// kept over every retry, so that a lost answer never does a thing twice. Calls
// are repeated, with growing pauses or those the server asks for, after a lost
// connection and after 429, 502, 503 and 504. An exchange in which nothing
// moves for two minutes is given up.
//
// Fetch puts a file under its final name only after the hash of its ciphertext
// has been compared with the listing and every chunk of it has been
// authenticated. What it refuses leaves nothing behind.
//
// # What it refuses
//
// Passphrase-protected identity files, recipients of two kinds in one file,
// challenges that are not a nonce (answering them would decrypt other people's
// text for the server), headers to re-wrap that are not of a file the member has
// signed, ids that are not ids where they become file names.
//
// # Errors
//
// A refusal by the server is a [*ProblemError] with the sentences a person
// should read. A server that cannot be reached is an [*UnreachableError].
package client

import (
	"context"
	"net/http"
	"time"

	"distributed.ai/datacoop/web/client/rest"
)

// Client speaks to one co-op. It is safe for concurrent use.
type Client struct {
	conn *rest.Conn
	rest.Papers
}

// ProblemError is a refusal by the server; see package rest.
type ProblemError = rest.ProblemError

// UnreachableError says that no answer came.
type UnreachableError = rest.UnreachableError

// Download is a file on its way.
type Download = rest.Download

// Upload is an upload under way.
type Upload = rest.Upload

// Problem is an RFC 9457 problem document.
type Problem = rest.Problem

// Option says how New makes a Client.
type Option func(*rest.Config)

// WithToken makes the client speak for the bearer of a member's token.
func WithToken(token string) Option {
	return func(c *rest.Config) { c.Token = token }
}

// WithCredentials makes the client speak for a researcher: it gets a token by
// the client credentials grant (RFC 6749, section 4.4) from /oauth/token, keeps
// it while it is good and gets another one when the server no longer takes it.
func WithCredentials(id, secret string) Option {
	return func(c *rest.Config) { c.ClientID, c.Secret = id, secret }
}

// WithTransport replaces the HTTP transport. Redirects, repeats and time
// limits stay the client's own.
func WithTransport(t http.RoundTripper) Option {
	return func(c *rest.Config) { c.Transport = t }
}

// withPause shortens the first pause before a repeated call, for tests.
func withPause(d time.Duration) Option {
	return func(c *rest.Config) { c.Pause = d }
}

// New makes a client for the co-op at base, such as https://coop.example. Plain
// http is accepted for this machine only. Without an option that says who
// calls, the client can do what anyone can.
func New(base string, options ...Option) (*Client, error) {
	var config rest.Config
	for _, option := range options {
		option(&config)
	}
	conn, err := rest.New(base, config)
	if err != nil {
		return nil, err
	}
	return &Client{conn, rest.Papers{Conn: conn}}, nil
}

// Base is the URL the client was made for, without a trailing slash.
func (c *Client) Base() string { return c.conn.Base() }

// IsStatus reports whether err is a ProblemError with one of these HTTP
// statuses.
func IsStatus(err error, statuses ...int) bool { return rest.IsStatus(err, statuses...) }

// document reads a document as it is, byte for byte.
func (c *Client) document(ctx context.Context, types string, segments ...string) ([]byte, error) {
	return c.conn.Text(ctx, http.MethodGet, "", rest.Accept(types), nil, segments...)
}
