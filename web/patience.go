package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"distributed.ai/datacoop/web/patience"
)

// usualPatience is how long a body or an answer may stand still.
const usualPatience = 30 * time.Second

// patient gives bodies and answers deadlines that move on with them. A body
// that is not a part of an upload has twice the patience altogether.
func (s *Server) patient(next echo.HandlerFunc) echo.HandlerFunc {
	late, broken := plainProblem(http.StatusRequestTimeout), plainProblem(http.StatusBadRequest)
	return func(c echo.Context) error {
		r, answer := c.Request(), patience.NewAnswer(c.Response().Writer, s.Patience)
		c.Response().Writer = answer
		defer answer.Finish()
		if r.Body == nil || r.Body == http.NoBody {
			return next(c)
		}
		limits := patience.Limits{Each: s.Patience, All: 2 * s.Patience, Late: late, Broken: broken}
		if strings.HasPrefix(r.URL.Path, pathUploads+"/") {
			limits.All = 0
		}
		body := patience.NewBody(r.Body, answer, limits)
		r.Body = body
		defer body.Finish()
		return next(c)
	}
}

// mostDownloads is how many files one caller may be reading at the same
// moment: as many as the client opens connections.
const mostDownloads = 32

var errDownloads = newProblem(http.StatusTooManyRequests, "downloads-too-many", "You are downloading too many files at this moment; go on when one is done.")

// oneOfFew keeps a caller from holding more connections with downloads than
// their part.
func (s *Server) oneOfFew(ctx huma.Context, next func(huma.Context)) {
	leave, ok := s.downloads.Enter(callerOf(ctx.Context()), mostDownloads)
	if !ok {
		s.refuse(ctx, errDownloads)
		return
	}
	defer leave()
	next(ctx)
}
