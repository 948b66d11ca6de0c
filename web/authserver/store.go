package authserver

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/openid"

	"distributed.ai/datacoop/internal/db"
)

// store is what the OAuth library keeps: one row per code, PKCE challenge,
// OpenID request and access token, each found by the signature half of its
// code or token. Every method runs in the transaction its context carries, so
// that one exchange is one transaction however many methods it takes.
type store struct {
	// replayWindow is how long a code is remembered after it was issued: as
	// long as a token it brought can live.
	replayWindow time.Duration
}

type transactionKey struct{}

// within returns tx's context with tx in it, for handing to the library.
func within(tx *db.Tx) context.Context {
	return context.WithValue(tx.Context(), transactionKey{}, tx)
}

func transaction(ctx context.Context) (*db.Tx, error) {
	tx, ok := ctx.Value(transactionKey{}).(*db.Tx)
	if !ok {
		return nil, &failure{"begin", errors.New("no transaction in the context")}
	}
	return tx, nil
}

// failure marks a fault of the storage inside the library's error chains,
// where it would otherwise look like a refusal of the caller.
type failure struct {
	op  string
	err error
}

func (f *failure) Error() string { return "authserver: " + f.op + ": " + f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// The kinds of session.
const (
	sessionCode      = "code"
	sessionChallenge = "challenge"
	sessionOpenID    = "openid"
	sessionToken     = "token"
)

// body is what a session row holds beyond its keys.
type body struct {
	RequestedAt time.Time              `json:"requested_at"`
	Requested   []string               `json:"requested"`
	Granted     []string               `json:"granted"`
	Form        url.Values             `json:"form"`
	Session     *openid.DefaultSession `json:"session"`
}

const insertSession = `
INSERT INTO authserver_sessions (kind, signature, request, client, used, expires_at, body, subject)
VALUES (?, ?, ?, ?, 0, ?, ?, ?)`

func (s *store) put(ctx context.Context, kind, signature string, expires time.Time, r fosite.Requester) error {
	tx, err := transaction(ctx)
	if err != nil {
		return err
	}
	session, ok := r.GetSession().(*openid.DefaultSession)
	if !ok {
		return &failure{"store " + kind, errors.New("unexpected type of session")}
	}
	text, err := json.Marshal(body{
		RequestedAt: r.GetRequestedAt(), Requested: r.GetRequestedScopes(), Granted: r.GetGrantedScopes(),
		Form: r.GetRequestForm(), Session: session,
	})
	if err != nil {
		return &failure{"store " + kind, err}
	}
	_, err = tx.Exec(insertSession, kind, signature, r.GetID(), r.GetClient().GetID(), expires.UnixMilli(), string(text), session.Subject)
	if err != nil {
		return &failure{"store " + kind, err}
	}
	return nil
}

const selectSession = `
SELECT request, client, used, body FROM authserver_sessions WHERE kind = ? AND signature = ?`

// get returns the stored request. A session of a client that is gone or
// revoked is as good as none.
func (s *store) get(ctx context.Context, kind, signature string) (r *fosite.Request, used bool, err error) {
	tx, err := transaction(ctx)
	if err != nil {
		return nil, false, err
	}
	var request, clientID, text string
	err = tx.QueryRow(selectSession, kind, signature).Scan(&request, &clientID, &used, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, fosite.ErrNotFound
	}
	if err != nil {
		return nil, false, &failure{"load " + kind, err}
	}
	var b body
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return nil, false, &failure{"decode " + kind, err}
	}
	c, err := s.GetClient(ctx, clientID)
	if err != nil {
		return nil, false, err
	}
	return &fosite.Request{
		ID: request, RequestedAt: b.RequestedAt, Client: c, RequestedScope: b.Requested, GrantedScope: b.Granted,
		Form: b.Form, Session: b.Session, RequestedAudience: fosite.Arguments{}, GrantedAudience: fosite.Arguments{},
	}, used, nil
}

const deleteSession = `DELETE FROM authserver_sessions WHERE kind = ? AND signature = ?`

func (s *store) drop(ctx context.Context, kind, signature string) error {
	return s.exec(ctx, "drop "+kind, deleteSession, kind, signature)
}

func (s *store) exec(ctx context.Context, op, query string, args ...any) error {
	tx, err := transaction(ctx)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(query, args...); err != nil {
		return &failure{op, err}
	}
	return nil
}

const deleteExpired = `DELETE FROM authserver_sessions WHERE expires_at < ?`

// prune removes the sessions, challenges and tickets whose time is over.
func (s *store) prune(tx *db.Tx) error {
	for _, query := range []string{deleteExpired, deleteChallenges, deleteTickets} {
		if _, err := tx.Exec(query, time.Now().UnixMilli()); err != nil {
			return fmt.Errorf("prune: %w", err)
		}
	}
	return nil
}

// Codes (fosite's oauth2.AuthorizeCodeStorage).

func (s *store) CreateAuthorizeCodeSession(ctx context.Context, signature string, r fosite.Requester) error {
	return s.put(ctx, sessionCode, signature, time.Now().Add(s.replayWindow), r)
}

func (s *store) GetAuthorizeCodeSession(ctx context.Context, signature string, _ fosite.Session) (fosite.Requester, error) {
	r, used, err := s.get(ctx, sessionCode, signature)
	if err != nil {
		return nil, err
	}
	if used {
		return r, fosite.ErrInvalidatedAuthorizeCode
	}
	return r, nil
}

const useCode = `
UPDATE authserver_sessions SET used = 1 WHERE kind = 'code' AND signature = ? AND used = 0`

func (s *store) InvalidateAuthorizeCodeSession(ctx context.Context, signature string) error {
	tx, err := transaction(ctx)
	if err != nil {
		return err
	}
	if err := tx.ExecOne(useCode, signature); err != nil {
		return &failure{"use code", err}
	}
	return nil
}

// PKCE challenges (fosite's pkce.PKCERequestStorage).

func (s *store) CreatePKCERequestSession(ctx context.Context, signature string, r fosite.Requester) error {
	return s.put(ctx, sessionChallenge, signature, time.Now().Add(codeLifetime), r)
}

func (s *store) GetPKCERequestSession(ctx context.Context, signature string, _ fosite.Session) (fosite.Requester, error) {
	r, _, err := s.get(ctx, sessionChallenge, signature)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (s *store) DeletePKCERequestSession(ctx context.Context, signature string) error {
	return s.drop(ctx, sessionChallenge, signature)
}

// OpenID requests (fosite's openid.OpenIDConnectRequestStorage). Here the
// library passes the whole code; only its signature may be stored.

func signatureOf(code string) string {
	_, signature, _ := strings.Cut(code, ".")
	return signature
}

func (s *store) CreateOpenIDConnectSession(ctx context.Context, code string, r fosite.Requester) error {
	return s.put(ctx, sessionOpenID, signatureOf(code), time.Now().Add(codeLifetime), r)
}

func (s *store) GetOpenIDConnectSession(ctx context.Context, code string, _ fosite.Requester) (fosite.Requester, error) {
	r, _, err := s.get(ctx, sessionOpenID, signatureOf(code))
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (s *store) DeleteOpenIDConnectSession(ctx context.Context, code string) error {
	return s.drop(ctx, sessionOpenID, signatureOf(code))
}

// Access tokens (fosite's oauth2.AccessTokenStorage and TokenRevocationStorage).

func (s *store) CreateAccessTokenSession(ctx context.Context, signature string, r fosite.Requester) error {
	return s.put(ctx, sessionToken, signature, r.GetSession().GetExpiresAt(fosite.AccessToken), r)
}

func (s *store) GetAccessTokenSession(ctx context.Context, signature string, _ fosite.Session) (fosite.Requester, error) {
	r, _, err := s.get(ctx, sessionToken, signature)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (s *store) DeleteAccessTokenSession(ctx context.Context, signature string) error {
	return s.drop(ctx, sessionToken, signature)
}

const deleteTokensOfRequest = `DELETE FROM authserver_sessions WHERE kind = 'token' AND request = ?`

func (s *store) RevokeAccessToken(ctx context.Context, requestID string) error {
	return s.exec(ctx, "revoke token", deleteTokensOfRequest, requestID)
}
