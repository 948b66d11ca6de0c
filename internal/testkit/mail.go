package testkit

import (
	"bufio"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// MailServer is an SMTP server on a loopback address that keeps what it is handed.
// What it does can be changed while it runs.
type MailServer struct {
	Addr  string
	Roots *x509.CertPool // with its certificate, which is good for 127.0.0.1 and mail.example

	mu       sync.Mutex
	letters  []MailLetter
	plain    bool
	away     bool
	refuse   string
	refused  string
	sessions int
	config   *tls.Config
}

// MailLetter is one letter as it was handed in.
type MailLetter struct {
	From, To  string
	Encrypted bool
	User      string // who signed in, as the client sent it
	Text      string
}

// Mail starts an SMTP server that offers STARTTLS and ends with the test.
func Mail(t testing.TB) *MailServer {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &MailServer{Addr: listener.Addr().String(), Roots: x509.NewCertPool()}
	m.config = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{m.certificate(t)}}
	var talks sync.WaitGroup
	talks.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			talks.Go(func() { m.talk(conn) })
		}
	})
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		talks.Wait()
	})
	return m
}

func (m *MailServer) certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"mail.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	m.Roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Plain has the server offer no TLS.
func (m *MailServer) Plain() { m.change(func() { m.plain = true }) }

// Away has the server hang up on whoever comes, or answer again.
func (m *MailServer) Away(away bool) { m.change(func() { m.away = away }) }

// Refuse has the server answer every recipient so, such as "550 no such mailbox"; "" for none.
func (m *MailServer) Refuse(answer string) { m.change(func() { m.refuse = answer }) }

// RefuseLetter has the server answer every letter so, once it has it; "" for none.
func (m *MailServer) RefuseLetter(answer string) { m.change(func() { m.refused = answer }) }

func (m *MailServer) change(fn func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fn()
}

// Letters are those that were handed in, oldest first.
func (m *MailServer) Letters() []MailLetter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]MailLetter(nil), m.letters...)
}

// Sessions counts who came, also in vain.
func (m *MailServer) Sessions() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sessions
}

// talk is one SMTP session (RFC 5321), as far as clients go.
func (m *MailServer) talk(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	m.mu.Lock()
	m.sessions++
	away, plain := m.away, m.plain
	m.mu.Unlock()
	if away {
		return
	}
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	in, letter := bufio.NewReader(conn), MailLetter{}
	say := func(line string) { _, _ = fmt.Fprintf(conn, "%s\r\n", line) }
	say("220 mail.example ESMTP")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			if plain || letter.Encrypted {
				say("250-mail.example\r\n250 AUTH PLAIN")
			} else {
				say("250-mail.example\r\n250 STARTTLS")
			}
		case "STARTTLS":
			say("220 go on")
			over := tls.Server(conn, m.config)
			conn, in, letter = over, bufio.NewReader(over), MailLetter{Encrypted: true}
		case "AUTH":
			letter.User = rest
			say("235 welcome")
		case "MAIL":
			letter.From = rest
			say("250 fine")
		case "RCPT":
			letter.To = rest
			answer := "250 fine"
			m.change(func() { answer = cmp.Or(m.refuse, answer) })
			say(answer)
		case "DATA":
			say("354 go on")
			letter.Text = readLetter(in)
			say(m.take(letter))
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

// take keeps a letter, unless letters are refused, and answers what is said to it.
func (m *MailServer) take(letter MailLetter) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refused != "" {
		return m.refused
	}
	m.letters = append(m.letters, letter)
	return "250 taken"
}

// readLetter reads to the line with a single dot.
func readLetter(in *bufio.Reader) string {
	var out strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil || line == ".\r\n" {
			return out.String()
		}
		out.WriteString(strings.TrimPrefix(line, "."))
	}
}
