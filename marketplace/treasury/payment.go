package treasury

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/bank"
	"distributed.ai/datacoop/marketplace/desk"
	"distributed.ai/datacoop/marketplace/ledger"
)

// Import says what a bank statement settled.
type Import struct {
	Entries   int
	Matched   int        // payments that paid an invoice, or a part of one
	Known     int        // money in that was imported before, not counted again
	Unmatched []string   // what the payers wrote with money that pays nothing
	Received  coop.Money // by invoices; what exceeds them is unassigned
	PaidOut   coop.Money // payouts that the bank has carried out
	Returned  coop.Money // payouts that the bank sent back
}

// ImportBankStatement books a camt.053 statement that a treasurer uploads.
// Credits are matched to invoices by creditor reference, debits to payouts by
// the ids of the payment file; other debits are not booked. A credit of the amount
// and under the id of a payout that was carried out brings it back: the member is
// owed it again, and their account gets nothing until they name one anew. Importing the same
// entry again changes nothing; money nobody was invoiced for is held as
// unassigned, never lost. So is a return that is imported before its debit, until
// its statement is imported again after it. It returns ErrOffice, and the faults of
// bank.ParseCamt053; then nothing is booked.
func (t *Till) ImportBankStatement(ctx context.Context, steward coop.MemberID, r io.Reader) (Import, error) {
	if err := t.desk.Needs(ctx, steward, coop.Treasury); err != nil {
		return Import{}, err
	}
	entries, err := bank.ParseCamt053(r, t.desk.Charter.Currency)
	if err != nil {
		return Import{}, err
	}
	return desk.Duty(ctx, t.desk, steward, coop.Treasury, func(tx *db.Tx) (Import, error) {
		out := Import{Entries: len(entries), Unmatched: []string{}}
		// What left comes first: it may come back in the same statement.
		slices.SortStableFunc(entries, func(a, b bank.Entry) int { return cmp.Compare(direction(a), direction(b)) })
		for _, e := range entries {
			if err := t.bookEntry(tx, steward, e, &out); err != nil {
				return Import{}, err
			}
		}
		return out, t.desk.Note(tx, "bank-statement.imported", "booked",
			map[string]any{"entries": out.Entries, "matched": out.Matched, "steward": string(steward)})
	})
}

func direction(e bank.Entry) int {
	if e.Credit {
		return 1
	}
	return 0
}

func (t *Till) bookEntry(tx *db.Tx, by coop.MemberID, e bank.Entry, out *Import) error {
	if !e.Credit {
		return t.carriedOut(tx, e, out)
	}
	if done, err := t.cameBack(tx, by, e, out); done || err != nil || e.Reversal {
		return err
	}
	inv, err := t.meant(tx, e)
	if err != nil {
		return err
	}
	fresh, err := insertBankEntry(tx, e, inv.ID, by, t.desk.Now())
	if err != nil {
		return err
	}
	if !fresh {
		out.Known++
		return nil
	}
	pay := min(inv.Total-inv.Paid, e.Amount)
	out.Received += pay
	if pay > 0 {
		out.Matched++
	} else {
		out.Unmatched = append(out.Unmatched, e.Label())
	}
	return t.receive(tx, inv, e, pay)
}

// meant finds the invoice that an entry pays; none is the zero invoice, which
// is owed nothing.
func (t *Till) meant(tx *db.Tx, e bank.Entry) (Invoice, error) {
	for _, ref := range e.References {
		inv, err := invoiceByReference(tx, ref)
		if !errors.Is(err, desk.ErrNotFound) {
			return inv, err
		}
	}
	return Invoice{}, nil
}

// receive books a payment: pay of it on its invoice, the rest as unassigned.
func (t *Till) receive(tx *db.Tx, inv Invoice, e bank.Entry, pay coop.Money) error {
	var transfers []ledger.Transfer
	if pay > 0 {
		transfers = append(transfers, ledger.Transfer{From: ledger.Receivable, To: ledger.Bank, Amount: pay})
	}
	if rest := e.Amount - pay; rest > 0 {
		transfers = append(transfers, ledger.Transfer{From: ledger.Unassigned, To: ledger.Bank, Amount: rest})
	}
	if err := t.desk.Post(tx, "payment", "bank:"+e.ID, transfers...); err != nil {
		return err
	}
	if pay == 0 {
		return nil
	}
	if err := addPaid(tx, inv.ID, pay); err != nil {
		return err
	}
	if inv.Paid+pay < inv.Total {
		return nil
	}
	return t.paid(tx, inv)
}

// carriedOut books the payouts that a debit carried out: those of a whole
// payment file or a single one, if the amount is theirs. It is told once.
func (t *Till) carriedOut(tx *db.Tx, e bank.Entry, out *Import) error {
	for _, order := range e.Orders {
		sum, err := orderedPayouts(tx, order)
		if err != nil {
			return err
		}
		if sum != e.Amount {
			continue
		}
		out.PaidOut += sum
		if err := errors.Join(t.tellCarried(tx, order), carryOutPayouts(tx, order, t.desk.Now())); err != nil {
			return err
		}
		return t.desk.Post(tx, "paid-out", "bank:"+e.ID, ledger.Transfer{From: ledger.Bank, To: ledger.Payout, Amount: sum})
	}
	return nil
}
