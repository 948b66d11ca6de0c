package rest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type answer struct {
	Word string `json:"word"`
}

// serve starts a server and connects to it with short pauses.
func serve(t *testing.T, config Config, handler http.HandlerFunc) *Conn {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return connect(t, server.URL, config)
}

func connect(t *testing.T, base string, config Config) *Conn {
	t.Helper()
	if config.Pause == 0 {
		config.Pause = time.Millisecond
	}
	c, err := New(base, config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPlainHTTPIsRefusedBeyondThisMachine(t *testing.T) {
	for _, base := range []string{"http://coop.example", "http://10.0.0.7:8080", "ftp://localhost", "coop.example", "", "https://", "https://me:secret@coop.example", "https://coop.example/?a=b", "://"} {
		_, err := New(base, Config{})
		if err == nil {
			t.Errorf("New(%q) was accepted", base)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the refusal of %q repeats a credential", base)
		}
	}
	for _, base := range []string{"https://coop.example", "http://localhost:8080/", "http://127.0.0.1:1", "http://[::1]:1", "https://coop.example/under"} {
		if _, err := New(base, Config{}); err != nil {
			t.Errorf("New(%q): %v", base, err)
		}
	}
}

func TestAnIDNeverBecomesAnotherPath(t *testing.T) {
	c := connect(t, "https://coop.example/under/", Config{})
	u, err := c.At("v1", "pools", "a/../../b?c#d")
	if err != nil || u.String() != "https://coop.example/under/v1/pools/a%2F..%2F..%2Fb%3Fc%23d" {
		t.Errorf("got %v, %v", u, err)
	}
	for _, id := range []string{"", ".", ".."} {
		if _, err := c.At("v1", "pools", id); err == nil {
			t.Errorf("%q passes for an id", id)
		}
	}
}

func TestRedirectElsewhereDoesNotLeakTheToken(t *testing.T) {
	var leaked atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		leaked.Add(1)
	}))
	defer elsewhere.Close()
	c := serve(t, Config{Token: "secret"}, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+"/v1/me", http.StatusTemporaryRedirect)
	})
	if _, err := Get[answer](t.Context(), c, "v1", "me"); !errors.Is(err, errElsewhere) {
		t.Errorf("read: %v", err)
	}
	if _, err := Post[answer](t.Context(), c, nil, "v1", "datasets"); !errors.Is(err, errElsewhere) {
		t.Errorf("write: %v", err)
	}
	if n := leaked.Load(); n != 0 {
		t.Errorf("the other server was called %d times", n)
	}
}

func TestRedirectWithinTheServerIsFollowedForReadsOnly(t *testing.T) {
	c := serve(t, Config{Token: "secret"}, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/v1/old":
			http.Redirect(w, r, "/v1/new", http.StatusTemporaryRedirect)
		case r.URL.Path == "/v1/round":
			http.Redirect(w, r, "/v1/round", http.StatusFound)
		default:
			io.WriteString(w, `{"word":"`+r.Header.Get("Authorization")+`"}`)
		}
	})
	if got, err := Get[answer](t.Context(), c, "v1", "old"); err != nil || got.Word != "Bearer secret" {
		t.Errorf("read: %v, %v", got, err)
	}
	if _, err := Post[answer](t.Context(), c, nil, "v1", "old"); !errors.Is(err, errMoved) {
		t.Errorf("write: %v", err)
	}
	if _, err := Get[answer](t.Context(), c, "v1", "round"); !errors.Is(err, errCircles) {
		t.Errorf("circle: %v", err)
	}
}

func TestIdempotencyKeyIsKeptOverRetriesAndNewForEveryCall(t *testing.T) {
	var mu sync.Mutex
	var keys, bodies []string
	c := serve(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		keys, bodies = append(keys, r.Header.Get("Idempotency-Key")), append(bodies, string(body))
		n := len(keys)
		mu.Unlock()
		switch n {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			panic(http.ErrAbortHandler) // the connection is lost
		case 3: // the answer is lost half-way
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"word":`)
		default:
			io.WriteString(w, `{"word":"done"}`)
		}
	})
	for range 2 {
		if got, err := Post[answer](t.Context(), c, answer{"in"}, "v1", "datasets"); err != nil || got.Word != "done" {
			t.Fatalf("got %v, %v", got, err)
		}
	}
	if len(keys) != 5 || len(keys[0]) < 20 {
		t.Fatalf("calls with keys %q", keys)
	}
	for i := range 4 {
		if keys[i] != keys[0] || bodies[i] != `{"word":"in"}` {
			t.Errorf("attempt %d: key %q, body %s", i+1, keys[i], bodies[i])
		}
	}
	if keys[4] == keys[0] {
		t.Error("two calls share a key")
	}
}

func TestRefusalsAreNotRepeated(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 409, 410, 413, 422, 500, 501} {
		var calls atomic.Int64
		c := serve(t, Config{Token: "secret"}, func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			w.WriteHeader(status)
		})
		if _, err := Get[answer](t.Context(), c, "v1", "me"); !IsStatus(err, status) || calls.Load() != 1 {
			t.Errorf("%d: %d calls, %v", status, calls.Load(), err)
		}
	}
}

func TestBusyServerIsGivenUpAfterFiveAttempts(t *testing.T) {
	for _, status := range []int{429, 502, 503, 504} {
		var calls atomic.Int64
		c := serve(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			w.WriteHeader(status)
		})
		if _, err := Get[answer](t.Context(), c, "v1", "me"); !IsStatus(err, status) || calls.Load() != Attempts {
			t.Errorf("%d: %d calls, %v", status, calls.Load(), err)
		}
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	var calls atomic.Int64
	c := serve(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		io.WriteString(w, `{"word":"done"}`)
	})
	start := time.Now()
	if _, err := Get[answer](t.Context(), c, "v1", "me"); err != nil || time.Since(start) < time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
}

func TestServerThatAsksForHoursIsReportedAtOnce(t *testing.T) {
	var calls atomic.Int64
	c := serve(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		w.Header().Set("Retry-After", "7200")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	_, err := Get[answer](t.Context(), c, "v1", "me")
	var p *ProblemError
	if !errors.As(err, &p) || p.RetryAfter != 2*time.Hour || calls.Load() != 1 {
		t.Errorf("%d calls, %v", calls.Load(), err)
	}
}

func TestStandstillIsGivenUpButSlowIsNot(t *testing.T) {
	release := make(chan struct{})
	c := serve(t, Config{Standstill: 150 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/dead" {
			<-release
			return
		}
		for _, b := range []byte(`{"word":"slow"}`) {
			w.Write([]byte{b})
			w.(http.Flusher).Flush()
			time.Sleep(20 * time.Millisecond)
		}
	})
	defer close(release)
	if got, err := Get[answer](t.Context(), c, "v1", "slow"); err != nil || got.Word != "slow" {
		t.Errorf("slow: %v, %v", got, err)
	}
	var lost *UnreachableError
	if _, err := Get[answer](t.Context(), c, "v1", "dead"); !errors.As(err, &lost) || !errors.Is(err, errStandstill) {
		t.Errorf("dead: %v", err)
	}
}

func TestCallerWhoGivesUpIsNotKeptWaiting(t *testing.T) {
	c := serve(t, Config{Pause: time.Hour}, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Get[answer](ctx, c, "v1", "me"); !IsStatus(err, 503) { // an hour is longer than the longest pause
		t.Errorf("long pause: %v", err)
	}
	c.firstPause = 30 * time.Second
	if _, err := Get[answer](ctx, c, "v1", "me"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("deadline: %v", err)
	}
}

func TestUnreachableServerIsSaidInASentence(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	c := connect(t, server.URL, Config{Token: "secret"})
	server.Close()
	_, err := Get[answer](t.Context(), c, "v1", "me")
	var lost *UnreachableError
	if !errors.As(err, &lost) || !strings.Contains(err.Error(), "cannot be reached") || strings.Contains(err.Error(), "/v1/me") {
		t.Errorf("got %v", err)
	}
}

func TestUnknownCertificateIsNotTriedAgain(t *testing.T) {
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.StartTLS()
	defer server.Close()
	c := connect(t, server.URL, Config{Token: "secret"})
	var lost *UnreachableError
	if _, err := Get[answer](t.Context(), c, "v1", "me"); !errors.As(err, &lost) || connections.Load() != 1 {
		t.Errorf("%d connections, %v", connections.Load(), err)
	}
}

func TestAnswerThatIsNotJSONIsAnError(t *testing.T) {
	c := serve(t, Config{}, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>") })
	if _, err := Get[answer](t.Context(), c, "v1", "me"); err == nil || !strings.Contains(err.Error(), "not what its API promises") {
		t.Errorf("got %v", err)
	}
}
