package signin

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// issuerTimeout bounds every call to the provider.
const issuerTimeout = 10 * time.Second

// issuer is one that members sign in at, and what was learnt about it.
type issuer struct {
	Login
	key      string // in addresses of this server
	redirect string
	http     *http.Client

	mu       sync.Mutex
	config   *oauth2.Config
	verifier *oidc.IDTokenVerifier
}

func (d *Desk) newIssuer(l Login, place int) *issuer {
	i := &issuer{Login: l, key: strconv.Itoa(place), redirect: d.Redirect, http: &http.Client{Timeout: issuerTimeout}}
	if d.Inside != nil && l.Issuer == d.Base {
		i.http.Transport = inside{d.Inside}
	}
	return i
}

func (i *issuer) discover(ctx context.Context) (*oauth2.Config, *oidc.IDTokenVerifier, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.config != nil {
		return i.config, i.verifier, nil
	}
	// The provider keeps the context for fetching keys later, so it must not
	// be the request's; the client's timeout bounds each call instead.
	ctx = oidc.ClientContext(context.WithoutCancel(ctx), i.http)
	provider, err := oidc.NewProvider(ctx, i.Issuer)
	if err != nil {
		return nil, nil, errors.Join(errIssuerDown, err)
	}
	i.config = &oauth2.Config{ClientID: i.ClientID, ClientSecret: i.ClientSecret,
		Endpoint: provider.Endpoint(), RedirectURL: i.redirect, Scopes: []string{oidc.ScopeOpenID, "profile"}}
	i.verifier = provider.Verifier(&oidc.Config{ClientID: i.ClientID, SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256}})
	return i.config, i.verifier, nil
}

// proven is what an id token says, once everything about it has been checked.
type proven struct {
	subject  string
	name     string
	authTime time.Time // zero if the issuer does not say
}

// exchange swaps the code for an id token and verifies signature, issuer,
// audience, expiry, nonce and authorised party.
func (i *issuer) exchange(ctx context.Context, code, verifier, nonce string) (proven, error) {
	config, idVerifier, err := i.discover(ctx)
	if err != nil {
		return proven{}, err
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, i.http), issuerTimeout)
	defer cancel()
	tokens, err := config.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		return proven{}, errLoginFailed
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return proven{}, errLoginFailed
	}
	id, err := idVerifier.Verify(ctx, raw)
	if err != nil {
		return proven{}, errLoginFailed
	}
	var claims struct {
		AuthorizedParty string `json:"azp"`
		Name            string `json:"name"`
		AuthTime        int64  `json:"auth_time"`
	}
	if id.Claims(&claims) != nil || subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1 ||
		(claims.AuthorizedParty != "" && claims.AuthorizedParty != config.ClientID) ||
		(len(id.Audience) > 1 && claims.AuthorizedParty == "") {
		return proven{}, errLoginFailed
	}
	out := proven{subject: id.Subject, name: shortName(claims.Name)}
	if claims.AuthTime > 0 {
		out.authTime = time.Unix(claims.AuthTime, 0)
	}
	return out, nil
}

// maxName bounds what an issuer may call a member.
const maxName = 80

func shortName(name string) string {
	name = strings.TrimSpace(name)
	if runes := []rune(name); len(runes) > maxName {
		name = string(runes[:maxName])
	}
	return name
}

// Read reads a file of further issuers:
//
//	[[issuers]]
//	issuer = "https://id.example"
//	label = "Example ID"
//	client_id = "…"
//	client_secret = "…"
func Read(path string) ([]Login, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("issuers: %w", err)
	}
	var file struct {
		Issuers []Login `toml:"issuers"`
	}
	meta, err := toml.Decode(string(text), &file)
	if err != nil {
		return nil, fmt.Errorf("issuers: %s is not in the form of TOML", path)
	}
	if extra := meta.Undecoded(); len(extra) > 0 {
		return nil, fmt.Errorf("issuers: unknown key %s", extra[0])
	}
	for _, l := range file.Issuers {
		if !strings.HasPrefix(l.Issuer, "https://") && !strings.HasPrefix(l.Issuer, "http://localhost") || l.ClientID == "" {
			return nil, errors.New("issuers: each needs an https issuer and a client_id")
		}
	}
	return file.Issuers, nil
}
