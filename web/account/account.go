// Package account is the part of the hall about a member's own account: the
// pages on which they confirm that it is them, manage the ways they sign in, and
// close the account; and the routes of the API that go with them.
//
// # What it is for
//
// It joins the desks that do the work (stepup, signin, farewell) with the
// portal's pages and the API's documents.
//
// # What it guarantees
//
// Nothing is closed on a GET. Before an account is closed a page says exactly
// what goes, what stays and why. Afterwards the closing can be followed without an
// account, at an address that is told when it has begun and not before. It shows
// no name and no account number.
//
// # What it refuses
//
// Nothing of its own: every rule is one of the desks', and so is every refusal.
package account

import (
	"net/http"
	"net/url"

	"github.com/alexedwards/scs/v2"
	"github.com/labstack/echo/v4"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/web/authserver"
	"distributed.ai/datacoop/web/entry"
	"distributed.ai/datacoop/web/farewell"
	"distributed.ai/datacoop/web/portal"
	"distributed.ai/datacoop/web/signin"
	"distributed.ai/datacoop/web/stepup"
)

// Desk joins the desks. All of it is needed.
type Desk struct {
	DB       *db.DB
	BaseURL  string
	Currency coop.Currency
	Sessions *scs.SessionManager
	Tokens   *entry.Tokens
	Proofs   *stepup.Desk
	Signin   *signin.Desk
	Farewell *farewell.Service
}

// Pages lists the pages that the portal serves for this package.
func (d *Desk) Pages() []portal.Page {
	return []portal.Page{
		{Method: "GET", Path: "/join/age", Handle: d.age},
		{Method: "GET", Path: "/confirm", Door: "member", Handle: d.confirm},
		{Method: "GET", Path: "/ways", Door: "member", Handle: d.ways},
		{Method: "POST", Path: "/ways/unlink", Door: "member", Handle: d.unlink},
		{Method: "GET", Path: "/account/close", Door: "member", Handle: d.closeForm},
		{Method: "POST", Path: "/account/close", Door: "member", Handle: d.close},
		{Method: "GET", Path: "/goodbye/{id}", Handle: d.goodbye},
		{Method: "GET", Path: "/goodbye/{id}/receipt", Handle: d.receipt},
		{Method: "POST", Path: "/goodbye/{id}/account", Handle: d.name},
	}
}

// Mount adds the addresses that lead to an issuer.
func (d *Desk) Mount(e *echo.Echo) {
	e.POST("/join/age", d.Signin.Join)
	e.GET("/confirm/start", d.start)
	e.GET("/ways/link", d.Signin.Link)
}

// what says of each class what its member is about to do.
var what = map[stepup.Class]string{
	stepup.Revoke:  "You are about to revoke a dataset.",
	stepup.Vote:    "You are about to cast your vote.",
	stepup.Account: "You are about to change where your money goes.",
	stepup.Token:   "You are about to let a program act for you.",
	stepup.Release: "You are about to take a step with the co-op’s money.",
	stepup.Freeze:  "You are about to stop the co-op, or to let it go on.",
	stepup.Key:     "You are about to change your key, or a way to it.",
	stepup.Signer:  "You are about to change the key that signs what you add.",
	stepup.Open:    "You are about to open your key with your recovery sheet.",
	stepup.Ways:    "You are about to change how you sign in.",
	stepup.Close:   "You are about to close an account.",
	stepup.Estate:  "You are about to act for a member who has died.",
}

// start leads to the issuer that a proof is given at. Without a class that is
// known there is no such page.
func (d *Desk) start(c echo.Context) error {
	class := stepup.Class(c.QueryParam("class"))
	if !class.Known() {
		return echo.ErrNotFound
	}
	back := c.QueryParam("return")
	if back == "" {
		back = "/confirm"
	}
	return d.Signin.Prove(c, class, back)
}

func starting(class stepup.Class) string {
	return "/confirm/start?" + url.Values{"class": {string(class)}}.Encode()
}

// Prove keeps what was typed and leads to where a proof is given: at once where
// that is this server, and over a page with a link where it is another, because
// browsers let no form lead to another server here.
func (d *Desk) Prove(w http.ResponseWriter, r *http.Request, class stepup.Class, form url.Values) error {
	if err := d.Proofs.Wait(r.Context(), class, r.URL.Path, form); err != nil {
		return err
	}
	to := starting(class)
	if d.Signin.Outside(r.Context()) {
		to = "/confirm"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// field is one hidden field of a form that goes on.
type field struct{ Name, Value string }

// confirm shows what waits: the way to the proof, or with one, the button that
// goes on.
func (d *Desk) confirm(g portal.Guest) error {
	p, ok := d.Proofs.Waiting(g.Context())
	if !ok {
		http.Redirect(g.Writer(), g.Request(), "/", http.StatusSeeOther)
		return nil
	}
	page := struct {
		What, Start, Path string
		Proven            bool
		Fields            []field
	}{What: what[p.Class], Start: starting(p.Class), Path: p.Path, Proven: d.Proofs.Good(g.Context(), p.Class)}
	if page.Proven {
		for name, values := range p.Form {
			for _, v := range values {
				page.Fields = append(page.Fields, field{name, v})
			}
		}
	}
	return g.Show("confirm", page)
}

// age asks whoever an issuer has just proved and who is no member yet.
func (d *Desk) age(g portal.Guest) error {
	if !d.Signin.Waits(g.Context()) {
		http.Redirect(g.Writer(), g.Request(), "/", http.StatusSeeOther)
		return nil
	}
	return g.Show("age", d.Signin.AdultAge)
}

func (d *Desk) ways(g portal.Guest) error {
	ways, err := d.Signin.Ways(g.Context(), g.Me().ID)
	if err != nil {
		return err
	}
	return g.Show("ways", ways)
}

func (d *Desk) unlink(g portal.Guest) error {
	if err := d.Signin.Unlink(g.Context(), g.Typed("at")); err != nil {
		return g.Again(err, d.ways)
	}
	return g.Done("/ways", "That way in is gone", "You sign in as you did before you linked it. Every other browser is signed out, and every access token has ended.")
}

// Choose is the page on which one of several issuers is chosen.
func Choose(p *portal.Portal, c echo.Context, ways []signin.Way) error {
	return p.Visit(c.Response(), c.Request(), func(g portal.Guest) error { return g.Show("choose", ways) })
}

// Ways forgets how a member signs in: their account, if own is what members of
// the embedded issuer are known by, and those elsewhere that they have linked.
func Ways(own string, issuer *authserver.Server) func(tx *db.Tx, m coop.MemberID, at, subject string) error {
	return func(tx *db.Tx, m coop.MemberID, at, subject string) error {
		if subject != "" && at == own {
			if err := issuer.Forget(tx, subject); err != nil {
				return err
			}
		}
		return signin.Forget(tx, m)
	}
}
