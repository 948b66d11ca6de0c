package treasury

import (
	"context"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/desk"
	"distributed.ai/datacoop/marketplace/ledger"
)

// Faults of Give.
var (
	ErrGift    = fault.New(fault.Invalid, "bad-gift", "Say how much you give: more than nothing.")
	ErrTooMuch = fault.New(fault.Conflict, "gift-too-large", "You cannot give more than you are owed.")
)

// Gift is what a member gave to the common purpose.
type Gift struct {
	ID     string
	Member coop.MemberID
	Amount coop.Money
	At     int64
}

// Give moves a part of what a member is owed to the common purpose. It cannot be
// taken back. ErrGift, ErrTooMuch.
func (t *Till) Give(ctx context.Context, m coop.MemberID, amount coop.Money) (Gift, error) {
	return desk.Write(ctx, t.desk.DB, func(tx *db.Tx) (Gift, error) { return t.GiveTx(tx, m, amount) })
}

// GiveTx is Give in the caller's transaction.
func (t *Till) GiveTx(tx *db.Tx, m coop.MemberID, amount coop.Money) (Gift, error) {
	if amount <= 0 {
		return Gift{}, ErrGift
	}
	have, err := t.desk.Ledger.Balance(tx.Context(), ledger.Member(m))
	if err == nil && amount > have {
		err = ErrTooMuch
	}
	if err != nil {
		return Gift{}, err
	}
	g := Gift{ID: coop.NewID(), Member: m, Amount: amount, At: t.desk.Now()}
	if err := insertGift(tx, g); err != nil {
		return Gift{}, err
	}
	return g, t.desk.Post(tx, "gift", "gift:"+g.ID, ledger.Transfer{From: ledger.Purpose, To: ledger.Member(m), Amount: amount})
}

// Owed is what a member's account holds now: what was settled for them and
// neither paid out nor given away.
func (t *Till) Owed(ctx context.Context, m coop.MemberID) (coop.Money, error) {
	return t.desk.Ledger.Balance(ctx, ledger.Member(m))
}
