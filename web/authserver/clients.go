package authserver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/openid"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

// What a researcher's token may be good for. A token request names some of
// them; one that names none gets all.
const (
	ScopeRequestsRead  = "requests:read"
	ScopeRequestsWrite = "requests:write"
	ScopeFilesRead     = "files:read"
)

// ResearcherScopes lists the scopes a researcher's client may ask for.
func ResearcherScopes() []string {
	return []string{ScopeFilesRead, ScopeRequestsRead, ScopeRequestsWrite}
}

func openIDScopes() []string { return []string{"openid", "profile"} }

// What callers of the server may read.
var (
	// ErrToken is every answer of Introspect about a token that is not good,
	// whatever the reason.
	ErrToken = fault.New(fault.Unauthenticated, "token-invalid",
		"The access token is unknown, expired or revoked.")
	// ErrResearcher says that a researcher has no credentials here.
	ErrResearcher = fault.New(fault.NotFound, "credentials-unknown",
		"There are no credentials for this researcher.")
	// ErrRevoked says that credentials were revoked, which is final.
	ErrRevoked = fault.New(fault.Conflict, "credentials-revoked",
		"These credentials were revoked and are not given out again.")
)

// researcherPrefix keeps researchers' client ids apart from all others.
const researcherPrefix = "researcher-"

// ResearcherClient is the client id of a researcher.
func ResearcherClient(researcherID string) string { return researcherPrefix + researcherID }

// EnsureClient registers a relying party of the login half under id, a letter
// and at most 31 lower-case letters, digits or hyphens, or brings its redirect
// addresses up to date. An address is matched character by character; it is
// https, or http on a loopback address. The secret is the same every time, as
// long as Config.Secret is, and is stored as a hash.
func (s *Server) EnsureClient(ctx context.Context, id string, redirectURIs []string) (secret string, err error) {
	if !clientPattern.MatchString(id) || len(redirectURIs) == 0 {
		return "", errors.New("authserver: a client needs an id and a redirect address")
	}
	for _, address := range redirectURIs {
		if _, err := checkURL(address); err != nil {
			return "", fmt.Errorf("authserver: a redirect address of client %s %w", id, err)
		}
	}
	fresh := client{DefaultClient: fosite.DefaultClient{ID: id}, kind: kindPortal, serial: 1}
	return s.enrol(ctx, fresh, func(_ *db.Tx, c *client) error {
		if c.kind != kindPortal {
			return errors.New("the id is taken by another kind of client")
		}
		c.RedirectURIs = redirectURIs
		return nil
	})
}

// IssueResearcher gives a researcher, named by a UUIDv7, credentials for the
// token endpoint. Asking again gives the same ones, so that an answer that got
// lost can be repeated. Revoked credentials are not given again: ErrRevoked.
func (s *Server) IssueResearcher(ctx context.Context, researcherID string) (clientID, clientSecret string, err error) {
	if !coop.ValidID(researcherID) {
		return "", "", errors.New("authserver: issue: not a researcher's id")
	}
	clientID = researcherPrefix + researcherID
	fresh := client{
		DefaultClient: fosite.DefaultClient{ID: clientID, RedirectURIs: []string{}},
		kind:          kindResearcher, researcher: researcherID, serial: 1,
	}
	clientSecret, err = s.enrol(ctx, fresh, func(*db.Tx, *client) error { return nil })
	if err != nil {
		return "", "", err
	}
	return clientID, clientSecret, nil
}

// RotateResearcher replaces a researcher's secret. The old one and every token
// it brought stop working with the commit. It answers ErrResearcher where
// nothing was issued and ErrRevoked where it was revoked.
func (s *Server) RotateResearcher(ctx context.Context, researcherID string) (clientID, clientSecret string, err error) {
	clientID = researcherPrefix + researcherID
	clientSecret, err = s.enrol(ctx, client{DefaultClient: fosite.DefaultClient{ID: clientID}},
		func(tx *db.Tx, c *client) error {
			c.serial++
			return endSessions(tx, c.ID)
		})
	if err != nil {
		return "", "", err
	}
	return clientID, clientSecret, nil
}

// RevokeResearcher ends a researcher's credentials and tokens for good.
// Revoking again changes nothing; where nothing was issued it is ErrResearcher.
func (s *Server) RevokeResearcher(ctx context.Context, researcherID string) error {
	err := s.db.Update(ctx, func(tx *db.Tx) error {
		c, err := loadClient(tx, researcherPrefix+researcherID)
		if errors.Is(err, db.ErrNoRow) {
			return ErrResearcher
		}
		if err != nil || c.revoked {
			return err
		}
		return markRevoked(tx, c.ID)
	})
	if err != nil {
		return fmt.Errorf("authserver: revoke: %w", err)
	}
	return nil
}

// enrol loads a client or starts from fresh (which without a kind means that
// it must be there), changes it, derives its secret and saves it. The hash is
// written every time, so that the secret returned always works, even after
// Config.Secret was replaced.
func (s *Server) enrol(ctx context.Context, fresh client, change func(*db.Tx, *client) error) (secret string, err error) {
	err = s.db.Update(ctx, func(tx *db.Tx) error {
		c, err := loadClient(tx, fresh.ID)
		switch {
		case errors.Is(err, db.ErrNoRow) && fresh.kind == "":
			return ErrResearcher
		case errors.Is(err, db.ErrNoRow):
			c = &fresh
		case err != nil:
			return err
		case c.revoked:
			return ErrRevoked
		}
		if err := change(tx, c); err != nil {
			return err
		}
		secret = s.keys.clientSecret(c.ID, c.serial)
		c.Secret = hashSecret(secret)
		return saveClient(tx, c)
	})
	if err != nil {
		return "", fmt.Errorf("authserver: enrol client: %w", err)
	}
	return secret, nil
}

// Grant is what a researcher's access token is worth at the moment of asking.
type Grant struct {
	ResearcherID string
	Scopes       []string
	Expires      time.Time
}

// Has reports whether the token was issued for scope.
func (g Grant) Has(scope string) bool { return slices.Contains(g.Scopes, scope) }

// Introspect tells the resource server whose token this is. Everything but a
// researcher's living access token, including the token a member's login
// brings, is ErrToken; any other error is a fault of the storage.
func (s *Server) Introspect(ctx context.Context, token string) (Grant, error) {
	r, err := s.active(ctx, token)
	if err != nil {
		return Grant{}, err
	}
	c, ok := r.GetClient().(*client)
	if !ok || c.kind != kindResearcher {
		return Grant{}, ErrToken
	}
	return Grant{
		ResearcherID: c.researcher,
		Scopes:       slices.Clone(r.GetGrantedScopes()),
		Expires:      r.GetSession().GetExpiresAt(fosite.AccessToken),
	}, nil
}

// active returns the request a living access token came from.
func (s *Server) active(ctx context.Context, token string) (r fosite.Requester, err error) {
	if !wellFormed(token) {
		return nil, ErrToken
	}
	err = s.db.View(ctx, func(tx *db.Tx) error {
		_, r, err = s.provider.IntrospectToken(within(tx), token, fosite.AccessToken, new(openid.DefaultSession))
		return err
	})
	var f *failure
	var refused *fosite.RFC6749Error
	switch {
	case err == nil:
		return r, nil
	case errors.As(err, &f):
		return nil, fmt.Errorf("authserver: introspect: %w", f)
	case errors.As(err, &refused):
		return nil, ErrToken
	default:
		return nil, fmt.Errorf("authserver: introspect: %w", err)
	}
}
