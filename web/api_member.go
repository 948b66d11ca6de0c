package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/web/client"
)

func (s *Server) registerMember() {
	on(s, route{http.MethodGet, "/v1/me", "My membership", members, 0}, s.me)
	on(s, route{http.MethodPut, "/v1/me/recipient", "Register my public age recipient", members, http.StatusNoContent}, s.putRecipient)
	on(s, route{http.MethodPut, "/v1/me/signing-key", "Register the public key my manifests are signed with", members, http.StatusNoContent}, s.putSigningKey)
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

func (s *Server) putRecipient(ctx context.Context, in *body[client.RecipientBody]) (*none, error) {
	return nil, s.Governance.SetRecipient(ctx, callerOf(ctx).Member, in.Body.Recipient)
}

var errSigningKey = fault.New(fault.Invalid, "bad-signing-key", "An Ed25519 public key is 32 bytes in standard base64.")

func (s *Server) putSigningKey(ctx context.Context, in *body[client.SigningKeyBody]) (*none, error) {
	key, err := base64.StdEncoding.DecodeString(in.Body.PublicKey)
	if err != nil {
		return nil, errSigningKey
	}
	return nil, s.Governance.SetSigningKey(ctx, callerOf(ctx).Member, key)
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

func (s *Server) uses(ctx context.Context, in *paged) (*page[client.Use], error) {
	uses, err := s.memberUses(ctx, callerOf(ctx).Member, in.Cursor, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return newPage("/v1/me/uses", *in, uses, func(u client.Use) string { return u.ID }), nil
}

// memberUses joins decisions with what the researcher said they are for.
func (s *Server) memberUses(ctx context.Context, m coop.MemberID, before string, limit int) ([]client.Use, error) {
	decisions, err := s.Consent.Uses(ctx, m, before, limit)
	if err != nil {
		return nil, err
	}
	asks := map[coop.RequestID][2]string{}
	out := make([]client.Use, 0, len(decisions))
	for _, d := range decisions {
		ask, ok := asks[d.Request]
		if !ok {
			title, name, err := s.Market.Purpose(ctx, d.Request)
			if err != nil {
				return nil, err
			}
			ask = [2]string{title, name}
			asks[d.Request] = ask
		}
		out = append(out, wireUse(d, ask[0], ask[1]))
	}
	return out, nil
}

func (s *Server) registerTokens() {
	on(s, route{http.MethodPost, "/v1/me/tokens", "Make a bearer token", members, http.StatusCreated}, s.makeToken)
	on(s, route{http.MethodGet, "/v1/me/tokens", "My bearer tokens", members, 0}, s.listTokens)
	on(s, route{http.MethodDelete, "/v1/me/tokens/{id}", "Revoke a bearer token", members, http.StatusNoContent}, s.dropToken)
}

// tokenOf makes a token; only its hash is kept.
func (s *Server) makeToken(ctx context.Context, in *body[client.TokenDraft]) (*body[client.Token], error) {
	secret := tokenPrefix + rand.Text() + rand.Text()
	now := time.Now().UTC().Truncate(time.Millisecond)
	ends := now.Add(time.Duration(in.Body.Hours) * time.Hour)
	tok := token{coop.NewID(), in.Body.Label, now.UnixMilli(), ends.UnixMilli()}
	if err := s.tokens.insert(ctx, callerOf(ctx).Member, tok, sha256.Sum256([]byte(secret))); err != nil {
		return nil, err
	}
	out := wireToken(tok)
	out.Secret = secret
	return reply(out, nil)
}

func (s *Server) listTokens(ctx context.Context, _ *none) (*body[client.Page[client.Token]], error) {
	tokens, err := s.tokens.list(ctx, callerOf(ctx).Member)
	return reply(client.Page[client.Token]{Items: each(tokens, wireToken)}, err)
}

func (s *Server) dropToken(ctx context.Context, in *byID) (*none, error) {
	return nil, s.tokens.drop(ctx, callerOf(ctx).Member, in.ID)
}
