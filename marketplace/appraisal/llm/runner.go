package llm

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// When a family is given up: after this many calls in a row that failed for
// good, or when its answers fill more memory than any honest ones would.
const (
	mostFailures = 8
	mostBytes    = 256 << 20
)

// runner puts one family's calls, from its endpoint or from a record alone.
type runner struct {
	family   Family
	log      *journal
	endpoint *endpoint // nil when replaying
	tries    int
	sealed   bool // the texts are not at hand, so questions about them cannot be checked
	format   string
	progress func(Progress)

	mu       sync.Mutex
	err      error
	served   map[string]bool // models and fingerprints that answered
	total    int
	done     int
	failed   int
	inARow   int
	received atomic.Int64
}

func newRunner(f Family, log *journal, e *endpoint, tries int) *runner {
	return &runner{family: f, log: log, endpoint: e, tries: tries, format: formatSchema, served: map[string]bool{}}
}

// call is one thing to find out. Build makes the question of an attempt, so
// that each has chances of its own; read takes the result out of the body.
type call[T any] struct {
	name   string
	tries  int
	format string // "" for the family's own
	sealed bool   // the question holds an exhibit
	build  func(number int) ask
	read   func(raw []byte) (T, error)
}

// put asks until an answer can be read or the attempts are used up. What the
// record holds is read again and never asked again; whatever is put in is in the
// record before it counts.
func put[T any](ctx context.Context, r *runner, c call[T]) (out T, ok bool) {
	defer func() { r.finished(ok) }()
	for number, failures := 1, 0; failures < c.tries; number++ {
		q := c.build(number)
		a, known := r.log.find(place{r.family.Name, c.name, number})
		if known {
			r.check(a, q, c.sealed)
		} else {
			if r.endpoint == nil || ctx.Err() != nil || r.givenUp() {
				return out, false
			}
			a = r.live(ctx, c.name, c.format, number, failures, q)
		}
		outcome := a.Outcome
		if a.Answer != nil {
			var err error
			outcome = Accepted
			if out, err = c.read(a.Answer); err != nil {
				outcome = reason(err)
			}
		}
		if known && outcome != a.Outcome {
			r.fail(ErrRecord.With("an outcome is not what the answer gives"))
		}
		if a.Outcome = outcome; !known {
			if err := r.log.add(a); err != nil {
				r.fail(err)
				return out, false
			}
		}
		switch outcome {
		case Accepted:
			return out, true
		case Cancelled:
		default:
			failures++
		}
	}
	return out, false
}

func reason(err error) string {
	if r, ok := err.(refusal); ok { //nolint:errorlint // the parser returns its refusals bare
		return string(r)
	}
	return string(badShape)
}

// live asks the endpoint, after a pause if it is not the first time.
func (r *runner) live(ctx context.Context, name, format string, number, failures int, q ask) Attempt {
	a := Attempt{Call: name, Family: r.family.Name, Number: number, Request: q.digest()}
	if failures > 0 && !sleep(ctx, r.endpoint.backoff<<min(failures-1, 6)) {
		a.Outcome = Cancelled
		return a
	}
	if format == "" {
		format = r.format
	}
	got := r.endpoint.send(ctx, q, format)
	a.Answer, a.Outcome = got.raw, got.outcome
	r.received.Add(int64(len(got.raw)))
	if got.wait > 0 {
		sleep(ctx, got.wait)
	}
	return a
}

// check compares a recorded attempt with the question it claims to answer.
func (r *runner) check(a Attempt, q ask, sealed bool) {
	if a.Request != q.digest() && !(sealed && r.sealed) {
		r.fail(ErrRecord.With("an answer is to another question"))
	}
}

func (r *runner) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

// trouble is what must stop the whole run; a family that fails must not.
func (r *runner) trouble() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

func (r *runner) givenUp() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err != nil || r.inARow >= mostFailures || r.received.Load() > mostBytes
}

func (r *runner) finished(ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	r.total = max(r.total, r.done)
	r.inARow++
	if !ok {
		r.failed++
	} else {
		r.inARow = 0
	}
	if r.progress != nil {
		r.progress(Progress{Family: r.family.Name, Done: r.done, Total: r.total})
	}
}

// grow says that n more calls are needed than were planned.
func (r *runner) grow(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total += n
}

// chat makes a call whose answer is the content of a chat completion.
func chat[T any](r *runner, name string, build func(number int) ask, read func(content string) (T, error)) call[T] {
	return call[T]{name: name, tries: r.tries, build: build, read: func(raw []byte) (T, error) {
		e, err := readEnvelope(raw)
		if err != nil {
			var none T
			return none, err
		}
		out, err := read(e.content)
		if err == nil {
			r.serve(e)
		}
		return out, err
	}}
}

func (r *runner) serve(e envelope) {
	name := oneLine(e.model, 80)
	if e.print != "" {
		name += " " + oneLine(e.print, 60)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.served[name] = true
}

// digestOfModel is what the endpoint says that it ran. More than one name means
// that the model changed while it was asked.
func (r *runner) digestOfModel() string {
	names := make([]string, 0, len(r.served))
	for name := range r.served {
		if name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) > 3 {
		names = append(names[:3], strconv.Itoa(len(names)-3)+" more")
	}
	return strings.Join(names, ", ")
}

// each runs n pieces of work, as many at once as the family allows.
func (r *runner) each(n int, work func(i int)) {
	parallel := 1
	if r.endpoint != nil {
		parallel = r.endpoint.parallel
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(parallel, n) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				work(i)
			}
		})
	}
	wg.Wait()
}

// sleep waits and reports whether the context still stands.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Capability is what an endpoint answered to a probe.
type Capability struct {
	Family string
	Answer string // Accepted, or the outcome of asking for a JSON object
	Listed bool   // the model is on the endpoint's list
	Format string // how JSON can be asked for: json_schema, json_object or text
}

// probe finds out which way of asking for JSON the endpoint takes. Whether it
// also keeps to it is for the parser to see.
func (r *runner) probe(ctx context.Context) Capability {
	out := Capability{Family: r.family.Name, Format: formatText, Answer: NoAnswer}
	out.Listed, _ = put(ctx, r, call[bool]{
		name: "probe/models", tries: 1,
		build: func(int) ask { return ask{kind: "models", model: r.family.Model} },
		read:  func(raw []byte) (bool, error) { return listsModel(raw, r.family.Model) },
	})
	for _, format := range []string{formatSchema, formatObject, formatText} {
		c := chat(r, "probe/"+format, func(int) ask {
			return ask{kind: "chat", model: r.family.Model, name: "probe", schema: probeSchema, system: probeSystem, user: `{"task":"probe"}`}
		}, readProbe)
		c.tries, c.format = 1, format
		put(ctx, r, c)
		out.Answer = r.log.last(r.family.Name, c.name)
		if !strings.HasPrefix(out.Answer, "status-4") {
			out.Format = format // taken, or not even understood: then the way of asking is not to blame
			break
		}
	}
	r.format = out.Format
	return out
}
