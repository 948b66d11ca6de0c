package governance

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strings"
)

// A code is a secret that is shown to one person: an invitation or a receipt.
// It is derived from a random nonce with the co-op's key. An idempotency key
// can then keep the nonce and give the same code again, while the database
// alone gives nobody a code.
const (
	invitationCode = "datacoop governance invitation"
	receiptCode    = "datacoop governance receipt"
	codeBytes      = 20 // 160 bits, which base32 writes as 32 characters without padding
)

// newNonce has at least 128 bits.
func newNonce() string { return rand.Text() }

func (s *Service) code(use, nonce string) string {
	mac := hmac.New(sha256.New, s.Key.Seed())
	mac.Write([]byte(use + "\x00" + nonce))
	return strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil)[:codeBytes]))
}

// codeDigest is the SHA-256 of a code in hex, whatever case and blanks it was
// typed with.
func codeDigest(code string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(code))))
	return hex.EncodeToString(sum[:])
}
