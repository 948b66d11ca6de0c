package treasury

import (
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/bank"
	"distributed.ai/datacoop/marketplace/ledger"
)

// cameBack books a payout that the bank could not deliver, and tells whether the
// entry is one, now or before.
func (t *Till) cameBack(tx *db.Tx, by coop.MemberID, e bank.Entry, out *Import) (bool, error) {
	for _, order := range e.Orders {
		member, known, err := carriedPayout(tx, order, e.Amount)
		switch {
		case err != nil:
			return false, err
		case member == "":
			continue
		case known:
			out.Known++
			return true, nil
		}
		if _, err := insertBankEntry(tx, e, "", by, t.desk.Now()); err != nil {
			return false, err
		}
		if err := insertReturn(tx, order, member, e.Amount, t.desk.Now()); err != nil {
			return false, err
		}
		out.Returned += e.Amount
		return true, t.desk.Post(tx, "returned", "bank:"+e.ID, ledger.Transfer{From: ledger.Member(member), To: ledger.Bank, Amount: e.Amount})
	}
	return false, nil
}
