package treasury

import (
	"context"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/bank"
	"distributed.ai/datacoop/marketplace/desk"
	"distributed.ai/datacoop/marketplace/ledger"
)

// Invoice is what a researcher owes for one request and has paid.
type Invoice struct {
	ID         coop.InvoiceID
	Number     int64
	Request    coop.RequestID
	Researcher coop.ResearcherID
	Total      coop.Money
	Paid       coop.Money
	Reference  string // ISO 11649 creditor reference
	IssuedAt   int64
	DueAt      int64
	SettledAt  int64
}

// paymentTerm is how long an invoice may stay unpaid.
const paymentTerm = 30 * 24 * time.Hour

// Issue invoices a request and posts what is owed. The researcher's credit notes
// pay what they can of it; what costs nothing more is paid at once.
func (t *Till) Issue(tx *db.Tx, req coop.RequestID, r coop.ResearcherID, total coop.Money) (Invoice, error) {
	n, err := nextInvoiceNumber(tx)
	if err != nil {
		return Invoice{}, err
	}
	inv := Invoice{ID: coop.InvoiceID(coop.NewID()), Number: n, Request: req, Researcher: r,
		Total: total, Reference: bank.Reference(n), IssuedAt: t.desk.Now()}
	inv.DueAt = inv.IssuedAt + paymentTerm.Milliseconds()
	if inv.Paid, err = t.useNotes(tx, r, total); err != nil {
		return Invoice{}, err
	}
	if err := insertInvoice(tx, inv); err != nil {
		return Invoice{}, err
	}
	if err := t.owe(tx, inv); err != nil {
		return Invoice{}, err
	}
	if inv.Paid < total {
		return inv, nil
	}
	inv.SettledAt = inv.IssuedAt
	return inv, t.paid(tx, inv)
}

// owe posts a new invoice: what credit notes pay of it is owed to the researcher
// no longer.
func (t *Till) owe(tx *db.Tx, inv Invoice) error {
	var transfers []ledger.Transfer
	if rest := inv.Total - inv.Paid; rest > 0 {
		transfers = append(transfers, ledger.Transfer{From: ledger.Prepaid, To: ledger.Receivable, Amount: rest})
	}
	if inv.Paid > 0 {
		transfers = append(transfers, ledger.Transfer{From: ledger.Prepaid, To: ledger.Credit, Amount: inv.Paid})
	}
	if len(transfers) == 0 {
		return nil
	}
	return t.desk.Post(tx, "invoice", "invoice:"+string(inv.ID), transfers...)
}

// paid lets the files of a fully paid invoice be fetched.
func (t *Till) paid(tx *db.Tx, inv Invoice) error {
	if err := settleInvoice(tx, inv.ID, t.desk.Now()); err != nil {
		return err
	}
	return t.open(tx, inv.Request)
}

// Invoices lists the researcher's invoices, newest first.
func (t *Till) Invoices(ctx context.Context, r coop.ResearcherID) ([]Invoice, error) {
	return desk.Read(ctx, t.desk.DB, func(tx *db.Tx) ([]Invoice, error) { return listInvoices(tx, r) })
}

// Invoice finds one of the researcher's invoices; ErrNotFound for any other.
func (t *Till) Invoice(ctx context.Context, r coop.ResearcherID, id coop.InvoiceID) (Invoice, error) {
	return desk.Read(ctx, t.desk.DB, func(tx *db.Tx) (Invoice, error) {
		out, err := getInvoice(tx, id)
		if err == nil && out.Researcher != r {
			err = desk.ErrNotFound
		}
		if err != nil {
			return Invoice{}, err
		}
		return out, nil
	})
}
