package web

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"golang.org/x/time/rate"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/once"
	"distributed.ai/datacoop/web/waymark"
)

// Requests per second and client, and the burst above it.
const (
	perSecond = 100
	burst     = 400
)

func (s *Server) middleware() {
	limiter := middleware.RateLimiterConfig{
		Store: middleware.NewRateLimiterMemoryStoreWithConfig(middleware.RateLimiterMemoryStoreConfig{Rate: rate.Limit(perSecond), Burst: burst}),
		DenyHandler: func(c echo.Context, _ string, _ error) error {
			return writeProblem(c, plainProblem(http.StatusTooManyRequests))
		},
	}
	s.echo.Pre(meantMethod, middleware.RecoverWithConfig(middleware.RecoverConfig{DisableStackAll: true, LogErrorFunc: s.logPanic}))
	s.echo.Use(
		middleware.RateLimiterWithConfig(limiter),
		s.patient,
		securityHeaders,
		bounded,
		sameOrigin(http.NewCrossOriginProtection()),
		echo.WrapMiddleware(s.sessions.LoadAndSave),
		waymark.Note,
		s.authenticate,
		s.idempotent,
	)
}

func (s *Server) logPanic(c echo.Context, err error, stack []byte) error {
	s.Logger.Error("panic", "method", c.Request().Method, "error", err, "stack", string(stack))
	return errors.New("web: panic")
}

// contentPolicy allows nothing but what the portal itself serves.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

func securityHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if c.Request().TLS != nil || c.Request().Header.Get("X-Forwarded-Proto") == "https" {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		return next(c)
	}
}

// sameOrigin refuses what another site makes a member's browser send.
func sameOrigin(p *http.CrossOriginProtection) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if p.Check(c.Request()) != nil {
				return plainProblem(http.StatusForbidden)
			}
			return next(c)
		}
	}
}

var (
	errIdempotencyKey = fault.New(fault.Invalid, "idempotency-key-bad", "An Idempotency-Key is 8 to 128 printable characters.")
	errBodyTooLarge   = fault.New(fault.TooLarge, "body-too-large", "The body is larger than the limit.")
)

// idempotent gives POSTs that carry an Idempotency-Key to package once, which
// stores the answer in the effect's own transaction.
func (s *Server) idempotent(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		key := r.Header.Get("Idempotency-Key")
		who := callerOf(r.Context())
		if r.Method != http.MethodPost || key == "" || (who.Member == "" && who.Researcher == "") {
			return next(c)
		}
		if len(key) < 8 || len(key) > 128 || strings.ContainsFunc(key, func(r rune) bool { return r < 0x21 || r > 0x7e }) {
			return errIdempotencyKey
		}
		most := largest(c.Path())
		content, err := io.ReadAll(io.LimitReader(r.Body, most+1))
		if err != nil {
			return plainProblem(http.StatusBadRequest)
		}
		if int64(len(content)) > most {
			return errBodyTooLarge
		}
		caller := s.digest("caller", string(who.Member)+"/"+string(who.Researcher)+"/"+key)
		k := once.Key{Caller: hex.EncodeToString(caller[:]), Key: key, Body: s.digest(r.URL.Path, string(content))}
		r = r.WithContext(once.With(r.Context(), k))
		r.Body = io.NopCloser(bytes.NewReader(content))
		c.SetRequest(r)
		return next(c)
	}
}

// digest stands for what was called and by whom in the memory of repeated
// calls. It is keyed, because that memory has an order and so has the log:
// with names or bodies in it, the database alone would tell who cast which
// ballot. A caller's digest is another for each key, because the answer to one
// call may name whoever made it, and so everything else under the same digest.
func (s *Server) digest(use, content string) (sum [32]byte) {
	mac := hmac.New(sha256.New, s.Secret)
	_, _ = io.WriteString(mac, use+"\x00"+content) // a hash never fails
	mac.Sum(sum[:0])
	return sum
}

// refuse answers an error from a huma middleware.
func (s *Server) refuse(ctx huma.Context, err error) {
	p := problemOf(s.Logger, waymark.Request(ctx.Context()), err)
	for name, values := range p.GetHeaders() {
		ctx.SetHeader(name, values[0])
	}
	_ = huma.WriteErr(s.api, ctx, p.Status, p.Title, p) // the only failure is a client that is gone
}

// answerError is where every error of a plain route ends. Pages get a page,
// everything else a problem document.
func (s *Server) answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := problemOf(s.Logger, c.Request(), err)
	if wantsPage(c.Request()) && s.errorPage(c, p) == nil {
		return
	}
	_ = writeProblem(c, s.pages.said(c.Request(), p)) // the only failure is a client that is gone
}

// wantsPage reports whether a browser asks for a page of the portal.
func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html") && !strings.HasPrefix(r.URL.Path, "/v1/")
}
