package fakellm

import (
	"bytes"
	"io"
	"net/http"
)

// RoundTrip answers in the same process, so that a bench can play more periods
// than a network would let it. It makes Model an http.RoundTripper.
func (m *Model) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &paper{header: http.Header{}, status: http.StatusOK}
	asked := *r
	if asked.Body == nil {
		asked.Body = http.NoBody
	}
	m.ServeHTTP(w, &asked)
	_ = asked.Body.Close() // it was read to its end
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: w.status, Header: w.header, Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len())}, nil
}

// paper is what a handler writes on where there is no connection.
type paper struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (p *paper) Header() http.Header         { return p.header }
func (p *paper) WriteHeader(status int)      { p.status = status }
func (p *paper) Write(b []byte) (int, error) { return p.body.Write(b) }
