// Package rest is how the client speaks HTTP: everything about a call that is
// the same for every endpoint. It knows nothing of the co-op.
//
// [Conn.Do] performs one [Call], [Conn.Whole] reads its answer to the end;
// [Get], [Put], [Post] and [List] put JSON around them. [Conn.Download] reads
// a file from the middle on, [Conn.Upload] sends one by tus 1.0.
//
// # What it guarantees
//
// A token or secret goes to the origin of the base URL and nowhere else, and
// over TLS unless that is this machine: a redirect, a link or an upload
// address at another origin is refused, a redirected write as well.
//
// A call is repeated, with growing pauses or those the server asks for, after
// a lost connection and after 429, 502, 503 and 504, always with the same
// Idempotency-Key; a call that may be made only once says so. A token that is
// no longer taken is replaced once. An exchange in which no byte moves for two
// minutes is given up.
//
// Text from the server reaches an error only in printable characters and
// limited length.
package rest

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config says who calls and how patiently. The zero value is nobody, with the
// usual patience.
type Config struct {
	Token      string            // fixed bearer token
	ClientID   string            // with Secret: OAuth 2 client credentials at {base}/oauth/token
	Secret     string            //
	Transport  http.RoundTripper // nil for one of its own
	Standstill time.Duration     // an exchange that stands still for longer is given up; 0 for two minutes
	Pause      time.Duration     // the first pause before a repeated call; 0 for a quarter of a second
}

// Conn speaks to one server. It is safe for concurrent use.
type Conn struct {
	base       *url.URL
	http       *http.Client
	tokens     tokens
	standstill time.Duration
	firstPause time.Duration
}

const (
	usualStandstill = 2 * time.Minute
	usualPause      = 250 * time.Millisecond
	longestPause    = time.Minute // a server that asks for more gets its problem reported instead
)

// Connections is how many connections are kept for calls at once.
const Connections = 32

// New makes a connection to the server at base, such as https://coop.example.
// Plain http is accepted for this machine only.
func New(base string, config Config) (*Conn, error) {
	u, err := parseBase(base)
	if err != nil {
		return nil, err
	}
	if config.Transport == nil {
		config.Transport = newTransport()
	}
	c := &Conn{base: u, standstill: usualStandstill, firstPause: usualPause}
	if config.Standstill > 0 {
		c.standstill = config.Standstill
	}
	if config.Pause > 0 {
		c.firstPause = config.Pause
	}
	c.http = &http.Client{Transport: config.Transport, CheckRedirect: c.checkRedirect}
	c.tokens.fixed, c.tokens.http = config.Token, c.http
	if config.ClientID != "" {
		c.tokens.grant = newGrant(u, config.ClientID, config.Secret)
	}
	return c, nil
}

func newTransport() http.RoundTripper {
	usual, ok := http.DefaultTransport.(*http.Transport)
	if !ok { // somebody has put their own in its place
		return http.DefaultTransport
	}
	own := usual.Clone()
	own.MaxIdleConnsPerHost = Connections
	return own
}

// Base is the URL the connection was made for, without a trailing slash.
func (c *Conn) Base() string { return c.base.String() }

func parseBase(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil: // its text would quote the address, credentials included
		return nil, errors.New("the server's address is not a URL")
	case u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "":
		return nil, errors.New("the server's address must be a URL such as https://coop.example")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("the server's address must have no credentials, query or fragment")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, errors.New("the server's address must start with https: plain http would show your token to the network")
	}
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/"), ""
	return u, nil
}

// loopback reports whether host is this machine (RFC 6761, section 6.3).
func loopback(host string) bool {
	host = strings.ToLower(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// misdirected is where the server points and the client does not go.
type misdirected string

func (m misdirected) Error() string { return string(m) }

const (
	errElsewhere = misdirected("the server points to another server; the token does not go there")
	errMoved     = misdirected("the server redirects a call that changes something")
	errCircles   = misdirected("the server redirects in circles")
)

// checkRedirect follows reads within the origin and nothing else: a repeated
// write or a token at another host would be somebody else's decision.
func (c *Conn) checkRedirect(next *http.Request, via []*http.Request) error {
	switch {
	case !c.sameOrigin(next.URL):
		return errElsewhere
	case next.Method != http.MethodGet && next.Method != http.MethodHead, via[0].Method != next.Method:
		return errMoved
	case len(via) >= 5:
		return errCircles
	}
	return nil
}

func (c *Conn) sameOrigin(u *url.URL) bool {
	return u.Scheme == c.base.Scheme && strings.EqualFold(u.Host, c.base.Host)
}

// At builds the address of an endpoint. Segments are escaped, so that an id
// never becomes another path.
func (c *Conn) At(segments ...string) (*url.URL, error) {
	escaped := make([]string, len(segments))
	for i, s := range segments {
		if s == "" || s == "." || s == ".." {
			return nil, errors.New("an id is missing or is not one")
		}
		escaped[i] = url.PathEscape(s)
	}
	return c.base.JoinPath(escaped...), nil
}
