package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/terms"
)

func (s *Server) registerResearcher() {
	on(s, route{http.MethodPost, "/v1/recipients", "Register an age recipient", researchers, http.StatusCreated}, s.registerRecipient)
	on(s, route{http.MethodPost, "/v1/recipients/{id}/proof", "Prove possession by the decrypted nonce", researchers, 0}, s.proveRecipient)
	on(s, route{http.MethodPost, "/v1/requests/check", "Dry run: what would pass, and why not more", researchers, 0}, s.checkRequest)
	on(s, route{http.MethodPost, "/v1/requests", "Ask for access to a pool", researchers, http.StatusCreated}, s.submitRequest)
	on(s, route{http.MethodGet, "/v1/requests", "My access requests", researchers, 0}, s.listRequests)
	on(s, route{http.MethodGet, "/v1/requests/{id}", "One access request", researchers, 0}, s.getRequest)
	on(s, route{http.MethodGet, "/v1/requests/{id}/quote", "What it costs", researchers, 0}, s.quote)
	on(s, route{http.MethodPost, "/v1/requests/{id}/accept", "Agree to the quote; answers the invoice", researchers, http.StatusCreated}, s.acceptQuote)
	on(s, route{http.MethodGet, "/v1/invoices", "My invoices", researchers, 0}, s.listInvoices)
	on(s, route{http.MethodGet, "/v1/invoices/{id}", "One invoice", researchers, 0}, s.getInvoice)
}

func (s *Server) registerRecipient(ctx context.Context, in *body[client.RecipientBody]) (*body[client.Recipient], error) {
	r, err := s.Market.RegisterRecipient(ctx, callerOf(ctx).Researcher, in.Body.Recipient)
	return reply(terms.Recipient(r), err)
}

type proofInput struct {
	ID   string `path:"id" maxLength:"36"`
	Body client.ProofBody
}

func (s *Server) proveRecipient(ctx context.Context, in *proofInput) (*body[client.Recipient], error) {
	r, err := s.Market.ProveRecipient(ctx, callerOf(ctx).Researcher, coop.RecipientID(in.ID), in.Body.Nonce)
	return reply(terms.Recipient(r), err)
}

func draftOf(ctx context.Context, d client.RequestDraft) (marketplace.Draft, error) {
	study, err := terms.Study(d.Study)
	return marketplace.Draft{Study: study, Pool: coop.PoolID(d.Pool), Title: d.Title, Purpose: coop.Purpose{DUO: d.DUO, DPV: d.DPV},
		RetentionDays: d.RetentionDays, Recipient: coop.RecipientID(d.Recipient), Researcher: callerOf(ctx).Researcher}, err
}

func (s *Server) checkRequest(ctx context.Context, in *body[client.RequestDraft]) (*body[client.CheckResult], error) {
	draft, err := draftOf(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	r, err := s.Market.Check(ctx, draft)
	return reply(s.wireCheck(r), err)
}

func (s *Server) submitRequest(ctx context.Context, in *body[client.RequestDraft]) (*body[client.AccessRequest], error) {
	draft, err := draftOf(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	r, err := s.Market.Submit(ctx, draft)
	if err != nil {
		return nil, err
	}
	return s.getRequest(ctx, &byID{ID: string(r.ID)})
}

func (s *Server) listRequests(ctx context.Context, in *paged) (*page[client.AccessRequest], error) {
	list, err := s.Market.Requests(ctx, callerOf(ctx).Researcher, in.Cursor, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return newPage("/v1/requests", *in, each(list, terms.Request), func(r client.AccessRequest) string { return r.ID }), nil
}

func (s *Server) getRequest(ctx context.Context, in *byID) (*body[client.AccessRequest], error) {
	d, err := s.Market.Request(ctx, callerOf(ctx).Researcher, coop.RequestID(in.ID))
	if err != nil {
		return nil, err
	}
	a, err := s.Market.Asking(ctx, d.ID)
	out := terms.Decided(d)
	out.Reviewed, out.Review = terms.Spoken(a), a.Wait.Reason
	return reply(out, err)
}

func (s *Server) quote(ctx context.Context, in *byID) (*body[client.Quote], error) {
	q, err := s.Market.Quote(ctx, callerOf(ctx).Researcher, coop.RequestID(in.ID))
	return reply(client.Quote{Request: string(q.Request), Datasets: q.Datasets, Each: int64(q.Each), Total: int64(q.Total),
		Currency: string(s.Charter.Currency)}, err)
}

func (s *Server) acceptQuote(ctx context.Context, in *byID) (*body[client.Invoice], error) {
	v, err := s.Market.Accept(ctx, callerOf(ctx).Researcher, coop.RequestID(in.ID))
	return reply(s.wireInvoice(v), err)
}

func (s *Server) listInvoices(ctx context.Context, _ *none) (*body[client.Page[client.Invoice]], error) {
	list, err := s.Market.Invoices(ctx, callerOf(ctx).Researcher)
	return reply(client.Page[client.Invoice]{Items: each(list, s.wireInvoice)}, err)
}

func (s *Server) getInvoice(ctx context.Context, in *byID) (*body[client.Invoice], error) {
	v, err := s.Market.Invoice(ctx, callerOf(ctx).Researcher, coop.InvoiceID(in.ID))
	return reply(s.wireInvoice(v), err)
}

func (s *Server) registerDelivery() {
	on(s, route{http.MethodGet, "/v1/requests/{id}/files", "What may be fetched", researchers, 0}, s.listFiles)
	on(s, route{http.MethodGet, "/v1/files/{id}", "One age file for the request's recipient; Range and ETag", researchers, 0}, s.getFile, s.oneOfFew)
}

func (s *Server) listFiles(ctx context.Context, in *byID) (*body[client.Page[client.File]], error) {
	list, err := s.Market.Files(ctx, callerOf(ctx).Researcher, coop.RequestID(in.ID))
	return reply(client.Page[client.File]{Items: each(list, terms.File)}, err)
}

func (s *Server) getFile(ctx context.Context, in *byID) (*huma.StreamResponse, error) {
	d, err := s.Market.Deliver(ctx, callerOf(ctx).Researcher, coop.FileID(in.ID))
	if err != nil {
		return nil, err
	}
	return s.stream(d, in.ID+".age")
}
