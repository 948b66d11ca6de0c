package marketplace

import (
	"context"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/bank"
	"distributed.ai/datacoop/marketplace/ledger"
)

// Quote is the price of what was granted.
type Quote struct {
	Request  coop.RequestID
	Datasets int
	Each     coop.Money
	Total    coop.Money
}

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

// Quote prices a decided request; the price was frozen when it was submitted.
// ErrNothingGranted if the request is closed, ErrState while it is in review.
func (s *Service) Quote(ctx context.Context, r coop.ResearcherID, id coop.RequestID) (Quote, error) {
	return read(ctx, s, func(tx *db.Tx) (Quote, error) {
		req, err := s.ownRequest(tx, r, id)
		if err == nil && req.State == StateClosed {
			err = ErrNothingGranted
		}
		if err == nil && req.State == StateInReview {
			err = ErrState
		}
		if err != nil {
			return Quote{}, err
		}
		return Quote{Request: id, Datasets: req.Granted, Each: req.Price, Total: req.Price * coop.Money(req.Granted)}, nil
	})
}

// Accept agrees to the quote: it issues the invoice and posts what is owed.
// A request that costs nothing opens at once. ErrNothingGranted if the request
// is closed, ErrState if it has been accepted before.
func (s *Service) Accept(ctx context.Context, r coop.ResearcherID, id coop.RequestID) (Invoice, error) {
	return write(ctx, s, func(tx *db.Tx) (Invoice, error) { return s.accept(tx, r, id) })
}

func (s *Service) accept(tx *db.Tx, r coop.ResearcherID, id coop.RequestID) (Invoice, error) {
	req, err := s.ownRequest(tx, r, id)
	switch {
	case err != nil:
		return Invoice{}, err
	case req.State == StateClosed:
		return Invoice{}, ErrNothingGranted
	case req.State != StateDecided:
		return Invoice{}, ErrState
	}
	inv, err := s.issue(tx, req)
	if err != nil {
		return Invoice{}, err
	}
	req.State = StateAccepted
	if err := setState(tx, req, StateDecided); err != nil {
		return Invoice{}, err
	}
	if inv.Total == 0 {
		inv.SettledAt = s.now()
		return inv, s.openPaid(tx, inv)
	}
	return inv, s.post(tx, "invoice", "invoice:"+string(inv.ID), ledger.Transfer{
		From: ledger.Prepaid, To: ledger.Receivable, Amount: inv.Total})
}

func (s *Service) issue(tx *db.Tx, req Request) (Invoice, error) {
	n, err := nextInvoiceNumber(tx)
	if err != nil {
		return Invoice{}, err
	}
	inv := Invoice{ID: coop.InvoiceID(coop.NewID()), Number: n, Request: req.ID, Researcher: req.Researcher,
		Total: req.Price * coop.Money(req.Granted), Reference: bank.Reference(n), IssuedAt: s.now()}
	inv.DueAt = inv.IssuedAt + paymentTerm.Milliseconds()
	return inv, insertInvoice(tx, inv)
}

// openPaid lets the files of a fully paid invoice be fetched.
func (s *Service) openPaid(tx *db.Tx, inv Invoice) error {
	req, err := getRequest(tx, inv.Request)
	if err != nil {
		return err
	}
	if err := settleInvoice(tx, inv.ID, s.now()); err != nil {
		return err
	}
	req.State, req.OpenedAt = StateOpen, s.now()
	req.ExpiresAt = req.OpenedAt + s.Charter.AccessDays*24*time.Hour.Milliseconds()
	if err := setState(tx, req, StateAccepted); err != nil {
		return err
	}
	if err := s.awaitMembers(tx, req); err != nil {
		return err
	}
	return s.expireLater(tx, req)
}

// Invoices lists the researcher's invoices, newest first.
func (s *Service) Invoices(ctx context.Context, r coop.ResearcherID) ([]Invoice, error) {
	return read(ctx, s, func(tx *db.Tx) ([]Invoice, error) { return listInvoices(tx, r) })
}

// Invoice finds one of the researcher's invoices; ErrNotFound for any other.
func (s *Service) Invoice(ctx context.Context, r coop.ResearcherID, id coop.InvoiceID) (Invoice, error) {
	return read(ctx, s, func(tx *db.Tx) (Invoice, error) {
		out, err := getInvoice(tx, id)
		if err == nil && out.Researcher != r {
			err = ErrNotFound
		}
		if err != nil {
			return Invoice{}, err
		}
		return out, nil
	})
}
