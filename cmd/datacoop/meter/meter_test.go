package meter

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/jobs"
)

// seenRoute stands in for the hall: it notes the pattern of a route.
type seenRoute struct{}

func house() *Meter {
	return New(Config{Sealed: func() bool { return true },
		Backlog: func(context.Context) (jobs.Backlog, error) { return jobs.Backlog{Due: 3, Retried: 1}, nil },
		Watch: func(ctx context.Context) (context.Context, *string) {
			at := new(string)
			return context.WithValue(ctx, seenRoute{}, at), at
		}})
}

func figures(t *testing.T, m *Meter) string {
	t.Helper()
	l, err := Choose("localhost:0", slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- m.Serve(l) }()
	resp, err := http.Get("http://" + l.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, l.Close(), <-ended); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
	return string(text)
}

func TestFiguresNameRoutesAndNoAddresses(t *testing.T) {
	m := house()
	h := m.Count(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if at := r.Context().Value(seenRoute{}).(*string); r.URL.Path != "/nowhere/secret" {
			*at = "/v1/datasets/:id"
		}
		w.WriteHeader(http.StatusNotFound)
		_ = http.NewResponseController(w).Flush() // refused where the wrapper hides the connection
	}))
	for _, call := range []struct{ method, path string }{{"GET", "/v1/datasets/secret"}, {"GET", "/v1/datasets/other"}, {"BREW", "/v1/datasets/secret"}, {"GET", "/nowhere/secret"}} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(call.method, call.path, nil))
		if w.Code != http.StatusNotFound || !w.Flushed {
			t.Errorf("%s %s was answered %d, flushed %v", call.method, call.path, w.Code, w.Flushed)
		}
	}
	text := figures(t, m)
	for _, line := range []string{
		`datacoop_http_requests_total{code="404",method="GET",route="/v1/datasets/:id"} 2`,
		`datacoop_http_requests_total{code="404",method="other",route="/v1/datasets/:id"} 1`,
		`datacoop_http_requests_total{code="404",method="GET",route="none"} 1`,
		`datacoop_http_request_duration_seconds_count{route="/v1/datasets/:id"} 3`,
		"datacoop_http_requests_under_way 0", "datacoop_vault_sealed 1", "datacoop_jobs_due 3", "datacoop_jobs_retried 1", "go_goroutines ",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("no line %q", line)
		}
	}
	if strings.Contains(text, "secret") || strings.Contains(text, "BREW") {
		t.Error("what a caller sent stands in a figure")
	}
}

func TestFiguresOfADatabaseThatIsAwayLeaveTheRest(t *testing.T) {
	m := New(Config{Sealed: func() bool { return false }, Watch: house().watch,
		Backlog: func(context.Context) (jobs.Backlog, error) { return jobs.Backlog{}, errors.New("away") }})
	if text := figures(t, m); !strings.Contains(text, "datacoop_vault_sealed 0") || strings.Contains(text, "datacoop_jobs_due 0") {
		t.Error("a figure that is not known was given, or one that is was not")
	}
}

func TestFiguresAreForThisMachineAlone(t *testing.T) {
	for _, far := range []string{":0", "0.0.0.0:0"} {
		if l, err := Choose(far, slog.Default()); !errors.Is(err, ErrFar) || l != nil {
			t.Errorf("%s: %v", far, err)
		}
	}
	if l, err := Choose("none", slog.Default()); l != nil || err != nil {
		t.Errorf("none: %v, %v", l, err)
	}
}

func TestAnAddressThatIsTakenEndsOnlyWhatAskedForIt(t *testing.T) {
	there, err := net.Listen("tcp", usual)
	if err == nil {
		defer there.Close()
	}
	var said bytes.Buffer
	if l, err := Choose("", slog.New(slog.NewTextHandler(&said, nil))); l != nil || err != nil || !strings.Contains(said.String(), "--metrics") {
		t.Errorf("the usual address: %v, %v, %q", l, err, said.String())
	}
	if l, err := Choose(usual, slog.Default()); err == nil {
		t.Errorf("an address that is taken was opened: %v", l.Close())
	}
}
