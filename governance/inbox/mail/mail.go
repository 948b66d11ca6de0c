// Package mail hands plain letters to an SMTP server.
//
// # What it guarantees
//
// A letter goes out over TLS, with a certificate that is good for the server's
// name: at once on port 465 (RFC 8314), by STARTTLS (RFC 3207) elsewhere. Only to
// a server on a loopback address it may go out in the clear, where that offers no
// TLS. Every letter has a date, a message id that is the same whenever it is sent
// again, and says that a machine wrote it (RFC 3834); one that can be called off
// says how, with one click (RFC 8058). An attempt ends within [Patience].
//
// # What it refuses
//
// Anything in an address, a subject or a link that could begin another header
// ([ErrAddress], [ErrLetter]); a server that offers no TLS; a password where the
// connection is not encrypted.
package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"regexp"
	"strings"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
)

// Patience is how long one attempt may take.
const Patience = 30 * time.Second

// ErrAddress refuses what is no e-mail address.
var ErrAddress = fault.New(fault.Invalid, "mail-address", "That is not an e-mail address that mail can be sent to.")

// ErrLetter is a letter that cannot be sent as it is.
var ErrLetter = errors.New("mail: a header of the letter has characters that do not belong there")

// errClear refuses a server that would have letters in the clear.
var errClear = errors.New("mail: the server offers no TLS, which it must outside this machine")

// Server is where letters are handed in.
type Server struct {
	Address  string // host:port
	User     string // "" without a sign-in
	Password string
	From     mail.Address
	Roots    *x509.CertPool // whom to believe; nil for the machine's

	dial func(ctx context.Context, network, address string) (net.Conn, error) // nil for the network
}

// Letter is what is sent to one person.
type Letter struct {
	To      string
	Subject string
	Text    string
	ID      string    // names it among all letters of the co-op, letters and digits
	At      time.Time // the moment it says it was written
	Stop    string    // https or loopback address that calls further letters off; "" for none
}

var (
	addressPattern = regexp.MustCompile(`^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]$`)
	idPattern      = regexp.MustCompile(`^[A-Za-z0-9-]{1,80}$`)
	linkPattern    = regexp.MustCompile(`^https?://[A-Za-z0-9.:/_\[\]-]+$`)
)

// Address checks that text is an address as mail servers take it, and answers it
// without blanks around it. ErrAddress for anything else.
func Address(text string) (string, error) {
	text = strings.TrimSpace(text)
	parsed, err := mail.ParseAddress(text)
	if err != nil || len(text) > 254 || !addressPattern.MatchString(text) || parsed.Address != text {
		return "", ErrAddress
	}
	return text, nil
}

// Sender reads the address that letters are from, such as
// "Our co-op <post@coop.example>".
func Sender(text string) (mail.Address, error) {
	parsed, err := mail.ParseAddress(text)
	if err != nil || !coop.Line(parsed.Name, 0, 100) || !addressPattern.MatchString(parsed.Address) {
		return mail.Address{}, ErrAddress
	}
	return *parsed, nil
}

// check refuses what could be read as more than one header.
func (l Letter) check() error {
	if _, err := Address(l.To); err != nil {
		return err
	}
	if !coop.Line(l.Subject, 1, 200) || !idPattern.MatchString(l.ID) || !coop.Prose(l.Text, 1, 10_000) || l.Stop != "" && !linkPattern.MatchString(l.Stop) {
		return ErrLetter
	}
	return nil
}

// write is the letter as it goes over the wire.
func (l Letter) write(from mail.Address) ([]byte, error) {
	var out bytes.Buffer
	_, domain, _ := strings.Cut(from.Address, "@")
	headers := [][2]string{
		{"Date", l.At.UTC().Format(time.RFC1123Z)},
		{"From", from.String()},
		{"To", "<" + l.To + ">"},
		{"Message-ID", "<" + l.ID + "@" + domain + ">"},
		{"Subject", mime.QEncoding.Encode("utf-8", l.Subject)},
		{"Auto-Submitted", "auto-generated"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	}
	if l.Stop != "" {
		headers = append(headers, [2]string{"List-Unsubscribe", "<" + l.Stop + ">"}, [2]string{"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"})
	}
	for _, h := range headers {
		fmt.Fprintf(&out, "%s: %s\r\n", h[0], h[1])
	}
	out.WriteString("\r\n")
	body := quotedprintable.NewWriter(&out)
	if _, err := body.Write([]byte(strings.ReplaceAll(l.Text, "\n", "\r\n"))); err != nil {
		return nil, err
	}
	return out.Bytes(), body.Close()
}

// Send hands one letter in. [Refused] tells a person who has no such mailbox from
// a server that may take the letter later.
func (s *Server) Send(ctx context.Context, l Letter) error {
	if err := l.check(); err != nil {
		return err
	}
	text, err := l.write(s.From)
	if err != nil {
		return fmt.Errorf("mail: write: %w", err)
	}
	return s.talk(ctx, func(c *smtp.Client) error {
		if err := c.Mail(s.From.Address); err != nil {
			return answered("sender", err)
		}
		if err := c.Rcpt(l.To); err != nil {
			return refusedBy("recipient", err)
		}
		w, err := c.Data()
		if err != nil {
			return refusedBy("data", err)
		}
		if _, err := w.Write(text); err != nil {
			return answered("body", err)
		}
		if err := w.Close(); err != nil {
			return refusedBy("hand in", err)
		}
		return nil
	})
}

// Check goes as far as a sign-in and hands nothing in.
func (s *Server) Check(ctx context.Context) error {
	return s.talk(ctx, func(c *smtp.Client) error { return answered("check", c.Noop()) })
}

// errRefused marks a recipient whom the server will never take letters for.
var errRefused = errors.New("mail: the server takes no letters for this address")

// Refused reports whether an error of Send is about the address itself and would
// come again.
func Refused(err error) bool { return errors.Is(err, errRefused) || errors.Is(err, ErrAddress) }

// answered keeps the code of a server's answer and leaves out the text, which
// tends to repeat the address.
func answered(to string, err error) error {
	if err == nil {
		return nil
	}
	if said := new(textproto.Error); errors.As(err, &said) {
		return fmt.Errorf("mail: %s: the server answered %d", to, said.Code)
	}
	if garbled := textproto.ProtocolError(""); errors.As(err, &garbled) {
		return fmt.Errorf("mail: %s: the server answered something else than SMTP", to)
	}
	return fmt.Errorf("mail: %s: %w", to, err)
}

// refusedBy is answered once a recipient has been named: some servers say only
// after the letter that there is no such mailbox.
func refusedBy(to string, err error) error {
	if said := new(textproto.Error); errors.As(err, &said) && said.Code >= 550 && said.Code <= 553 {
		return fmt.Errorf("%w (%d)", errRefused, said.Code)
	}
	return answered(to, err)
}

// talk opens a session, encrypted, has it signed in and hands it over.
func (s *Server) talk(ctx context.Context, fn func(*smtp.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		return fmt.Errorf("mail: server: %w", err)
	}
	dial := s.dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, "tcp", s.Address)
	if err != nil {
		return fmt.Errorf("mail: connect: %w", err)
	}
	defer func() { _ = conn.Close() }()                         // what could fail has been heard of before
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // ends whatever waits
	over := &tls.Config{ServerName: host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
	if port == "465" {
		conn = tls.Client(conn, over)
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return answered("greeting", err)
	}
	if err := s.open(c, over, host); err != nil {
		return err
	}
	if err := fn(c); err != nil {
		return err
	}
	_ = c.Quit() // the letter is handed in; what is said at the door changes nothing
	return nil
}

// open greets, encrypts and signs in.
func (s *Server) open(c *smtp.Client, over *tls.Config, host string) error {
	_, domain, _ := strings.Cut(s.From.Address, "@")
	if err := c.Hello(domain); err != nil {
		return answered("hello", err)
	}
	if _, encrypted := c.TLSConnectionState(); !encrypted {
		offered, _ := c.Extension("STARTTLS")
		if !offered && !Loopback(host) {
			return errClear
		}
		if offered {
			if err := c.StartTLS(over); err != nil {
				return answered("encrypt", err)
			}
		}
	}
	if s.User == "" {
		return nil
	}
	if err := c.Auth(smtp.PlainAuth("", s.User, s.Password, host)); err != nil {
		return answered("sign in", err)
	}
	return nil
}

// Loopback reports whether a host is this machine.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
