package consent

import (
	"context"
	"crypto/ed25519"

	"distributed.ai/datacoop/consent/papers"
	"distributed.ai/datacoop/consent/proof"
	"distributed.ai/datacoop/internal/coop"
)

// Receipt returns the receipt of one of the member's records: canonical JSON-LD
// in the terms of the Data Privacy Vocabulary after ISO/IEC TS 27560, signed
// with the co-op's key (see package papers). The same record always gives the
// same bytes, and what an older program gave still verifies. A record of anybody
// else is NotFound.
func (s *Service) Receipt(ctx context.Context, m coop.MemberID, recordID string) ([]byte, error) {
	r, err := s.record(ctx, m, recordID)
	if err != nil {
		return nil, err
	}
	issuer := papers.Issuer{Name: s.c.Charter.Name, Contact: s.c.Charter.Contact, Currency: s.c.Charter.Currency, Key: s.c.Key}
	return issuer.Receipt(papers.Answer{ID: r.ID, Member: r.Member, Pool: r.Pool, Dataset: r.Dataset, Terms: r.Terms,
		Effect: r.effect, CreatedAt: r.CreatedAt, Expires: r.Expires})
}

// Sentences says what the record means, in the words of its member.
func (r Record) Sentences(c coop.Currency) []string { return papers.Sentences(r.effect, r.Terms, c) }

// VerifyReceipt checks, offline, that a receipt is one the holder of key signed
// and that not a byte of it has changed. Any failure is ErrReceipt.
func VerifyReceipt(receipt []byte, key ed25519.PublicKey) error {
	return proof.Verify(receipt, key)
}

// ErrReceipt says that a receipt is not what the co-op signed.
var ErrReceipt = proof.ErrReceipt
