package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/web/authserver"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/portal"
)

// registerPortal mounts the pages, the sign-in and the embedded issuer.
func (s *Server) registerPortal() {
	s.pages.portal = portal.New(s.pages.parsed, portal.Config{BaseURL: s.BaseURL, Charter: s.Charter, Clock: s.Clock,
		Engine: s.Engine, Consent: s.Consent, Vault: s.Vault, Governance: s.Governance, Market: s.Market, Hall: s.hall()})
	for _, r := range s.pages.portal.Routes() {
		path := echoPath.Replace(r.Path)
		s.echo.Add(r.Method, path, servePage(r))
		if r.Method == http.MethodGet {
			s.echo.Add(http.MethodHead, path, servePage(r))
		}
	}
	s.echo.GET("/login", s.signin.Start)
	s.echo.GET("/auth/callback", s.signin.Finish)
	s.echo.POST("/logout", s.signin.Leave)
	for _, path := range authserver.Paths() {
		if path == authserver.PathJoin && !s.AuthServer.BuiltIn() {
			s.echo.GET(path, s.signin.Follow)
			continue
		}
		s.echo.Any(path, echo.WrapHandler(s.AuthServer.Handler()))
	}
}

// echoPath turns a path of net/http into one of echo.
var echoPath = strings.NewReplacer("{$}", "", "{", ":", "}", "")

// servePage hands a page what echo found in its path.
func servePage(r portal.Route) echo.HandlerFunc {
	return func(c echo.Context) error {
		req := c.Request()
		for _, name := range c.ParamNames() {
			req.SetPathValue(name, c.Param(name))
		}
		return r.Serve(c.Response(), req)
	}
}

// hall is what the portal may ask of this server.
func (s *Server) hall() portal.Hall {
	return portal.Hall{
		Member: sessionCaller,
		Put:    func(ctx context.Context, note string) { s.sessions.Put(ctx, sessionFlash, note) },
		Take:   func(ctx context.Context) string { return s.sessions.PopString(ctx, sessionFlash) },
		Status: func(f *fault.Error) int { return statuses[f.Kind] },
		Tokens: s.pageTokens, MakeToken: s.pageToken, Invitation: s.invitationLink,
		EndSessions: func(ctx context.Context) error {
			_, err := s.endSessions(ctx, nil)
			return err
		},
		DropToken: func(ctx context.Context, id string) error {
			_, err := s.dropToken(ctx, &byID{id})
			return err
		},
		Issue: func(ctx context.Context, r coop.ResearcherID) (string, string, error) {
			return s.AuthServer.IssueResearcher(ctx, string(r))
		},
	}
}

// sessionCaller is the member whose session it is: pages are for people, and a
// bearer token opens none.
func sessionCaller(ctx context.Context) coop.MemberID {
	who := callerOf(ctx)
	if !who.Session {
		return ""
	}
	return who.Member
}

func pageToken(t client.Token) portal.Token {
	return portal.Token{ID: t.ID, Label: t.Label, Secret: t.Secret, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt}
}

func (s *Server) pageTokens(ctx context.Context) ([]portal.Token, error) {
	list, err := s.listTokens(ctx, nil)
	if err != nil {
		return nil, err
	}
	return each(list.Body.Items, pageToken), nil
}

func (s *Server) pageToken(ctx context.Context, label string, hours int) (portal.Token, error) {
	t, err := s.makeToken(ctx, &body[client.TokenDraft]{client.TokenDraft{Label: label, Hours: hours}})
	if err != nil {
		return portal.Token{}, err
	}
	return pageToken(t.Body), nil
}
