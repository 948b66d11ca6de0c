package web

import (
	"bytes"
	"context"
	"net/http"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/appeals"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/incident"
)

func (s *Server) registerTreasury() {
	on(s, route{http.MethodPost, "/v1/researchers", "Vet a researcher; answers OAuth 2 client credentials", members, http.StatusCreated}, s.vet)
	on(s, route{http.MethodPost, pathStatements, "Import a camt.053 bank statement", members, 0}, s.importStatement)
	on(s, route{http.MethodGet, "/v1/periods", "Periods, newest first", anyone, 0}, s.listPeriods)
	on(s, route{http.MethodGet, "/v1/periods/{id}/statement", "A period's statement; members get the bundle too", anyone, 0}, s.periodStatement)
	on(s, route{http.MethodPost, "/v1/periods/{id}/close", "Close a period and publish its statement", members, 0}, s.closePeriod)
	on(s, route{http.MethodPost, "/v1/periods/{id}/settle", "Post the shares, once nobody contests them", members, 0}, s.settlePeriod)
	on(s, route{http.MethodPost, "/v1/periods/{id}/release", "Release the payout; it takes two people", members, 0}, s.releasePeriod)
	on(s, route{http.MethodGet, "/v1/periods/{id}/payout.xml", "The payment file (pain.001)", members, 0}, s.payoutFile)
	on(s, route{http.MethodGet, "/v1/me/statements", "What I earned, by period", members, 0}, s.myStatements)
	on(s, route{http.MethodGet, "/v1/me/statements/{id}", "Why this amount", members, 0}, s.myStatement)
	i := incident.API{Market: s.Market, Caller: func(ctx context.Context) coop.MemberID { return callerOf(ctx).Member }}
	on(s, route{http.MethodGet, "/v1/freeze", "Whether deliveries are made, and if not why", members, 0}, i.Now)
	on(s, route{http.MethodPost, "/v1/freeze", "Stop every delivery at once; any steward can", members, http.StatusCreated}, i.Freeze)
	on(s, route{http.MethodPost, "/v1/unfreeze", "Let deliveries go on; it takes two stewards, each of whom calls this", members, 0}, i.Unfreeze)
	a := appeals.API{Market: s.Market, Caller: func(ctx context.Context) coop.MemberID { return callerOf(ctx).Member }}
	on(s, route{http.MethodPost, "/v1/appeals", "Contest a statement: a fact before a steward, a judgement before a panel", members, http.StatusCreated}, a.File)
	on(s, route{http.MethodGet, "/v1/appeals", "Appeals: my own, or all for the office", members, 0}, a.List)
	on(s, route{http.MethodPost, "/v1/appeals/{id}/decision", "Answer an appeal about a fact", members, 0}, a.Decide)
	on(s, route{http.MethodPost, "/v1/appeals/{id}/panel", "Take an appeal that was dismissed to a panel", members, 0}, a.Escalate)
	on(s, route{http.MethodGet, "/v1/me/panels", "Panels I was drawn into, newest first", members, 0}, a.Duties)
	on(s, route{http.MethodPost, "/v1/me/panels/{id}", "Answer a panel's questions, or step back", members, 0}, a.Answer)
	on(s, route{http.MethodGet, "/v1/periods/{id}/appeals", "What became of a settled period's appeals, to compute again", members, 0}, a.Record)
	on(s, route{http.MethodGet, "/v1/periods/{id}/vote", "The vote on whether a model's appraisal of a period counts", members, 0}, a.Vote)
	on(s, route{http.MethodGet, "/v1/periods/{id}/ballots", "The ballots that were counted about a period's model, by the digest of their receipts", members, 0}, a.Ballots)
	on(s, route{http.MethodPost, "/v1/periods/{id}/ballots", "Adopt a model's appraisal of a period, or have the formula alone count", members, http.StatusCreated}, a.Cast)
}

func (s *Server) vet(ctx context.Context, in *body[client.ResearcherDraft]) (*body[client.Researcher], error) {
	draft := marketplace.Researcher{Name: in.Body.Name, Kind: in.Body.Kind, Region: in.Body.Region, Email: in.Body.Email, Institution: in.Body.Institution, Related: in.Body.Related}
	r, err := s.Market.Vet(ctx, callerOf(ctx).Member, draft)
	if err != nil {
		return nil, err
	}
	id, secret, err := s.AuthServer.IssueResearcher(ctx, string(r.ID))
	if err != nil {
		return nil, err
	}
	return reply(client.Researcher{ID: string(r.ID), Name: r.Name, Kind: r.Kind, Region: r.Region,
		VettedAt: millis(r.VettedAt), Related: r.Related, ClientID: id, ClientSecret: secret}, nil)
}

type xmlInput struct {
	RawBody []byte `contentType:"application/xml"`
}

func (s *Server) importStatement(ctx context.Context, in *xmlInput) (*body[client.BankImport], error) {
	i, err := s.Market.ImportBankStatement(ctx, callerOf(ctx).Member, bytes.NewReader(in.RawBody))
	return reply(client.BankImport{Entries: i.Entries, Matched: i.Matched, Known: i.Known, Unmatched: i.Unmatched,
		Received: int64(i.Received), PaidOut: int64(i.PaidOut), Returned: int64(i.Returned)}, err)
}

func (s *Server) listPeriods(ctx context.Context, _ *none) (*body[client.Page[client.Period]], error) {
	list, err := s.Market.Periods(ctx)
	return reply(client.Page[client.Period]{Items: each(list, s.wirePeriod)}, err)
}

func (s *Server) periodStatement(ctx context.Context, in *byID) (*body[client.StatementView], error) {
	st, err := s.Market.Statement(ctx, coop.PeriodID(in.ID))
	if err != nil {
		return nil, err
	}
	out := s.wireStatement(st)
	if callerOf(ctx).Member == "" {
		out.Bundle = nil
	}
	return reply(out, nil)
}

func (s *Server) closePeriod(ctx context.Context, in *byID) (*body[client.Period], error) {
	p, err := s.Market.Close(ctx, callerOf(ctx).Member, coop.PeriodID(in.ID))
	return reply(s.wirePeriod(p), err)
}

func (s *Server) settlePeriod(ctx context.Context, in *byID) (*body[client.Period], error) {
	p, err := s.Market.Settle(ctx, callerOf(ctx).Member, coop.PeriodID(in.ID))
	return reply(s.wirePeriod(p), err)
}

func (s *Server) releasePeriod(ctx context.Context, in *byID) (*body[client.Period], error) {
	p, err := s.Market.Release(ctx, callerOf(ctx).Member, coop.PeriodID(in.ID))
	return reply(s.wirePeriod(p), err)
}

type payoutInput struct {
	ID      string `path:"id" maxLength:"64"`
	Version string `query:"version" enum:"pain.001.001.09,pain.001.001.03" default:"pain.001.001.09" doc:"What the bank takes"`
}

func (s *Server) payoutFile(ctx context.Context, in *payoutInput) (*signed, error) {
	file, err := s.Market.PayoutFileAs(ctx, callerOf(ctx).Member, coop.PeriodID(in.ID), in.Version)
	return &signed{"application/xml", file}, err
}

func (s *Server) myStatements(ctx context.Context, _ *none) (*body[client.Page[client.MyStatement]], error) {
	list, err := s.Market.MemberStatements(ctx, callerOf(ctx).Member)
	return reply(client.Page[client.MyStatement]{Items: each(list, s.wireMine)}, err)
}

func (s *Server) myStatement(ctx context.Context, in *byID) (*body[client.MyStatement], error) {
	m, err := s.Market.MemberStatement(ctx, callerOf(ctx).Member, coop.PeriodID(in.ID))
	return reply(s.wireMine(m), err)
}
