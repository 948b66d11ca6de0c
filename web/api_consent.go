package web

import (
	"context"
	"net/http"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/terms"
)

func (s *Server) registerConsent() {
	const pools, datasets = "/v1/me/consents/pools/{id}", "/v1/me/consents/datasets/{id}"
	on(s, route{http.MethodGet, pools, "My standing answer for a pool", members, 0}, s.getPoolConsent)
	on(s, route{http.MethodPut, pools, "Answer for a pool", members, 0}, s.putPoolConsent)
	on(s, route{http.MethodDelete, pools, "Withdraw my answer for a pool", members, 0}, s.withdrawPool)
	on(s, route{http.MethodGet, pools + "/receipt", "Signed receipt (ISO/IEC TS 27560, DPV)", members, 0}, s.poolReceipt)
	on(s, route{http.MethodGet, datasets, "My answer for one dataset", members, 0}, s.getDatasetConsent)
	on(s, route{http.MethodPut, datasets, "Answer for one dataset; it overrides the pool's", members, 0}, s.putDatasetConsent)
	on(s, route{http.MethodDelete, datasets, "Withdraw my answer for one dataset", members, 0}, s.withdrawDataset)
	on(s, route{http.MethodGet, datasets + "/receipt", "Signed receipt (ISO/IEC TS 27560, DPV)", members, 0}, s.datasetReceipt)
}

var errNoConsent = fault.New(fault.NotFound, "no-consent", "You have given no answer here; nothing is allowed until you do.")

type consentInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body client.Terms
}

func (s *Server) poolOf(id string) (coop.PoolID, error) {
	if _, ok := s.Charter.Pool(coop.PoolID(id)); !ok {
		return "", marketNotFound
	}
	return coop.PoolID(id), nil
}

var marketNotFound = fault.New(fault.NotFound, "not-found", "There is no such thing here.")

// record answers a consent record, or that there is none.
func (s *Server) record(r consent.Record, found bool, err error) (*body[client.ConsentRecord], error) {
	if err == nil && !found {
		err = errNoConsent
	}
	if err != nil {
		return nil, err
	}
	return reply(s.wireRecord(r), nil)
}

func (s *Server) getPoolConsent(ctx context.Context, in *byID) (*body[client.ConsentRecord], error) {
	pool, err := s.poolOf(in.ID)
	if err != nil {
		return nil, err
	}
	r, found, err := s.Consent.Pool(ctx, callerOf(ctx).Member, pool)
	return s.record(r, found, err)
}

func (s *Server) putPoolConsent(ctx context.Context, in *consentInput) (*body[client.ConsentRecord], error) {
	pool, err := s.poolOf(in.ID)
	if err != nil {
		return nil, err
	}
	r, err := s.Consent.PutPool(ctx, callerOf(ctx).Member, pool, terms.Domain(in.Body))
	return s.record(r, true, err)
}

func (s *Server) withdrawPool(ctx context.Context, in *byID) (*body[client.ConsentRecord], error) {
	pool, err := s.poolOf(in.ID)
	if err != nil {
		return nil, err
	}
	r, err := s.Consent.WithdrawPool(ctx, callerOf(ctx).Member, pool)
	return s.record(r, true, err)
}

func (s *Server) poolReceipt(ctx context.Context, in *byID) (*signed, error) {
	r, err := s.getPoolConsent(ctx, in)
	if err != nil {
		return nil, err
	}
	return s.receipt(ctx, r.Body.ID)
}

func (s *Server) receipt(ctx context.Context, record string) (*signed, error) {
	receipt, err := s.Consent.Receipt(ctx, callerOf(ctx).Member, record)
	return &signed{"application/ld+json", receipt}, err
}

// ownDataset finds the caller's dataset, or says there is none.
func (s *Server) ownDataset(ctx context.Context, id string) (coop.DatasetID, error) {
	d, err := s.Vault.Get(ctx, callerOf(ctx).Member, coop.DatasetID(id))
	return d.ID, err
}

func (s *Server) getDatasetConsent(ctx context.Context, in *byID) (*body[client.ConsentRecord], error) {
	ds, err := s.ownDataset(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	r, found, err := s.Consent.Dataset(ctx, callerOf(ctx).Member, ds)
	return s.record(r, found, err)
}

func (s *Server) putDatasetConsent(ctx context.Context, in *consentInput) (*body[client.ConsentRecord], error) {
	ds, err := s.ownDataset(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	r, err := s.Consent.PutDataset(ctx, callerOf(ctx).Member, ds, terms.Domain(in.Body))
	return s.record(r, true, err)
}

func (s *Server) withdrawDataset(ctx context.Context, in *byID) (*body[client.ConsentRecord], error) {
	ds, err := s.ownDataset(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	r, err := s.Consent.WithdrawDataset(ctx, callerOf(ctx).Member, ds)
	return s.record(r, true, err)
}

func (s *Server) datasetReceipt(ctx context.Context, in *byID) (*signed, error) {
	r, err := s.getDatasetConsent(ctx, in)
	if err != nil {
		return nil, err
	}
	return s.receipt(ctx, r.Body.ID)
}
