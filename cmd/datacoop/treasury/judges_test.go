package treasury

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/appraisal/agreement"
	"distributed.ai/datacoop/marketplace/appraisal/fakellm"
	"distributed.ai/datacoop/marketplace/appraisal/llm"
)

// A vote for one provider is no vote for another, whatever a candidate says.
func TestACandidateAsksOnlyWhereTheCharterDoes(t *testing.T) {
	model := func(address, name string) coop.Model { return coop.Model{Family: "f", BaseURL: address, Name: name} }
	m := Models{Seed: llm.NewSecret("0123456789abcdef0123456789abcdef"),
		Charter: coop.Charter{RemoteJudges: true, Judges: []coop.Model{model("https://voted.example/v1", "a"), model("http://localhost:11434/v1", "b")}}}
	for _, one := range []struct {
		address, name string
		want          error
	}{
		{"https://voted.example/v1", "other", nil},
		{"http://localhost:9/v1", "c", nil},
		{"http://127.0.0.1:11434/v1", "c", nil},
		{"https://evil.example/v1", "a", errAddress},
		{"https://voted.example/evil/v1", "a", errAddress},
		{"http://localhost:11434/v1", "c:cloud", errAddress},
		{"http://voted.example/v1", "a", llm.ErrConfig},
	} {
		_, err := m.Make(coop.Candidate{Judges: []coop.Model{model(one.address, one.name)}})
		if !errors.Is(err, one.want) {
			t.Errorf("%s %s: %v", one.address, one.name, err)
		}
	}
	m.Charter.RemoteJudges = false
	if _, err := m.Make(coop.Candidate{Judges: []coop.Model{model("https://voted.example/v1", "a")}}); err == nil {
		t.Error("a model elsewhere is asked though members allow none")
	}
}

// A key is for one host, and a family's name does not carry it to another.
func TestACandidatesKeyIsForOneHost(t *testing.T) {
	t.Setenv("DATACOOP_CANDIDATE_KEY_A_B", "voted.example secret")
	for address, want := range map[string]bool{"https://voted.example/v1": true, "https://evil.example/v1": false,
		"https://voted.example.evil.example/v1": false, "http://localhost:1/v1": false} {
		got := candidateKey(coop.Model{Family: "a-b", BaseURL: address})
		if (got == "secret") != want || !want && got != "" {
			t.Errorf("%s: the key is sent: %v", address, !want)
		}
	}
	t.Setenv("DATACOOP_CANDIDATE_KEY_A_B", "secret")
	if candidateKey(coop.Model{Family: "a-b", BaseURL: "https://voted.example/v1"}) != "" {
		t.Error("a key without a host is sent")
	}
}

// Whatever a candidate calls its family, the charter's key goes only to the
// charter's address, and a candidate's only to the host it is for.
func TestAKeyIsSentOnlyWhereItBelongs(t *testing.T) {
	voted, own := testkit.NewModel(t), testkit.NewModel(t)
	t.Setenv("DATACOOP_JUDGE_KEY_F", "of-the-charter")
	charter := must(coop.ParseCharter(governance.DemoCharter()))(t)
	charter.Judges = []coop.Model{{Family: "f", BaseURL: voted.BaseURL, Name: "m"}}
	m := Models{Charter: charter, Seed: llm.NewSecret("0123456789abcdef0123456789abcdef")}
	keys := func(model *fakellm.Model, c coop.Model) map[string]bool {
		t.Helper()
		judge := must(m.Make(coop.Candidate{Judges: []coop.Model{c}}))(t)
		before, out := len(model.Turns()), map[string]bool{}
		round := agreement.Round{Name: "r", Items: []agreement.Item{{ID: "a", Text: "Wrote the importer."}, {ID: "b", Text: "Tested it."}}}
		must(weigh(t.Context(), judge, round, charter))(t)
		for _, turn := range model.Turns()[before:] {
			out[turn.Key] = true
		}
		return out
	}
	elsewhere := coop.Model{Family: "f", BaseURL: own.BaseURL, Name: "m"}
	for _, one := range []struct {
		name, host string
		model      *fakellm.Model
		asked      coop.Model
		want       string
	}{
		{"where the charter has it", "127.0.0.1 of-the-candidate", voted, charter.Judges[0], "Bearer of-the-charter"},
		{"a family of the same name elsewhere", "", own, elsewhere, ""},
		{"one with a key for another host", "voted.example of-the-candidate", own, elsewhere, ""},
		{"one with a key of its own", "127.0.0.1 of-the-candidate", own, elsewhere, "Bearer of-the-candidate"},
	} {
		t.Setenv("DATACOOP_CANDIDATE_KEY_F", one.host)
		got := keys(one.model, one.asked)
		if len(got) != 1 || !got[one.want] {
			t.Errorf("%s: the model was sent %q", one.name, slices.Collect(maps.Keys(got)))
		}
	}
}

// Who runs the co-op reads what a model is going to be asked, and what that costs
// about, before the first question, and how far it is while it answers.
func TestTheCostIsSaidBeforeTheFirstQuestionAndThenTheProgress(t *testing.T) {
	var mu sync.Mutex
	var said strings.Builder
	read := func() string {
		mu.Lock()
		defer mu.Unlock()
		return said.String()
	}
	late := false
	model := testkit.NewModel(t, func(turn *fakellm.Turn) {
		mu.Lock()
		defer mu.Unlock()
		late = late || !strings.Contains(said.String(), "tokens to read")
	})
	charter := must(coop.ParseCharter(governance.DemoCharter()))(t)
	charter.Judges = []coop.Model{{Family: "f", BaseURL: model.BaseURL, Name: "m", PromptPrice: 25_000_000, AnswerPrice: 100_000_000}}
	committed := false
	m := Models{Charter: charter, Seed: llm.NewSecret("0123456789abcdef0123456789abcdef"), Commit: func(context.Context, llm.Plan) error { committed = true; return nil },
		Logger: slog.New(slog.NewTextHandler(locked{&mu, &said}, nil))}
	judge := must(m.Make(charter.Candidate()))(t)
	round := agreement.Round{Name: "r", Items: []agreement.Item{{ID: "a", Text: "Wrote the importer."}, {ID: "b", Text: "Tested it."}}}
	must(weigh(t.Context(), judge, round, charter))(t)
	if late || !committed {
		t.Errorf("asked before it was said: %v; committed: %v", late, committed)
	}
	for _, want := range []string{`what="f: `, "tokens to read", " EUR.", "a model is being asked", "family=f done="} {
		if !strings.Contains(read(), want) {
			t.Errorf("the log does not say %q: %s", want, read())
		}
	}
	if strings.Contains(read(), "no price is set") {
		t.Error("the charter's prices are not used")
	}
}

// locked is a log that several goroutines write.
type locked struct {
	mu *sync.Mutex
	to *strings.Builder
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
