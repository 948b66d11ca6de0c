package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/cmd/datacoop/founding"
	"distributed.ai/datacoop/internal/coop"
)

// InitCmd sets a co-op up in a new directory.
type InitCmd struct {
	Data           string   `required:"" type:"path" help:"Directory to make; databases, payloads and keys will live in it."`
	Database       string   `placeholder:"URL" help:"Keep the main database on this PostgreSQL server (postgres://…), and note that in the directory. Default: a file in the directory."`
	Charter        string   `type:"existingfile" help:"Charter to start from. Default: the built-in one with your answers."`
	Name           string   `help:"Name of the co-op."`
	Contact        string   `help:"Where members can complain: an address (mailto:…) or URL."`
	Currency       string   `help:"ISO 4217 code."`
	Admission      string   `help:"open, vouched or invited."`
	Office         []string `placeholder:"OFFICE=SUBJECT" help:"Who holds an office at the start; may be repeated."`
	BaseURL        string   `help:"How people will reach the server, such as https://coop.example."`
	Issuer         string   `help:"OpenID Connect issuer that members sign in at. Default: accounts with passkeys, kept here."`
	ClientID       string   `help:"This server's client id at the issuer."`
	ACME           bool     `help:"Let the server get its TLS certificates itself. By that you accept the terms of Let's Encrypt."`
	PassphraseFile string   `type:"existingfile" help:"Read the passphrase of the vault key from a file instead of asking."`
	Yes            bool     `short:"y" help:"Ask nothing: take flags and defaults."`
}

// Run asks, writes everything, and says what is left to do.
func (c *InitCmd) Run(ctx context.Context) error {
	if err := newDirectory(c.Data); err != nil {
		return err
	}
	q := founding.Questions{In: bufio.NewReader(os.Stdin), Out: os.Stderr}
	if c.Yes {
		q.In = nil
	}
	if err := c.ask(q); err != nil {
		return err
	}
	text, charter, err := c.charter(q)
	if err != nil {
		return err
	}
	if err := c.check(charter); err != nil {
		return err
	}
	passphrase, err := custody.NewPassphrase(c.PassphraseFile)
	if err != nil {
		return err
	}
	invitations, err := c.write(ctx, text, charter, passphrase)
	if err != nil {
		return fmt.Errorf("stopped half-way; remove %s and start again: %w", c.Data, err)
	}
	c.tell(charter, invitations)
	return nil
}

// newDirectory refuses to set a co-op up over anything that is there.
func newDirectory(dir string) error {
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty; a new co-op needs a directory of its own", dir)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("data directory: %w", err)
	}
	return nil
}

// ask settles how the server is reached and where members sign in.
func (c *InitCmd) ask(q founding.Questions) (err error) {
	if c.BaseURL, err = q.Ask(c.BaseURL, "Address people will open, such as https://coop.example", "http://localhost:8080", usableBase); err != nil {
		return fmt.Errorf("base URL: %w", err)
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	prompt := "OpenID Connect issuer that members sign in at (empty: accounts with passkeys, kept here)"
	if c.Issuer, err = q.Ask(c.Issuer, prompt, "", founding.Anything); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	if c.Issuer != "" {
		if c.ClientID, err = q.Ask(c.ClientID, "This server's client id there", "", founding.Something); err != nil {
			return fmt.Errorf("client id: %w", err)
		}
	}
	if isLoopback(c.BaseURL) {
		return nil
	}
	c.ACME, err = q.Sure(c.ACME, "Shall the server get its TLS certificates itself, from Let's Encrypt? No: a proxy in front of it ends TLS")
	return err
}

// usableBase takes what serve will take.
func usableBase(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return errors.New("an address is https:// and a host name, without a path")
	case u.Scheme == "http" && !isLoopback(text):
		return errors.New("only https is fit for the public; http works on this machine alone")
	}
	return nil
}

// charter reads the charter that was given, or asks for what is to be in one.
func (c *InitCmd) charter(q founding.Questions) ([]byte, coop.Charter, error) {
	if c.Charter == "" {
		f := founding.Answers{Name: c.Name, Contact: c.Contact, Currency: c.Currency, Admission: c.Admission}
		if err := f.Complete(q, c.Office); err != nil {
			return nil, coop.Charter{}, err
		}
		return f.Charter()
	}
	if c.Name+c.Contact+c.Currency+c.Admission != "" || len(c.Office) > 0 {
		return nil, coop.Charter{}, errors.New("--charter says name, contact, currency, admission and offices already; change them there")
	}
	return loadCharter(c.Data, c.Charter)
}

// check refuses what could be written and would never work.
func (c *InitCmd) check(charter coop.Charter) error {
	u, err := url.Parse(c.BaseURL)
	if err != nil {
		return fmt.Errorf("base URL: %w", err)
	}
	if c.ACME && (u.Scheme != "https" || u.Port() != "") {
		return errors.New("certificates are for https addresses without a port")
	}
	if c.Issuer == "" && isAddress(u.Hostname()) {
		return errors.New("passkeys need a host name: browsers keep none for an address such as 127.0.0.1; use localhost")
	}
	if len(charter.Offices) == 0 && charter.Admission != "open" {
		return errors.New("nobody could ever join: name at least one holder of an office (--office vetting=ada), or let anybody in (--admission open)")
	}
	for _, h := range charter.Offices {
		if c.Issuer == "" {
			if err := founding.AccountName(h.Subject); err != nil {
				return fmt.Errorf("office %s: %w", h.Office, err)
			}
		}
	}
	return nil
}
