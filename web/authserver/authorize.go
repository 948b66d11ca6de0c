package authserver

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/token/jwt"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/web/authserver/peer"
	"distributed.ai/datacoop/web/authserver/templates"
)

// maxQuery bounds an authorization request, which travels through the form.
const maxQuery = 4 << 10

var challengePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`) // SHA-256 in base64url

var (
	errChallenge = fosite.ErrInvalidRequest.WithDescription(
		"A code_challenge with code_challenge_method S256 is required (RFC 7636).")
	errOpenID = fosite.ErrInvalidScope.WithDescription("The scope must contain openid.")
	errSilent = fosite.ErrLoginRequired.WithDescription("A login needs the member: prompt none cannot be served.")
	// errLink is a request that must not be redirected anywhere.
	errLink = errors.New("no registered client with this redirect address")
)

// serveAuthorize is the authorization endpoint. It shows the login page every
// time, because the provider keeps no session of its own, but for the one time
// that follows the making of an account.
func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	if !s.addressed(r) {
		s.pages.Problem(w, r, http.StatusMisdirectedRequest, problemHost)
		return
	}
	var request fosite.AuthorizeRequester
	var known string
	err := s.db.View(r.Context(), func(tx *db.Tx) (err error) {
		if request, err = s.readRequest(within(tx), r.URL.RawQuery); err == nil && s.builtIn {
			known, err = ticket(tx, s.ticketOf(r))
		}
		return err
	})
	if err != nil {
		s.refuseRedirect(w, r, request, err)
		return
	}
	if known != "" && !slices.Contains(strings.Fields(request.GetRequestForm().Get("prompt")), "login") {
		s.finish(w, r, r.URL.RawQuery, s.redeem(s.ticketOf(r)))
		return
	}
	s.showLogin(w, r, request, loginView{
		status: http.StatusOK, query: r.URL.RawQuery, subject: request.GetRequestForm().Get("login_hint"),
	})
}

// addressed reports whether the request names the issuer's host. A page on
// another name that was rebound to this address would pass for same-origin.
func (s *Server) addressed(r *http.Request) bool {
	return strings.EqualFold(r.Host, s.issuer.Host)
}

// readRequest checks an authorization request down to the last parameter. With
// errLink the request may not be redirected; with any other refusal it may.
func (s *Server) readRequest(ctx context.Context, query string) (fosite.AuthorizeRequester, error) {
	values, err := url.ParseQuery(query)
	if err != nil || len(query) > maxQuery || repeated(values) {
		return nil, errLink
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, pathAuthorize+"?"+query, http.NoBody)
	if err != nil {
		return nil, errLink
	}
	request, err := s.provider.NewAuthorizeRequest(ctx, r)
	var f *failure
	if errors.As(err, &f) {
		return nil, f
	}
	// The library lets the port of a loopback address differ; we do not.
	if request.GetRedirectURI() == nil ||
		!slices.Contains(request.GetClient().GetRedirectURIs(), values.Get("redirect_uri")) {
		return nil, errLink
	}
	if err == nil {
		err = checkRequest(request)
	}
	return request, err
}

func checkRequest(request fosite.AuthorizeRequester) error {
	form := request.GetRequestForm()
	switch {
	case !request.GetRequestedScopes().Has("openid"):
		return errOpenID
	case form.Get("code_challenge_method") != "S256" || !challengePattern.MatchString(form.Get("code_challenge")):
		return errChallenge
	case slices.Contains(strings.Fields(form.Get("prompt")), "none"):
		return errSilent
	}
	return nil
}

// serveLogin takes the login form. What it authorizes is the request sealed in
// the form; nothing else in the body has a say in where the browser goes.
func (s *Server) serveLogin(w http.ResponseWriter, r *http.Request) {
	f, ok := s.taken(w, r, pathLogin)
	if !ok {
		return
	}
	if s.demo && r.PostForm.Has("password") {
		member, view := s.logIn(r)
		if view.status != http.StatusOK {
			view.query = f.Query
			s.showAgain(w, r, view)
			return
		}
		s.finish(w, r, f.Query, func(*db.Tx) (account, error) { return member, nil })
		return
	}
	if !s.builtIn {
		s.pages.Problem(w, r, http.StatusBadRequest, problemForm)
		return
	}
	p, err := s.asserted(r, f)
	if err != nil {
		s.refuseLogin(w, r, f.Query, err)
		return
	}
	s.finish(w, r, f.Query, func(tx *db.Tx) (account, error) { return p.holder.account(), p.use(tx) })
}

// ticketOf is the key of the ticket a browser may hold.
func (s *Server) ticketOf(r *http.Request) string { return b64(hashSecret(s.cookie(r))) }

// redeem uses a ticket up.
func (s *Server) redeem(browser string) func(*db.Tx) (account, error) {
	return func(tx *db.Tx) (account, error) {
		subject, err := ticket(tx, browser)
		if err != nil {
			return account{}, err
		}
		h, err := loadHolder(tx, selectHolderBySubject, subject)
		if errors.Is(err, db.ErrNoRow) {
			return account{}, errReplayed
		}
		if err != nil {
			return account{}, err
		}
		return h.account(), dropTicket(tx, browser)
	}
}

// finish sends the browser back with a code for whom the transaction finds.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, query string, who func(*db.Tx) (account, error)) {
	request, answer, err := s.authorize(r.Context(), query, who)
	switch {
	case refusedLogin(err):
		s.refuseLogin(w, r, query, err)
	case err != nil:
		s.refuseRedirect(w, r, request, err)
	default:
		s.provider.WriteAuthorizeResponse(r.Context(), w, request, answer)
	}
}

// refuseLogin shows the login page again and says why.
func (s *Server) refuseLogin(w http.ResponseWriter, r *http.Request, query string, err error) {
	if !refusedLogin(err) {
		s.refusePage(w, r, err)
		return
	}
	status, sentence := sentenceOf(err)
	view := loginView{status: status, query: query, message: sentence}
	if status == http.StatusTooManyRequests {
		view.wait = attemptWindow
	}
	s.showAgain(w, r, view)
}

// logIn judges the typed name and password; view.status is 200 if they fit.
func (s *Server) logIn(r *http.Request) (member account, view loginView) {
	subject := strings.TrimSpace(r.PostForm.Get("account"))
	counted := []count{ofAccount(subject), ofAddress(peer.Of(r))}
	if _, known := s.accounts.find(subject); !known {
		counted[0] = ofAccount("") // unknown names share one count, or they would fill the memory
	}
	if wait := s.attempts.take(counted...); wait > 0 {
		return account{}, loginView{
			status: http.StatusTooManyRequests, subject: subject, wait: wait, message: messageWait,
		}
	}
	member, ok := s.accounts.verify(subject, r.PostForm.Get("password"))
	if !ok {
		return account{}, loginView{status: http.StatusForbidden, subject: subject, message: messageWrong}
	}
	s.attempts.giveBack(counted...)
	return member, loginView{status: http.StatusOK}
}

// showAgain renders the form once more for the request it is bound to.
func (s *Server) showAgain(w http.ResponseWriter, r *http.Request, view loginView) {
	var request fosite.AuthorizeRequester
	err := s.db.View(r.Context(), func(tx *db.Tx) (err error) {
		request, err = s.readRequest(within(tx), view.query)
		return err
	})
	if err != nil {
		s.refuseRedirect(w, r, request, err)
		return
	}
	s.showLogin(w, r, request, view)
}

// authorize issues a code for whom the transaction finds; any error undoes it.
func (s *Server) authorize(ctx context.Context, query string, who func(*db.Tx) (account, error)) (
	request fosite.AuthorizeRequester, answer fosite.AuthorizeResponder, err error,
) {
	err = s.db.Update(ctx, func(tx *db.Tx) (err error) {
		if err := s.store.prune(tx); err != nil {
			return err
		}
		request, err = s.readRequest(within(tx), query)
		if err != nil {
			return err
		}
		member, err := who(tx)
		if err != nil {
			return err
		}
		for _, scope := range request.GetRequestedScopes() {
			request.GrantScope(scope)
		}
		answer, err = s.provider.NewAuthorizeResponse(within(tx), request, s.session(request, member))
		return err
	})
	if err == nil {
		answer.AddParameter("iss", s.issuer.String()) // RFC 9207
	}
	return request, answer, err
}

// session is what the id_token will say.
func (s *Server) session(request fosite.AuthorizeRequester, member account) *openid.DefaultSession {
	claims := &jwt.IDTokenClaims{
		Subject: member.subject, RequestedAt: request.GetRequestedAt(), AuthTime: time.Now().UTC(),
		AuthenticationMethodsReferences: member.methods,
	}
	if request.GetGrantedScopes().Has("profile") {
		claims.Add("name", member.name)
	}
	headers := jwt.NewHeaders()
	headers.Add("kid", s.signing.id)
	return &openid.DefaultSession{Subject: member.subject, Claims: claims, Headers: headers}
}

// refuseRedirect tells the relying party what was refused, at the registered
// address the request named; without one it tells the person.
func (s *Server) refuseRedirect(w http.ResponseWriter, r *http.Request, request fosite.AuthorizeRequester, err error) {
	switch {
	case errors.Is(err, errLink):
		s.pages.Problem(w, r, http.StatusBadRequest, problemLink)
		return
	case request == nil:
		s.report(r, err)
		s.pages.Problem(w, r, refuse(err).status, templates.Failed)
		return
	}
	s.report(r, err)
	no, to := refuse(err), *request.GetRedirectURI()
	query := to.Query()
	query.Set("error", no.Code)
	query.Set("error_description", no.Description)
	query.Set("iss", s.issuer.String())
	if state := request.GetState(); state != "" {
		query.Set("state", state)
	}
	to.RawQuery = query.Encode()
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
}
