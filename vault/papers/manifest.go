package papers

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
)

// Manifest is what a member's client says, and signs if the member has a
// signing key, about the ciphertext it made. It travels with every delivery:
// whoever knows the file key could write another payload under the same
// header, but not under this signature.
type Manifest struct {
	Dataset        string `json:"dataset"`
	SHA256         string `json:"sha256"` // of the payload: everything after the age header; hex, lower case
	Size           int64  `json:"size"`   // of the payload, in bytes
	HeaderSHA256   string `json:"header_sha256"`
	VaultRecipient string `json:"vault_recipient"`
	Terms          string `json:"terms"` // what the member agreed to, as the client names it
}

// Canonical is the text that is signed: canonical JSON (RFC 8785).
func (m Manifest) Canonical() ([]byte, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("papers: manifest: %w", err)
	}
	return jcs.Transform(text)
}

// Fit reports whether the manifest's terms are a name that can be kept.
func (m Manifest) Fit() bool { return termsPattern.MatchString(m.Terms) }

// Sign signs the manifest with the member's key (Ed25519, RFC 8032).
func (m Manifest) Sign(key ed25519.PrivateKey) ([]byte, error) {
	text, err := m.Canonical()
	if err != nil {
		return nil, err
	}
	return ed25519.Sign(key, text), nil
}

// Verify checks a signature made by Sign. Error: ErrSignature.
func (m Manifest) Verify(key ed25519.PublicKey, signature []byte) error {
	text, err := m.Canonical()
	if err != nil || len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, text, signature) {
		return ErrSignature
	}
	return nil
}

// Profile describes a dataset's contents in numbers. The client computes it
// before it encrypts; the vault cannot check it. Its fields are those of
// codebook.Profile.
type Profile struct {
	Format   string   `json:"format"`
	Pool     string   `json:"pool"`
	Rows     int      `json:"rows"`
	Columns  []string `json:"columns"`
	From     string   `json:"from"` // month, YYYY-MM
	To       string   `json:"to"`
	Coverage int      `json:"coverage"` // thousandths of the cells that are not empty
	Days     int      `json:"days"`
	Persons  int      `json:"persons"`
	Skipped  int      `json:"skipped"` // records that could not be read and were left out

	// Fingerprint is the SHA-256 of the plaintext in hex as the client states it,
	// and keyed once it is kept; empty for a file so small that it could be
	// guessed. It tells equal datasets and nothing else.
	Fingerprint string `json:"fingerprint,omitempty"`
}

// Keyed replaces the fingerprint by what may be kept of it: HMAC-SHA256 under a
// secret, so that a stolen table of profiles finds no data by trying, for one
// pool, so that it links nothing across pools.
func (p Profile) Keyed(secret []byte, pool string) Profile {
	if p.Fingerprint != "" {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte("datacoop/fingerprint/" + pool + "/" + p.Fingerprint))
		p.Fingerprint = hex.EncodeToString(mac.Sum(nil))
	}
	return p
}

// Bounds of a profile, generous for any table one person has.
const (
	maxRows    = 1 << 32
	maxDays    = 200 * 366
	maxPersons = 1 << 16
	maxColumns = 256
	maxWord    = 64
	maxFormat  = 512 // several formats, joined
)

var (
	monthPattern = regexp.MustCompile(`^([0-9]{4}-(0[1-9]|1[0-2]))?$`)
	termsPattern = regexp.MustCompile(`^[ -~]{0,128}$`)

	fingerprintPattern = regexp.MustCompile(`^([0-9a-f]{64})?$`)
)

// Check refuses what no table of one person can be. Error: ErrProfile.
func (p Profile) Check() error {
	for _, w := range append([]string{p.Pool}, p.Columns...) {
		if len(w) > maxWord || !utf8.ValidString(w) {
			return ErrProfile
		}
	}
	switch {
	case len(p.Format) > maxFormat || !utf8.ValidString(p.Format), p.Skipped < 0 || p.Skipped > maxRows,
		p.Rows < 0 || p.Rows > maxRows, p.Days < 0 || p.Days > maxDays, p.Persons < 0 || p.Persons > maxPersons,
		p.Coverage < 0 || p.Coverage > 1000, len(p.Columns) > maxColumns,
		!fingerprintPattern.MatchString(p.Fingerprint), !monthPattern.MatchString(p.From), !monthPattern.MatchString(p.To), p.From > p.To:
		return ErrProfile
	}
	return nil
}
