package authserver

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ory/fosite"
)

//go:embed templates
var templates embed.FS

// What a person reads when the login stops.
const (
	messageWrong   = "Account name and password do not fit together. Please try again."
	messageWait    = "There were too many attempts. Please wait a few minutes and try again."
	problemLink    = "This login link is not valid. Please go back to the co-op's page and start again from there."
	problemForm    = "This login form is no longer valid. Please go back to the co-op's page and start again; cookies must be allowed."
	problemForeign = "This login form was sent from another site and was not accepted."
	problemHost    = "This address is not the one the co-op's login is served at."
	problemOurs    = "The server failed. Nothing was changed; please try again."
)

// pages renders the login page and its one alternative. They hold no script,
// and their style is in the page, allowed by its hash.
type pages struct {
	set    *template.Template
	style  template.CSS
	policy string // style part of the content security policy
}

func newPages() (*pages, error) {
	set, err := template.ParseFS(templates, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("login page: %w", err)
	}
	style, err := templates.ReadFile("templates/page.css")
	if err != nil {
		return nil, fmt.Errorf("login page: %w", err)
	}
	sum := sha256.Sum256(style)
	return &pages{
		set:    set,
		style:  template.CSS(style), // #nosec G203 -- embedded, a constant
		policy: "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
	}, nil
}

// loginView is one showing of the login page.
type loginView struct {
	status  int
	query   string // the authorization request
	subject string // what stands in the name field
	message string // why it is shown again
	wait    time.Duration
}

type loginPage struct {
	Style    template.CSS
	Action   string
	Form     string
	Subject  string
	Message  string
	Accounts []choice
}

// choice is one listed account; Link shows the page with its name filled in.
type choice struct{ Subject, Name, Link string }

func (s *Server) showLogin(w http.ResponseWriter, r *http.Request, request fosite.AuthorizeRequester, view loginView) {
	sealed, err := s.keys.sealForm(form{
		Query: view.query, Browser: b64(hashSecret(s.browser(w, r))), Expires: time.Now().Add(formLifetime).Unix(),
	})
	if err != nil {
		s.refuseRedirect(w, r, request, err)
		return
	}
	if view.wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(view.wait.Seconds())+1))
	}
	// Browsers apply form-action to the redirect that answers the form, too.
	target := request.GetRedirectURI()
	s.pages.write(w, view.status, "login.html", "form-action 'self' "+target.Scheme+"://"+target.Host, loginPage{
		Style: s.pages.style, Action: pathLogin, Form: sealed, Subject: view.subject,
		Message: view.message, Accounts: s.choices(view.query),
	})
}

func (s *Server) choices(query string) []choice {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil
	}
	var out []choice
	for _, a := range s.accounts.list {
		values.Set("login_hint", a.subject)
		out = append(out, choice{Subject: a.subject, Name: a.name, Link: pathAuthorize + "?" + values.Encode()})
	}
	return out
}

// problem tells a person why there is nowhere to go from here.
func (p *pages) problem(w http.ResponseWriter, status int, sentence string) {
	p.write(w, status, "problem.html", "form-action 'none'", struct {
		Style   template.CSS
		Message string
	}{p.style, sentence})
}

func (p *pages) write(w http.ResponseWriter, status int, name, formAction string, data any) {
	var page bytes.Buffer
	if err := p.set.ExecuteTemplate(&page, name, data); err != nil {
		http.Error(w, problemOurs, http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; "+p.policy+"; "+formAction+"; frame-ancestors 'none'; base-uri 'none'")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // the peer has gone; there is nobody to tell
}
