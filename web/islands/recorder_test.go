package islands_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// recorder is the only way out of the browser: an HTTP proxy that keeps all
// that is sent, and can lose connections or hold them up.
type recorder struct {
	proxied *httptest.Server // the proxy
	control *httptest.Server // for the script that drives the browser
	home    string           // host of the co-op

	mu       sync.Mutex
	sent     bytes.Buffer // addresses, headers and bodies, one after the other
	strange  []string     // hosts that are not the co-op
	uploaded int64        // bytes of PATCH bodies that left the browser
	patches  int          // chunks begun
	plan     map[int]trouble
	stalled  chan struct{} // closed to let go; nil while nothing is held up
}

// trouble is what happens to a chunk.
type trouble struct {
	cutAfter int64 // bytes that get through before the connection breaks; 0: none is cut
	stall    bool
}

func record(t *testing.T, home string) *recorder {
	t.Helper()
	u, err := url.Parse(home)
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{home: u.Host, plan: map[int]trouble{}}
	r.proxied = httptest.NewServer(http.HandlerFunc(r.proxy))
	r.control = httptest.NewServer(http.HandlerFunc(r.steer))
	t.Cleanup(r.proxied.Close)
	t.Cleanup(r.control.Close)
	t.Cleanup(r.release)
	return r
}

// hold makes trouble for the n-th chunk from now on, counted from 1.
func (r *recorder) hold(n int, what trouble) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plan[r.patches+n] = what
}

func (r *recorder) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stalled != nil {
		close(r.stalled)
		r.stalled = nil
	}
}

func (r *recorder) steer(w http.ResponseWriter, req *http.Request) {
	if req.URL.Path == "/release" {
		r.release()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stalled != nil {
		_, _ = io.WriteString(w, "yes")
	}
}

// bytesUploaded is how much of ciphertext left the browser so far.
func (r *recorder) bytesUploaded() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.uploaded
}

func (r *recorder) proxy(w http.ResponseWriter, req *http.Request) {
	if req.Method == http.MethodConnect || req.URL.Host != r.home {
		r.mu.Lock()
		r.strange = append(r.strange, req.Host)
		r.mu.Unlock()
		http.Error(w, "nowhere", http.StatusBadGateway)
		return
	}
	patch := req.Method == http.MethodPatch
	r.mu.Lock()
	var what trouble
	if patch {
		r.patches++
		what = r.plan[r.patches]
	}
	_ = req.Header.Write(&r.sent)
	query, _ := url.QueryUnescape(req.URL.RawQuery)
	r.sent.WriteString(req.Method + " " + req.URL.String() + " " + req.URL.Path + " " + query + "\n")
	if what.stall {
		r.stalled = make(chan struct{})
	}
	held := r.stalled
	r.mu.Unlock()
	if what.stall {
		select {
		case <-held:
		case <-req.Context().Done():
			return
		}
	}
	r.forward(w, req, what)
}

var errCut = errors.New("the line was cut")

// tap keeps what passes and breaks where it is told to.
type tap struct {
	io.ReadCloser
	r     *recorder
	patch bool
	left  int64 // negative: endless
}

func (t *tap) Read(p []byte) (int, error) {
	if t.left == 0 {
		return 0, errCut
	}
	if t.left > 0 {
		p = p[:min(int64(len(p)), t.left)]
	}
	n, err := t.ReadCloser.Read(p)
	if t.left > 0 {
		t.left -= int64(n)
	}
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	t.r.sent.Write(p[:n])
	if t.patch {
		t.r.uploaded += int64(n)
	}
	return n, err
}

func (r *recorder) forward(w http.ResponseWriter, req *http.Request, what trouble) {
	out := req.Clone(req.Context())
	out.RequestURI = ""
	out.Header.Del("Proxy-Connection")
	left := int64(-1)
	if what.cutAfter > 0 {
		left = what.cutAfter
	}
	if req.Body != nil && req.ContentLength != 0 {
		out.Body = &tap{req.Body, r, req.Method == http.MethodPatch, left}
	}
	answer, err := passage.RoundTrip(out)
	if err != nil || what.cutAfter > 0 {
		hangUp(w)
		return
	}
	defer answer.Body.Close()
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body)
}

var passage = &http.Transport{DisableCompression: true, DialContext: (&net.Dialer{}).DialContext}

// hangUp ends the connection without an answer.
func hangUp(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}

// leaked lists the words that were sent.
func (r *recorder) leaked(words []string) (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := r.sent.String()
	for _, w := range words {
		if strings.Contains(text, w) {
			out = append(out, w)
		}
	}
	return out
}
