package portable_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/web/portable"
)

func list(pages ...[]any) portable.Page {
	return func(_ context.Context, cursor string) ([]any, string, error) {
		at := len(cursor)
		if at+1 < len(pages) {
			return pages[at], cursor + "x", nil
		}
		return pages[at], "", nil
	}
}

type use struct {
	Why  []string       `json:"why"`
	Who  map[string]any `json:"who"`
	ID   string         `json:"id"`
	Cent int64          `json:"cent"`
	Late string         `json:"late,omitempty"`
}

func archive() portable.Archive {
	return portable.Archive{
		Title: "All of it", Notes: []string{"Keep it safe."}, At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Parts: []portable.Part{
			{Name: "me", About: "Who I am here.", Document: func(context.Context) (any, error) { return map[string]int{"joined": 7}, nil }},
			{Name: "uses", About: "Who asked.", List: list(
				[]any{use{ID: "1", Cent: 9007199254740993, Who: map[string]any{"name": "=SUM(A1)", "kind": "university"}, Why: []string{"a", "b"}}},
				[]any{use{ID: "2", Cent: -5, Late: "yes"}})},
			{Name: "nothing", About: "An empty list.", List: list(nil)},
		},
		Files: []portable.File{{Name: "datasets/1.age", About: "One dataset.", Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader("age-encryption.org/v1\n…")), nil
		}}},
	}
}

func read(t *testing.T, text []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name] = string(b)
	}
	return out
}

func TestEverythingIsThereAsJSONAndAsATable(t *testing.T) {
	var b bytes.Buffer
	if err := archive().Write(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	files := read(t, b.Bytes())
	for _, name := range []string{"READ ME.txt", "me.json", "uses.json", "uses.csv", "nothing.json", "nothing.csv", "datasets/1.age"} {
		if _, ok := files[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
	for _, sentence := range []string{"All of it", "Keep it safe.", "Who asked.", "One dataset."} {
		if !strings.Contains(files["READ ME.txt"], sentence) {
			t.Errorf("READ ME.txt does not say %q", sentence)
		}
	}
	var uses []use
	if err := json.Unmarshal([]byte(files["uses.json"]), &uses); err != nil || len(uses) != 2 || uses[0].Who["name"] != "=SUM(A1)" {
		t.Errorf("uses.json: %v %v", uses, err)
	}
	rows, err := csv.NewReader(strings.NewReader(files["uses.csv"])).ReadAll()
	want := [][]string{
		{"id", "cent", "late", "who", "who.kind", "who.name", "why"},
		{"1", "9007199254740993", "", "", "university", "'=SUM(A1)", `["a","b"]`},
		{"2", "-5", "yes", "", "", "", ""},
	}
	if err != nil || !slices.EqualFunc(rows, want, slices.Equal) {
		t.Errorf("uses.csv: %q, %v", rows, err)
	}
	if files["nothing.json"] != "[]\n" || files["nothing.csv"] != "" {
		t.Errorf("an empty list: %q %q", files["nothing.json"], files["nothing.csv"])
	}
}

// TestWhatCannotBeReadEndsTheArchive breaks each part in turn: no archive that
// can be opened comes of it.
func TestWhatCannotBeReadEndsTheArchive(t *testing.T) {
	broken := errors.New("broken")
	ways := map[string]func(*portable.Archive){
		"a document": func(a *portable.Archive) {
			a.Parts[0].Document = func(context.Context) (any, error) { return nil, broken }
		},
		"a later page": func(a *portable.Archive) {
			first := a.Parts[1].List
			a.Parts[1].List = func(ctx context.Context, cursor string) ([]any, string, error) {
				if cursor != "" {
					return nil, "", broken
				}
				return first(ctx, cursor)
			}
		},
		"a file that does not open": func(a *portable.Archive) {
			a.Files[0].Open = func() (io.ReadCloser, error) { return nil, broken }
		},
		"a file that ends early": func(a *portable.Archive) {
			a.Files[0].Open = func() (io.ReadCloser, error) {
				return io.NopCloser(io.MultiReader(strings.NewReader("age"), failing{broken})), nil
			}
		},
	}
	for name, breaks := range ways {
		t.Run(name, func(t *testing.T) {
			a := archive()
			breaks(&a)
			var b bytes.Buffer
			if err := a.Write(t.Context(), &b); !errors.Is(err, broken) {
				t.Fatalf("error %v", err)
			}
			if _, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len())); err == nil {
				t.Error("the torso opens as if it were whole")
			}
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
