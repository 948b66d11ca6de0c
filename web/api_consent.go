package web

import (
	"context"
	"net/http"
	"slices"

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
	on(s, route{http.MethodPost, datasets + "/as-pool", "Take the dataset's own answer back, so that the pool's counts", members, 0}, s.followPool)
	on(s, route{http.MethodPost, "/v1/me/consents/preview", "What an answer would mean; saves nothing", members, 0}, s.previewConsent)
	on(s, route{http.MethodGet, "/v1/me/consents/records", "Every answer I ever gave, newest first", members, 0}, s.consentRecords)
	on(s, route{http.MethodGet, "/v1/me/consents/records/{id}/receipt", "Signed receipt of any answer I ever gave", members, 0}, s.recordReceipt)
}

var errNoConsent = fault.New(fault.NotFound, "no-consent", "There is no answer for this alone. Without one a dataset follows its pool, and without an answer for the pool nothing is allowed.")

type consentInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body client.Terms
}

func (s *Server) poolOf(id string) (coop.PoolID, error) {
	if _, ok := s.Charter.Pool(coop.PoolID(id)); !ok {
		return "", errNoPool
	}
	return coop.PoolID(id), nil
}

var errNoPool = fault.New(fault.NotFound, "unknown-pool", "The co-op has no pool of that name.")

var marketNotFound = fault.New(fault.NotFound, "not-found", "There is no such thing here.")

// record answers a consent record, or that there is none.
func (s *Server) record(r consent.Record, found bool, err error) (*body[client.ConsentRecord], error) {
	if err == nil && !found {
		err = errNoConsent
	}
	if err != nil {
		return nil, err
	}
	return reply(terms.Record(r, s.Charter.Currency), nil)
}

func (s *Server) getPoolConsent(ctx context.Context, in *byID) (*body[client.ConsentRecord], error) {
	pool, err := s.poolOf(in.ID)
	if err != nil {
		return nil, err
	}
	r, found, err := s.Consent.Pool(ctx, callerOf(ctx).Member, pool)
	if err == nil && !found {
		return reply(terms.Unanswered(pool, s.Charter.Default(pool)), nil)
	}
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

func (s *Server) followPool(ctx context.Context, in *byID) (*body[client.ConsentRecord], error) {
	ds, err := s.ownDataset(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	r, err := s.Consent.FollowPool(ctx, callerOf(ctx).Member, ds)
	return s.record(r, true, err)
}

// previewConsent says what an answer would mean, for a pool, a dataset or
// neither.
func (s *Server) previewConsent(ctx context.Context, in *body[client.ConsentDraft]) (*body[client.ConsentPreview], error) {
	pool := coop.PoolID(in.Body.Pool)
	if in.Body.Dataset != "" {
		d, err := s.Vault.Get(ctx, callerOf(ctx).Member, coop.DatasetID(in.Body.Dataset))
		if err != nil {
			return nil, err
		}
		pool = d.Pool
	}
	priced, known := s.Charter.Pool(pool)
	if pool != "" && !known {
		return nil, marketNotFound
	}
	t := terms.Domain(in.Body.Terms)
	if err := t.Validate(); err != nil {
		return nil, err
	}
	var price *coop.Money
	if known {
		price = &priced.Price
	}
	return reply(terms.Preview(t, s.Charter.Currency, price), nil)
}

func (s *Server) consentRecords(ctx context.Context, _ *none) (*body[client.Page[client.ConsentRecord]], error) {
	history, err := s.Consent.History(ctx, callerOf(ctx).Member)
	slices.Reverse(history)
	return reply(client.Page[client.ConsentRecord]{Items: each(history, func(r consent.Record) client.ConsentRecord { return terms.Record(r, s.Charter.Currency) })}, err)
}

func (s *Server) recordReceipt(ctx context.Context, in *byID) (*signed, error) {
	return s.receipt(ctx, in.ID)
}
