package treasury

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/bank"
	"distributed.ai/datacoop/marketplace/desk"
)

// PayoutAccount says where a member's money goes. It is shown to nobody but
// the treasury's payment file.
type PayoutAccount struct {
	Member    coop.MemberID
	Holder    string
	IBAN      string
	UpdatedAt int64
	Bounced   bool // money came back from it; it gets none until it is named anew
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
func (t *Till) SetPayoutAccount(ctx context.Context, m coop.MemberID, holder, iban string) (PayoutAccount, error) {
	a := PayoutAccount{Member: m, Holder: strings.TrimSpace(holder), IBAN: bank.NormaliseIBAN(iban), UpdatedAt: t.desk.Now()}
	if !coop.Line(a.Holder, 1, bank.MaxName) || !strings.ContainsFunc(bank.Latin(a.Holder), unicode.IsLetter) {
		return PayoutAccount{}, ErrHolder
	}
	if !bank.ValidIBAN(a.IBAN) {
		return PayoutAccount{}, ErrIBAN
	}
	// Not by write: an account number is not left in the answers of package once.
	err := t.desk.DB.Update(ctx, func(tx *db.Tx) error { return errors.Join(putPayoutAccount(tx, a), mend(tx, m)) })
	if err != nil {
		return PayoutAccount{}, fmt.Errorf("marketplace: payout account: %w", err)
	}
	return a, nil
}

// PayoutAccount finds where a member's money goes; an empty one if unset.
func (t *Till) PayoutAccount(ctx context.Context, m coop.MemberID) (PayoutAccount, error) {
	a, err := desk.Read(ctx, t.desk.DB, func(tx *db.Tx) (PayoutAccount, error) {
		a, err := getPayoutAccount(tx, m)
		if err == nil {
			a.Bounced, err = bounced(tx, m)
		}
		return a, err
	})
	if errors.Is(err, desk.ErrNotFound) {
		return PayoutAccount{Member: m}, nil
	}
	return a, err
}
