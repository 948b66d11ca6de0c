package web

import (
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	patience  = 30 * time.Second // how long a body may stay silent
	wholeBody = time.Minute      // how long a body that is not an upload may take
)

// patient gives every body a rolling read deadline: a slow but living
// connection goes on, a silent one is dropped. The deadline ends with the
// body, because net/http cancels a request whose connection times out, however
// long its handler still has to work.
func patient(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if r.Body == nil || r.Body == http.NoBody {
			return next(c)
		}
		body := &patientBody{ReadCloser: r.Body, control: http.NewResponseController(c.Response())}
		if !strings.HasPrefix(r.URL.Path, "/v1/uploads/") {
			body.until = time.Now().Add(wholeBody)
		}
		r.Body = body
		defer body.finish()
		return next(c)
	}
}

// patientBody moves the read deadline on with every read.
type patientBody struct {
	io.ReadCloser
	control *http.ResponseController
	until   time.Time // when patience ends altogether; zero for never
}

// Read reads under a fresh deadline.
func (p *patientBody) Read(b []byte) (int, error) {
	deadline := time.Now().Add(patience)
	if !p.until.IsZero() && p.until.Before(deadline) {
		deadline = p.until
	}
	_ = p.control.SetReadDeadline(deadline) // not every connection has deadlines
	n, err := p.ReadCloser.Read(b)
	if err != nil {
		p.rest()
	}
	return n, err
}

// Close does nothing: net/http closes a body itself, and one that is closed
// early cannot be drained.
func (p *patientBody) Close() error { return nil }

// mostDrained is how much of a refused body is still taken, so that its sender
// gets to read the refusal instead of a broken connection.
const mostDrained = 16 << 20

func (p *patientBody) finish() {
	_, _ = io.CopyN(io.Discard, p, mostDrained) // whatever ends it, the answer is written
	p.rest()
}

func (p *patientBody) rest() { _ = p.control.SetReadDeadline(time.Time{}) }
