package web

import (
	"context"
	"net/http"
	"net/url"

	"distributed.ai/datacoop/web/authserver"
	"distributed.ai/datacoop/web/client"
)

func (s *Server) registerInvitations() {
	on(s, route{http.MethodPost, "/v1/invitations", "Make an invitation, good once and for 14 days", members, http.StatusCreated}, s.invite)
}

func (s *Server) invite(ctx context.Context, _ *none) (*body[client.Invitation], error) {
	i, err := s.Governance.Invite(ctx, callerOf(ctx).Member)
	return reply(client.Invitation{Code: i.Code, Link: s.invitationLink(i.Code), ExpiresAt: millis(i.ExpiresAt)}, err)
}

// invitationLink is what somebody who was invited opens.
func (s *Server) invitationLink(code string) string {
	return s.BaseURL + authserver.PathJoin + "?invitation=" + url.QueryEscape(code)
}
