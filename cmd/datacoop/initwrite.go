package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"distributed.ai/datacoop/cmd/datacoop/custody"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/web/authserver"
)

// invitation is a link for who holds an office.
type invitation struct {
	subject, offices, link string
	expires                time.Time
}

// write makes the directory and everything in it.
func (c *InitCmd) write(ctx context.Context, text []byte, charter coop.Charter, passphrase string) ([]invitation, error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := custody.WritePrivate(filepath.Join(c.Data, charterFile), text); err != nil {
		return nil, err
	}
	keys, err := custody.LoadKeys(c.Data)
	if err != nil {
		return nil, err
	}
	if err := sealMaster(c.Data, passphrase, custody.HumanLogN); err != nil {
		return nil, err
	}
	var invitations []invitation
	if c.Issuer == "" {
		if invitations, err = reserve(ctx, c.Data, c.Database, c.BaseURL, keys, charter, subjects(charter)...); err != nil {
			return nil, err
		}
	}
	lines, err := c.settings().text()
	if err != nil {
		return nil, err
	}
	return invitations, custody.WritePrivate(filepath.Join(c.Data, settingsFile), lines)
}

func (c *InitCmd) settings() settings {
	s := settings{"data": c.Data, "base-url": c.BaseURL}
	if c.Issuer == "" {
		s["builtin-accounts"] = true
	} else {
		s["issuer"], s["client-id"] = c.Issuer, c.ClientID
	}
	if c.PassphraseFile != "" {
		s["passphrase-file"] = c.PassphraseFile
	}
	u, err := url.Parse(c.BaseURL)
	switch {
	case err != nil: // it was checked before
	case c.ACME:
		s["acme-host"] = u.Hostname()
	case isLoopback(c.BaseURL) && u.Port() != "":
		s["listen"] = u.Host
	}
	return s
}

// subjects lists who holds an office, each once.
func subjects(charter coop.Charter) (out []string) {
	seen := map[string]bool{}
	for _, h := range charter.Offices {
		if !seen[h.Subject] {
			seen[h.Subject] = true
			out = append(out, h.Subject)
		}
	}
	return out
}

// reserve keeps a subject for whoever comes with the code in the link.
func reserve(ctx context.Context, dir, database, base string, keys custody.ServerKeys, charter coop.Charter, subjects ...string) (out []invitation, err error) {
	d, err := openDatabase(ctx, dir, database, keys)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closed := d.Close(); err == nil {
			err = closed
		}
	}()
	auth, err := authserver.New(ctx, authserver.Config{DB: d, Issuer: base, Secret: keys.OAuth, Logger: newLogger()})
	if err != nil {
		return nil, err
	}
	for _, subject := range subjects {
		code, expires, err := auth.Reserve(ctx, subject)
		if err != nil {
			return nil, plain(err, "Nothing was changed.")
		}
		out = append(out, invitation{subject, offices(charter, subject), base + authserver.PathJoin + "?invitation=" + code, expires})
	}
	return out, nil
}

func offices(charter coop.Charter, subject string) string {
	var held []string
	for _, h := range charter.Offices {
		if h.Subject == subject {
			held = append(held, string(h.Office))
		}
	}
	return strings.Join(held, ", ")
}

func show(invitations []invitation) {
	for _, i := range invitations {
		fmt.Printf("  %s (%s), once and until %s:\n  %s\n\n", i.subject, i.offices, i.expires.Format("2 January 2006"), i.link)
	}
}

// tell says what was made and what is left to do.
func (c *InitCmd) tell(charter coop.Charter, invitations []invitation) {
	fmt.Printf("%s is set up in %s.\n\n", charter.Name, c.Data)
	if len(invitations) > 0 {
		fmt.Print("Invitations for who holds an office. Send each to its person alone; it makes their account.\n\n")
		show(invitations)
	}
	todo := []string{"Keep the passphrase of the vault key safe and apart from this directory. Without it every dataset is lost; with it and the directory, every dataset is open."}
	if c.Issuer != "" {
		todo = append(todo, "Allow "+c.BaseURL+"/auth/callback as redirect address at "+c.Issuer+", and put the client secret into DATACOOP_OIDC_SECRET.")
	}
	u, err := url.Parse(c.BaseURL)
	switch {
	case err != nil || isLoopback(c.BaseURL):
	case c.ACME:
		todo = append(todo, "Point the name "+u.Hostname()+" at this machine, and let port 443 in. The certificate comes with the first visit.")
	default:
		todo = append(todo, "Let a proxy end TLS for "+c.BaseURL+" and pass requests on to localhost:8080 with the Host header unchanged and the caller's address added to X-Forwarded-For.")
	}
	start := "Start it: datacoop serve --config " + filepath.Join(c.Data, settingsFile)
	if c.PassphraseFile == "" {
		start += " --passphrase-file FILE (without it, the vault stays sealed)"
	}
	todo = append(todo, start, "Read SECURITY.md before anybody's data come in.")
	fmt.Println("Left to do:")
	for i, line := range todo {
		fmt.Printf("  %d. %s\n", i+1, line)
	}
}

func isAddress(host string) bool { return net.ParseIP(host) != nil }
