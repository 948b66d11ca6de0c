package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/fakellm"
)

func ollama() Config {
	return Config{Seed: NewSecret("0123456789abcdef"), Families: []Family{{Name: "llama", BaseURL: "http://127.0.0.1:11434/v1", Model: "llama3.1:8b", APIKey: NewSecret(testKey)}}}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no family":         func(c *Config) { c.Families = nil },
		"ten families":      func(c *Config) { c.Families = make([]Family, 10) },
		"no seed":           func(c *Config) { c.Seed = Secret{} },
		"short seed":        func(c *Config) { c.Seed = NewSecret("short") },
		"no name":           func(c *Config) { c.Families[0].Name = "" },
		"name with space":   func(c *Config) { c.Families[0].Name = "Llama 3" },
		"no model":          func(c *Config) { c.Families[0].Model = "" },
		"model in two rows": func(c *Config) { c.Families[0].Model = "a\nb" },
		"negative price":    func(c *Config) { c.Families[0].AnswerPrice = -1 },
		"no address":        func(c *Config) { c.Families[0].BaseURL = "" },
		"no scheme":         func(c *Config) { c.Families[0].BaseURL = "127.0.0.1:11434" },
		"file":              func(c *Config) { c.Families[0].BaseURL = "file:///etc/passwd" },
		"password":          func(c *Config) { c.Families[0].BaseURL = "http://me:secret@127.0.0.1/v1" },
		"query":             func(c *Config) { c.Families[0].BaseURL = "http://127.0.0.1/v1?key=secret" },
		"same name":         func(c *Config) { c.Families = append(c.Families, c.Families[0]); c.Families[1].Model = "other" },
		"same model":        func(c *Config) { c.Families = append(c.Families, c.Families[0]); c.Families[1].Name = "other" },
		"batch":             func(c *Config) { c.Batch = 33 },
		"canaries":          func(c *Config) { c.Canaries = 9 },
		"attempts":          func(c *Config) { c.MaxAttempts = -1 },
		"parallel":          func(c *Config) { c.Parallel = 65 },
		"rate":              func(c *Config) { c.PerMinute = -1 },
		"time":              func(c *Config) { c.PerCall = -time.Second },
		"plain remote": func(c *Config) {
			c.Families[0].BaseURL, c.AllowRemote = "http://models.example/v1", true
		},
	} {
		c := ollama()
		change(&c)
		if _, err := New(c); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		} else if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, "secret") {
			t.Errorf("%s: the error says %s", name, text)
		}
	}
	if _, err := New(ollama()); err != nil {
		t.Error(err)
	}
}

func TestModelsOffThisMachineNeedAVote(t *testing.T) {
	for _, address := range []string{
		"https://api.openai.com/v1", "http://192.168.1.5:11434/v1", "http://localhost.example/v1", "http://0.0.0.0:1/v1",
		"http://[::]:1/v1", "http://127.0.0.1.nip.io/v1", "http://2130706433/v1", "http://[fe80::1]/v1", "http://169.254.169.254/v1",
	} {
		c := ollama()
		c.Families[0].BaseURL = address
		if _, err := New(c); !errors.Is(err, ErrRemote) || fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"http://localhost:8080/v1", "http://127.8.9.1/v1", "http://[::1]:1/v1", "http://[::ffff:127.0.0.1]/v1"} {
		c := ollama()
		c.Families[0].BaseURL = address
		if _, err := New(c); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, model := range []string{"gpt-oss:120b-cloud", "glm-4.6:cloud"} {
		c := ollama()
		c.Families[0].Model = model
		if _, err := New(c); !errors.Is(err, ErrRemote) {
			t.Errorf("%s: %v", model, err)
		}
		c.AllowRemote = true
		if d := judge(t, c).Describe()[0]; !strings.Contains(d, "on another machine") {
			t.Errorf("described as %q", d)
		}
	}
	c := ollama()
	c.Families[0].BaseURL, c.AllowRemote = "https://api.openai.com/v1", true
	j, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if d := j.Describe(); len(d) != 1 || !strings.Contains(d[0], "https://api.openai.com/v1") || !strings.Contains(d[0], "on another machine") {
		t.Errorf("described as %q", d)
	}
	if d := judge(t, ollama()).Describe(); !strings.Contains(d[0], "llama3.1:8b at http://127.0.0.1:11434/v1, on this machine") {
		t.Errorf("described as %q", d)
	}
}

// TestALocalNameThatLeadsElsewhereIsNotCalled: the connection itself is checked,
// so it does not help if a resolver says that localhost is another machine.
func TestALocalNameThatLeadsElsewhereIsNotCalled(t *testing.T) {
	for address, ok := range map[string]bool{
		"127.0.0.1:80": true, "[::1]:80": true, "[::ffff:127.0.0.1]:80": true,
		"10.0.0.1:80": false, "[::ffff:10.0.0.1]:80": false, "0.0.0.0:80": false, "[fe80::1%eth0]:80": false, "nonsense": false,
	} {
		if err := onlyLoopback("tcp", address, nil); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	c := configFor(testkit.NewModel(t))
	c.Families[0].BaseURL = "http://" + l.Addr().String() + "/v1"
	if got := newEndpoint(c.Families[0], c).send(t.Context(), ask{kind: "models"}, ""); got.outcome != NoAnswer {
		t.Errorf("nobody there: %+v", got)
	}
}

func TestTheKeyIsSentAndShownNowhere(t *testing.T) {
	c := ollama()
	text, _ := json.Marshal(c.Families)
	for _, shown := range []string{
		fmt.Sprint(c), fmt.Sprintf("%v %+v %#v %v %q %x %s", c, c, c, c.Families[0], c.Families[0].APIKey, c.Families[0].APIKey, struct{ f Family }{c.Families[0]}.f.APIKey), string(text),
		fmt.Sprintf("%+v", struct{ c Config }{c}),
		fmt.Sprintf("%+v", judge(t, c)),
	} {
		if strings.Contains(shown, testKey) || strings.Contains(shown, fmt.Sprintf("%x", testKey)) {
			t.Errorf("shown: %s", shown)
		}
	}
	for name, mood := range map[string]fakellm.Mood{
		"honest": func(*fakellm.Turn) {}, "denied": fakellm.Failing(401), "echoing": fakellm.EchoingKey,
		"echoing at times": fakellm.Sometimes(30, fakellm.EchoingKey), "broken": fakellm.InvalidUTF8,
	} {
		m := testkit.NewModel(t, mood)
		buf, logger := logged()
		c, mem := configFor(m), newMemory()
		c.Logger, c.Recorder = logger, mem
		op, err := judge(t, c).Weigh(t.Context(), ordinary(t))
		if m.Turns()[0].Key != "Bearer "+testKey {
			t.Fatalf("%s: sent %q", name, m.Turns()[0].Key)
		}
		all := append([]byte(fmt.Sprint(err, encode(op))), buf.Bytes()...)
		for _, attempts := range mem.attempts {
			for _, a := range attempts {
				all = append(all, a.Answer...)
				all = append(all, a.line()...)
			}
		}
		if bytes.Contains(append(all, mem.only(t)...), []byte(testKey)) {
			t.Errorf("%s: the key is in an error, a log or a record", name)
		}
		if !strings.Contains(buf.String(), "family-a") {
			t.Errorf("%s: nothing was logged", name)
		}
	}
}

func TestTasksThatAreRefused(t *testing.T) {
	m := testkit.NewModel(t)
	j := judge(t, configFor(m))
	for name, change := range map[string]func(*appraisal.Task){
		"nothing":            func(t *appraisal.Task) { t.Dossiers, t.Exhibits = nil, nil },
		"only silent work":   func(t *appraisal.Task) { t.Exhibits, t.Dossiers = nil, onlyWork(t.Dossiers) },
		"long rubric":        func(t *appraisal.Task) { t.Rubric = strings.Repeat("x", maxRubric+1) },
		"rubric of bytes":    func(t *appraisal.Task) { t.Rubric = "\xff" },
		"bad bounds":         func(t *appraisal.Task) { t.Params.Gamma = 501 },
		"unknown kind":       func(t *appraisal.Task) { t.Dossiers[0].Kind = "stipend" },
		"a dossier twice":    func(t *appraisal.Task) { t.Dossiers[1].ID = t.Dossiers[0].ID },
		"an unclean exhibit": func(t *appraisal.Task) { t.Exhibits[0].Text = "a\u200bb" },
		"an exhibit twice":   func(t *appraisal.Task) { t.Exhibits = append(t.Exhibits, t.Exhibits[0]) },
		"an exhibit of data": func(t *appraisal.Task) { t.Exhibits[0].Dossier = dataID("d-ann") },
		"an unknown exhibit": func(t *appraisal.Task) { t.Exhibits[0].Dossier = "nobody" },
	} {
		task := ordinary(t)
		change(&task)
		if _, err := j.Weigh(t.Context(), task); !errors.Is(err, ErrTask) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := j.Estimate(task); !errors.Is(err, ErrTask) {
			t.Errorf("%s: estimated, %v", name, err)
		}
	}
	if n := len(m.Turns()); n != 0 {
		t.Errorf("%d calls", n)
	}
}

func onlyWork(dossiers []appraisal.Dossier) (out []appraisal.Dossier) {
	for _, d := range dossiers {
		if d.Kind == appraisal.KindWork {
			out = append(out, d)
		}
	}
	return out
}

func TestAskingForAPauseIsHonoured(t *testing.T) {
	for header, want := range map[string]time.Duration{"": 0, "2": 2 * time.Second, "3600": time.Minute, "-1": 0, "soon": 0, "99999999999": 0} {
		if got := retryAfter(map[string][]string{"Retry-After": {header}}); got != want && !(header == "99999999999" && got == time.Minute) {
			t.Errorf("%q: %v", header, got)
		}
	}
}

func TestModelsThatThinkFirstAreAskedInTheirWay(t *testing.T) {
	plain, thinking := ask{model: "llama3"}.request(formatSchema), ask{model: "gpt-5-mini"}.request(formatObject)
	if plain.MaxTokens != answerTokens || plain.Temperature == 0 || plain.ResponseFormat.JSONSchema == nil || !plain.ResponseFormat.JSONSchema.Strict { //nolint:staticcheck // the name local servers know
		t.Errorf("plain: %+v", plain)
	}
	if thinking.MaxTokens != 0 || thinking.MaxCompletionTokens != answerTokens || thinking.Temperature != 0 || thinking.ResponseFormat.JSONSchema != nil { //nolint:staticcheck // as above
		t.Errorf("thinking: %+v", thinking)
	}
	if text := (ask{model: "llama3"}).request(formatText); text.ResponseFormat != nil {
		t.Errorf("text: %+v", text)
	}
}

func TestChecklistsHaveEightToTwelveQuestions(t *testing.T) {
	for name, sheet := range checklists.Sheets {
		ids := map[string]bool{}
		known := 0
		for _, q := range sheet {
			if ids[q.ID] || q.Text == "" || q.Label == "" {
				t.Errorf("%s: question %+v", name, q)
			}
			if ids[q.ID] = true; q.Known {
				known++
			}
		}
		if len(sheet) < 8 || len(sheet) > 12 || known < 5 && name != kindSplit {
			t.Errorf("%s has %d questions, %d of them known", name, len(sheet), known)
		}
	}
	for _, s := range checklists.Statements {
		if len(canaryTexts.Facts[s.ID]) == 0 {
			t.Errorf("no canary states %s", s.ID)
		}
	}
}

func statementIDs() (out []string) {
	for _, s := range checklists.Statements {
		out = append(out, s.ID)
	}
	return out
}

func TestTheSchemaNamesEveryStatement(t *testing.T) {
	for _, id := range statementIDs() {
		if !strings.Contains(string(extractSchema), fmt.Sprintf("%q", id)) {
			t.Errorf("the schema lacks %s", id)
		}
	}
	for _, class := range []string{"git", "document", "design", "support", "duty", "other"} {
		if classOf(class) != class || len(checklists.Sheets[sheetName(appraisal.KindWork, class)]) == 0 {
			t.Errorf("no checklist for %s", class)
		}
	}
	if classOf("research") != "other" {
		t.Error("an unknown class has no checklist")
	}
}
