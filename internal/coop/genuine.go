package coop

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
)

// Genuine reports whether a signed document is as it was handed out. Text is the
// document, again the same encoded anew, said what the signature covers, and
// signature that in standard base64 (RFC 4648) in its one spelling: no line ends, no
// loose bits. A key of another length fits nothing.
func Genuine(text, again, said []byte, signature string, key ed25519.PublicKey) bool {
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || base64.StdEncoding.EncodeToString(raw) != signature {
		return false
	}
	return len(key) == ed25519.PublicKeySize && bytes.Equal(text, again) && ed25519.Verify(key, said, raw)
}
