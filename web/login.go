package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/labstack/echo/v4"
	"golang.org/x/oauth2"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/fault"
)

var (
	errLoginState  = fault.New(fault.Invalid, "login-state", "This sign-in was not started here, or took too long. Start again.")
	errLoginFailed = fault.New(fault.Unauthenticated, "login-failed", "The sign-in did not succeed. Start again.")
	errIssuerDown  = fault.New(fault.Unavailable, "issuer-unavailable", "The sign-in service cannot be reached just now; try again.")
)

// issuer is the OpenID Connect provider, discovered at the first sign-in and
// kept from then on.
type issuer struct {
	login    Login
	redirect string
	http     *http.Client

	mu       sync.Mutex
	config   *oauth2.Config
	verifier *oidc.IDTokenVerifier
}

// name is what members of this issuer are known by.
func (l Login) name() string {
	if l.Name != "" {
		return l.Name
	}
	return l.Issuer
}

// issuerTimeout bounds every call to the provider.
const issuerTimeout = 10 * time.Second

func (i *issuer) discover(ctx context.Context) (*oauth2.Config, *oidc.IDTokenVerifier, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.config != nil {
		return i.config, i.verifier, nil
	}
	// The provider keeps the context for fetching keys later, so it must not
	// be the request's; the client's timeout bounds each call instead.
	ctx = oidc.ClientContext(context.WithoutCancel(ctx), i.http)
	provider, err := oidc.NewProvider(ctx, i.login.Issuer)
	if err != nil {
		return nil, nil, errors.Join(errIssuerDown, err)
	}
	i.config = &oauth2.Config{ClientID: i.login.ClientID, ClientSecret: i.login.ClientSecret,
		Endpoint: provider.Endpoint(), RedirectURL: i.redirect, Scopes: []string{oidc.ScopeOpenID, "profile"}}
	i.verifier = provider.Verifier(&oidc.Config{ClientID: i.login.ClientID, SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256}})
	return i.config, i.verifier, nil
}

// startLogin sends the browser to the issuer with PKCE, state and nonce.
func (s *Server) startLogin(c echo.Context) error {
	ctx := c.Request().Context()
	config, _, err := s.issuer.discover(ctx)
	if err != nil {
		return err
	}
	state, nonce, verifier := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	s.sessions.Put(ctx, sessionState, state)
	s.sessions.Put(ctx, sessionNonce, nonce)
	s.sessions.Put(ctx, sessionVerifier, verifier)
	s.sessions.Put(ctx, sessionReturn, localPath(c.QueryParam("return")))
	s.sessions.Put(ctx, sessionInvitation, invitationOf(c))
	return c.Redirect(http.StatusSeeOther, config.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)))
}

// maxInvitation is more than any invitation's code has.
const maxInvitation = 128

// invitationOf is the code somebody came with, "" if none.
func invitationOf(c echo.Context) string {
	code := c.QueryParam("invitation")
	if len(code) > maxInvitation {
		return ""
	}
	return code
}

// followInvitation is where an invitation leads when members have accounts
// elsewhere: to the sign-in, which keeps the code for [Server.admit]. Where the
// co-op keeps accounts itself, the provider takes the code and admits.
func (s *Server) followInvitation(c echo.Context) error {
	return c.Redirect(http.StatusSeeOther, "/login?invitation="+url.QueryEscape(invitationOf(c)))
}

// localPath keeps only a path of this server, so that a sign-in never ends
// elsewhere.
func localPath(p string) string {
	if !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsFunc(p, func(r rune) bool { return r == '\\' || unicode.IsControl(r) }) {
		return "/"
	}
	return p
}

// finishLogin takes the code, checks everything about the id token and starts
// a fresh session for the member.
func (s *Server) finishLogin(c echo.Context) error {
	ctx := c.Request().Context()
	state := s.sessions.PopString(ctx, sessionState)
	nonce := s.sessions.PopString(ctx, sessionNonce)
	verifier := s.sessions.PopString(ctx, sessionVerifier)
	invitation := s.sessions.PopString(ctx, sessionInvitation)
	if state == "" || subtle.ConstantTimeCompare([]byte(state), []byte(c.QueryParam("state"))) != 1 {
		return errLoginState
	}
	if c.QueryParam("error") != "" {
		return errLoginFailed
	}
	token, err := s.exchange(ctx, c.QueryParam("code"), verifier, nonce)
	if err != nil {
		return err
	}
	member, err := s.admit(ctx, token, invitation)
	if err != nil {
		return err
	}
	back := localPath(s.sessions.PopString(ctx, sessionReturn))
	if err := s.sessions.RenewToken(ctx); err != nil {
		return fmt.Errorf("web: renew session: %w", err)
	}
	s.sessions.Put(ctx, sessionMember, string(member.ID))
	return c.Redirect(http.StatusSeeOther, back)
}

// exchange swaps the code for an id token and verifies signature, issuer,
// audience, expiry, nonce and authorised party.
func (s *Server) exchange(ctx context.Context, code, verifier, nonce string) (*oidc.IDToken, error) {
	config, idVerifier, err := s.issuer.discover(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, s.issuer.http), issuerTimeout)
	defer cancel()
	tokens, err := config.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		return nil, errLoginFailed
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return nil, errLoginFailed
	}
	id, err := idVerifier.Verify(ctx, raw)
	if err != nil {
		return nil, errLoginFailed
	}
	var claims struct {
		AuthorizedParty string `json:"azp"`
	}
	if id.Claims(&claims) != nil || subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1 ||
		(claims.AuthorizedParty != "" && claims.AuthorizedParty != config.ClientID) ||
		(len(id.Audience) > 1 && claims.AuthorizedParty == "") {
		return nil, errLoginFailed
	}
	return id, nil
}

// maxName bounds what an issuer may call a member.
const maxName = 80

func (s *Server) admit(ctx context.Context, id *oidc.IDToken, invitation string) (governance.Member, error) {
	var claims struct {
		Name string `json:"name"`
	}
	if err := id.Claims(&claims); err != nil {
		return governance.Member{}, errLoginFailed
	}
	name := strings.TrimSpace(claims.Name)
	if runes := []rune(name); len(runes) > maxName {
		name = string(runes[:maxName])
	}
	member, err := s.Governance.Admit(ctx, governance.Identity{Issuer: s.Login.name(), Subject: id.Subject, Name: name, Invitation: invitation})
	if err != nil {
		return governance.Member{}, fmt.Errorf("web: admit: %w", err)
	}
	return member, nil
}

// logout ends the session, whoever's it was.
func (s *Server) logout(c echo.Context) error {
	if err := s.sessions.Destroy(c.Request().Context()); err != nil {
		return fmt.Errorf("web: logout: %w", err)
	}
	return c.Redirect(http.StatusSeeOther, "/")
}
