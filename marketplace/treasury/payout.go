package treasury

import (
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/bank"
	"distributed.ai/datacoop/marketplace/desk"
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

// Sign notes a treasurer's release of a period and tells whether it is this
// person's first.
func (t *Till) Sign(tx *db.Tx, id coop.PeriodID, steward coop.MemberID) (fresh bool, err error) {
	return insertRelease(tx, id, steward, t.desk.Now())
}

// PayOut moves every payable balance into transit and notes the payment, for a
// period that began at a time.
func (t *Till) PayOut(tx *db.Tx, id coop.PeriodID, began int64) error {
	accounts, err := listPayoutAccounts(tx)
	if err != nil {
		return err
	}
	var transfers []ledger.Transfer
	for i, a := range accounts {
		due, err := t.payable(tx, began, a)
		if err != nil {
			return err
		}
		if due == 0 {
			continue
		}
		err = insertPayout(tx, Payout{Period: id, Member: a.Member, Holder: a.Holder, IBAN: a.IBAN, Amount: due,
			EndToEnd: fmt.Sprintf("%s-%06d", id, i+1)})
		if err != nil {
			return err
		}
		transfers = append(transfers, ledger.Transfer{From: ledger.Payout, To: ledger.Member(a.Member), Amount: due})
	}
	if len(transfers) == 0 {
		return nil
	}
	return t.desk.Post(tx, "payout", "payout:"+string(id), transfers...)
}

// payable is what a member with an account is paid with a period, 0 for nothing
// yet. The account number of somebody who left before the period began has
// served its purpose then.
func (t *Till) payable(tx *db.Tx, began int64, a PayoutAccount) (coop.Money, error) {
	due, err := t.desk.Ledger.Balance(tx.Context(), ledger.Member(a.Member))
	if err != nil {
		return 0, fmt.Errorf("marketplace: balance: %w", err)
	}
	who, err := t.desk.Governance.Member(tx.Context(), a.Member)
	if err != nil {
		return 0, fmt.Errorf("marketplace: payee: %w", err)
	}
	if !who.Open() && who.ClosedAt <= began {
		if err := dropPayoutAccount(tx, a.Member); err != nil {
			return 0, err
		}
	}
	if bad, err := bounced(tx, a.Member); err != nil || bad {
		return 0, err
	}
	if who.Open() && due < t.desk.Charter.MinimumPayout {
		due = 0
	}
	return due, nil
}

// File writes the pain.001 of a released period in a version, "" for the one that
// package bank prefers. ErrNothingToPay if no balance was payable, ErrNoAccount
// if the charter names no account, bank.ErrVersion.
func (t *Till) File(tx *db.Tx, id coop.PeriodID, version string) ([]byte, error) {
	payouts, err := listPayouts(tx, id)
	c := t.desk.Charter
	order := bank.Order{ID: orderID(id), Payer: c.Name, IBAN: bank.NormaliseIBAN(c.IBAN), Currency: c.Currency,
		Text: "Your share of period " + string(id), Created: t.desk.Clock(), Version: version}
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
	text, err := order.Pain001()
	return text, desk.Failed("payout file", err)
}

// orderID names a period's payment file to the bank, so that a file uploaded
// twice is paid once.
func orderID(period coop.PeriodID) string { return "datacoop-" + string(period) }
