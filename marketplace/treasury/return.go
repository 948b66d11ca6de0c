package treasury

import (
	"errors"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/bank"
	"distributed.ai/datacoop/marketplace/ledger"
)

// cameBack books a payout that the bank could not deliver, and tells whether
// that settles the entry. Another credit like one that came back before is money
// nobody was invoiced for; of a debit that was taken back before, nothing was
// booked since.
func (t *Till) cameBack(tx *db.Tx, by coop.MemberID, e bank.Entry, out *Import) (bool, error) {
	order, member, known, err := returning(tx, e)
	switch {
	case err != nil || member == "":
		return false, err
	case known && e.Reversal:
		out.Known++
		return true, nil
	case known:
		return false, nil
	}
	fresh, err := insertBankEntry(tx, e, "", by, t.desk.Now())
	if err != nil {
		return false, err
	}
	from, ref := ledger.Bank, "bank:"+e.ID
	if !fresh { // it was imported before the debit: nobody could know then whose it is
		held, err := unassigned(tx, e.ID)
		if err != nil || !held {
			return false, err
		}
		from, ref = ledger.Unassigned, "returned:"+order
	}
	if err := insertReturn(tx, order, member, e.Amount, t.desk.Now()); err != nil {
		return false, err
	}
	out.Returned += e.Amount
	if err := t.tellReturned(tx, order, member); err != nil {
		return false, err
	}
	return true, t.desk.Post(tx, "returned", ref, ledger.Transfer{From: ledger.Member(member), To: from, Amount: e.Amount})
}

// tellReturned tells the member and the treasury that a payout came back.
func (t *Till) tellReturned(tx *db.Tx, order string, m coop.MemberID) error {
	return errors.Join(t.desk.Jobs.Tell(tx, coop.Notice{Kind: coop.NoticeReturned, Ref: order, To: []coop.Addressee{{Member: m}}}),
		t.desk.Jobs.Tell(tx, coop.Notice{Kind: coop.NoticeNoAccount, Ref: order, Office: coop.Treasury}))
}

// tellCarried tells members that the bank has carried out what a debit orders,
// before that is noted.
func (t *Till) tellCarried(tx *db.Tx, order string) error {
	const many = 500
	list, err := carrying(tx, order)
	if err != nil {
		return err
	}
	for page := range slices.Chunk(list, many) {
		n := coop.Notice{Kind: coop.NoticePaid, Ref: order}
		for _, p := range page {
			n.To = append(n.To, coop.Addressee{Member: p.Member, Ref: string(p.Period)})
		}
		if err := t.desk.Jobs.Tell(tx, n); err != nil {
			return err
		}
	}
	return nil
}

// returning finds the payout of which an entry is the return, nobody's for none.
// Known is whether one it could be has come back already: that one goes first, so
// that an entry told again is never taken for the return of another.
func returning(tx *db.Tx, e bank.Entry) (order string, m coop.MemberID, known bool, err error) {
	for _, id := range e.Orders {
		whose, before, err := carriedPayout(tx, id, e.Amount)
		switch {
		case err != nil:
			return "", "", false, err
		case before:
			return id, whose, true, nil
		case m == "" && whose != "":
			order, m = id, whose
		}
	}
	return order, m, false, nil
}
