package testkit

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/descope/virtualwebauthn"
)

// Passkey is a virtual authenticator with one passkey, in a browser that shows
// an origin. Tests may bend it: every part can be changed.
type Passkey struct {
	Party  virtualwebauthn.RelyingParty
	Device virtualwebauthn.Authenticator
	Key    virtualwebauthn.Credential
}

// NewPasskey makes a device for the host of an origin such as
// http://localhost:8080.
func NewPasskey(t testing.TB, origin string) *Passkey {
	t.Helper()
	u, err := url.Parse(origin)
	if err != nil {
		t.Fatal(err)
	}
	return &Passkey{
		Party: virtualwebauthn.RelyingParty{ID: u.Hostname(), Origin: origin}, Device: virtualwebauthn.NewAuthenticator(), Key: NewKey(),
	}
}

// NewKey makes the key of another passkey. The library writes a coordinate
// that begins with a zero byte one byte short, which is not a valid key; such
// keys are left out.
func NewKey() virtualwebauthn.Credential {
	for {
		key := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
		if len(key.Key.AttestationData()) == wholeKey {
			return key
		}
	}
}

// wholeKey is the length of a COSE key on P-256 whose coordinates have all
// their 32 bytes.
const wholeKey = 77

// Make answers the options for a new passkey, as JSON, as a browser would.
func (p *Passkey) Make(t testing.TB, options string) string {
	t.Helper()
	parsed, err := virtualwebauthn.ParseAttestationOptions(options)
	if err != nil {
		t.Fatal(err)
	}
	p.Device.Options.UserHandle = []byte(parsed.UserID)
	return whole(t, virtualwebauthn.CreateAttestationResponse(p.Party, p.Device, p.Key, *parsed))
}

// Use answers the options for a login.
func (p *Passkey) Use(t testing.TB, options string) string {
	t.Helper()
	parsed, err := virtualwebauthn.ParseAssertionOptions(options)
	if err != nil {
		t.Fatal(err)
	}
	return whole(t, virtualwebauthn.CreateAssertionResponse(p.Party, p.Device, p.Key, *parsed))
}

// whole adds what browsers send and the library leaves out.
func whole(t testing.TB, answer string) string {
	t.Helper()
	var parts map[string]any
	if err := json.Unmarshal([]byte(answer), &parts); err != nil {
		t.Fatal(err)
	}
	parts["clientExtensionResults"] = map[string]any{"credProps": map[string]any{"rk": true}}
	parts["authenticatorAttachment"] = "platform"
	text, err := json.Marshal(parts)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
