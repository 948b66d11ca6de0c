package passkey

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"
)

// A recovery code is 24 characters of base32, five bits each: too many to
// guess, so that a plain hash of it can be kept.
const (
	recoveryLength = 24
	recoveryGroup  = 4
)

// NewRecovery makes a recovery code, in groups that can be copied by hand, and
// its digest.
func NewRecovery() (code string, digest []byte) {
	text := rand.Text()[:recoveryLength]
	var groups []string
	for i := 0; i < recoveryLength; i += recoveryGroup {
		groups = append(groups, text[i:i+recoveryGroup])
	}
	code = strings.Join(groups, "-")
	return code, RecoveryDigest(code)
}

// lookalikes are the digits that base32 does not have.
var lookalikes = strings.NewReplacer("0", "O", "1", "I", "8", "B", "-", "", " ", "", "\t", "")

// RecoveryDigest is the SHA-256 of a recovery code however it was typed: with
// or without groups, in any case, with digits for the letters they look like.
func RecoveryDigest(typed string) []byte {
	sum := sha256.Sum256([]byte(lookalikes.Replace(strings.ToUpper(typed))))
	return sum[:]
}
