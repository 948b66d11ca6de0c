package llm

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gowebpki/jcs"

	"distributed.ai/datacoop/marketplace/appraisal"
)

// Format names the layout of a record: lines of canonical JSON (RFC 8785), one
// header and then every attempt, ordered by family, call and number.
const Format = "datacoop-judge/1"

// Attempt is one question put to one family, and what came of it.
type Attempt struct {
	Answer  []byte `json:"answer"` // the body as it arrived, in base64; null where none arrived, or none within the limit
	Call    string `json:"call"`
	Family  string `json:"family"`
	Number  int    `json:"number"` // of this call, from 1
	Outcome string `json:"outcome"`
	Request string `json:"request"` // SHA-256 of what was asked
}

// Outcomes of attempts. Besides these there are "status-" with an HTTP status,
// and what the parser refused: not-utf8, not-json, too-deep, duplicate-key,
// schema, unknown-id, missing, refused, tool-call and cut-short.
const (
	Accepted  = "accepted"
	Cancelled = "cancelled" // we stopped waiting; it does not count against the limit
	TimedOut  = "timeout"
	NoAnswer  = "network"
	TooLarge  = "too-large"
	HeldKey   = "held-key" // the answer repeated the API key; it is not kept
	Unasked   = "unasked"  // the library refused to send it
)

// plausible reports whether the outcome fits what arrived: without an answer it
// is one of the connection's.
func (a Attempt) plausible() bool {
	status, byStatus := strings.CutPrefix(a.Outcome, "status-")
	code, err := strconv.Atoi(status)
	none := slices.Contains([]string{Cancelled, TimedOut, NoAnswer, TooLarge, HeldKey, Unasked}, a.Outcome) ||
		byStatus && err == nil && code >= 100 && code <= 999
	return a.Number > 0 && none == (a.Answer == nil)
}

// Recorder keeps attempts while a task is weighed, and the record afterwards. An
// error stops the run: an attempt that cannot be kept must not count.
type Recorder interface {
	// Begin opens a run, named by the SHA-256 of its header, and returns the
	// attempts it already holds, in any order.
	Begin(ctx context.Context, run string, header []byte) ([]Attempt, error)
	// Add keeps one attempt of a run. It is called from several goroutines.
	Add(run string, a Attempt) error
	// Finish keeps the complete record. Its SHA-256 is Opinion.Trace. It may be
	// called again with the same record.
	Finish(run string, record []byte) error
}

// header is the first line of a record: all that was fixed before the first
// call.
type header struct {
	Batch       int                 `json:"batch"`
	Canaries    int                 `json:"canaries"`
	Commitment  string              `json:"commitment"` // Task.SHA256
	Dossiers    []appraisal.Dossier `json:"dossiers"`
	Exhibits    []sealedText        `json:"exhibits"`
	Families    []voice             `json:"families"`
	Format      string              `json:"format"`
	MaxAttempts int                 `json:"max_attempts"`
	Params      appraisal.Params    `json:"params"`
	Prompt      string              `json:"prompt,omitempty"`
	Questions   string              `json:"questions"`
	Rubric      string              `json:"rubric"`
	Seed        secret              `json:"seed"`

	line []byte // its encoding, made once
}

// sealedText stands for an exhibit, whose text the record leaves out.
type sealedText struct {
	Dossier  string `json:"dossier"`
	SHA256   string `json:"sha256"`
	Segments int    `json:"segments"`
}

type voice struct {
	Endpoint string `json:"endpoint"`
	Model    string `json:"model"`
	Name     string `json:"name"`
}

// run names a run by everything that was fixed before it.
func (h header) run() string { return digest(h.line) }

// sealed fixes a header.
func (h header) sealed() header {
	h.line = canonical(h)
	return h
}

// line is an attempt's RFC 8785 encoding: its fields are declared in order and
// hold nothing that the scheme writes otherwise than encoding/json does.
func (a Attempt) line() []byte { return []byte(encode(a)) }

// canonical is a header's RFC 8785 encoding.
func canonical(h header) []byte {
	text, err := json.Marshal(h)
	if err == nil {
		text, err = jcs.Transform(text)
	}
	if err != nil {
		panic(err) // valid UTF-8, strings and small integers always encode
	}
	return text
}

// place is where an attempt belongs.
type place struct {
	family, call string
	number       int
}

// journal holds the attempts of one run, found or made.
type journal struct {
	recorder Recorder
	run      string

	mu       sync.Mutex
	attempts map[place]Attempt
	found    map[place]bool // those somebody looked up
}

func newJournal(r Recorder, run string) *journal {
	return &journal{recorder: r, run: run, attempts: map[place]Attempt{}, found: map[place]bool{}}
}

// open takes up what an interrupted run recorded.
func (l *journal) open(ctx context.Context, h header) error {
	if l.recorder == nil {
		return nil
	}
	held, err := l.recorder.Begin(ctx, l.run, h.line)
	if err != nil {
		return fmt.Errorf("llm: open record: %w", err)
	}
	return l.load(held)
}

func (l *journal) load(attempts []Attempt) error {
	for _, a := range attempts {
		at := place{a.Family, a.Call, a.Number}
		if _, again := l.attempts[at]; again || !a.plausible() {
			return ErrRecord.With("an attempt occurs twice or cannot have happened")
		}
		l.attempts[at] = a
	}
	return nil
}

func (l *journal) find(at place) (Attempt, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a, ok := l.attempts[at]
	if ok {
		l.found[at] = true
	}
	return a, ok
}

// last is the outcome of a call's last attempt, NoAnswer if there is none.
func (l *journal) last(family, call string) string {
	out := NoAnswer
	for number := 1; ; number++ {
		a, ok := l.find(place{family, call, number})
		if !ok {
			return out
		}
		out = a.Outcome
	}
}

func (l *journal) add(a Attempt) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.recorder != nil {
		if err := l.recorder.Add(l.run, a); err != nil {
			return fmt.Errorf("llm: record: %w", err)
		}
	}
	at := place{a.Family, a.Call, a.Number}
	l.attempts[at], l.found[at] = a, true
	return nil
}

// close writes the record and hands it to the recorder.
func (l *journal) close(h header) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]Attempt, 0, len(l.attempts))
	for _, a := range l.attempts {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b Attempt) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Call, b.Call), cmp.Compare(a.Number, b.Number))
	})
	var out bytes.Buffer
	out.Write(h.line)
	out.WriteByte('\n')
	for _, a := range all {
		out.Write(a.line())
		out.WriteByte('\n')
	}
	if l.recorder != nil {
		if err := l.recorder.Finish(l.run, out.Bytes()); err != nil {
			return nil, fmt.Errorf("llm: close record: %w", err)
		}
	}
	return out.Bytes(), nil
}

// readRecord takes a record apart; what it says is checked by replaying it.
func readRecord(record []byte) (header, []Attempt, error) {
	var h header
	var attempts []Attempt
	for line := range bytes.Lines(record) {
		if h.line == nil {
			if strictly(line, &h) != nil || !bytes.Equal(append(canonical(h), '\n'), line) {
				return h, nil, ErrRecord.With("the header cannot be read")
			}
			h.line = bytes.TrimSuffix(line, []byte("\n"))
			continue
		}
		var a Attempt
		if strictly(line, &a) != nil || !bytes.Equal(append(a.line(), '\n'), line) {
			return h, nil, ErrRecord.With("a line cannot be read")
		}
		attempts = append(attempts, a)
	}
	if h.Format != Format || h.Questions != Questions() {
		return h, nil, ErrRecord.With("it was made by a release that asks other questions")
	}
	return h, attempts, nil
}

func strictly(line []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}
