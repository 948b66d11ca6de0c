package mail

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/testkit"
)

func server(m *testkit.MailServer) *Server {
	return &Server{Address: m.Addr, From: netmail.Address{Name: "Käthes Co-op", Address: "post@coop.example"}, Roots: m.Roots}
}

func letter() Letter {
	return Letter{To: "eva@home.example", Subject: "You have 2 new messages at Käthes Co-op", Text: "Two.\n.\nSign in.\n", ID: "digest-1",
		At: time.Date(2026, 3, 1, 7, 0, 0, 0, time.UTC), Stop: "https://coop.example/email/stop/AB-c_d"}
}

func TestALetterGoesOutEncryptedAndWhole(t *testing.T) {
	m := testkit.Mail(t)
	s := server(m)
	s.User, s.Password = "post", "secret"
	if err := s.Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	list := m.Letters()
	if len(list) != 1 || !list[0].Encrypted || list[0].User == "" || list[0].From != "FROM:<post@coop.example>" && !strings.HasPrefix(list[0].From, "FROM:<post@coop.example> ") || list[0].To != "TO:<eva@home.example>" {
		t.Fatalf("%+v", list)
	}
	got, err := netmail.ReadMessage(strings.NewReader(list[0].Text))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Date": "Sun, 01 Mar 2026 07:00:00 +0000", "Message-Id": "<digest-1@coop.example>", "To": "<eva@home.example>", "Auto-Submitted": "auto-generated",
		"List-Unsubscribe": "<https://coop.example/email/stop/AB-c_d>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
		"Content-Type": "text/plain; charset=utf-8", "Subject": "=?utf-8?q?You_have_2_new_messages_at_K=C3=A4thes_Co-op?=",
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: %q", name, got.Header.Get(name))
		}
	}
	body, err := io.ReadAll(quotedprintable.NewReader(got.Body))
	if err != nil || !bytes.Equal(body, []byte("Two.\r\n.\r\nSign in.\r\n")) {
		t.Errorf("%q %v", body, err)
	}
}

func TestNothingGoesOutInTheClear(t *testing.T) {
	m := testkit.Mail(t)
	m.Plain()
	elsewhere := server(m)
	elsewhere.Address = "mail.example:25"
	elsewhere.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, m.Addr)
	}
	if err := elsewhere.Send(t.Context(), letter()); !errors.Is(err, errClear) {
		t.Errorf("to a server that offers no TLS: %v", err)
	}
	if err := elsewhere.Check(t.Context()); !errors.Is(err, errClear) {
		t.Errorf("a check: %v", err)
	}
	if len(m.Letters()) != 0 {
		t.Error("it went out")
	}
	if err := server(m).Send(t.Context(), letter()); err != nil || len(m.Letters()) != 1 || m.Letters()[0].Encrypted {
		t.Errorf("on this machine: %v", err)
	}
}

func TestAServerThatIsNotTheOneIsRefused(t *testing.T) {
	m := testkit.Mail(t)
	s := server(m)
	s.Roots = testkit.Mail(t).Roots // another's certificate
	if err := s.Send(t.Context(), letter()); err == nil || Refused(err) {
		t.Errorf("%v", err)
	}
	s = server(m)
	s.Address = "other.example:587"
	s.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, m.Addr)
	}
	if err := s.Send(t.Context(), letter()); err == nil {
		t.Error("a certificate for another name is believed")
	}
	if len(m.Letters()) != 0 {
		t.Error("it was handed in")
	}
}

func TestWhatCouldBeAnotherHeaderIsRefused(t *testing.T) {
	m := testkit.Mail(t)
	s := server(m)
	for _, to := range []string{"", "eva", "eva@home", "eva@home.example\r\nBcc: all@home.example", "eva@home.example>", "Eva <eva@home.example>", "<eva@home.example>", "eva@home.example, dan@home.example",
		"eva\u00e9@home.example", "\"a b\"@home.example", "eva@[127.0.0.1]", "eva@-home.example", strings.Repeat("a", 65) + "@home.example", "eva@" + strings.Repeat("a.", 130) + "example"} {
		l := letter()
		l.To = to
		if err := s.Send(t.Context(), l); !errors.Is(err, ErrAddress) || !Refused(err) {
			t.Errorf("%q: %v", to, err)
		}
	}
	for name, change := range map[string]func(*Letter){
		"subject": func(l *Letter) { l.Subject = "Hello\r\nBcc: all@home.example" },
		"newline": func(l *Letter) { l.Subject = "Hello\nBcc: all@home.example" },
		"id":      func(l *Letter) { l.ID = "a>\r\nBcc: all@home.example" },
		"stop":    func(l *Letter) { l.Stop = "https://coop.example/>\r\nBcc: all@home.example" },
		"script":  func(l *Letter) { l.Stop = "javascript:alert(1)" },
		"text":    func(l *Letter) { l.Text = "a\x00b" },
	} {
		l := letter()
		change(&l)
		if err := s.Send(t.Context(), l); !errors.Is(err, ErrLetter) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if m.Sessions() != 0 {
		t.Error("the server was spoken to")
	}
	for _, from := range []string{"", "nobody", "A\r\nB <post@coop.example>", "post@localhost"} {
		if _, err := Sender(from); !errors.Is(err, ErrAddress) {
			t.Errorf("from %q: %v", from, err)
		}
	}
	if from, err := Sender("Our co-op <post@coop.example>"); err != nil || from.Name != "Our co-op" {
		t.Errorf("%v %v", from, err)
	}
}

func TestAMailboxThatIsNotThereIsToldFromAServerThatIsAway(t *testing.T) {
	m := testkit.Mail(t)
	s := server(m)
	for answer, refused := range map[string]bool{"550 no such eva@home.example": true, "553 no": true, "450 later": false, "554 not you": false, "421 busy": false} {
		m.Refuse(answer)
		err := s.Send(t.Context(), letter())
		if err == nil || Refused(err) != refused || strings.Contains(err.Error(), "eva@") {
			t.Errorf("%s: %v", answer, err)
		}
	}
	m.Refuse("")
	for answer, refused := range map[string]bool{"550 no such eva@home.example": true, "452 eva@home.example is full": false, "554 not eva@home.example": false} {
		m.RefuseLetter(answer)
		err := s.Send(t.Context(), letter())
		if err == nil || Refused(err) != refused || strings.Contains(err.Error(), "eva@") {
			t.Errorf("after the letter, %s: %v", answer, err)
		}
	}
	m.RefuseLetter("")
	m.Away(true)
	if err := s.Send(t.Context(), letter()); err == nil || Refused(err) {
		t.Errorf("%v", err)
	}
	m.Away(false)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Send(ended, letter()); err == nil || Refused(err) {
		t.Errorf("%v", err)
	}
	if err := s.Check(t.Context()); err != nil || len(m.Letters()) != 0 {
		t.Errorf("%v", err)
	}
}

func FuzzAnAddressIsOneHeadersWorth(f *testing.F) {
	for _, seed := range []string{"eva@home.example", "a@b.c\r\nX: y", "\"q\"@x.yz", "a@xn--bcher-kva.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		address, err := Address(text)
		if err == nil && (strings.ContainsAny(address, " \r\n\t<>,;:\"()[]\\") || strings.Count(address, "@") != 1 || len(address) > 254) {
			t.Errorf("%q", address)
		}
	})
}
