package treasury

import (
	"errors"
	"testing"

	"distributed.ai/datacoop/internal/coop"
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
