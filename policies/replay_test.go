package policies

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"
)

// firstLaw is law as it was before there were conditions, with questions that
// were recorded and answered under it.
type firstLaw struct {
	Archive   string `json:"archive"`
	Revision  string `json:"revision"`
	Decisions []struct {
		Name    string  `json:"name"`
		Input   string  `json:"input"`
		Outcome Outcome `json:"outcome"`
	} `json:"decisions"`
}

func readFirstLaw(t testing.TB) (firstLaw, *Revision) {
	t.Helper()
	text, err := os.ReadFile("testdata/first_law.json")
	if err != nil {
		t.Fatal(err)
	}
	var kept firstLaw
	if err := json.Unmarshal(text, &kept); err != nil {
		t.Fatal(err)
	}
	revision, err := Restore(t.Context(), []byte(kept.Archive))
	if err != nil || revision.Hash() != kept.Revision || revision.Classes() {
		t.Fatalf("restored %v, %v", revision, err)
	}
	return kept, revision
}

// What was decided before the vocabulary grew reads and replays as it was. The
// rules that fired were not recorded then; the names in the file are today's.
func TestDecisionsOfOlderLawReplay(t *testing.T) {
	kept, revision := readFirstLaw(t)
	for _, d := range kept.Decisions {
		in, err := ParseInput([]byte(d.Input))
		if err != nil {
			t.Errorf("%s: %v", d.Name, err)
			continue
		}
		d.Outcome.Asks = []string{}
		if out, err := revision.Decide(t.Context(), in); err != nil || !reflect.DeepEqual(out, d.Outcome) {
			t.Errorf("%s: was %+v, is %+v (%v)", d.Name, d.Outcome, out, err)
		}
	}
	if len(kept.Decisions) < 15 {
		t.Errorf("only %d decisions", len(kept.Decisions))
	}
}

// Records from before there were conditions mean under today's law what they
// meant, but for requests about a disease that they do not name.
func TestOlderRecordsMeanWhatTheyMeant(t *testing.T) {
	kept, _ := readFirstLaw(t)
	now := compiled(t, Default())
	for _, d := range kept.Decisions {
		in, err := ParseInput([]byte(d.Input))
		if err != nil {
			t.Fatal(err)
		}
		if in.Request.DUO == "DUO:0000007" {
			in.Request.Study.Disease = "MONDO:0005015"
		}
		if out, err := now.Decide(t.Context(), in); err != nil || out.Allow != d.Outcome.Allow {
			t.Errorf("%s: was %v, is %+v (%v)", d.Name, d.Outcome.Allow, out, err)
		}
	}
}

// The anchor of BenchmarkDecide: the same question under law without conditions.
func BenchmarkDecideFirstLaw(b *testing.B) {
	_, revision := readFirstLaw(b)
	in := released()
	for b.Loop() {
		if out, err := revision.Decide(b.Context(), in); err != nil || !out.Allow {
			b.Fatal(out, err)
		}
	}
}
