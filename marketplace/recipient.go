package marketplace

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault/header"
)

// Recipient is a researcher's public age recipient. Nothing is delivered to
// it until its holder has decrypted a challenge.
type Recipient struct {
	ID         coop.RecipientID
	Researcher coop.ResearcherID
	Recipient  string
	Challenge  string // armored age file holding a nonce; empty once proven
	CreatedAt  int64
	ProvenAt   int64
}

// RegisterRecipient stores a recipient and answers the challenge to decrypt.
// Registering the same recipient again answers the same record, so that an
// interrupted start can go on. ErrRecipientKind refuses a kind that the charter
// does not allow, ErrNotFound a researcher nobody has vetted.
func (s *Service) RegisterRecipient(ctx context.Context, r coop.ResearcherID, recipient string) (Recipient, error) {
	_, kind, err := header.ParseRecipient(recipient)
	if err != nil {
		return Recipient{}, err
	}
	if kind == header.KindX25519 && !s.Charter.ClassicRecipients {
		return Recipient{}, ErrRecipientKind
	}
	nonce, challenge, err := header.Challenge(recipient)
	if err != nil {
		return Recipient{}, fmt.Errorf("marketplace: challenge: %w", err)
	}
	return write(ctx, s, func(tx *db.Tx) (Recipient, error) {
		if _, err := getResearcher(tx, r); err != nil {
			return Recipient{}, err
		}
		rec := Recipient{ID: coop.RecipientID(coop.NewID()), Researcher: r, Recipient: recipient,
			Challenge: challenge, CreatedAt: s.now()}
		return insertRecipient(tx, rec, sha256.Sum256([]byte(nonce)))
	})
}

// ProveRecipient takes the decrypted nonce. ErrBadProof leaves the recipient
// unproven; proving twice is no error. Another researcher's recipient is
// ErrNotFound.
func (s *Service) ProveRecipient(ctx context.Context, r coop.ResearcherID, id coop.RecipientID, nonce string) (Recipient, error) {
	return write(ctx, s, func(tx *db.Tx) (Recipient, error) {
		rec, want, err := getRecipient(tx, r, id)
		if err != nil {
			return Recipient{}, err
		}
		got := sha256.Sum256([]byte(strings.TrimSpace(nonce)))
		if subtle.ConstantTimeCompare(got[:], want) != 1 {
			return Recipient{}, ErrBadProof
		}
		if rec.ProvenAt > 0 {
			return rec, nil
		}
		rec.ProvenAt, rec.Challenge = s.now(), ""
		return rec, setProven(tx, id, rec.ProvenAt)
	})
}

// Recipients lists a researcher's recipients, newest first.
func (s *Service) Recipients(ctx context.Context, r coop.ResearcherID) ([]Recipient, error) {
	return read(ctx, s, func(tx *db.Tx) ([]Recipient, error) { return listRecipients(tx, r) })
}

// provenRecipient finds a proven recipient of r, or says why there is none.
func provenRecipient(tx *db.Tx, r coop.ResearcherID, id coop.RecipientID) (Recipient, error) {
	rec, _, err := getRecipient(tx, r, id)
	if err == nil && rec.ProvenAt == 0 {
		err = ErrNotProven
	}
	return rec, err
}
