package web

import (
	"context"
	"net/http"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/web/sealed"
	"distributed.ai/datacoop/web/stepup"
)

func (s *Server) sealed() sealed.API {
	return sealed.API{DB: s.DB, Member: func(ctx context.Context) coop.MemberID { return callerOf(ctx).Member },
		Recipient: func(ctx context.Context, id coop.MemberID) (string, error) {
			m, err := s.Governance.Member(ctx, id)
			return m.Recipient, err
		},
		Sure: func(ctx context.Context) error { return s.sure(ctx, stepup.Key) }}
}

func (s *Server) registerSealed() {
	on(s, route{http.MethodGet, "/v1/me/sealed-identity", "My age identity, sealed so that only I can open it", members, 0}, s.sealed().Get)
	on(s, route{http.MethodPut, "/v1/me/sealed-identity", "Store my sealed identity in place of the one I have read; to take a lock away needs a proof that it is me", members, http.StatusNoContent}, s.sealed().Put)
}
