package signin

import (
	"bytes"
	"io"
	"net/http"
)

// inside answers calls to the co-op's own issuer within the process. A server
// behind a proxy, or with a name that only others resolve, may be unable to
// reach itself.
type inside struct{ issuer http.Handler }

// Inside answers requests with a handler within the process.
func Inside(issuer http.Handler) http.RoundTripper { return inside{issuer} }

// RoundTrip lets the issuer answer a request.
func (i inside) RoundTrip(r *http.Request) (*http.Response, error) {
	asked := r.Clone(r.Context())
	asked.Host, asked.RequestURI, asked.RemoteAddr = r.URL.Host, r.URL.RequestURI(), "127.0.0.1:0"
	if asked.Body == nil {
		asked.Body = http.NoBody
	}
	defer asked.Body.Close()
	a := &heard{header: http.Header{}, status: http.StatusOK}
	i.issuer.ServeHTTP(a, asked)
	return &http.Response{
		StatusCode: a.status, Status: http.StatusText(a.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()), Request: r,
	}, nil
}

// heard is an answer in memory.
type heard struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *heard) Header() http.Header               { return h.header }
func (h *heard) WriteHeader(status int)            { h.status = status }
func (h *heard) Write(content []byte) (int, error) { return h.body.Write(content) }
