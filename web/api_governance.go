package web

import (
	"context"
	"net/http"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/lawbook"
	"distributed.ai/datacoop/web/terms"
)

func (s *Server) registerGovernance() {
	on(s, route{http.MethodGet, "/v1/proposals", "Proposals, newest first", members, 0}, s.listProposals)
	on(s, route{http.MethodPost, "/v1/proposals", "Propose an access policy", members, http.StatusCreated}, s.propose)
	on(s, route{http.MethodGet, "/v1/proposals/{id}", "One proposal", members, 0}, s.getProposal)
	on(s, route{http.MethodPost, "/v1/proposals/check", "Try a policy before anybody proposes it", members, 0}, s.tryPolicy)
	on(s, route{http.MethodGet, "/v1/proposals/{id}/impact", "What its rehearsal found, or how far it is", members, 0}, s.impact)
	on(s, route{http.MethodPost, "/v1/proposals/{id}/ballots", "Vote: one member, one vote", members, http.StatusCreated}, s.castBallot)
	on(s, route{http.MethodGet, "/v1/proposals/{id}/result", "The tally, once voting has closed", members, 0}, s.result)
}

func (s *Server) listProposals(ctx context.Context, in *paged) (*page[client.Proposal], error) {
	list, err := s.Governance.Proposals(ctx, governance.Page{Before: in.Cursor, Limit: min(in.Limit+1, 100)})
	if err != nil {
		return nil, err
	}
	return newPage("/v1/proposals", *in, each(list, s.wireProposal), func(p client.Proposal) string { return p.ID }), nil
}

// propose puts a policy or a rule document to the vote; without either, the
// policy the co-op started with, which undoes every vote before it.
func (s *Server) propose(ctx context.Context, in *body[client.ProposalDraft]) (*body[client.Proposal], error) {
	source, err := lawbook.Proposed(in.Body)
	if err != nil {
		return nil, err
	}
	p, err := s.Governance.Propose(ctx, callerOf(ctx).Member, governance.Draft{Title: in.Body.Title, Text: in.Body.Text, Source: source})
	return reply(s.wireProposal(p), err)
}

func (s *Server) getProposal(ctx context.Context, in *byID) (*body[client.Proposal], error) {
	out, err := s.memberProposal(ctx, callerOf(ctx).Member, coop.ProposalID(in.ID))
	return reply(out, err)
}

// memberProposal is a proposal with whether this member has voted on it.
func (s *Server) memberProposal(ctx context.Context, m coop.MemberID, id coop.ProposalID) (client.Proposal, error) {
	p, err := s.Governance.Proposal(ctx, id)
	if err != nil {
		return client.Proposal{}, err
	}
	voted, err := s.Governance.Voted(ctx, m, id)
	if err != nil {
		return client.Proposal{}, err
	}
	out := s.wireProposal(p)
	if voted {
		out.Mine = "cast"
	}
	return out, nil
}

func (s *Server) tryPolicy(ctx context.Context, in *body[client.PolicyText]) (*body[client.PolicyTrial], error) {
	r, i, err := s.Governance.Preview(ctx, []byte(in.Body.Policy))
	return reply(client.PolicyTrial{OK: r.OK, Findings: list(r.Findings), Revision: r.Revision, Sentences: list(r.Sentences), Impact: terms.Impact(i)}, err)
}

func (s *Server) impact(ctx context.Context, in *byID) (*body[client.Impact], error) {
	i, err := s.Governance.Impact(ctx, coop.ProposalID(in.ID))
	return reply(terms.Impact(i), err)
}

type ballotInput struct {
	ID   string `path:"id" maxLength:"36"`
	Body client.BallotBody
}

func (s *Server) castBallot(ctx context.Context, in *ballotInput) (*body[client.Ballot], error) {
	b, err := s.Governance.Cast(ctx, callerOf(ctx).Member, coop.ProposalID(in.ID), in.Body.Choice)
	return reply(client.Ballot{Proposal: string(b.Proposal), Receipt: b.Receipt, CastAt: millis(b.CastAt)}, err)
}

func (s *Server) result(ctx context.Context, in *byID) (*body[client.Result], error) {
	p, err := s.Governance.Proposal(ctx, coop.ProposalID(in.ID))
	if err != nil {
		return nil, err
	}
	t, err := s.Governance.Result(ctx, p.ID)
	return reply(client.Result{Proposal: in.ID, State: string(p.State), Yes: t.Yes, No: t.No, Abstain: t.Abstain,
		Electorate: t.Electorate, Sentence: p.Reason}, err)
}

func (s *Server) registerContributions() {
	on(s, route{http.MethodGet, "/v1/contributions", "Work done for the co-op", members, 0}, s.listContributions)
	on(s, route{http.MethodPost, "/v1/contributions", "Submit work", members, http.StatusCreated}, s.submitWork)
	on(s, route{http.MethodPost, "/v1/contributions/{id}/reviews", "Accept and size work, or decline it", members, http.StatusCreated}, s.reviewWork)
}

func (s *Server) listContributions(ctx context.Context, in *paged) (*page[client.Contribution], error) {
	list, err := s.Governance.Contributions(ctx, governance.Filter{}, governance.Page{Before: in.Cursor, Limit: min(in.Limit+1, 100)})
	if err != nil {
		return nil, err
	}
	return newPage("/v1/contributions", *in, each(list, terms.Contribution), func(c client.Contribution) string { return c.ID }), nil
}

func (s *Server) submitWork(ctx context.Context, in *body[client.ContributionDraft]) (*body[client.Contribution], error) {
	c, err := s.submitted(ctx, callerOf(ctx).Member, in.Body)
	return reply(terms.Contribution(c), err)
}

type reviewInput struct {
	ID   string `path:"id" maxLength:"36"`
	Body client.ReviewBody
}

func (s *Server) reviewWork(ctx context.Context, in *reviewInput) (*body[client.Contribution], error) {
	c, err := s.Governance.Review(ctx, callerOf(ctx).Member, coop.ContributionID(in.ID),
		governance.Verdict{Accept: in.Body.Accept, Size: in.Body.Size, Note: in.Body.Note})
	return reply(terms.Contribution(c), err)
}
