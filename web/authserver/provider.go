package authserver

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/token/jwt"
)

// The grants that are offered.
const (
	grantCode   = "authorization_code"
	grantClient = "client_credentials"
)

// TokenPrefix begins every access token of this server, so that a resource
// server can tell it from other bearer tokens and a scanner can find one that
// leaked.
const TokenPrefix = "datacoop_"

// Access tokens are the prefix, 32 random bytes, a point and their HMAC.
const tokenLength = len(TokenPrefix) + 43 + 1 + 43

func wellFormed(token string) bool {
	return len(token) == tokenLength && strings.HasPrefix(token, TokenPrefix)
}

// newProvider assembles the library from the grants that are offered.
func (s *Server) newProvider() fosite.OAuth2Provider {
	config := &fosite.Config{
		GlobalSecret:                  s.keys.token,
		IDTokenIssuer:                 s.issuer.String(),
		AccessTokenLifespan:           s.tokenLifetime,
		AuthorizeCodeLifespan:         codeLifetime,
		IDTokenLifespan:               idTokenLifetime,
		ScopeStrategy:                 fosite.ExactScopeStrategy,
		AudienceMatchingStrategy:      fosite.DefaultAudienceMatchingStrategy,
		RedirectSecureChecker:         fosite.IsRedirectURISecureStrict,
		ClientAuthenticationStrategy:  s.authenticate,
		EnforcePKCE:                   true,
		DisableRefreshTokenValidation: true,
		OmitRedirectScopeParam:        true,
	}
	getKey := func(context.Context) (any, error) { return s.signing.key, nil }
	strategy := &compose.CommonStrategy{
		CoreStrategy:               tokens{compose.NewOAuth2HMACStrategy(config).HMACSHAStrategyUnPrefixed},
		OpenIDConnectTokenStrategy: compose.NewOpenIDConnectStrategy(getKey, config),
		Signer:                     &jwt.DefaultSigner{GetPrivateKey: getKey},
	}
	factories := []compose.Factory{
		compose.OAuth2ClientCredentialsGrantFactory,
		compose.OAuth2TokenIntrospectionFactory,
		compose.OAuth2TokenRevocationFactory,
	}
	if s.logins {
		// PKCE looks for the code that the factory before it made.
		factories = append(factories, compose.OAuth2AuthorizeExplicitFactory,
			compose.OAuth2PKCEFactory, compose.OpenIDConnectExplicitFactory)
	}
	return compose.Compose(config, s.store, strategy, factories...)
}

// tokens puts our prefix before access tokens.
type tokens struct {
	*oauth2.HMACSHAStrategyUnPrefixed
}

func (t tokens) GenerateAccessToken(ctx context.Context, r fosite.Requester) (token, signature string, err error) {
	token, signature, err = t.HMACSHAStrategyUnPrefixed.GenerateAccessToken(ctx, r)
	if err != nil {
		return "", "", err
	}
	return TokenPrefix + token, signature, nil
}

func (t tokens) ValidateAccessToken(ctx context.Context, r fosite.Requester, token string) error {
	bare, ok := strings.CutPrefix(token, TokenPrefix)
	if !ok {
		return fosite.ErrInvalidTokenFormat
	}
	return t.HMACSHAStrategyUnPrefixed.ValidateAccessToken(ctx, r, bare)
}

// authenticate knows a client by its secret and nothing else; the library's
// own strategy would also look at client assertions and public clients. An
// unknown id costs what a wrong secret costs and is answered alike.
func (s *Server) authenticate(ctx context.Context, r *http.Request, form url.Values) (fosite.Client, error) {
	id, secret, err := credentials(r, form)
	if err != nil {
		return nil, err
	}
	c, err := s.store.GetClient(ctx, id)
	want := make([]byte, len(hashSecret("")))
	switch {
	case err == nil:
		want = c.GetHashedSecret()
	case !errors.Is(err, fosite.ErrNotFound):
		return nil, err
	}
	match := subtle.ConstantTimeCompare(hashSecret(secret), want) == 1
	if err != nil || !match {
		return nil, fosite.ErrInvalidClient
	}
	return c, nil
}

// credentials reads client_secret_basic or client_secret_post (RFC 6749,
// section 2.3.1), and refuses a request that uses both.
func credentials(r *http.Request, form url.Values) (id, secret string, err error) {
	if form.Has("client_assertion") || form.Has("client_assertion_type") {
		return "", "", fosite.ErrInvalidClient
	}
	if r.Header.Get("Authorization") == "" {
		return form.Get("client_id"), form.Get("client_secret"), nil
	}
	rawID, rawSecret, ok := r.BasicAuth()
	if !ok {
		return "", "", fosite.ErrInvalidClient
	}
	id, err1 := url.QueryUnescape(rawID)
	secret, err2 := url.QueryUnescape(rawSecret)
	switch {
	case err1 != nil || err2 != nil:
		return "", "", fosite.ErrInvalidClient
	case form.Has("client_secret") || form.Has("client_id") && form.Get("client_id") != id:
		return "", "", fosite.ErrInvalidRequest
	}
	return id, secret, nil
}
