package marketplace

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/bank"
)

// PayoutAccount says where a member's money goes. It is shown to nobody but
// the treasury's payment file.
type PayoutAccount struct {
	Member    coop.MemberID
	Holder    string
	IBAN      string
	UpdatedAt int64
}

// Ending is the part of the IBAN that may be shown back: its last four
// characters, or nothing if none is set.
func (a PayoutAccount) Ending() string {
	if len(a.IBAN) < 4 {
		return ""
	}
	return a.IBAN[len(a.IBAN)-4:]
}

// SetPayoutAccount stores where the member's money goes. ErrIBAN and ErrHolder
// leave the former account in place.
func (s *Service) SetPayoutAccount(ctx context.Context, m coop.MemberID, holder, iban string) (PayoutAccount, error) {
	a := PayoutAccount{Member: m, Holder: strings.TrimSpace(holder), IBAN: bank.NormaliseIBAN(iban), UpdatedAt: s.now()}
	if !coop.Line(a.Holder, 1, bank.MaxName) || !strings.ContainsFunc(bank.Latin(a.Holder), unicode.IsLetter) {
		return PayoutAccount{}, ErrHolder
	}
	if !bank.ValidIBAN(a.IBAN) {
		return PayoutAccount{}, ErrIBAN
	}
	// Not by write: an account number is not left in the answers of package once.
	err := s.DB.Update(ctx, func(tx *db.Tx) error { return putPayoutAccount(tx, a) })
	if err != nil {
		return PayoutAccount{}, fmt.Errorf("marketplace: payout account: %w", err)
	}
	return a, nil
}

// PayoutAccount finds where a member's money goes; an empty one if unset.
func (s *Service) PayoutAccount(ctx context.Context, m coop.MemberID) (PayoutAccount, error) {
	a, err := read(ctx, s, func(tx *db.Tx) (PayoutAccount, error) { return getPayoutAccount(tx, m) })
	if isNotFound(err) {
		return PayoutAccount{Member: m}, nil
	}
	return a, err
}
