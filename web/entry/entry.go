// Package entry keeps what members come in with: the sessions of their
// browsers and the bearer tokens of their programs.
//
// Of either only a hash is kept, so that who reads the database can use none.
// Their lifetimes are machine time and not the co-op's clock. A member can end
// all sessions and drop all tokens at once.
package entry

import (
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// Member is the key of a session's value that says whose it is.
const Member = "member"

// A session ends eight hours after sign-in, or after an hour of silence.
const (
	lifetime = 8 * time.Hour
	silence  = time.Hour
)

// NewSessions keeps sessions in d, whose tables the hall has made. The cookie
// is secure, and bound to the host, where secure says so.
func NewSessions(d *db.DB, secure bool) *scs.SessionManager {
	m := scs.New()
	m.Store = &sessionStore{d}
	m.HashTokenInStore = true
	m.Lifetime, m.IdleTimeout = lifetime, silence
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

// EndAll ends all sessions and revokes all tokens of a member, as when an
// account had to be recovered, in the caller's transaction.
func EndAll(tx *db.Tx, m coop.MemberID) error {
	if err := EndSessionsTx(tx, m); err != nil {
		return err
	}
	return DropTokensTx(tx, m)
}
