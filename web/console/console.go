// Package console is the researchers' part of the hall: plain pages, in the same
// frame as the members', over the same services as the API.
//
// # What it is for
//
// A researcher signs in with their client id and secret, sees what waits for them
// (no e-mail tells them), their requests and what they owe, tries a request without making it, makes it, accepts the price,
// reads the invoice, finds the command that fetches the files, disputes one, and
// tells the members what came of it.
//
// # What it guarantees
//
// Signing in makes an access token like any other of these credentials; it lies in
// a cookie that scripts cannot read and other sites cannot send, and nowhere else.
// So the session ends when the token does, at once where the credentials are
// replaced or revoked. A page shows what the API would answer the same researcher,
// and nothing of members beyond it.
//
// # What it refuses
//
// Any page without that cookie: it leads to the sign-in, whatever was asked for.
// Files themselves: they are encrypted to a key on the researcher's machine and
// fetched there, by the command that the page names.
package console

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/authserver"
	"distributed.ai/datacoop/web/portal"
	"distributed.ai/datacoop/web/signin"
)

// Console joins the pages with the rooms below. All of it is needed.
type Console struct {
	Market     *marketplace.Service
	AuthServer *authserver.Server
	Charter    coop.Charter
	BaseURL    string
	Secure     bool // cookies are for secure connections alone
}

// Pages lists the pages that the portal serves for this package.
func (c Console) Pages() []portal.Page {
	return []portal.Page{
		{Method: "GET", Path: "/console", Handle: c.front},
		{Method: "POST", Path: "/console", Handle: c.signIn},
		{Method: "POST", Path: "/console/leave", Handle: c.leave},
		{Method: "GET", Path: "/console/keys", Handle: c.in(c.keys)},
		{Method: "POST", Path: "/console/keys", Handle: c.in(c.addKey)},
		{Method: "POST", Path: "/console/keys/{id}", Handle: c.in(c.proveKey)},
		{Method: "GET", Path: "/console/ask", Handle: c.in(c.askForm)},
		{Method: "POST", Path: "/console/ask", Handle: c.in(c.ask)},
		{Method: "GET", Path: "/console/requests/{id}", Handle: c.in(c.request)},
		{Method: "POST", Path: "/console/requests/{id}/accept", Handle: c.in(c.accept)},
		{Method: "POST", Path: "/console/requests/{id}/report", Handle: c.in(c.report)},
		{Method: "POST", Path: "/console/files/{id}", Handle: c.in(c.dispute)},
	}
}

// desk is a visit of a researcher who is signed in.
type desk struct {
	portal.Guest
	who marketplace.Researcher
}

// id is what the path names.
func (d desk) id() string { return d.Request().PathValue("id") }

// in lets a researcher in who is signed in, and leads everybody else to the
// sign-in.
func (c Console) in(handle func(desk) error) func(portal.Guest) error {
	return func(g portal.Guest) error {
		who, known, err := c.known(g)
		if err != nil {
			return err
		}
		if !known {
			http.Redirect(g.Writer(), g.Request(), "/console", http.StatusSeeOther)
			return nil
		}
		return handle(desk{g, who})
	}
}

func (c Console) cookie() string {
	if c.Secure {
		return "__Host-datacoop-researcher"
	}
	return "datacoop-researcher"
}

// known finds the researcher behind the cookie.
func (c Console) known(g portal.Guest) (who marketplace.Researcher, known bool, err error) {
	token, err := g.Request().Cookie(c.cookie())
	if err != nil || token.Value == "" {
		return who, false, nil
	}
	grant, err := c.AuthServer.Introspect(g.Context(), token.Value)
	if fault.KindOf(err) == fault.Unauthenticated {
		return who, false, nil
	}
	if err != nil {
		return who, false, err
	}
	who, err = c.Market.Researcher(g.Context(), coop.ResearcherID(grant.ResearcherID))
	return who, err == nil, err
}

func (c Console) keep(g portal.Guest, token string, life time.Duration) {
	http.SetCookie(g.Writer(), &http.Cookie{Name: c.cookie(), Value: token, Path: "/", MaxAge: int(life / time.Second), //nolint:gosec // Secure wherever there is TLS, and on this machine
		HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteStrictMode})
}

var errCredentials = fault.New(fault.Invalid, "console-credentials", "This client id and secret do not belong together. Look again, or ask the steward who vetted you.")

// signIn makes a token of a client id and a secret, at the token endpoint itself.
func (c Console) signIn(g portal.Guest) error {
	token, life, err := c.token(g.Context(), g.Typed("client_id"), g.Typed("client_secret"))
	if err != nil {
		return g.Again(err, c.door)
	}
	c.keep(g, token, life)
	http.Redirect(g.Writer(), g.Request(), "/console", http.StatusSeeOther)
	return nil
}

func (c Console) token(ctx context.Context, id, secret string) (token string, life time.Duration, err error) {
	if id == "" || secret == "" || len(id) > 200 || len(secret) > 200 {
		return "", 0, errCredentials
	}
	ask, err := http.NewRequestWithContext(ctx, http.MethodPost, c.BaseURL+"/oauth/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		return "", 0, err
	}
	ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	ask.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	answer, err := signin.Inside(c.AuthServer.Handler()).RoundTrip(ask)
	if err != nil {
		return "", 0, err
	}
	defer answer.Body.Close()
	var got struct {
		Token   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
	}
	if answer.StatusCode >= http.StatusInternalServerError {
		return "", 0, fault.New(fault.Unavailable, "try-again", "We cannot check who you are just now; try again.")
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil || got.Token == "" || answer.StatusCode != http.StatusOK {
		return "", 0, errCredentials
	}
	return got.Token, time.Duration(got.Seconds) * time.Second, nil
}

func (c Console) leave(g portal.Guest) error {
	c.keep(g, "", -time.Second)
	http.Redirect(g.Writer(), g.Request(), "/console", http.StatusSeeOther)
	return nil
}

func (c Console) door(g portal.Guest) error { return g.Show("consoledoor", nil) }

// front is the sign-in, or where a researcher stands.
func (c Console) front(g portal.Guest) error {
	who, known, err := c.known(g)
	if err != nil {
		return err
	}
	if !known {
		return c.door(g)
	}
	page := struct {
		Who      marketplace.Researcher
		Requests []marketplace.Request
		Invoices []marketplace.Invoice
		Waits    []wait
		Notes    []marketplace.Note
		Next     string
	}{Who: who}
	const shown = 50
	before := g.Request().URL.Query().Get("before")
	if page.Requests, err = c.Market.Requests(g.Context(), who.ID, before, shown+1); err != nil {
		return err
	}
	if len(page.Requests) > shown {
		page.Requests, page.Next = page.Requests[:shown], string(page.Requests[shown-1].ID)
	}
	if page.Invoices, err = c.Market.Invoices(g.Context(), who.ID); err != nil {
		return err
	}
	if page.Waits, err = c.waits(g.Context(), who.ID, page.Invoices); err == nil {
		page.Notes, err = c.Market.Notes(g.Context(), who.ID)
	}
	if err != nil {
		return err
	}
	return g.Show("console", page)
}
