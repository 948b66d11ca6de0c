// Package signin is the desk at the door of the hall: members come in through an
// OpenID Connect issuer and leave again.
//
// # What it guarantees
//
// A sign-in is finished only in the browser that began it, within one session:
// PKCE, state and nonce; the id token's signature, issuer, audience, authorised
// party and expiry are checked. Who comes in gets a fresh session, and is sent
// to no other host than this one.
//
// # What it refuses
//
// To keep a token of the issuer, or to say which of the checks failed.
package signin

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

	"github.com/alexedwards/scs/v2"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/labstack/echo/v4"
	"golang.org/x/oauth2"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/web/entry"
)

// Keys of a session while somebody signs in.
const (
	keyState      = "login-state"
	keyNonce      = "login-nonce"
	keyVerifier   = "login-verifier"
	keyReturn     = "login-return"
	keyInvitation = "login-invitation"
)

var (
	errLoginState  = fault.New(fault.Invalid, "login-state", "This sign-in was not started here, or took too long. Start again.")
	errLoginFailed = fault.New(fault.Unauthenticated, "login-failed", "The sign-in did not succeed. Start again.")
	errIssuerDown  = fault.New(fault.Unavailable, "issuer-unavailable", "The sign-in service cannot be reached just now; try again.")
)

// Login is the OpenID Connect issuer that members sign in at.
type Login struct {
	Issuer       string
	Name         string // members are known by it and their subject; empty: the issuer itself
	ClientID     string
	ClientSecret string
}

// name is what members of this issuer are known by.
func (l Login) name() string {
	if l.Name != "" {
		return l.Name
	}
	return l.Issuer
}

// Config is what a desk needs.
type Config struct {
	Login      Login
	Redirect   string // the address of Finish, where the issuer sends browsers back to
	Sessions   *scs.SessionManager
	Governance *governance.Service
	Inside     http.Handler // the issuer itself, if it is in this process; or nil
}

// Desk signs members in and out. It is safe for concurrent use. It meets its
// issuer at the first sign-in and keeps what it learnt from then on.
type Desk struct {
	Config
	http *http.Client

	mu       sync.Mutex
	config   *oauth2.Config
	verifier *oidc.IDTokenVerifier
}

// New makes a desk. It does not contact the issuer.
func New(c Config) *Desk {
	d := &Desk{Config: c, http: &http.Client{Timeout: issuerTimeout}}
	if c.Inside != nil {
		d.http.Transport = inside{c.Inside}
	}
	return d
}

// Own is whom members of an issuer at that address are known by; "" where they
// sign in elsewhere.
func (d *Desk) Own(base string) string {
	if d.Login.Issuer != base {
		return ""
	}
	return d.Login.name()
}

// issuerTimeout bounds every call to the provider.
const issuerTimeout = 10 * time.Second

func (d *Desk) discover(ctx context.Context) (*oauth2.Config, *oidc.IDTokenVerifier, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.config != nil {
		return d.config, d.verifier, nil
	}
	// The provider keeps the context for fetching keys later, so it must not
	// be the request's; the client's timeout bounds each call instead.
	ctx = oidc.ClientContext(context.WithoutCancel(ctx), d.http)
	provider, err := oidc.NewProvider(ctx, d.Login.Issuer)
	if err != nil {
		return nil, nil, errors.Join(errIssuerDown, err)
	}
	d.config = &oauth2.Config{ClientID: d.Login.ClientID, ClientSecret: d.Login.ClientSecret,
		Endpoint: provider.Endpoint(), RedirectURL: d.Redirect, Scopes: []string{oidc.ScopeOpenID, "profile"}}
	d.verifier = provider.Verifier(&oidc.Config{ClientID: d.Login.ClientID, SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256}})
	return d.config, d.verifier, nil
}

// Start sends the browser to the issuer with PKCE, state and nonce.
func (d *Desk) Start(c echo.Context) error {
	ctx := c.Request().Context()
	config, _, err := d.discover(ctx)
	if err != nil {
		return err
	}
	state, nonce, verifier := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	d.Sessions.Put(ctx, keyState, state)
	d.Sessions.Put(ctx, keyNonce, nonce)
	d.Sessions.Put(ctx, keyVerifier, verifier)
	d.Sessions.Put(ctx, keyReturn, localPath(c.QueryParam("return")))
	d.Sessions.Put(ctx, keyInvitation, invitationOf(c))
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

// Follow is where an invitation leads when members have accounts
// elsewhere: to the sign-in, which keeps the code for the admission. Where the
// co-op keeps accounts itself, the provider takes the code and admits.
func (d *Desk) Follow(c echo.Context) error {
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

// Finish takes the code, checks everything about the id token and starts
// a fresh session for the member.
func (d *Desk) Finish(c echo.Context) error {
	ctx := c.Request().Context()
	state := d.Sessions.PopString(ctx, keyState)
	nonce := d.Sessions.PopString(ctx, keyNonce)
	verifier := d.Sessions.PopString(ctx, keyVerifier)
	invitation := d.Sessions.PopString(ctx, keyInvitation)
	if state == "" || subtle.ConstantTimeCompare([]byte(state), []byte(c.QueryParam("state"))) != 1 {
		return errLoginState
	}
	if c.QueryParam("error") != "" {
		return errLoginFailed
	}
	token, err := d.exchange(ctx, c.QueryParam("code"), verifier, nonce)
	if err != nil {
		return err
	}
	member, err := d.admit(ctx, token, invitation)
	if err != nil {
		return err
	}
	back := localPath(d.Sessions.PopString(ctx, keyReturn))
	if err := d.Sessions.RenewToken(ctx); err != nil {
		return fmt.Errorf("signin: renew session: %w", err)
	}
	d.Sessions.Put(ctx, entry.Member, string(member.ID))
	return c.Redirect(http.StatusSeeOther, back)
}

// exchange swaps the code for an id token and verifies signature, issuer,
// audience, expiry, nonce and authorised party.
func (d *Desk) exchange(ctx context.Context, code, verifier, nonce string) (*oidc.IDToken, error) {
	config, idVerifier, err := d.discover(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, d.http), issuerTimeout)
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

func (d *Desk) admit(ctx context.Context, id *oidc.IDToken, invitation string) (governance.Member, error) {
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
	member, err := d.Governance.Admit(ctx, governance.Identity{Issuer: d.Login.name(), Subject: id.Subject, Name: name, Invitation: invitation})
	if err != nil {
		return governance.Member{}, fmt.Errorf("signin: admit: %w", err)
	}
	return member, nil
}

// Leave ends the session, whoever's it was.
func (d *Desk) Leave(c echo.Context) error {
	if err := d.Sessions.Destroy(c.Request().Context()); err != nil {
		return fmt.Errorf("signin: logout: %w", err)
	}
	return c.Redirect(http.StatusSeeOther, "/")
}
