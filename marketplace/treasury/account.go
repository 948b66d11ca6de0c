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
	return t.setPayoutAccount(ctx, m, holder, iban, nil)
}

// NamePayoutAccount is SetPayoutAccount where none is set or money came back from
// it; elsewhere it answers known, and the account stays.
func (t *Till) NamePayoutAccount(ctx context.Context, m coop.MemberID, holder, iban string, known error) (PayoutAccount, error) {
	return t.setPayoutAccount(ctx, m, holder, iban, func(tx *db.Tx) error {
		_, err := getPayoutAccount(tx, m)
		if errors.Is(err, desk.ErrNotFound) {
			return nil
		}
		bad, failed := bounced(tx, m)
		if err = errors.Join(err, failed); err != nil || bad {
			return err
		}
		return known
	})
}

// InTransit reports whether a payout to a member has been ordered and the bank
// has not been heard to carry it out.
func (t *Till) InTransit(ctx context.Context, m coop.MemberID) (bool, error) {
	n, err := desk.Read(ctx, t.desk.DB, func(tx *db.Tx) (int, error) { return ordered(tx, m) })
	return n > 0, err
}

// setPayoutAccount stores an account if may, unless nil, lets it.
func (t *Till) setPayoutAccount(ctx context.Context, m coop.MemberID, holder, iban string, may func(*db.Tx) error) (PayoutAccount, error) {
	a := PayoutAccount{Member: m, Holder: strings.TrimSpace(holder), IBAN: bank.NormaliseIBAN(iban), UpdatedAt: t.desk.Now()}
	if !coop.Line(a.Holder, 1, bank.MaxName) || !strings.ContainsFunc(bank.Latin(a.Holder), unicode.IsLetter) {
		return PayoutAccount{}, ErrHolder
	}
	if !bank.ValidIBAN(a.IBAN) {
		return PayoutAccount{}, ErrIBAN
	}
	// Not by write: an account number is not left in the answers of package once.
	err := t.desk.DB.Update(ctx, func(tx *db.Tx) error {
		if may != nil {
			if err := may(tx); err != nil {
				return err
			}
		}
		return errors.Join(putPayoutAccount(tx, a), mend(tx, m),
			t.desk.Jobs.Tell(tx, coop.Notice{Kind: coop.NoticeAccount, Occasion: coop.NewID(), To: []coop.Addressee{{Member: m}}}))
	})
	if err != nil {
		return PayoutAccount{}, fmt.Errorf("marketplace: payout account: %w", err)
	}
	return a, nil
}

// Reached is the bank account of every member to whom a payout had been carried
// before a time, and had not come back by then: that of the latest. A number that
// a member only names says nothing, since anybody can make one up or name
// another's. What it answers of the past never changes.
func Reached(tx *db.Tx, before int64) (map[coop.MemberID]string, error) {
	list, err := arrivedPayouts(tx, before)
	out := make(map[coop.MemberID]string, len(list))
	for _, p := range list {
		out[p.Member] = p.IBAN
	}
	return out, err
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

// DropPayoutAccount forgets where a member's money went: of somebody who has
// left and is owed nothing. Forgetting twice is harmless.
func (t *Till) DropPayoutAccount(ctx context.Context, m coop.MemberID) error {
	err := t.desk.DB.Update(ctx, func(tx *db.Tx) error { return forgetPayoutAccount(tx, m) })
	if err != nil {
		return fmt.Errorf("marketplace: drop payout account: %w", err)
	}
	return nil
}
