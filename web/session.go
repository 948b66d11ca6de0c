package web

import (
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"distributed.ai/datacoop/internal/db"
)

// Keys of a session.
const (
	sessionMember   = "member"
	sessionState    = "login-state"
	sessionNonce    = "login-nonce"
	sessionVerifier = "login-verifier"
	sessionReturn   = "login-return"
	sessionFlash    = "flash"

	sessionInvitation = "login-invitation"
)

// A session ends eight hours after sign-in, or after an hour of silence.
const (
	sessionLifetime = 8 * time.Hour
	sessionIdle     = time.Hour
)

func newSessions(d *db.DB, secure bool) *scs.SessionManager {
	m := scs.New()
	m.Store = &sessionStore{d}
	m.HashTokenInStore = true
	m.Lifetime, m.IdleTimeout = sessionLifetime, sessionIdle
	m.Cookie.Name = "__Host-datacoop"
	m.Cookie.Secure = true
	m.Cookie.HttpOnly = true
	m.Cookie.SameSite = http.SameSiteLaxMode
	m.Cookie.Path = "/"
	if !secure {
		m.Cookie.Name, m.Cookie.Secure = "datacoop", false
	}
	m.ErrorFunc = func(w http.ResponseWriter, _ *http.Request, _ error) {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "Sessions are not available just now; try again.", http.StatusServiceUnavailable)
	}
	return m
}
