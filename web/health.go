package web

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"distributed.ai/datacoop/internal/db"
)

func (s *Server) registerHealth() {
	s.echo.GET("/livez", func(c echo.Context) error { return c.JSON(http.StatusOK, map[string]bool{"live": true}) })
	s.echo.GET("/readyz", s.readyz)
	s.echo.GET("/docs", func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, "/researchers") })
}

// readiness says what works. A sealed vault and a missing policy are states an
// operator chose or must see, so they are named; only a server that can do
// nothing at all is not ready.
type readiness struct {
	Ready    bool   `json:"ready"`
	Database string `json:"database"`
	Vault    string `json:"vault"`
	Policy   string `json:"policy"`
}

func (s *Server) readyz(c echo.Context) error {
	out := readiness{Ready: true, Database: "ok", Vault: "unsealed", Policy: "in force"}
	if s.Vault.Locked() {
		out.Vault = "sealed: uploads wait and nothing is delivered"
	}
	if s.Engine.Current() == nil {
		out.Policy = "none: every access is refused"
	}
	if err := s.probe(c.Request().Context()); err != nil {
		s.Logger.ErrorContext(c.Request().Context(), "not ready", "error", err)
		out.Ready, out.Database = false, "unavailable"
		return c.JSON(http.StatusServiceUnavailable, out)
	}
	return c.JSON(http.StatusOK, out)
}

func (s *Server) probe(ctx context.Context) error {
	if err := s.DB.Err(); err != nil {
		return err
	}
	return s.DB.View(ctx, func(*db.Tx) error { return nil })
}

// tile serves one tile of the transparency log (C2SP tlog-tiles).
func (s *Server) tile(c echo.Context) error {
	data, err := s.Log.Tile(c.Request().Context(), "tile/"+c.Param("*"))
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, echo.MIMEOctetStream, data)
}
