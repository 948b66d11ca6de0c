package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/web/authserver"
	"distributed.ai/datacoop/web/portal"
)

// registerPortal mounts the pages, the sign-in and the embedded issuer.
func (s *Server) registerPortal() {
	s.pages.portal = portal.New(s.pages.parsed, portal.Config{BaseURL: s.BaseURL, Charter: s.Charter, Clock: s.Clock,
		Engine: s.Engine, Consent: s.Consent, Vault: s.Vault, Governance: s.Governance, Market: s.Market, Hall: s.hall(),
		Health: portal.Health{DB: s.DB, Log: s.Log, Jobs: s.Jobs, Vault: s.Vault, Engine: s.Engine, Clock: s.Clock, Backup: s.Backup}, Pages: slices.Concat(s.account.Pages(), s.results().Pages(), s.messages().Pages(), s.console().Pages(), s.lessons().Pages(), s.share().Pages(), s.bereavement.Pages())})
	for _, r := range s.pages.portal.Routes() {
		path := echoPath.Replace(r.Path)
		s.echo.Add(r.Method, path, servePage(r))
		if r.Method == http.MethodGet {
			s.echo.Add(http.MethodHead, path, servePage(r))
		}
	}
	s.account.Mount(s.echo)
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
	return s.account.Hall(portal.Hall{
		Member:     sessionCaller,
		Unread:     s.inbox.Unread,
		Put:        func(ctx context.Context, note string) { s.sessions.Put(ctx, sessionFlash, note) },
		Take:       func(ctx context.Context) string { return s.sessions.PopString(ctx, sessionFlash) },
		Status:     func(f *fault.Error) int { return statuses[f.Kind] },
		Invitation: s.invitationLink,
		Issue: func(ctx context.Context, r coop.ResearcherID) (string, string, error) {
			return s.AuthServer.IssueResearcher(ctx, string(r))
		},
	})
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
