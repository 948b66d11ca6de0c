package authserver

import (
	"context"
	"errors"
	"time"

	"github.com/ory/fosite"
)

// The library's interfaces ask for storage of grants that this server does not
// offer. What would create such a thing fails; what looks for one finds none.

var errNotOffered = errors.New("not offered by this server")

func (s *store) CreateRefreshTokenSession(context.Context, string, string, fosite.Requester) error {
	return &failure{"store refresh token", errNotOffered}
}

func (s *store) GetRefreshTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, fosite.ErrNotFound
}

func (s *store) DeleteRefreshTokenSession(context.Context, string) error { return nil }

func (s *store) RotateRefreshToken(context.Context, string, string) error {
	return &failure{"rotate refresh token", errNotOffered}
}

func (s *store) RevokeRefreshToken(context.Context, string) error { return nil }

func (s *store) ClientAssertionJWTValid(context.Context, string) error { return fosite.ErrJTIKnown }

func (s *store) SetClientAssertionJWT(context.Context, string, time.Time) error {
	return fosite.ErrJTIKnown
}
