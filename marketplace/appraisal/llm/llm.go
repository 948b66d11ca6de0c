// Package llm is the hired judge: an appraisal.Judge that asks language models
// behind any OpenAI-compatible address (OpenAI, Ollama, llama.cpp, vLLM) what
// they make of a period's dossiers, and of the split between data, work and
// governance. It advises; appraisal.Close decides, inside bounds the members
// voted.
//
// # How it asks
//
// A model never sees prose and numbers at once. The text of a piece of work
// goes to a quarantined extractor call, alone, cut into numbered segments and
// marked with characters drawn for that call ("spotlighting"); what comes back
// may only be kinds from a closed list, numbers from 1 to 3 and numbers of
// segments that exist. The judge call sees those, or the figures of a dataset or
// duty, under names drawn for the call, and answers eight to twelve yes-or-no
// questions for each dossier. A yes without evidence that exists is a no.
//
// Every question is asked twice, with dossiers and questions in reversed order.
// Where the two answers differ it is asked a third time in an order drawn by
// lot, and the majority counts. Canaries, made-up dossiers with known answers,
// are mixed in, half of those with a text carrying an attempt to steer; a family
// that gets a fifth of them wrong is not heard. Of three or more families, one
// that stands far from the others on over a third of the dossiers is not heard
// either.
//
// # What counts
//
// A family's score of a dossier is the thousandths of its questions that were
// answered yes. Over families the lowest counts where members wrote the text,
// so that all have to agree to raise it, and the median elsewhere. A family
// that could not tell counts as 500, which changes nothing. Flags cost nobody
// anything: nobody able to tell, or families too far apart on figures, are
// neutral; a suspected attempt to steer keeps what its evidence shows, but
// nothing above neutral, so that being noticed does not pay either. Reasons are
// sentences of this package, filled with numbers; no word of a model reaches a
// statement.
//
// # What it guarantees
//
// Whatever a server promises, its answer is read by this package's own strict
// parser; anything unexpected is a failed attempt, attempts are capped, and a
// call that fails for good leaves its dossiers neutral. Only when no family can
// be heard does Weigh fail, and then the baseline pays.
//
// Every attempt is recorded before it counts, discarded ones included. The
// record names the task, the seed and the questions by digest, all fixed before
// the first call, so that nobody shops for answers: weighing the same task again
// takes up the recorded answers and asks only what is missing. Replay computes
// the opinion from a record byte for byte; Audit does so with the texts at hand
// and checks every question too. A record holds no text of a member, unless a
// model repeats it.
//
// # What it refuses
//
// An endpoint off this machine, unless Config.AllowRemote says that members
// voted for it, and any that is not https then; redirects and proxies; answers
// over 1 MiB; two families that are the same model. API keys appear in requests
// and nowhere else: not in errors, logs, records or what Config prints. A record
// does name the period's own seed, from which the others cannot be told.
//
// # What it cannot know
//
// Whether a local server passes questions on (Ollama marks such models, and they
// count as remote); whether an endpoint that sets out to cheat tells canaries
// from members' dossiers; whether an operator calls an answer a timeout. The
// fence of package appraisal holds all the same.
package llm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/appraisal"
)

// Faults of this package. On each of them the baseline pays.
var (
	ErrConfig      = fault.New(fault.Invalid, "judge-config", "The judge is not set up in a way it could be asked.")
	ErrRemote      = fault.New(fault.Forbidden, "judge-remote", "A model outside of this machine needs a vote of the members first.")
	ErrTask        = fault.New(fault.Invalid, "judge-task", "There is nothing in this period that a model could be asked about.")
	ErrUnavailable = fault.New(fault.Unavailable, "judge-unavailable", "No model could be heard, so the formula alone sets every share.")
	ErrRecord      = fault.New(fault.Invalid, "judge-record", "This is not a complete record of what models were asked and answered.")
)

// Config says whom to ask and how. Zero values of numbers mean their defaults.
type Config struct {
	Families    []Family                                // at least one; three different ones are worth most
	AllowRemote bool                                    // endpoints off this machine are allowed, because members voted for it
	Seed        Secret                                  // at least 16 bytes; canaries and markers of every period are derived from them
	Prompt      string                                  // what members voted to add to the instructions of a judge call; usually nothing
	Batch       int                                     // dossiers in one question, 1 to 32; default 8
	Canaries    int                                     // dossiers with known answers, as many with a text as with figures alone, 10 to 200; default 40
	MaxAttempts int                                     // of one call, 1 to 10; default 3
	Parallel    int                                     // calls to one family at once, 1 to 64; default 4
	PerCall     time.Duration                           // from question to the last byte of the answer; default 2 minutes
	PerMinute   int                                     // calls to one family, 0 for no limit
	Backoff     time.Duration                           // before a second attempt, doubled for each further one; default 500 ms
	Recorder    Recorder                                // keeps every attempt; nil keeps them in memory while Weigh runs
	Commit      func(ctx context.Context, p Plan) error // called before the first call, to log what it commits to; an error stops the run
	Progress    func(Progress)                          // called after every call, from several goroutines
	Logger      *slog.Logger

	// Transport answers in place of a connection: what was recorded, or a
	// scripted model in this process. Nil connects. It is for whoever measures a
	// judge; a co-op's own judge has none.
	Transport http.RoundTripper
}

// Progress is how far one family's calls are. Calls that are repeated or asked
// a third time make Total grow.
type Progress struct {
	Family      string
	Done, Total int
}

// Judge asks the families of its configuration. It is safe for concurrent use;
// tasks are weighed one after the other.
type Judge struct {
	c         Config
	endpoints []*endpoint
	one       sync.Mutex
}

var _ appraisal.Judge = (*Judge)(nil)

// New checks the configuration without calling anybody. Faults: ErrConfig with
// what is wrong as detail, ErrRemote.
func New(c Config) (*Judge, error) {
	for _, d := range []struct {
		value       *int
		def, lo, hi int
		name        string
	}{
		{&c.Batch, 8, 1, 32, "batch"},
		{&c.Canaries, 40, 10, 200, "canaries"},
		{&c.MaxAttempts, 3, 1, 10, "attempts"},
		{&c.Parallel, 4, 1, 64, "parallel calls"},
		{&c.PerMinute, 0, 0, 1 << 20, "calls a minute"},
	} {
		if *d.value == 0 {
			*d.value = d.def
		}
		if *d.value < d.lo || *d.value > d.hi {
			return nil, ErrConfig.With(fmt.Sprintf("%s: between %d and %d", d.name, d.lo, d.hi))
		}
	}
	if c.PerCall == 0 {
		c.PerCall = 2 * time.Minute
	}
	if c.Backoff == 0 {
		c.Backoff = 500 * time.Millisecond
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if len(c.Seed.reveal()) < 16 || c.PerCall < 0 || c.Backoff < 0 {
		return nil, ErrConfig.With("seed: at least 16 bytes; times: not negative")
	}
	c.Families = slices.Clone(c.Families)
	if err := checkFamilies(c.Families, c.AllowRemote); err != nil {
		return nil, err
	}
	j := &Judge{c: c}
	for _, f := range c.Families {
		j.endpoints = append(j.endpoints, newEndpoint(f, c))
	}
	return j, nil
}

// Describe names every family, its model and where it runs, one sentence each,
// for the privacy notice and the statement.
func (j *Judge) Describe() []string {
	out := make([]string, len(j.c.Families))
	for i, f := range j.c.Families {
		out[i] = f.describe()
	}
	return out
}

// Probe asks every endpoint what it can do, for a log line or a page at start.
// The answers are hints; Weigh asks again and relies on none of them.
func (j *Judge) Probe(ctx context.Context) []Capability {
	out := make([]Capability, len(j.endpoints))
	var wg sync.WaitGroup
	for i, e := range j.endpoints {
		wg.Go(func() { out[i] = newRunner(e.family, newJournal(nil, ""), e, 1).probe(ctx) })
	}
	wg.Wait()
	return out
}

// Weigh asks all families about a task made by appraisal.NewTask and returns
// their common opinion. Its Commitment is the task's digest, its Trace the
// SHA-256 of the record, which the Recorder holds under that name.
//
// It fails with ErrTask, ErrUnavailable, the context's error, or an error of
// Recorder or Commit.
func (j *Judge) Weigh(ctx context.Context, t appraisal.Task) (appraisal.Opinion, error) {
	j.one.Lock()
	defer j.one.Unlock()
	h, p, err := j.prepare(t)
	if err != nil {
		return appraisal.Opinion{}, err
	}
	plan := p.plan(h, j.c.Families)
	if j.c.Commit != nil {
		if err := j.c.Commit(ctx, plan); err != nil {
			return appraisal.Opinion{}, fmt.Errorf("llm: commit: %w", err)
		}
	}
	log := newJournal(j.c.Recorder, h.run())
	if err := log.open(ctx, h); err != nil {
		return appraisal.Opinion{}, err
	}
	verdicts, err := j.ask(ctx, plan, p, log)
	if err != nil {
		return appraisal.Opinion{}, err
	}
	op, heard, err := p.opinion(verdicts)
	if err != nil {
		_, kept := log.close(h)
		return appraisal.Opinion{}, errors.Join(err, kept)
	}
	record, err := log.close(h)
	if err != nil {
		return appraisal.Opinion{}, err
	}
	op.Commitment, op.Trace = h.Commitment, digest(record)
	j.c.Logger.Info("period weighed", "families", heard, "dossiers", len(t.Dossiers), "trace", op.Trace)
	return op, nil
}

// ask hears every family, all at once.
func (j *Judge) ask(ctx context.Context, plan Plan, p *panel, log *journal) ([]verdict, error) {
	out := make([]verdict, len(j.endpoints))
	errs := make([]error, len(j.endpoints))
	var wg sync.WaitGroup
	for i, e := range j.endpoints {
		wg.Go(func() {
			r := newRunner(e.family, log, e, j.c.MaxAttempts)
			r.progress, r.total = j.c.Progress, plan.Families[i].Calls
			out[i], errs[i] = p.hear(ctx, r), r.trouble()
			j.c.Logger.Info("family heard", "family", e.family.Name, "calls", r.done, "failed", r.failed,
				"canaries", out[i].canaries, "wrong", out[i].wrong)
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("llm: weigh: %w", err)
	}
	return out, errors.Join(errs...)
}

// oneLine makes what a server states fit for a statement or a log: printable
// ASCII, at most n bytes.
func oneLine(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(n, len(s))]
}
