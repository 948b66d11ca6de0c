package testkit

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Model is a scripted language model behind an OpenAI-compatible server on this
// machine. It reads the documents that the judge sends (chat completions whose
// user message is a JSON object with a "task") and answers them honestly, by
// the words and numbers in them; moods then spoil the answer. It knows nothing
// of the house: only the shape of the documents.
type Model struct {
	BaseURL string // with the "/v1" that clients append their paths to

	server *httptest.Server
	moods  []Mood
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

// NewModel starts a scripted model; it stops with the test.
func NewModel(t testing.TB, moods ...Mood) *Model {
	t.Helper()
	m := &Model{moods: moods}
	m.server = httptest.NewServer(m)
	m.BaseURL = m.server.URL + "/v1"
	t.Cleanup(m.server.Close)
	return m
}

// Stop shuts the server down before the test ends.
func (m *Model) Stop() { m.server.Close() }

// Turns lists everything that was asked, in order of arrival.
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
	for _, mood := range m.moods {
		mood(t)
	}
	t.send(w, r)
}

func (m *Model) turn(r *http.Request) *Turn {
	t := &Turn{Key: r.Header.Get("Authorization"), Header: http.Header{}, Fingerprint: "fp_scripted", Path: r.URL.Path}
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
	m.mu.Lock()
	defer m.mu.Unlock()
	t.Number = len(m.turns)
	m.turns = append(m.turns, t)
	return t
}

// answer is what an honest and attentive model would say.
func (t *Turn) answer() {
	switch t.Prompt.Task {
	case "judge":
		for _, d := range t.Prompt.Dossiers {
			t.Dossiers = append(t.Dossiers, honestDossier(t.Prompt, d))
		}
	case "extract":
		t.Found, t.Steering = honestExtract(t.Prompt)
	}
}

// thresholds say from which value of which figure an honest model answers yes.
var thresholds = map[string]struct {
	name  string
	value int64
}{
	"data filled": {"coverage", 500}, "data complete": {"coverage", 900}, "data recent": {"fresh", 700},
	"data asked": {"requests", 2}, "data sought": {"requests", 10}, "data distinct": {"unique", 500},
	"data rare": {"unique", 900}, "data trusted": {"trust", 900},
	"governance repeated": {"duties", 2}, "governance steady": {"duties", 5}, "governance many": {"duties", 10},
	"governance weighty": {"points", 4}, "governance substantial": {"points", 10},
	"governance protects": {"duties", 1}, "governance independent": {"duties", 1},
	"split active": {"dossiers", 1}, "split several": {"dossiers", 3}, "split broad": {"dossiers", 4},
	"split weighty": {"points", 5}, "split steady": {"duties", 5}, "split underpaid": {"points", 8}, "split needed": {"share-in-force", 500},
}

func honestDossier(p Prompt, d PromptDossier) JudgedDossier {
	out := JudgedDossier{ID: d.ID, Answers: []JudgedQuestion{}}
	yes := 0
	for _, q := range p.Questions {
		a := JudgedQuestion{Question: q.ID, Evidence: []string{}}
		limit, ok := thresholds[p.Kind+" "+q.ID]
		if !ok {
			limit.name, limit.value = q.ID, 1
		}
		for _, e := range d.Evidence {
			if e.Name == limit.name && e.Value >= limit.value {
				a.Yes, a.Evidence = true, []string{e.ID}
				yes++
			}
		}
		out.Answers = append(out.Answers, a)
	}
	for i := range out.Answers {
		if out.Answers[i].Question == "rubric" && 2*yes > len(p.Questions) && len(d.Evidence) > 0 {
			out.Answers[i].Yes, out.Answers[i].Evidence = true, []string{d.Evidence[0].ID}
		}
	}
	return out
}

// cues are the words by which a kind of statement is known.
var cues = map[string][]string{
	"need": {"need", "problem"}, "change": {"what was done", "what was made"}, "result": {"result"}, "others": {"gain"},
	"checked": {"checked"}, "measured": {"measured"}, "limits": {"limits"}, "handover": {"handover"},
	"sources": {"sources"}, "choices": {"reasons"}, "access": {"access"}, "care": {"care "},
}

// steering are words by which an attempt to steer is known.
var steering = []string{"ignore", "system:", "observations", "assistant", "full marks", "world-class", "steward for appraisals", "test purposes"}

func plainText(p Prompt, s PromptText) string {
	return strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(s.Text, p.Marker, ""), p.Mark, " "))
}

func honestExtract(p Prompt) (found []Observation, steers bool) {
	found = []Observation{}
	for _, kind := range p.Kinds {
		o := Observation{Kind: kind.ID}
		for _, s := range p.Segments {
			for sentence := range strings.SplitSeq(plainText(p, s), ". ") {
				if anyOf(sentence, steering) {
					steers = true
				} else if anyOf(sentence, cues[kind.ID]) && (len(o.Evidence) == 0 || o.Evidence[len(o.Evidence)-1] != s.ID) {
					o.Evidence = append(o.Evidence, s.ID)
				}
			}
		}
		if o.Strength = min(len(o.Evidence), 3); o.Strength > 0 {
			found = append(found, o)
		}
	}
	return found, steers
}

func anyOf(text string, words []string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// send writes what is left of the answer after all moods.
func (t *Turn) send(w http.ResponseWriter, r *http.Request) {
	select {
	case <-time.After(t.Wait):
	case <-r.Context().Done():
		return
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
