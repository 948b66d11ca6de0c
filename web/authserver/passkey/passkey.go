// Package passkey asks browsers for passkeys and judges what they answer (Web
// Authentication Level 3), and makes the recovery codes that stand in for a
// lost one.
//
// # What it is for
//
// A ceremony has two halves. [Ceremonies.Make] and [Ceremonies.Ask] begin one:
// they return what a page hands to the browser, and a [Session] that the server
// has to know again, unaltered, when the answer comes. [Ceremonies.Made] and
// [Ceremonies.Answered] judge that answer.
//
// # What it guarantees
//
// A passkey is accepted only for this issuer's host, from this issuer's origin,
// for the challenge in the session, and if its authenticator says that it has
// verified its holder, when it is made and every time it is used. A counter
// that did not move on is [ErrCopied]. Authenticators find passkeys by
// themselves, so nobody types who they are.
//
// # What it refuses
//
// To ask what kind of authenticator somebody has, or to keep anything: that a
// session's challenge is answered once, and in time, is the caller's to see to.
package passkey

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"distributed.ai/datacoop/internal/fault"
)

// What the holder of a passkey may read.
var (
	ErrRefused = fault.New(fault.Forbidden, "passkey-refused",
		"This passkey was not accepted. Please try again.")
	ErrUnknown = fault.New(fault.Forbidden, "passkey-unknown",
		"This passkey opens no account here. It may have been replaced by a newer one.")
	ErrCopied = fault.New(fault.Forbidden, "passkey-copied",
		"This passkey was not accepted: it looks like a copy of another one. Use your recovery code to replace it.")
	ErrScript = fault.New(fault.Invalid, "script-needed",
		"Passkeys need JavaScript. Please switch it on for this page and try again.")
)

// HandleLength is that of a handle, in bytes.
const HandleLength = 32

// Key is what is kept of a passkey.
type Key struct {
	ID, Public []byte
	Flags      uint8  // of its last use, as in authenticator data (section 6.1)
	Count      uint32 // of its uses; 0 for an authenticator that does not count
}

// Holder is an account as authenticators see it. Handle is HandleLength random
// bytes and says nothing about anybody.
type Holder struct {
	Handle []byte
	Name   string // shown by the authenticator
	Keys   []Key
}

// Session is a ceremony under way. It holds no secret, but must come back as
// it was.
type Session = webauthn.SessionData

// Question is the beginning of a ceremony: Options, as JSON, for the browser.
type Question struct {
	Options string
	Session *Session
}

// Ceremonies belong to one issuer. They are safe for concurrent use.
type Ceremonies struct{ library *webauthn.WebAuthn }

// promptTimeout is how long a browser may ask for a passkey.
const promptTimeout = 5 * time.Minute

// New makes ceremonies for the host of an issuer, which must be a name. Name is
// what authenticators show.
func New(issuer *url.URL, name string) (*Ceremonies, error) {
	timeout := webauthn.TimeoutConfig{Timeout: promptTimeout}
	library, err := webauthn.New(&webauthn.Config{
		RPID: issuer.Hostname(), RPDisplayName: name, RPOrigins: []string{issuer.String()},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: timeout, Registration: timeout},
		// Password managers send extensions nobody asked for, and we use none.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("passkey: %w", err)
	}
	return &Ceremonies{library}, nil
}

// person is a Holder in the shape the library asks for.
type person struct{ Holder }

func (p person) WebAuthnID() []byte          { return p.Handle }
func (p person) WebAuthnName() string        { return p.Name }
func (p person) WebAuthnDisplayName() string { return p.Name }
func (p person) WebAuthnCredentials() (out []webauthn.Credential) {
	for _, k := range p.Keys {
		out = append(out, webauthn.Credential{
			ID: k.ID, PublicKey: k.Public, Flags: webauthn.NewCredentialFlags(protocol.AuthenticatorFlags(k.Flags)),
			Authenticator: webauthn.Authenticator{SignCount: k.Count},
		})
	}
	return out
}

func keyOf(c *webauthn.Credential) Key {
	return Key{ID: c.ID, Public: c.PublicKey, Flags: uint8(c.Flags.ProtocolValue()), Count: c.Authenticator.SignCount}
}

func question(options any, session *Session, err error) (Question, error) {
	if err != nil {
		return Question{}, fmt.Errorf("passkey: begin: %w", err)
	}
	text, err := json.Marshal(options)
	if err != nil {
		return Question{}, fmt.Errorf("passkey: begin: %w", err)
	}
	return Question{string(text), session}, nil
}

// Make begins the making of a passkey for a holder.
func (c *Ceremonies) Make(h Holder) (Question, error) {
	creation, session, err := c.library.BeginRegistration(person{h},
		webauthn.WithCredentialParameters(webauthn.CredentialParametersRecommendedL3()))
	if err != nil {
		return question(nil, nil, err)
	}
	return question(creation.Response, session, nil)
}

// Made judges the answer to Make. It is ErrScript if there is none and
// ErrRefused whatever is wrong with it.
func (c *Ceremonies) Made(s *Session, answer string) (Key, error) {
	if answer == "" {
		return Key{}, ErrScript
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	if err != nil || s == nil {
		return Key{}, ErrRefused
	}
	made, err := c.library.CreateCredential(person{Holder{Handle: s.UserID}}, *s, parsed)
	if err != nil {
		return Key{}, ErrRefused
	}
	return keyOf(made), nil
}

// Ask begins a ceremony with whatever passkey the browser finds.
func (c *Ceremonies) Ask() (Question, error) {
	request, session, err := c.library.BeginDiscoverableLogin()
	if err != nil {
		return question(nil, nil, err)
	}
	return question(request.Response, session, nil)
}

// Answered judges the answer to Ask and returns the passkey as it is to be
// kept from now on. Find returns the holder of a handle, or ErrUnknown; its
// error is passed on. The others are ErrScript, ErrRefused, ErrCopied, and
// ErrUnknown for a passkey that its holder does not have any more.
func (c *Ceremonies) Answered(s *Session, answer string, find func(handle []byte) (Holder, error)) (Key, error) {
	if answer == "" {
		return Key{}, ErrScript
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil || s == nil {
		return Key{}, ErrRefused
	}
	var missing error
	used, err := c.library.ValidateDiscoverableLogin(func(id, handle []byte) (webauthn.User, error) {
		h, err := find(handle)
		known := slices.ContainsFunc(h.Keys, func(k Key) bool { return bytes.Equal(k.ID, id) })
		if missing = err; err == nil && !known {
			missing = ErrUnknown
		}
		return person{h}, missing
	}, *s, parsed)
	switch {
	case missing != nil:
		return Key{}, missing
	case err != nil:
		return Key{}, ErrRefused
	case used.Authenticator.CloneWarning:
		return Key{}, ErrCopied
	}
	return keyOf(used), nil
}

// Refused reports whether err is about the passkey, and not about whoever was
// asked to find its holder.
func Refused(err error) bool {
	return errors.Is(err, ErrRefused) || errors.Is(err, ErrUnknown) || errors.Is(err, ErrCopied)
}
