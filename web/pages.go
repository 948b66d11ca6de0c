package web

import (
	"io/fs"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"distributed.ai/datacoop/internal/language"
	"distributed.ai/datacoop/web/portal"
)

// pages is the portal: its templates from the start, its routes once the
// server is there to serve them.
type pages struct {
	languages *language.Set
	parsed    *portal.Pages
	portal    *portal.Portal
}

func parsePages(languages fs.FS) (*pages, error) {
	spoken, err := language.Spoken(languages)
	if err != nil {
		return nil, err
	}
	parsed, err := portal.Parse(spoken)
	return &pages{languages: spoken, parsed: parsed}, err
}

// said is a problem in the language of who reads it, and in English where they
// ask for none: RFC 9457 lets the sentences of a problem differ by language.
func (p *pages) said(r *http.Request, no *problem) *problem {
	c := p.languages.Of(r)
	if c == nil {
		return no
	}
	out := *no
	out.Title, out.Detail = c.Say(no.Title), c.Say(no.Detail)
	if len(no.details) > 0 {
		out.Detail = strings.Join(c.SayEach(no.details), " ")
	}
	return &out
}

// inWords has huma say its problems too.
func (s *Server) inWords(ctx huma.Context, _ string, v any) (any, error) {
	if no, ok := v.(*problem); ok {
		return s.pages.said(humaecho.Unwrap(ctx).Request(), no), nil
	}
	return v, nil
}

// errorPage answers a problem to somebody who reads pages.
func (s *Server) errorPage(c echo.Context, p *problem) error {
	for name, values := range p.GetHeaders() {
		c.Response().Header()[name] = values
	}
	code := strings.TrimPrefix(p.Type, problemType)
	return s.pages.portal.Trouble(c.Response(), c.Request(), p.Status, code, p.Title, p.Detail)
}
