package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/terms"
)

func (s *Server) registerMember() {
	on(s, route{http.MethodGet, "/v1/me", "My membership", members, 0}, s.me)
	on(s, route{http.MethodPut, "/v1/me/recipient", "Register my public age recipient; to replace another one needs a proof that it is me", members, http.StatusNoContent}, s.sealed().PutRecipient)
	on(s, route{http.MethodPut, "/v1/me/signing-key", "Register the public key my manifests are signed with; to replace another one needs a proof that it is me", members, http.StatusNoContent}, s.sealed().PutSigner)
	on(s, route{http.MethodGet, "/v1/me/payout-account", "Where my money goes", members, 0}, s.getPayoutAccount)
	on(s, route{http.MethodPut, "/v1/me/payout-account", "Say where my money goes", members, 0}, s.putPayoutAccount)
	on(s, route{http.MethodPost, "/v1/me/pause", "Stop every use of my data, at once", members, http.StatusNoContent}, s.pause)
	on(s, route{http.MethodPost, "/v1/me/resume", "Let my consents govern again", members, http.StatusNoContent}, s.resume)
	on(s, route{http.MethodGet, "/v1/me/uses", "Every access and every refusal concerning my data", members, 0}, s.uses)
}

func (s *Server) me(ctx context.Context, _ *none) (*body[client.Me], error) {
	id := callerOf(ctx).Member
	m, err := s.Governance.Member(ctx, id)
	if err != nil {
		return nil, err
	}
	paused, err := s.Consent.Paused(ctx, id)
	if err != nil {
		return nil, err
	}
	return reply(wireMe(m, paused), nil)
}

func (s *Server) getPayoutAccount(ctx context.Context, _ *none) (*body[client.PayoutAccountView], error) {
	a, err := s.Market.PayoutAccount(ctx, callerOf(ctx).Member)
	return reply(client.PayoutAccountView{Set: a.IBAN != "", Ending: a.Ending(), UpdatedAt: millis(a.UpdatedAt)}, err)
}

func (s *Server) putPayoutAccount(ctx context.Context, in *body[client.PayoutAccount]) (*body[client.PayoutAccountView], error) {
	a, err := s.Market.SetPayoutAccount(ctx, callerOf(ctx).Member, in.Body.Holder, in.Body.IBAN)
	return reply(client.PayoutAccountView{Set: true, Ending: a.Ending(), UpdatedAt: millis(a.UpdatedAt)}, err)
}

func (s *Server) pause(ctx context.Context, _ *none) (*none, error) {
	return nil, s.Consent.Pause(ctx, callerOf(ctx).Member)
}

func (s *Server) resume(ctx context.Context, _ *none) (*none, error) {
	return nil, s.Consent.Resume(ctx, callerOf(ctx).Member)
}

// seen is which decisions a member wants to see.
type seen struct {
	Cursor  string `query:"cursor" maxLength:"64" doc:"Where the page starts, from the former page's Link header"`
	Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Dataset string `query:"dataset" maxLength:"36" doc:"One of my datasets alone"`
	Outcome string `query:"outcome" enum:"allowed,refused" doc:"One outcome alone"`
}

func (s *Server) uses(ctx context.Context, in *seen) (*page[client.Use], error) {
	filter := consent.Seen{Dataset: coop.DatasetID(in.Dataset), Outcome: in.Outcome}
	decisions, next, err := s.Consent.UsesSeen(ctx, callerOf(ctx).Member, filter, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &page[client.Use]{}
	if out.Body.Items, err = s.described(ctx, decisions); err != nil || next == "" {
		return out, err
	}
	where := url.Values{"cursor": {next}, "limit": {strconv.Itoa(in.Limit)}}
	for name, value := range map[string]string{"dataset": in.Dataset, "outcome": in.Outcome} {
		if value != "" {
			where.Set(name, value)
		}
	}
	out.Body.Next, out.Link = next, "</v1/me/uses?"+where.Encode()+">; rel=\"next\""
	return out, nil
}

func (s *Server) allUses(ctx context.Context, in *paged) (*page[client.Use], error) {
	return s.uses(ctx, &seen{Cursor: in.Cursor, Limit: in.Limit})
}

// described joins decisions with who asked, and what for.
func (s *Server) described(ctx context.Context, decisions []consent.Decision) ([]client.Use, error) {
	asks := map[coop.RequestID]marketplace.Asking{}
	out := make([]client.Use, 0, len(decisions))
	for _, d := range decisions {
		a, ok := asks[d.Request]
		if !ok {
			var err error
			if a, err = s.Market.Asking(ctx, d.Request); err != nil {
				return nil, err
			}
			asks[d.Request] = a
		}
		out = append(out, terms.Use(d, a))
	}
	return out, nil
}

func (s *Server) registerTokens() {
	a := s.account
	on(s, route{http.MethodPost, "/v1/me/tokens", "Make a bearer token", members, http.StatusCreated}, a.MakeToken)
	on(s, route{http.MethodGet, "/v1/me/tokens", "My bearer tokens", members, 0}, a.ListTokens)
	on(s, route{http.MethodDelete, "/v1/me/tokens/{id}", "Revoke a bearer token", members, http.StatusNoContent}, a.DropToken)
	on(s, route{http.MethodPost, "/v1/me/sessions/end", "Sign me out of every browser", members, http.StatusNoContent}, a.EndSessions)
	on(s, route{http.MethodDelete, "/v1/me", "Close my account, for good", members, 0}, a.Close)
	on(s, route{http.MethodGet, "/v1/closings/{code}", "How far the closing of an account is, for whoever has its code", anyone, 0}, a.Find)
}
