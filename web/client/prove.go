package client

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"filippo.io/age/armor"
)

const challengeBytes = 32 << 10

// noncePattern is what a challenge may hold: base32 without spaces, as long as
// 128 to 320 random bits take.
var noncePattern = regexp.MustCompile(`^[A-Z2-7]{26,64}$`)

// ProveRecipient registers the identity's recipient and proves possession by
// decrypting the server's challenge. Doing it again answers the same recipient.
//
// Only a nonce is sent back. Whatever else a challenge decrypts to stays here:
// a hostile server could otherwise have other people's files opened for it.
func (c *Client) ProveRecipient(ctx context.Context, id Identity) (Recipient, error) {
	registered, err := c.RegisterRecipient(ctx, id.Recipient())
	if err != nil || registered.Proven {
		return registered, err
	}
	nonce, err := answer(registered.Challenge, id)
	if err != nil {
		return Recipient{}, err
	}
	return c.AnswerChallenge(ctx, registered.ID, nonce)
}

func answer(challenge string, id Identity) (string, error) {
	if len(challenge) > challengeBytes {
		return "", errors.New("the server's challenge is too long")
	}
	var nonce strings.Builder
	if _, err := id.Decrypt(&nonce, armor.NewReader(strings.NewReader(challenge))); err != nil {
		return "", fmt.Errorf("the server's challenge: %w", err)
	}
	if !noncePattern.MatchString(nonce.String()) {
		return "", errors.New("the server's challenge is not a nonce and is not answered")
	}
	return nonce.String(), nil
}
