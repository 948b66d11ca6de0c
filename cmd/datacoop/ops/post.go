package ops

import (
	"context"
	"errors"
	"fmt"
	"net"

	"distributed.ai/datacoop/governance/inbox"
)

// Post are the flags about e-mail, for serve and doctor alike.
type Post struct {
	Server   string `placeholder:"HOST:PORT" help:"SMTP server that letters to members are handed to: in TLS on port 465, by STARTTLS elsewhere. Default: no e-mail."`
	From     string `help:"Address that letters are from, such as 'Our co-op <post@coop.example>'."`
	User     string `help:"Name to sign in with at the SMTP server, if it asks for one."`
	Password string `help:"Password to sign in with; better given as DATACOOP_SMTP_PASSWORD."`
}

// Open is the server that the flags name; nil if they name none.
func (p Post) Open() (*inbox.Server, error) {
	if p.Server == "" {
		if p.From != "" || p.User != "" || p.Password != "" {
			return nil, errors.New("e-mail: name the server as well (--smtp-server)")
		}
		return nil, nil
	}
	if _, port, err := net.SplitHostPort(p.Server); err != nil || port == "" {
		return nil, errors.New("e-mail: the server (--smtp-server) needs a port, such as mail.example:587")
	}
	from, err := inbox.Sender(p.From)
	if err != nil {
		return nil, fmt.Errorf("e-mail: the sender (--smtp-from): %w", err)
	}
	if (p.User == "") != (p.Password == "") {
		return nil, errors.New("e-mail: a user (--smtp-user) needs a password (DATACOOP_SMTP_PASSWORD), and a password a user")
	}
	return &inbox.Server{Address: p.Server, User: p.User, Password: p.Password, From: from}, nil
}

// letters goes to the door of the mail server.
func (c *Doctor) letters(ctx context.Context, r *report) {
	server, err := c.SMTP.Open()
	switch {
	case err != nil:
		r.add("e-mail", wrong, err.Error(), "serve refuses to start with that.")
	case server == nil:
		r.fine("e-mail", "no SMTP server was named: members read their messages in the portal alone")
	default:
		err := server.Check(ctx)
		r.either(err == nil, "e-mail", "the server "+c.SMTP.Server+" takes letters, encrypted", heed,
			fmt.Sprintf("the server %s takes no letters: %v", c.SMTP.Server, err), "Letters wait for some hours and then for the next day; no message is lost.")
	}
}
