package authserver

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/openid"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/web/authserver/templates"
)

// serveToken is the token endpoint (RFC 6749, section 3.2). Credentials are
// checked in a snapshot first, so that strangers never occupy the writer.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	_, err := s.identify(r)
	if err == nil {
		err = offered(r.PostForm.Get("grant_type"))
	}
	var answer fosite.AccessResponder
	if err == nil {
		answer, err = s.exchange(r)
	}
	if err != nil {
		s.refuseJSON(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, answer.ToMap())
}

// identify reads the form and authenticates the client.
func (s *Server) identify(r *http.Request) (c fosite.Client, err error) {
	if err := readForm(r); err != nil {
		return nil, err
	}
	err = s.db.View(r.Context(), func(tx *db.Tx) error {
		c, err = s.authenticate(within(tx), r, r.PostForm)
		return err
	})
	return c, err
}

func offered(grant string) error {
	switch grant {
	case grantClient, grantCode:
		return nil
	case "":
		return fosite.ErrInvalidRequest
	}
	return fosite.ErrUnsupportedGrantType
}

// exchange gives a token for a grant, in one transaction. A refusal keeps what
// it changed, such as the tokens it revoked because a code came twice; only a
// fault of ours undoes it.
func (s *Server) exchange(r *http.Request) (answer fosite.AccessResponder, err error) {
	var refused error
	err = s.db.Update(r.Context(), func(tx *db.Tx) error {
		if err := s.store.prune(tx); err != nil {
			return err
		}
		answer, refused = s.issue(within(tx), r)
		if ours(refused) {
			return refused
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, refused
}

func (s *Server) issue(ctx context.Context, r *http.Request) (fosite.AccessResponder, error) {
	request, err := s.provider.NewAccessRequest(ctx, r, new(openid.DefaultSession))
	if err != nil {
		return nil, err
	}
	if request.GetGrantTypes().ExactOne(grantClient) {
		grantScopes(request)
	}
	return s.provider.NewAccessResponse(ctx, request)
}

// grantScopes grants what was asked for, which the library has checked, or all
// the client may have if nothing was (RFC 6749, section 3.3).
func grantScopes(request fosite.AccessRequester) {
	if len(request.GetRequestedScopes()) == 0 {
		request.SetRequestedScopes(request.GetClient().GetScopes())
	}
	for _, scope := range request.GetRequestedScopes() {
		request.GrantScope(scope)
	}
}

// serveRevoke is the revocation endpoint (RFC 7009): 200 also for a token that
// is unknown or somebody else's, which then stays as it is.
func (s *Server) serveRevoke(w http.ResponseWriter, r *http.Request) {
	c, err := s.identify(r)
	if err == nil {
		err = s.revoke(r, c)
	}
	if err != nil {
		s.refuseJSON(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

func (s *Server) revoke(r *http.Request, c fosite.Client) error {
	token := r.PostForm.Get("token")
	if token == "" {
		return fosite.ErrInvalidRequest
	}
	request, err := s.active(r.Context(), token)
	if errors.Is(err, ErrToken) || err == nil && request.GetClient().GetID() != c.GetID() {
		return nil
	}
	if err != nil {
		return err
	}
	return s.db.Update(r.Context(), func(tx *db.Tx) error {
		return s.store.RevokeAccessToken(within(tx), request.GetID())
	})
}

// introspection is the answer of RFC 7662, section 2.2.
type introspection struct {
	Active   bool   `json:"active"`
	Scope    string `json:"scope,omitempty"`
	ClientID string `json:"client_id,omitempty"`
	Type     string `json:"token_type,omitempty"`
	Expires  int64  `json:"exp,omitempty"`
	Issuer   string `json:"iss,omitempty"`
}

// serveIntrospect is the introspection endpoint (RFC 7662), for a client's own
// tokens: another client's are as unknown to it as garbage. The co-op's
// resource server uses Introspect.
func (s *Server) serveIntrospect(w http.ResponseWriter, r *http.Request) {
	c, err := s.identify(r)
	if err != nil {
		s.refuseJSON(w, r, err)
		return
	}
	request, err := s.active(r.Context(), r.PostForm.Get("token"))
	if err != nil && !errors.Is(err, ErrToken) {
		s.refuseJSON(w, r, err)
		return
	}
	if err != nil || request.GetClient().GetID() != c.GetID() {
		writeJSON(w, http.StatusOK, introspection{})
		return
	}
	writeJSON(w, http.StatusOK, introspection{
		Active: true, Scope: strings.Join(request.GetGrantedScopes(), " "), ClientID: c.GetID(), Type: "Bearer",
		Expires: request.GetSession().GetExpiresAt(fosite.AccessToken).Unix(), Issuer: s.issuer.String(),
	})
}

func (s *Server) refuseJSON(w http.ResponseWriter, r *http.Request, err error) {
	s.report(r, err)
	no := refuse(err)
	switch no.status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="datacoop"`)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", templates.RetryAfter)
	}
	writeJSON(w, no.status, no)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the peer has gone; there is nobody to tell
}
