// Package meter counts what a server does, for whoever keeps it running.
//
// # What it guarantees
//
// The figures are served at /metrics in the text format of Prometheus, on a
// listener of their own that only this machine reaches. A figure names a route's
// pattern, a method and a status and nothing else: no address, no id, no member.
// A method or a status that is unheard of makes no new figure. Counting never
// fails a request.
//
// # What it refuses
//
// To listen on an address that other machines reach.
package meter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"distributed.ai/datacoop/internal/jobs"
)

// Config is what there is to look at. All fields are needed.
type Config struct {
	Watch   func(context.Context) (context.Context, *string) // finds the pattern of the route that answers
	Sealed  func() bool                                      // the vault's key is not there
	Backlog func(context.Context) (jobs.Backlog, error)      // what should have been done by now
}

// Meter counts. It is safe for concurrent use.
type Meter struct {
	watch    func(context.Context) (context.Context, *string)
	registry *prometheus.Registry
	answered *prometheus.CounterVec
	took     *prometheus.HistogramVec
	underway prometheus.Gauge
}

// New answers a meter at zero.
func New(c Config) *Meter {
	m := &Meter{watch: c.Watch, registry: prometheus.NewRegistry(),
		answered: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "datacoop_http_requests_total",
			Help: "Requests answered, by the pattern of their route."}, []string{"method", "route", "code"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "datacoop_http_request_duration_seconds",
			Help: "How long answers took, uploads and downloads with them.", Buckets: []float64{.001, .003, .01, .03, .1, .3, 1, 3, 10, 60}}, []string{"route"}),
		underway: prometheus.NewGauge(prometheus.GaugeOpts{Name: "datacoop_http_requests_under_way", Help: "Requests being answered now."})}
	m.registry.MustRegister(m.answered, m.took, m.underway, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), state{c},
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "datacoop_vault_sealed", Help: "1 while the vault is sealed: uploads wait and nothing is delivered."},
			func() float64 { return truth(c.Sealed()) }))
	return m
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Count answers with h and counts.
func (m *Meter) Count(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.underway.Inc()
		defer m.underway.Dec()
		ctx, route := m.watch(r.Context())
		seen := &answer{ResponseWriter: w, status: http.StatusOK}
		began := time.Now()
		defer func() {
			where := *route
			if where == "" {
				where = "none"
			}
			m.answered.WithLabelValues(method(r.Method), where, code(seen.status)).Inc()
			m.took.WithLabelValues(where).Observe(time.Since(began).Seconds())
		}()
		h.ServeHTTP(seen, r.WithContext(ctx))
	})
}

// heard are the methods that are counted by name.
var heard = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

func method(m string) string {
	if slices.Contains(heard, m) {
		return m
	}
	return "other"
}

func code(status int) string {
	if http.StatusText(status) == "" {
		return "other"
	}
	return strconv.Itoa(status)
}

// answer remembers the status of an answer.
type answer struct {
	http.ResponseWriter
	status int
	begun  bool
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if !a.begun && status >= http.StatusOK {
		a.status, a.begun = status, true
	}
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap is how a ResponseController finds the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// state is what is asked for whenever the figures are fetched.
type state struct{ Config }

var (
	due     = prometheus.NewDesc("datacoop_jobs_due", "Work that should have been done by now.", nil, nil)
	retried = prometheus.NewDesc("datacoop_jobs_retried", "Of it, what failed before.", nil, nil)
)

// Describe implements prometheus.Collector.
func (state) Describe(to chan<- *prometheus.Desc) { to <- due; to <- retried }

// Collect implements prometheus.Collector.
func (s state) Collect(to chan<- prometheus.Metric) {
	ctx, done := context.WithTimeout(context.Background(), patience)
	defer done()
	b, err := s.Backlog(ctx)
	if err != nil {
		to <- prometheus.NewInvalidMetric(due, err)
		return
	}
	to <- prometheus.MustNewConstMetric(due, prometheus.GaugeValue, float64(b.Due))
	to <- prometheus.MustNewConstMetric(retried, prometheus.GaugeValue, float64(b.Retried))
}

// patience is how long a reader of the figures may take, and the database.
const patience = 5 * time.Second

// ErrFar is an address that other machines reach.
var ErrFar = errors.New("metrics: the address must be one of this machine alone, such as localhost:9464")

const usual = "localhost:9464"

// Choose opens the listener that the figures are served on. Nothing is wrong with
// the usual address being taken where nobody asked for it: the logger says so, and
// there is no listener. "none" is none.
func Choose(address string, logger *slog.Logger) (net.Listener, error) {
	switch address {
	case "none":
		return nil, nil
	case "":
		l, err := listen(usual)
		if err != nil {
			logger.Warn("no figures are served: the usual address is taken; see --metrics", "address", usual)
			return nil, nil
		}
		return l, nil
	}
	return listen(address)
}

func listen(address string) (net.Listener, error) {
	var open net.ListenConfig
	l, err := open.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	if at, ok := l.Addr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() {
		return nil, errors.Join(ErrFar, l.Close())
	}
	return l, nil
}

// Serve answers at /metrics until the listener is closed.
func (m *Meter) Serve(l net.Listener) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	server := &http.Server{Handler: mux, ReadTimeout: patience, WriteTimeout: 2 * patience}
	if err := server.Serve(l); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}
