package authserver

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/ory/fosite"

	"distributed.ai/datacoop/internal/fault"
)

// The paths of the endpoints, below the issuer.
const (
	pathAuthorize  = "/oauth/authorize"
	pathLogin      = "/oauth/login"
	pathRecover    = "/oauth/recover"
	pathRenew      = "/oauth/renew"
	pathReplace    = "/oauth/recovery-code"
	pathScript     = "/oauth/passkey.js"
	pathToken      = "/oauth/token"
	pathRevoke     = "/oauth/revoke"
	pathIntrospect = "/oauth/introspect"
	pathKeys       = "/oauth/jwks"
	pathDiscovery  = "/.well-known/openid-configuration"
	pathMetadata   = "/.well-known/oauth-authorization-server"
)

// PathJoin is where an invitation's code is taken, in the query parameter
// "invitation", and becomes a built-in account.
const PathJoin = "/oauth/join"

// Paths lists the exact paths that Handler answers, for mounting it. Those of
// logins are answered with 404 without Config.Demo and Config.BuiltIn, those of
// accounts without the latter.
func Paths() []string {
	return []string{
		pathAuthorize, pathLogin, pathToken, pathRevoke, pathIntrospect, pathKeys, pathDiscovery, pathMetadata,
		PathJoin, pathRecover, pathRenew, pathReplace, pathScript,
	}
}

// maxBody bounds what any endpoint reads; the longest honest request is a
// login form with the authorization request and a passkey's answer in it.
const maxBody = 16 << 10

// Handler answers Paths under the issuer. It sets its own security headers,
// which a wrapping server must not weaken.
func (s *Server) Handler() http.Handler { return s.handler }

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+pathToken, s.serveToken)
	mux.HandleFunc("POST "+pathRevoke, s.serveRevoke)
	mux.HandleFunc("POST "+pathIntrospect, s.serveIntrospect)
	mux.Handle("GET "+pathMetadata, document(s.metadata))
	if s.builtIn {
		mux.HandleFunc("GET "+PathJoin, s.serveJoin)
		mux.HandleFunc("POST "+PathJoin, s.joinAccount)
		mux.HandleFunc("GET "+pathRecover, s.serveRecover)
		mux.HandleFunc("POST "+pathRecover, s.recoverAccount)
		mux.HandleFunc("POST "+pathRenew, s.renewPasskey)
		mux.HandleFunc("POST "+pathReplace, s.replaceCode)
		mux.HandleFunc("GET "+pathScript, s.pages.ServeScript)
	}
	if s.logins {
		mux.Handle("GET "+pathDiscovery, document(s.discovery))
		mux.Handle("GET "+pathKeys, document(s.signing.set))
		mux.HandleFunc("GET "+pathAuthorize, s.serveAuthorize)
		mux.HandleFunc("POST "+pathLogin, s.serveLogin)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
		// Not no-referrer: a browser would then post the form with Origin null.
		h.Set("Referrer-Policy", "same-origin")
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		mux.ServeHTTP(w, r)
	})
}

// document serves public JSON that changes only with a restart.
func document(body []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "public, max-age=300")
		_, _ = w.Write(body) // the peer has gone; there is nobody to tell
	})
}

// readForm parses an urlencoded body, in which no parameter may appear twice
// (RFC 6749, section 3.2).
func readForm(r *http.Request) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return fosite.ErrInvalidRequest
	}
	if err := r.ParseForm(); err != nil || repeated(r.PostForm) {
		return fosite.ErrInvalidRequest
	}
	return nil
}

func repeated(values url.Values) bool {
	for _, v := range values {
		if len(v) > 1 {
			return true
		}
	}
	return false
}

// Error codes that a client knows from RFC 6749, RFC 6750 and OpenID Connect.
// The library has some of its own; they become the nearest of these.
var publicCodes = map[string]bool{
	"invalid_request": true, "invalid_client": true, "invalid_grant": true, "invalid_scope": true,
	"unauthorized_client": true, "unsupported_grant_type": true, "unsupported_response_type": true,
	"access_denied": true, "login_required": true, "request_not_supported": true,
	"request_uri_not_supported": true, "registration_not_supported": true,
	"temporarily_unavailable": true, "server_error": true,
}

// refusal is an error as a client may see it: a code and a sentence that is
// constant, where the library's hints quote what was submitted.
type refusal struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
	status      int
}

func refuse(err error) refusal {
	var f *failure
	var known *fosite.RFC6749Error
	if fault.KindOf(err) == fault.Unavailable {
		return refusal{"temporarily_unavailable", "The server cannot answer now; please try again.", http.StatusServiceUnavailable}
	}
	if errors.As(err, &f) || !errors.As(err, &known) || known.CodeField >= http.StatusInternalServerError {
		return refusal{"server_error", "The server failed. Nothing was changed.", http.StatusInternalServerError}
	}
	if !publicCodes[known.ErrorField] {
		known = fosite.ErrInvalidRequest
	}
	return refusal{known.ErrorField, known.DescriptionField, known.CodeField}
}

// ours reports whether err is a fault of the server, which must undo whatever
// the request changed.
func ours(err error) bool {
	return err != nil && refuse(err).status >= http.StatusInternalServerError
}

// report logs a fault of the server. Refusals are not logged: they may quote
// credentials.
func (s *Server) report(r *http.Request, err error) {
	if !ours(err) {
		return
	}
	var f *failure
	var known *fosite.RFC6749Error
	switch {
	case errors.As(err, &f):
		err = f
	case errors.As(err, &known):
		err = errors.New(known.ErrorField + ": " + known.DebugField)
	}
	s.log.ErrorContext(r.Context(), "authserver request failed", "endpoint", endpoint(r), "error", err)
}

// endpoint is the path as routed, which holds nothing the caller chose.
func endpoint(r *http.Request) string {
	_, path, _ := strings.Cut(r.Pattern, " ")
	return path
}
