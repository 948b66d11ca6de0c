package testkit

import (
	"bytes"
	"net"
	"net/url"
	"os"
	"sync"
	"testing"
)

// Proxy stands between a program and the PostgreSQL server, and can take the
// server away.
type Proxy struct {
	listener net.Listener
	server   string

	mu    sync.Mutex
	away  bool
	deaf  bool // what the server says is not passed on
	fate  Fate
	links map[*link]bool
}

// Fate is what becomes of the next COMMIT.
type Fate int

// The fates.
const (
	Passes            Fate = iota
	Lost                   // it never reaches the server, and the connection breaks
	Unanswered             // the server commits, and the connection breaks before it says so
	UnansweredForGood      // the same, and the server stays away
)

// NewProxy starts a proxy in front of the server the tests run on.
func NewProxy(t testing.TB) *Proxy {
	t.Helper()
	PostgresOnly(t)
	u, err := url.Parse(os.Getenv(PostgresEnv))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed with the test
	if err != nil {
		t.Fatal(err)
	}
	port := u.Port()
	if port == "" {
		port = "5432"
	}
	p := &Proxy{listener: listener, server: net.JoinHostPort(u.Hostname(), port), links: map[*link]bool{}}
	var done sync.WaitGroup
	done.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		p.Cut()
		done.Wait()
	})
	return p
}

// Through is a database's address by way of the proxy.
func (p *Proxy) Through(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	u.Host = p.listener.Addr().String()
	return u.String()
}

// Cut breaks every connection and takes no new ones.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = true
	for l := range p.links {
		l.cut()
	}
}

// Break breaks every connection and takes new ones.
func (p *Proxy) Break() {
	p.Cut()
	p.Restore()
}

// Restore takes connections again and passes everything on.
func (p *Proxy) Restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away, p.deaf = false, false
}

// Hang keeps the connections and passes on nothing that the server says.
func (p *Proxy) Hang() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deaf = true
}

// Doom decides what becomes of the next COMMIT.
func (p *Proxy) Doom(f Fate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fate = f
}

// link is one connection through the proxy.
type link struct {
	client, server net.Conn
	swallow        bool // the server's next word ends it
	last           bool // and there will be no other
}

func (l *link) cut() {
	_ = l.client.Close()
	_ = l.server.Close()
}

func (p *Proxy) accept() {
	var pumps sync.WaitGroup
	defer pumps.Wait()
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server) //nolint:noctx // a loopback address
		if err != nil {
			_ = client.Close()
			continue
		}
		l := &link{client: client, server: server}
		p.mu.Lock()
		p.links[l] = true
		if p.away {
			l.cut()
		}
		p.mu.Unlock()
		pumps.Go(func() { p.pump(l, client, server, p.says) })
		pumps.Go(func() { p.pump(l, server, client, p.answers) })
	}
}

// pump passes on what arrives, unless pass says no.
func (p *Proxy) pump(l *link, from, to net.Conn, pass func(*link, []byte) bool) {
	defer func() {
		p.mu.Lock()
		delete(p.links, l)
		p.mu.Unlock()
		l.cut()
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && pass(l, buf[:n]) {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// commit is the simple query, as the wire carries it.
var commit = []byte("Q\x00\x00\x00\x0bCOMMIT\x00")

func (p *Proxy) says(l *link, data []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fate == Passes || !bytes.Contains(data, commit) {
		return true
	}
	fate := p.fate
	p.fate = Passes
	if fate == Lost {
		l.cut()
		return false
	}
	l.swallow, l.last = true, fate == UnansweredForGood
	return true
}

func (p *Proxy) answers(l *link, _ []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.swallow {
		p.away = p.away || l.last
		l.cut()
		return false
	}
	return !p.deaf
}
