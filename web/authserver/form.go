package authserver

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"distributed.ai/datacoop/web/authserver/passkey"
)

// form is what a page is bound to: the endpoint that takes it, the browser it
// was given to, the time it is good until, and what the endpoint has to know
// again. It travels in a hidden field as base64url(JSON), a point, and base64url
// of the HMAC-SHA256 of what precedes the point. Without the browser in it,
// another site could log a visitor in as somebody of its choice (login CSRF).
type form struct {
	Path    string `json:"path"`    // the endpoint
	Browser string `json:"browser"` // digest of the cookie
	Expires int64  `json:"expires"` // Unix seconds

	Query      string           `json:"query,omitempty"`      // login: the authorization request it interrupts
	Invitation string           `json:"invitation,omitempty"` // join: the code
	Subject    string           `json:"subject,omitempty"`    // renew: whose passkey is replaced
	Recovery   []byte           `json:"recovery,omitempty"`   // renew: digest of the code that allows it
	Session    *passkey.Session `json:"session,omitempty"`    // the passkey ceremony, with its challenge
}

var errForm = errors.New("form expired, altered or given to another browser or endpoint")

func (k keys) sealForm(f form) (string, error) {
	body, err := json.Marshal(f)
	if err != nil {
		return "", fmt.Errorf("seal form: %w", err)
	}
	text := b64(body)
	return text + "." + b64(mac(k.form, []byte(text))), nil
}

// openForm gives the form back if this server sealed it for this endpoint and
// the browser with this cookie, and its time has not run out.
func (k keys) openForm(path, text, cookie string, now time.Time) (form, error) {
	first, second, _ := strings.Cut(text, ".")
	if !hmac.Equal([]byte(second), []byte(b64(mac(k.form, []byte(first))))) {
		return form{}, errForm
	}
	var f form
	body, err := base64.RawURLEncoding.DecodeString(first)
	if err != nil || json.Unmarshal(body, &f) != nil {
		return form{}, errForm
	}
	known := same([]byte(f.Browser), []byte(b64(hashSecret(cookie))))
	if !known || cookie == "" || f.Path != path || now.Unix() >= f.Expires {
		return form{}, errForm
	}
	return f, nil
}

// cookieName carries the __Host- prefix where the scheme lets it.
func (s *Server) cookieName() string {
	if s.issuer.Scheme == "https" {
		return "__Host-datacoop-login"
	}
	return "datacoop-login"
}

// give seals a form for the browser that asks for its page.
func (s *Server) give(w http.ResponseWriter, r *http.Request, f form) (string, error) {
	f.Browser, f.Expires = b64(hashSecret(s.browser(w, r))), time.Now().Add(formLifetime).Unix()
	return s.keys.sealForm(f)
}

// taken opens the form that was posted to an endpoint. A false answer means
// that the person has been told why it was not taken.
func (s *Server) taken(w http.ResponseWriter, r *http.Request, path string) (form, bool) {
	switch {
	case !s.addressed(r):
		s.pages.Problem(w, r, http.StatusMisdirectedRequest, problemHost)
		return form{}, false
	case http.NewCrossOriginProtection().Check(r) != nil:
		s.pages.Problem(w, r, http.StatusForbidden, problemForeign)
		return form{}, false
	case readForm(r) != nil:
		s.pages.Problem(w, r, http.StatusBadRequest, problemForm)
		return form{}, false
	}
	f, err := s.keys.openForm(path, r.PostForm.Get("form"), s.cookie(r), time.Now())
	if err != nil {
		s.pages.Problem(w, r, http.StatusBadRequest, problemForm)
		return form{}, false
	}
	return f, true
}

// browser recognises the browser that asks for a page, by a cookie it
// gets the first time. The value says nothing about its holder.
func (s *Server) browser(w http.ResponseWriter, r *http.Request) string {
	value := s.cookie(r)
	if value != "" {
		return value
	}
	cookie := &http.Cookie{ //nolint:gosec // Secure follows the issuer: http on this machine only
		Name: s.cookieName(), Value: rand.Text(), Path: "/", HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Secure: s.issuer.Scheme == "https",
	}
	http.SetCookie(w, cookie)
	r.AddCookie(cookie) // a page may have two forms
	return cookie.Value
}

// cookie is the value a browser sent back, empty if it sent none.
func (s *Server) cookie(r *http.Request) string {
	c, err := r.Cookie(s.cookieName())
	if err != nil {
		return ""
	}
	return c.Value
}
