// Package waymark keeps where in the hall a request has come to.
//
// # What it guarantees
//
// A place is the pattern of a route, such as /v1/datasets/:id, and never an
// address: what is kept here may stand in a log or a figure.
//
// # What it refuses
//
// To know who asked.
package waymark

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"
)

type place struct{ method, path string }

type (
	placeKey   struct{}
	watcherKey struct{}
)

// Note is a middleware that keeps the route's pattern in the request's context.
func Note(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if seen, ok := r.Context().Value(watcherKey{}).(*string); ok {
			*seen = c.Path()
		}
		c.SetRequest(r.WithContext(context.WithValue(r.Context(), placeKey{}, place{r.Method, c.Path()})))
		return next(c)
	}
}

// Of answers the pattern of the route that serves r, "" before that is known.
func Of(r *http.Request) string {
	p, _ := r.Context().Value(placeKey{}).(place)
	return p.path
}

// Request rebuilds enough of a request for a line in the log.
func Request(ctx context.Context) *http.Request {
	p, _ := ctx.Value(placeKey{}).(place)
	return (&http.Request{Method: p.method}).WithContext(ctx)
}

// Watch answers a context for a request and where its route's pattern stands
// once it was answered; "" where no route was reached.
func Watch(ctx context.Context) (context.Context, *string) {
	seen := new(string)
	return context.WithValue(ctx, watcherKey{}, seen), seen
}
