package authserver

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// form is what a login page is bound to: the authorization request it
// interrupts, the browser it was given to, the time it is good until. It
// travels in a hidden field as base64url(JSON), a point, and base64url of the
// HMAC-SHA256 of what precedes the point. Without the browser in it, another
// site could log a visitor in as somebody of its choice (login CSRF).
type form struct {
	Query   string `json:"query"`
	Browser string `json:"browser"` // digest of the cookie
	Expires int64  `json:"expires"` // Unix seconds
}

var errForm = errors.New("login form expired, altered or given to another browser")

func (k keys) sealForm(f form) (string, error) {
	body, err := json.Marshal(f)
	if err != nil {
		return "", fmt.Errorf("seal login form: %w", err)
	}
	text := b64(body)
	return text + "." + b64(mac(k.form, []byte(text))), nil
}

// openForm gives the form back if this server sealed it for the browser with
// this cookie and its time has not run out.
func (k keys) openForm(text, cookie string, now time.Time) (form, error) {
	first, second, _ := strings.Cut(text, ".")
	if !hmac.Equal([]byte(second), []byte(b64(mac(k.form, []byte(first))))) {
		return form{}, errForm
	}
	var f form
	body, err := base64.RawURLEncoding.DecodeString(first)
	if err != nil || json.Unmarshal(body, &f) != nil {
		return form{}, errForm
	}
	same := subtle.ConstantTimeCompare([]byte(f.Browser), []byte(b64(hashSecret(cookie)))) == 1
	if !same || cookie == "" || now.Unix() >= f.Expires {
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

// browser recognises the browser that asks for a login page, by a cookie it
// gets the first time. The value says nothing about its holder.
func (s *Server) browser(w http.ResponseWriter, r *http.Request) string {
	value := s.cookie(r)
	if value != "" {
		return value
	}
	value = rand.Text()
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(), Value: value, Path: "/", HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Secure: s.issuer.Scheme == "https",
	})
	return value
}

// cookie is the value a browser sent back, empty if it sent none.
func (s *Server) cookie(r *http.Request) string {
	c, err := r.Cookie(s.cookieName())
	if err != nil {
		return ""
	}
	return c.Value
}
