package marketplace

import (
	"context"
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/bank"
	"distributed.ai/datacoop/marketplace/ledger"
)

// Payout is one member's payment of a period.
type Payout struct {
	Period   coop.PeriodID
	Member   coop.MemberID
	Holder   string
	IBAN     string
	Amount   coop.Money
	EndToEnd string // ISO 20022 end-to-end id; comes back on the bank statement
}

// Release approves the payout of a settled period. The first treasurer's
// release is noted; a second, different treasurer's makes the payouts: each
// member's balance of at least the charter's minimum, if they have named an
// account, moves to "in transit". Everyone else's balance stays theirs. Who has
// left gets what is due, however little, and then their account number is
// forgotten. ErrState unless the period is settled and not released,
// ErrReleasedTwice for the same person again.
func (s *Service) Release(ctx context.Context, steward coop.MemberID, id coop.PeriodID) (Period, error) {
	return duty(ctx, s, steward, coop.Treasury, func(tx *db.Tx) (Period, error) { return s.release(tx, steward, id) })
}

func (s *Service) release(tx *db.Tx, steward coop.MemberID, id coop.PeriodID) (Period, error) {
	p, err := getPeriod(tx, id)
	if err != nil {
		return Period{}, err
	}
	if p.State != PeriodSettled {
		return Period{}, ErrState
	}
	fresh, err := insertRelease(tx, id, steward, s.now())
	if err != nil {
		return Period{}, err
	}
	if !fresh {
		return Period{}, ErrReleasedTwice
	}
	if p.Released++; p.Released >= 2 {
		p.State = PeriodReleased
		if err := s.payOut(tx, p); err != nil {
			return Period{}, err
		}
		if err := setPeriodState(tx, id, PeriodSettled, PeriodReleased); err != nil {
			return Period{}, err
		}
	}
	return p, s.log(tx, "payout.release", p.State, map[string]any{"period": string(id), "steward": string(steward)})
}

// payOut moves every payable balance into transit and notes the payment.
func (s *Service) payOut(tx *db.Tx, p Period) error {
	accounts, err := listPayoutAccounts(tx)
	if err != nil {
		return err
	}
	var transfers []ledger.Transfer
	for i, a := range accounts {
		due, err := s.payable(tx, p, a.Member)
		if err != nil {
			return err
		}
		if due == 0 {
			continue
		}
		err = insertPayout(tx, Payout{Period: p.ID, Member: a.Member, Holder: a.Holder, IBAN: a.IBAN, Amount: due,
			EndToEnd: fmt.Sprintf("%s-%06d", p.ID, i+1)})
		if err != nil {
			return err
		}
		transfers = append(transfers, ledger.Transfer{From: ledger.Payout, To: ledger.Member(a.Member), Amount: due})
	}
	if len(transfers) == 0 {
		return nil
	}
	return s.post(tx, "payout", "payout:"+string(p.ID), transfers...)
}

// payable is what a member with an account is paid with a period, 0 for nothing
// yet. The account number of somebody who left before the period began has
// served its purpose then.
func (s *Service) payable(tx *db.Tx, p Period, m coop.MemberID) (coop.Money, error) {
	due, err := s.Ledger.Balance(tx.Context(), ledger.Member(m))
	if err != nil {
		return 0, fmt.Errorf("marketplace: balance: %w", err)
	}
	who, err := s.Governance.Member(tx.Context(), m)
	if err != nil {
		return 0, fmt.Errorf("marketplace: payee: %w", err)
	}
	if !who.Open() && who.ClosedAt <= p.OpenedAt {
		err = dropPayoutAccount(tx, m)
	}
	if who.Open() && due < s.Charter.MinimumPayout {
		due = 0
	}
	return due, err
}

// PayoutFile writes the pain.001 of a released period for the treasurer to
// upload at the bank. ErrState until two have released it, ErrNothingToPay if
// no balance was payable, ErrNoAccount if the charter names no account.
func (s *Service) PayoutFile(ctx context.Context, steward coop.MemberID, id coop.PeriodID) ([]byte, error) {
	payouts, err := read(ctx, s, func(tx *db.Tx) ([]Payout, error) {
		if err := s.needs(tx.Context(), steward, coop.Treasury); err != nil {
			return nil, err
		}
		p, err := getPeriod(tx, id)
		if err == nil && p.State != PeriodReleased {
			err = ErrState
		}
		if err != nil {
			return nil, err
		}
		return listPayouts(tx, id)
	})
	order := bank.Order{ID: orderID(id), Payer: s.Charter.Name, IBAN: bank.NormaliseIBAN(s.Charter.IBAN), Currency: s.Charter.Currency,
		Text: "Your share of period " + string(id), Created: s.Clock()}
	switch {
	case err != nil:
		return nil, err
	case len(payouts) == 0:
		return nil, ErrNothingToPay
	case !bank.ValidIBAN(order.IBAN):
		return nil, ErrNoAccount
	}
	for _, p := range payouts {
		order.Transfers = append(order.Transfers, bank.Transfer{EndToEnd: p.EndToEnd, Payee: p.Holder, IBAN: p.IBAN, Amount: p.Amount})
	}
	return order.Pain001()
}

// orderID names a period's payment file to the bank, so that a file uploaded
// twice is paid once.
func orderID(period coop.PeriodID) string { return "datacoop-" + string(period) }
