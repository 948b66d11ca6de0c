package header

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// Challenge makes a random nonce and an armored age file that holds it,
// encrypted to recipient. Who sends the nonce back holds the identity: stock
// age opens the challenge with "age -d -i key". Error: ErrRecipient.
func Challenge(recipient string) (nonce, challenge string, err error) {
	to, _, err := ParseRecipient(recipient)
	if err != nil {
		return "", "", err
	}
	nonce = rand.Text()
	var out bytes.Buffer
	armored := armor.NewWriter(&out)
	w, err := age.Encrypt(armored, to)
	if err != nil {
		return "", "", fmt.Errorf("header: challenge: %w", err)
	}
	if _, err := io.WriteString(w, nonce); err != nil {
		return "", "", fmt.Errorf("header: challenge: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", "", fmt.Errorf("header: challenge: %w", err)
	}
	if err := armored.Close(); err != nil {
		return "", "", fmt.Errorf("header: challenge: %w", err)
	}
	return nonce, out.String(), nil
}
