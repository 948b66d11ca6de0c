package web

import (
	"io/fs"
	"strings"

	"github.com/labstack/echo/v4"

	"distributed.ai/datacoop/internal/language"
	"distributed.ai/datacoop/web/portal"
)

// pages is the portal: its templates from the start, its routes once the
// server is there to serve them.
type pages struct {
	parsed *portal.Pages
	portal *portal.Portal
}

func parsePages(languages fs.FS) (*pages, error) {
	spoken, err := language.Spoken(languages)
	if err != nil {
		return nil, err
	}
	parsed, err := portal.Parse(spoken)
	return &pages{parsed: parsed}, err
}

// errorPage answers a problem to somebody who reads pages.
func (s *Server) errorPage(c echo.Context, p *problem) error {
	for name, values := range p.GetHeaders() {
		c.Response().Header()[name] = values
	}
	code := strings.TrimPrefix(p.Type, problemType)
	return s.pages.portal.Trouble(c.Response(), c.Request(), p.Status, code, p.Title, p.Detail)
}
