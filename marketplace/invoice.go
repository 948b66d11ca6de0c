package marketplace

import (
	"context"
	"errors"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// Quote is the price of what was granted.
type Quote struct {
	Request  coop.RequestID
	Datasets int
	Each     coop.Money
	Total    coop.Money
}

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
	req.State = StateAccepted
	if err := setState(tx, req, StateDecided); err != nil {
		return Invoice{}, err
	}
	return s.Issue(tx, req.ID, r, req.Price*coop.Money(req.Granted))
}

// openPaid lets the files of a request be fetched whose invoice is paid.
func (s *Service) openPaid(tx *db.Tx, id coop.RequestID) error {
	req, err := getRequest(tx, id)
	if err != nil {
		return err
	}
	req.State, req.OpenedAt = StateOpen, s.now()
	req.ExpiresAt = req.OpenedAt + s.Charter.AccessDays*24*time.Hour.Milliseconds()
	if err := setState(tx, req, StateAccepted); err != nil {
		return err
	}
	cohort, _, err := s.Consent.Decided(tx, id)
	return errors.Join(err, s.Owe(tx, id, req.Researcher, req.Pool, req.Study, cohort.Obligations), s.awaitMembers(tx, req), s.expireLater(tx, req))
}
