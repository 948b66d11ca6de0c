// Package signin is the desk at the door of the hall: members come in through
// OpenID Connect issuers and leave again.
//
// # What it is for
//
// A co-op has one issuer or several; where there are several, a page lets
// people choose. A member is known by an issuer and a subject together, so that
// the same e-mail address or the same subject at another issuer is somebody
// else. Who wants to come in by a second issuer links it from inside. Before
// grave things a member signs in afresh, which package stepup notes.
//
// # What it guarantees
//
// A sign-in is finished only in the browser that began it, within one session,
// at the issuer it was begun with: PKCE, state and nonce; the id token's
// signature, issuer, audience, authorised party and expiry are checked. Who
// comes in gets a fresh session, and is sent to no other host than this one. A
// fresh sign-in counts only if the issuer says that it is fresh (auth_time), and
// if it is the same member's.
//
// # What it refuses
//
// To keep a token of an issuer, to say which of the checks failed, to link an
// identity that is somebody's already, or to unlink the one a member joined
// with: there is always a way in.
package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/alexedwards/scs/v2"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/labstack/echo/v4"
	"golang.org/x/oauth2"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/web/entry"
	"distributed.ai/datacoop/web/stepup"
)

//go:embed schema/*.sql
var schema embed.FS

// Keys of a session while somebody signs in.
const (
	keyState      = "login-state"
	keyNonce      = "login-nonce"
	keyVerifier   = "login-verifier"
	keyReturn     = "login-return"
	keyInvitation = "login-invitation"
	keyIssuer     = "login-issuer"
	keyPurpose    = "login-purpose"
	keyBegan      = "login-began"
	keyAsked      = "login-asked"
)

// keyWay is the issuer that the member of a session came in by.
const keyWay = "way"

// What a visit to an issuer is for, beside coming in. A class of stepup follows
// the first.
const (
	purposeProve = "prove:"
	purposeLink  = "link"
)

var (
	errLoginState  = fault.New(fault.Invalid, "login-state", "This sign-in was not started here, or took too long. Start again.")
	errLoginFailed = fault.New(fault.Unauthenticated, "login-failed", "The sign-in did not succeed. Start again.")
	errIssuerDown  = fault.New(fault.Unavailable, "issuer-unavailable", "The sign-in service cannot be reached just now; try again.")
	errNoIssuer    = fault.New(fault.NotFound, "not-found", "There is no such way to sign in here.")
	errSomebody    = fault.New(fault.Forbidden, "step-up-other", "That is another account than the one you are signed in with. Nothing was done.")
	errStale       = fault.New(fault.Forbidden, "step-up-stale", "Your sign-in service did not ask who you are. Sign out there, then try again. Nothing was done.")
	errSignedOut   = fault.New(fault.Unauthenticated, "sign-in-needed", "Sign in first.")
)

// Login is an OpenID Connect issuer that members sign in at.
type Login struct {
	Issuer       string `toml:"issuer"`
	Name         string `toml:"-"`     // members are known by it and their subject; empty: the issuer itself
	Label        string `toml:"label"` // what people call it; empty: its host
	ClientID     string `toml:"client_id"`
	ClientSecret string `toml:"client_secret"`
}

// name is what members of this issuer are known by.
func (l Login) name() string {
	if l.Name != "" {
		return l.Name
	}
	return l.Issuer
}

// label is what people read.
func (l Login) label() string {
	if u, err := url.Parse(l.Issuer); l.Label == "" && err == nil {
		return u.Host
	}
	return l.Label
}

// Config is what a desk needs.
type Config struct {
	DB         *db.DB
	Logins     []Login // at least one; stewards of the charter are people of the first
	Base       string  // this server's own address
	Redirect   string  // the address of Finish, where issuers send browsers back to
	Sessions   *scs.SessionManager
	Proofs     *stepup.Desk
	Governance *governance.Service
	Inside     http.Handler // answers for an issuer at Base; or nil

	// AdultAge is what newcomers of other issuers are asked about before they
	// become members, 0 for nothing; Younger is the sentence for who says no.
	AdultAge int
	Younger  string

	// Tell has members told something; SignOut ends all sessions and tokens of a
	// member.
	Tell    func(tx *db.Tx, n coop.Notice) error
	SignOut func(tx *db.Tx, m coop.MemberID) error

	// Admits is asked in the transaction that lets a member in; nil admits.
	Admits func(tx *db.Tx, m coop.MemberID) error
	// Choose shows the page on which one of several issuers is chosen.
	Choose func(c echo.Context, ways []Way) error
}

// Desk signs members in and out. It is safe for concurrent use. It meets an
// issuer at the first sign-in and keeps what it learnt from then on.
type Desk struct {
	Config
	issuers []*issuer
}

// New makes a desk and its table. It contacts no issuer.
func New(ctx context.Context, c Config) (*Desk, error) {
	if err := c.DB.Migrate(ctx, "signin", schema); err != nil {
		return nil, fmt.Errorf("signin: migrate: %w", err)
	}
	d := &Desk{Config: c}
	seen := map[string]bool{}
	for i, l := range c.Logins {
		if seen[l.Issuer] || seen[l.name()] {
			return nil, fmt.Errorf("signin: an issuer is configured twice: %s", l.Issuer)
		}
		seen[l.Issuer], seen[l.name()] = true, true
		d.issuers = append(d.issuers, d.newIssuer(l, i+1))
	}
	if len(d.issuers) == 0 {
		return nil, fmt.Errorf("signin: no issuer is configured")
	}
	return d, nil
}

// Own is whom members of an issuer at that address are known by; "" where they
// sign in elsewhere.
func (d *Desk) Own(base string) string {
	for _, i := range d.issuers {
		if i.Issuer == base {
			return i.name()
		}
	}
	return ""
}

// by finds an issuer by what fits.
func (d *Desk) by(fits func(*issuer) bool) *issuer {
	for _, i := range d.issuers {
		if fits(i) {
			return i
		}
	}
	return nil
}

// chosen is the issuer that a request names, or the only one; nil if it has yet
// to be chosen.
func (d *Desk) chosen(c echo.Context) (*issuer, error) {
	at := c.QueryParam("at")
	if at == "" {
		if len(d.issuers) == 1 {
			return d.issuers[0], nil
		}
		return nil, nil
	}
	i := d.by(func(i *issuer) bool { return i.key == at })
	if i == nil {
		return nil, errNoIssuer
	}
	return i, nil
}

// Start sends the browser to the issuer, or lets its user choose one.
func (d *Desk) Start(c echo.Context) error {
	i, err := d.chosen(c)
	if err != nil {
		return err
	}
	if i == nil {
		return d.Choose(c, d.offered(c))
	}
	return d.visit(c, i, "", localPath(c.QueryParam("return")))
}

// visit sends the browser to an issuer with PKCE, state and nonce.
func (d *Desk) visit(c echo.Context, i *issuer, purpose, back string, options ...oauth2.AuthCodeOption) error {
	ctx := c.Request().Context()
	config, _, err := i.discover(ctx)
	if err != nil {
		return err
	}
	state, nonce, verifier := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	for key, value := range map[string]string{keyState: state, keyNonce: nonce, keyVerifier: verifier, keyReturn: back,
		keyInvitation: invitationOf(c), keyIssuer: i.Issuer, keyPurpose: purpose} {
		d.Sessions.Put(ctx, key, value)
	}
	d.Sessions.Put(ctx, keyBegan, time.Now().Unix())
	d.Sessions.Put(ctx, keyAsked, d.Proofs.Now().UnixMilli())
	options = append(options, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier))
	return c.Redirect(http.StatusSeeOther, config.AuthCodeURL(state, options...))
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

// errand is what a browser was sent to an issuer for, as its session kept it.
type errand struct {
	state, nonce, verifier, back, invitation, purpose string
	issuer                                            *issuer
	began, asked                                      time.Time // by the issuers' clock, and by that of proofs
}

// taken takes the errand out of the session: it is finished once or never.
func (d *Desk) taken(ctx context.Context) errand {
	pop := func(key string) string { return d.Sessions.PopString(ctx, key) }
	name := pop(keyIssuer)
	e := errand{state: pop(keyState), nonce: pop(keyNonce), verifier: pop(keyVerifier), back: localPath(pop(keyReturn)), invitation: pop(keyInvitation),
		purpose: pop(keyPurpose), issuer: d.by(func(i *issuer) bool { return i.Issuer == name }), began: time.Unix(d.Sessions.GetInt64(ctx, keyBegan), 0),
		asked: time.UnixMilli(d.Sessions.GetInt64(ctx, keyAsked))}
	d.Sessions.Remove(ctx, keyBegan)
	d.Sessions.Remove(ctx, keyAsked)
	return e
}

// patience is how long somebody may be at an issuer.
const patience = 15 * time.Minute

// late reports whether an errand has taken too long: linking stands on a proof,
// and so takes no longer than one is good.
func (d *Desk) late(e errand) bool {
	most := patience
	if e.purpose == purposeLink {
		most = stepup.Lifetime
	}
	took := d.Proofs.Now().Sub(e.asked)
	return took < 0 || took >= most
}

// Finish takes the code, checks everything about the id token and does what the
// browser was sent away for: usually it starts a fresh session for the member.
func (d *Desk) Finish(c echo.Context) error {
	ctx := c.Request().Context()
	e := d.taken(ctx)
	if e.state == "" || e.issuer == nil || subtle.ConstantTimeCompare([]byte(e.state), []byte(c.QueryParam("state"))) != 1 || d.late(e) {
		return errLoginState
	}
	if iss := c.QueryParam("iss"); c.QueryParam("error") != "" || iss != "" && iss != e.issuer.Issuer { // RFC 9207
		return errLoginFailed
	}
	token, err := e.issuer.exchange(ctx, c.QueryParam("code"), e.verifier, e.nonce)
	if err != nil {
		return err
	}
	class, prove := strings.CutPrefix(e.purpose, purposeProve)
	switch {
	case prove:
		return d.proved(c, e, token, stepup.Class(class))
	case e.purpose == purposeLink:
		return d.linked(c, e, token)
	}
	who := newcomer{Issuer: e.issuer.name(), Subject: token.subject, Name: token.name, Invitation: e.invitation, Back: e.back}
	asks, err := d.asksAge(ctx, e.issuer, who)
	switch {
	case err != nil:
		return err
	case asks:
		return d.askAge(c, who)
	}
	return d.enter(c, who)
}

// enter lets in whoever has been proved, in a fresh session.
func (d *Desk) enter(c echo.Context, who newcomer) error {
	ctx := c.Request().Context()
	member, err := d.admit(ctx, who)
	if err != nil {
		return err
	}
	if err := d.Sessions.RenewToken(ctx); err != nil {
		return fmt.Errorf("signin: renew session: %w", err)
	}
	d.Proofs.Drop(ctx)
	d.Proofs.SignedIn(ctx)
	d.Sessions.Put(ctx, keyWay, who.Issuer)
	d.Sessions.Put(ctx, entry.Member, string(member))
	return c.Redirect(http.StatusSeeOther, who.Back)
}

// Leave ends the session, whoever's it was.
func (d *Desk) Leave(c echo.Context) error {
	if err := d.Sessions.Destroy(c.Request().Context()); err != nil {
		return fmt.Errorf("signin: logout: %w", err)
	}
	return c.Redirect(http.StatusSeeOther, "/")
}
