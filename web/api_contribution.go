package web

import (
	"context"
	"net/http"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/web/client"
)

func (s *Server) registerClaims() {
	on(s, route{http.MethodPost, "/v1/me/claims", "Claim an address in git histories as mine", members, http.StatusCreated}, s.claimAddress)
	on(s, route{http.MethodGet, "/v1/me/claims", "Addresses I have claimed; they are not shown", members, 0}, s.myClaims)
	on(s, route{http.MethodDelete, "/v1/me/claims/{id}", "Take a claim back", members, http.StatusNoContent}, s.withdrawClaim)
	on(s, route{http.MethodGet, "/v1/claims", "Claims of others that wait for an answer", members, 0}, s.listClaims)
	on(s, route{http.MethodPost, "/v1/claims/{id}/answers", "Confirm or refuse another member's claim", members, http.StatusCreated}, s.answerClaim)
}

func (s *Server) claimAddress(ctx context.Context, in *body[client.ClaimBody]) (*body[client.Claim], error) {
	c, err := s.Governance.Claim(ctx, callerOf(ctx).Member, in.Body.Email)
	return s.replyClaim(ctx, c, err)
}

func (s *Server) myClaims(ctx context.Context, _ *none) (*page[client.Claim], error) {
	list, err := s.Governance.MyClaims(ctx, callerOf(ctx).Member)
	if err != nil {
		return nil, err
	}
	return s.claimPage(ctx, "/v1/me/claims", paged{Limit: len(list)}, list)
}

func (s *Server) withdrawClaim(ctx context.Context, in *byID) (*none, error) {
	return nil, s.Governance.WithdrawClaim(ctx, callerOf(ctx).Member, governance.ClaimID(in.ID))
}

func (s *Server) listClaims(ctx context.Context, in *paged) (*page[client.Claim], error) {
	in.Limit = min(in.Limit, 99)
	list, err := s.Governance.Claims(ctx, callerOf(ctx).Member, governance.Page{Before: in.Cursor, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	return s.claimPage(ctx, "/v1/claims", *in, list)
}

type claimAnswerInput struct {
	ID   string `path:"id" maxLength:"36"`
	Body client.ClaimAnswerBody
}

func (s *Server) answerClaim(ctx context.Context, in *claimAnswerInput) (*body[client.Claim], error) {
	c, err := s.Governance.AnswerClaim(ctx, callerOf(ctx).Member, governance.ClaimID(in.ID),
		governance.ClaimAnswer{Confirm: in.Body.Confirm, Email: in.Body.Email})
	return s.replyClaim(ctx, c, err)
}

func (s *Server) replyClaim(ctx context.Context, c governance.Claim, err error) (*body[client.Claim], error) {
	if err != nil {
		return nil, err
	}
	out, err := s.wireClaim(ctx, c)
	return reply(out, err)
}

func (s *Server) claimPage(ctx context.Context, path string, in paged, list []governance.Claim) (*page[client.Claim], error) {
	out := make([]client.Claim, 0, len(list))
	for _, c := range list {
		w, err := s.wireClaim(ctx, c)
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return newPage(path, in, out, func(c client.Claim) string { return c.ID }), nil
}

func (s *Server) wireClaim(ctx context.Context, c governance.Claim) (client.Claim, error) {
	m, err := s.Governance.Member(ctx, c.Member)
	return client.Claim{ID: string(c.ID), Member: string(c.Member), Name: m.Name, State: string(c.State),
		Confirmations: c.Confirmations, Refusals: c.Refusals, ClaimedAt: millis(c.ClaimedAt)}, err
}

// submitted passes work on: from a repository, if it says so, or in a member's
// own words.
func (s *Server) submitted(ctx context.Context, by coop.MemberID, d client.ContributionDraft) (governance.Contribution, error) {
	w := governance.Work{Kind: governance.WorkKind(d.Kind), Title: d.Title, Text: d.Text, Evidence: d.Evidence}
	if d.Git == nil {
		return s.Governance.Submit(ctx, by, w)
	}
	if w.Kind != governance.WorkGit {
		return governance.Contribution{}, governance.ErrWorkKind
	}
	return s.Governance.SubmitGit(ctx, by, w, governance.GitOrigin{Source: d.Git.Source, Authors: d.Git.Authors})
}
