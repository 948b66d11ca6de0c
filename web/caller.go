package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/web/entry"
	"distributed.ai/datacoop/web/stepup"
)

// caller is who makes a request: a member, a researcher, or nobody known.
type caller struct {
	Member     coop.MemberID
	Researcher coop.ResearcherID
	Session    bool // known by cookie, not by bearer token
	Act        bool // known by a bearer token that may do everything
}

type callerKey struct{}

// callerOf finds who makes the request of ctx.
func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// authenticate finds out who calls before any route runs. A bearer token that
// is not good is refused at once, even where no sign-in is needed: a client
// that believes itself known should learn that it is not.
func (s *Server) authenticate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		who, err := s.identify(r)
		if err != nil {
			return err
		}
		c.SetRequest(r.WithContext(context.WithValue(r.Context(), callerKey{}, who)))
		return next(c)
	}
}

func (s *Server) identify(r *http.Request) (caller, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		token, ok := strings.CutPrefix(header, "Bearer ")
		if !ok {
			if strings.HasPrefix(r.URL.Path, "/oauth/") {
				return caller{}, nil // client credentials, for the authorization server to judge
			}
			return caller{}, entry.ErrToken
		}
		return s.bearer(r.Context(), strings.TrimSpace(token))
	}
	if id := s.sessions.GetString(r.Context(), entry.Member); id != "" {
		return caller{Member: coop.MemberID(id), Session: true}, nil
	}
	return caller{}, nil
}

// bearer resolves a member's or a researcher's token. A fault of ours is not
// an invalid token: it answers 503, so that nobody throws a good token away.
func (s *Server) bearer(ctx context.Context, token string) (caller, error) {
	if entry.IsToken(token) {
		id, scope, err := s.tokens.Member(ctx, token)
		if err != nil {
			return caller{}, tokenError(err)
		}
		return caller{Member: id, Act: scope == entry.Act}, nil
	}
	grant, err := s.AuthServer.Introspect(ctx, token)
	if err != nil {
		return caller{}, tokenError(err)
	}
	return caller{Researcher: coop.ResearcherID(grant.ResearcherID)}, nil
}

func tokenError(err error) error {
	if fault.KindOf(err) == fault.Unauthenticated {
		return entry.ErrToken
	}
	return fmt503(err)
}

// fmt503 keeps the cause for the log's sake and tells the caller to try again.
func fmt503(err error) error {
	return errors.Join(fault.New(fault.Unavailable, "try-again", "We cannot check who you are just now; try again."), err)
}

// audience says whom an operation is for.
type audience int

const (
	anyone audience = iota
	members
	researchers
)

var (
	errSignIn     = fault.New(fault.Unauthenticated, "sign-in-needed", "Sign in first, or send a valid token.")
	errMembers    = fault.New(fault.Forbidden, "members-only", "This is for members of the co-op.")
	errResearcher = fault.New(fault.Forbidden, "researchers-only", "This is for vetted researchers.")
)

// admits refuses callers an operation is not for.
func (a audience) admits(c caller) error {
	nobody := c.Member == "" && c.Researcher == ""
	switch {
	case a == anyone:
		return nil
	case nobody:
		return errSignIn
	case a == members && c.Member == "":
		return errMembers
	case a == researchers && c.Researcher == "":
		return errResearcher
	}
	return nil
}

// guard runs before huma reads the input, so that a stranger learns nothing
// from validation.
func (s *Server) guard(a audience) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if err := a.admits(callerOf(ctx.Context())); err != nil {
			s.refuse(ctx, err)
			return
		}
		next(ctx)
	}
}

// sure refuses who lacks a proof: of a session one of the last minutes, of a
// bearer token that it was made to act.
func (s *Server) sure(ctx context.Context, class stepup.Class) error {
	who := callerOf(ctx)
	switch {
	case who.Session && !s.proofs.Fresh(ctx, class):
		return stepup.ErrNeeded
	case !who.Session && !who.Act:
		return stepup.ErrScope
	}
	return nil
}

// confirmed stands before what always needs a proof.
func (s *Server) confirmed(class stepup.Class) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if err := s.sure(ctx.Context(), class); err != nil {
			s.refuse(ctx, err)
			return
		}
		next(ctx)
	}
}
