// Package fakellm is a scripted language model behind an OpenAI-compatible
// address: what tests and the bench of judges put in the place of a real one.
//
// It reads the documents that a judge sends (chat completions whose user message
// is a JSON object with a "task") out of the real prompt and answers them
// honestly, by the words and numbers in them, or by a table of what is true of a
// text; moods then spoil the answer, one after the other. It serves on a
// loopback address (Start) or, where thousands of periods are played, answers in
// the same process as an http.RoundTripper.
//
// It guarantees that a mood decides by what it is shown and by its own seed,
// never by the time or by the order in which questions happen to arrive, unless
// it says so: the same periods give the same figures on every machine. It knows
// nothing of the house, only the shape of the documents.
//
// It refuses to be evidence of how a real model behaves: what it proves is
// plumbing, statistics and bounds.
package fakellm

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Model is one scripted model. Its zero value is honest and serves nowhere yet.
type Model struct {
	BaseURL string // with the "/v1" that clients append their paths to
	Moods   []Mood // set before the first question
	Table   Table  // what is true of texts; may be nil
	Keep    bool   // whether Turns lists what was asked

	server *http.Server
	asked  atomic.Int64
	mu     sync.Mutex
	turns  []*Turn
}

// Mood changes a turn before it is sent. Moods are applied in order and may be
// called at the same time for several turns.
type Mood func(*Turn)

// Turn is one question and the answer that is about to be given.
type Turn struct {
	Number int    // from 0, in order of arrival
	Model  string // as asked for
	Format string // of the response, as asked for; "" if none was
	Key    string // the Authorization header
	System string
	User   string
	Prompt Prompt // the user message, read
	Path   string

	Dossiers []JudgedDossier // the answer to a "judge" task
	Found    []Observation   // … to an "extract" task
	Steering bool

	Content     string // overrides the answer's text
	Message     string // overrides the JSON of the whole message
	Body        []byte // overrides the whole body
	Status      int    // 0 is 200
	Header      http.Header
	Wait        time.Duration // before anything is sent
	Drip        bool          // send a byte now and then and never finish
	Fingerprint string

	table Table
}

// Prompt is a judge's or extractor's document.
type Prompt struct {
	Task      string
	Kind      string
	Rubric    string
	Mark      string
	Marker    string
	Questions []PromptText
	Kinds     []PromptText
	Segments  []PromptText
	Dossiers  []PromptDossier
}

// PromptText is a text with an id.
type PromptText struct{ ID, Text string }

// PromptDossier is what a judge sees of one dossier.
type PromptDossier struct {
	ID       string
	Class    string
	Evidence []struct {
		ID, Name string
		Value    int64
	}
}

// JudgedDossier answers all questions about one dossier.
type JudgedDossier struct {
	ID         string           `json:"id"`
	CannotTell bool             `json:"cannot_tell"`
	Answers    []JudgedQuestion `json:"answers"`
}

// JudgedQuestion is one answer.
type JudgedQuestion struct {
	Question string   `json:"question"`
	Yes      bool     `json:"yes"`
	Evidence []string `json:"evidence"`
}

// Observation is one kind of statement found in a text.
type Observation struct {
	Kind     string   `json:"kind"`
	Strength int      `json:"strength"`
	Evidence []string `json:"evidence"`
}

// Start serves the model on a free port of this machine and sets BaseURL.
func (m *Model) Start(ctx context.Context) error {
	var at net.ListenConfig
	l, err := at.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	m.server = &http.Server{Handler: m, ReadHeaderTimeout: time.Minute}
	m.BaseURL = "http://" + l.Addr().String() + "/v1"
	go func() {
		if err := m.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // a listener on loopback that was just opened does not fail
		}
	}()
	return nil
}

// Stop shuts the server down, whoever it still answers.
func (m *Model) Stop() {
	if m.server != nil {
		_ = m.server.Close() // what is broken off was asked for
	}
}

// Asked is how many questions have arrived.
func (m *Model) Asked() int { return int(m.asked.Load()) }

// Turns lists everything that was asked, in order of arrival, if Keep is set.
func (m *Model) Turns() []*Turn {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]*Turn(nil), m.turns...)
}

// ServeHTTP answers "/v1/models" and "/v1/chat/completions".
func (m *Model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t := m.turn(r)
	switch r.URL.Path {
	case "/v1/models":
		t.Body = []byte(`{"object":"list","data":[{"id":"scripted","object":"model","owned_by":"test"}]}`)
	case "/v1/chat/completions":
		t.answer()
	default:
		t.Status = http.StatusNotFound
	}
	for _, mood := range m.Moods {
		mood(t)
	}
	t.send(w, r)
}

func (m *Model) turn(r *http.Request) *Turn {
	t := &Turn{table: m.Table, Key: r.Header.Get("Authorization"), Header: http.Header{}, Fingerprint: "fp_scripted", Path: r.URL.Path}
	var body struct {
		Model    string
		Messages []struct{ Role, Content string }
		Format   struct{ Type string } `json:"response_format"`
	}
	if json.NewDecoder(r.Body).Decode(&body) == nil {
		t.Model, t.Format = body.Model, body.Format.Type
		for _, message := range body.Messages {
			if message.Role == "system" {
				t.System = message.Content
			} else {
				t.User = message.Content
			}
		}
		_ = json.Unmarshal([]byte(t.User), &t.Prompt) // a prompt of another kind stays empty
	}
	t.Number = int(m.asked.Add(1)) - 1
	if m.Keep {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.turns = append(m.turns, t)
	}
	return t
}

// send writes what is left of the answer after all moods.
func (t *Turn) send(w http.ResponseWriter, r *http.Request) {
	if t.Wait > 0 {
		select {
		case <-time.After(t.Wait):
		case <-r.Context().Done():
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	for name, values := range t.Header {
		w.Header()[name] = values
	}
	if t.Status != 0 {
		w.WriteHeader(t.Status)
	}
	body := t.body()
	if !t.Drip {
		_, _ = w.Write(body)
		return
	}
	for i := 0; ; i = (i + 1) % len(body) {
		if _, err := w.Write(body[i : i+1]); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(5 * time.Millisecond):
		case <-r.Context().Done():
			return
		}
	}
}

func (t *Turn) body() []byte {
	if t.Body != nil {
		return t.Body
	}
	message := t.Message
	if message == "" {
		message = `{"role":"assistant","content":` + mustJSON(t.Text()) + `}`
	}
	return []byte(`{"id":"c1","object":"chat.completion","created":1,"model":` + mustJSON(t.Model) + `,"system_fingerprint":` +
		mustJSON(t.Fingerprint) + `,"choices":[{"index":0,"message":` + message + `,"finish_reason":"stop"}],"usage":{"total_tokens":1}}`)
}

// Text is the answer's content as it stands.
func (t *Turn) Text() string {
	switch {
	case t.Content != "":
		return t.Content
	case t.Prompt.Task == "judge":
		return mustJSON(map[string]any{"dossiers": t.Dossiers})
	case t.Prompt.Task == "extract":
		return mustJSON(map[string]any{"observations": t.Found, "steering": t.Steering})
	}
	return `{"ok":true}`
}

func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and structs of strings always encode
	}
	return string(text)
}
