package authserver

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ory/fosite"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/web/authserver/passkey"
	"distributed.ai/datacoop/web/authserver/templates"
)

// What a person reads when the login stops.
const (
	messageWrong   = "Account name and password do not fit together. Please try again."
	messageWait    = "There were too many attempts. Please wait a few minutes and try again."
	problemLink    = "This login link is not valid. Please go back to the co-op's page and start again from there."
	problemForm    = "This login form is no longer valid. Please go back to the co-op's page and start again; cookies must be allowed."
	problemForeign = "This login form was sent from another site and was not accepted."
	problemHost    = "This address is not the one the co-op's login is served at."
)

// loginView is one showing of the login page.
type loginView struct {
	status  int
	query   string // the authorization request
	subject string // what stands in the name field
	message string // why it is shown again
	wait    time.Duration
}

type loginPage struct {
	frame
	Demo, BuiltIn bool
	Open          bool // anybody may make an account
	Again         bool // somebody who is signed in confirms that it is them
	Subject       string
	Accounts      []choice
}

// frame is what all pages with a form have.
type frame struct {
	Coop    string
	Form    string // sealed
	Options string // for the passkey, as JSON
	Message string // why it is shown again
	status  int
}

// ask fills in the frame of a page that asks for a passkey. A false answer means
// that there is no page, and that the person has been told.
func (s *Server) ask(w http.ResponseWriter, r *http.Request, f form, q passkey.Question, err, message error) (frame, bool) {
	var out frame
	if err == nil {
		out, err = s.frame(w, r, f, q, message)
	}
	if err != nil {
		s.refusePage(w, r, err)
	}
	return out, err == nil
}

// frame fills in a frame, with the sentence of a fault if there is one.
func (s *Server) frame(w http.ResponseWriter, r *http.Request, f form, q passkey.Question, message error) (frame, error) {
	f.Session = q.Session
	out := frame{Coop: s.name, Options: q.Options, status: http.StatusOK}
	if message != nil {
		if !refusedLogin(message) {
			return frame{}, message
		}
		out.status, out.Message = sentenceOf(message)
	}
	if out.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", strconv.Itoa(int(attemptWindow.Seconds())))
	}
	var err error
	out.Form, err = s.give(w, r, f)
	return out, err
}

// choice is one listed account; Link shows the page with its name filled in.
type choice struct{ Subject, Name, Link string }

func (s *Server) showLogin(w http.ResponseWriter, r *http.Request, request fosite.AuthorizeRequester, view loginView) {
	page, err := s.loginPage(w, r, view)
	if err != nil {
		s.refuseRedirect(w, r, request, err)
		return
	}
	if view.wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(view.wait.Seconds())+1))
	}
	policy := "form-action 'self'"
	if s.builtIn {
		policy = templates.Scripted
	}
	// Browsers apply form-action to the redirect that answers the form, too.
	target := request.GetRedirectURI()
	s.pages.Write(w, r, view.status, "login", policy+" "+target.Scheme+"://"+target.Host, page)
}

func (s *Server) loginPage(w http.ResponseWriter, r *http.Request, view loginView) (loginPage, error) {
	page := loginPage{Demo: s.demo, BuiltIn: s.builtIn, Subject: view.subject, Accounts: s.choices(view.query),
		Again: strings.Contains(view.query, "prompt=login")}
	var q passkey.Question
	var err error
	if s.builtIn {
		if q, err = s.passkeys.Ask(); err != nil {
			return loginPage{}, err
		}
		page.Open = s.admission.Check(r.Context(), "") == nil
	}
	page.frame, err = s.frame(w, r, form{Path: pathLogin, Query: view.query}, q, nil)
	page.Message = view.message
	return page, err
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

// welcomePage shows a new recovery code, once.
type welcomePage struct {
	Coop, SignIn string
	Name, Code   string
	New          bool // so is the account
}

func (s *Server) welcome(w http.ResponseWriter, r *http.Request, page welcomePage) {
	page.Coop, page.SignIn = s.name, s.signIn
	s.pages.Write(w, r, http.StatusOK, "welcome", "form-action 'none'", page)
}

// refusedLogin reports whether err is an answer for the person, not a failure
// of the server.
func refusedLogin(err error) bool {
	return errors.Is(err, errTooMany) || fault.KindOf(err) != fault.Internal && fault.KindOf(err) != fault.Unavailable
}

// sentenceOf is how an answer for the person is given.
func sentenceOf(err error) (status int, sentence string) {
	var no *fault.Error
	if !errors.As(err, &no) {
		return http.StatusInternalServerError, templates.Failed
	}
	switch no.Kind {
	case fault.Invalid:
		status = http.StatusBadRequest
	case fault.Conflict:
		status = http.StatusConflict
	case fault.Unavailable:
		status = http.StatusTooManyRequests
	default:
		status = http.StatusForbidden
	}
	return status, no.Message
}

// refusePage answers an error with a page of its own.
func (s *Server) refusePage(w http.ResponseWriter, r *http.Request, err error) {
	if refusedLogin(err) {
		status, sentence := sentenceOf(err)
		s.pages.Problem(w, r, status, sentence)
		return
	}
	s.report(r, err)
	s.pages.Problem(w, r, refuse(err).status, templates.Failed)
}
