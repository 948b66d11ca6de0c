package stream_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

func values(text, list string) (all []string, err error) {
	err = stream.EachJSON(strings.NewReader(text), list, func(value []byte) error {
		all = append(all, string(value))
		return nil
	})
	return all, err
}

func TestJSONIsCutIntoValues(t *testing.T) {
	for _, c := range []struct{ list, in, want string }{
		{"", `[1, {"a":"]}"} ,"x,\"y" ]`, `1|{"a":"]}"}|"x,\"y"`},
		{"", "{\"a\":1}\n{\"a\":[{}]}\n\n", `{"a":1}|{"a":[{}]}`},
		{"", `7`, `7`},
		{"", `[]`, ``},
		{"entry", `{"x":{"entry":[0]},"entry":[1,[2]],"y":"entry"}`, `1|[2]`},
		{"entry", `[{"entry":[1]},7,{"no":[0]},{"entry":[2,3]}]`, `1|2|3`},
		{"entry", `{"entry":{"a":1}}`, ``},
	} {
		if got, err := values(c.in, c.list); err != nil || strings.Join(got, "|") != c.want {
			t.Errorf("%s: %q, %v", c.in, got, err)
		}
	}
}

func TestJSONIsRefused(t *testing.T) {
	for _, in := range []string{``, ` `, `[`, `[1`, `[1,`, `[1,]`, `[1 2]`, `[,1]`, `{"a":1`, `{"a`, `]`, `{"entry":[1]`, `{"entry":[1}`, `{"entry" 1}`, `{1:2}`, `[{"entry":[1]}`} {
		for _, list := range []string{"", "entry"} {
			if list == "" && (strings.HasPrefix(in, "{1") || strings.HasPrefix(in, `{"entry" 1`)) {
				continue // one whole document, which visit judges
			}
			if got, err := values(in, list); !errors.Is(err, stream.ErrMalformedFile) {
				t.Errorf("%.40s as %q: %.100q, %v", in, list, got, err)
			}
		}
	}
	if _, err := values(`["`+strings.Repeat("x", 17<<20)+`"]`, ""); !errors.Is(err, stream.ErrMalformedFile) {
		t.Errorf("a value without an end: %v", err)
	}
	broken := errors.New("enough")
	err := stream.EachJSON(strings.NewReader(`[1,2]`), "", func([]byte) error { return broken })
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestObjectTellsTheFieldsOfTheFirst(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":"x","b":{"c":"y"},"d":[`: "map[a:x b: d:]",
		`[{"a":"x"},{"e":1}]`:          "map[a:x]",
		`{}`:                           "map[]",
		`[1]`:                          "map[]",
		"a,b\n":                        "map[]",
	} {
		if got := fmt.Sprint(stream.Object([]byte(in))); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}

func packed(text string) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return out.Bytes()
}

func TestGzipIsReadThrough(t *testing.T) {
	if got, err := parts(stream.Bytes("", packed("a,b\n"))); err != nil || !slices.Equal(got, []string{"a,b\n"}) {
		t.Errorf("%q, %v", got, err)
	}
	inside := archive(t, entry{"activities/1.gpx.gz", string(packed("<gpx/>")), 0})
	if got, err := parts(stream.Bytes("", inside)); err != nil || !slices.Equal(got, []string{"<gpx/>"}) {
		t.Errorf("%q, %v", got, err)
	}
	for name, data := range map[string][]byte{"cut": packed(strings.Repeat("a,b\n", 999))[:25], "no header": []byte("\x1f\x8b\x08")} {
		if _, err := parts(stream.Bytes("", data)); !errors.Is(err, stream.ErrMalformedFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := parts(stream.Bytes("", packed(strings.Repeat("0", 64<<20)))); !errors.Is(err, stream.ErrZipBomb) {
		t.Errorf("bomb: %v", err)
	}
}

func TestWhatIsLeftOutIsCountedByKind(t *testing.T) {
	data := archive(t, entry{"a.csv", "one", 0}, entry{"b.csv", "skip", 0}, entry{"c.csv", " ", 0}, entry{"Photos/rosalind.JPG", "x", 0}, entry{"d.png", "x", 0},
		entry{"song.mp3", "x", 0}, entry{"readme.pdf", "x", 0}, entry{"inner.zip", "x", 0}, entry{"x.bin", "x", 0}, entry{"folder/", "", 0}, entry{"__MACOSX/a.csv", "x", 0})
	counts := map[string]int{}
	err := stream.Bytes("", data).Each(func(p stream.Part) error {
		if bytes.HasPrefix(p.Start, []byte("skip")) {
			return stream.ErrUnknownFormat
		}
		return nil
	}, func(kind string) { counts[kind]++ })
	want := map[string]int{stream.LeftPicture: 2, stream.LeftSound: 1, stream.LeftDocument: 1, stream.LeftArchive: 1, stream.LeftOther: 2, stream.LeftEmpty: 1}
	if err != nil || fmt.Sprint(counts) != fmt.Sprint(want) {
		t.Errorf("%v, want %v, %v", counts, want, err)
	}
}

func FuzzJSON(f *testing.F) {
	f.Add(`[{"a":1}, "x"]`, "")
	f.Add(`{"entry":[{"a":[1,{}]}]}`, "entry")
	f.Fuzz(func(t *testing.T, text, list string) {
		_ = stream.Object([]byte(text))
		got, err := values(text, list)
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Fatal(err)
		}
		var whole []json.RawMessage
		if list == "" && json.Unmarshal([]byte(text), &whole) == nil && whole != nil && (err != nil || len(got) != len(whole)) {
			t.Fatalf("%q: %d values, not %d, %v", text, len(got), len(whole), err)
		}
	})
}
