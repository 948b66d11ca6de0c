package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestModelsAndAddressesBelongTogether(t *testing.T) {
	for name, j := range map[string]Judges{
		"an address alone":               {BaseURL: []string{"http://127.0.0.1:1/v1"}},
		"a model alone":                  {Model: []string{"m"}},
		"two models at one address":      {BaseURL: []string{"http://127.0.0.1:1/v1"}, Model: []string{"a", "b"}},
		"cassettes of nothing by nobody": {BaseURL: []string{"http://127.0.0.1:1/v1"}, Cassettes: t.TempDir()},
	} {
		j.Seeds = 1
		var out bytes.Buffer
		if err := Run(t.Context(), "appraisal", Env{Dir: t.TempDir(), Out: &out, JSON: true, Judges: j}); !errors.Is(err, errModels) || out.Len() > 0 {
			t.Errorf("%s: %v, %q", name, err, out.String())
		}
	}
}

func TestCassettesAloneAskNobody(t *testing.T) {
	var out bytes.Buffer
	env := Env{Dir: t.TempDir(), Out: &out, JSON: true, Judges: Judges{Seeds: 1, Model: []string{"m"}, Cassettes: t.TempDir()}}
	if err := Run(t.Context(), "appraisal", env); err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(out.String(), "\n")
	var f Figure
	if err := json.Unmarshal([]byte(first), &f); err != nil || f.Name != "live_periods_heard" || f.Value != 0 || f.Goal != "reported" {
		t.Errorf("%s: %v", first, err)
	}
}
