package coop

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"
	"pgregory.net/rapid"
)

// same fails unless v is written as the library of the standard's authors does.
func same(t interface{ Fatalf(string, ...any) }, v any) {
	got, err := Canonical([]any{v}) // the library takes containers only
	text, failed := json.Marshal([]any{v})
	if err != nil || failed != nil {
		t.Fatalf("%v: %v, %v", v, err, failed)
	}
	want, err := jcs.Transform(text)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%q, want %q (%v)", got, want, err)
	}
	again, err := Canonical(json.RawMessage(got))
	if err != nil || !bytes.Equal(again, got) {
		t.Fatalf("%q again is %q (%v)", got, again, err)
	}
}

func anything(t *rapid.T, depth int) any {
	kinds := 5
	if depth > 0 {
		kinds = 7
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return rapid.Int64Range(-maxInteger, maxInteger).Draw(t, "number")
	case 1:
		return rapid.Bool().Draw(t, "truth")
	case 2:
		return nil
	case 3, 4:
		return rapid.String().Draw(t, "text")
	case 5:
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) any { return anything(t, depth-1) }), 0, 4).Draw(t, "list")
	}
	return rapid.MapOfN(rapid.String(), rapid.Custom(func(t *rapid.T) any { return anything(t, depth-1) }), 0, 5).Draw(t, "object")
}

func TestCanonicalIsWhatTheStandardSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { same(t, anything(t, 3)) })
	for _, v := range []any{
		"", "</script>&\u2028\u2029\u007f\x00\x1f\b\f\n\r\t\"\\/", "€\U0001f600\ufb33", map[string]any{},
		// The example of RFC 8785, section 3.2.3.
		map[string]any{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
			"\U0001f600": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"},
		struct {
			B, A string
			C    struct{ Z, Y []int64 }
		}{C: struct{ Z, Y []int64 }{[]int64{2, 1}, nil}},
		json.RawMessage(`{"b":"\ud83d\ude00\/","a":{"z":[],"\u0061":-0}}`),
	} {
		same(t, v)
	}
}

func TestWhatHasNoCanonicalFormIsRefused(t *testing.T) {
	for name, v := range map[string]any{
		"a fraction":              1.5,
		"an exponent":             json.RawMessage("1e3"),
		"a number too large":      int64(maxInteger + 1),
		"a number too small":      int64(-maxInteger - 1),
		"a number beyond any":     json.RawMessage(strings.Repeat("9", 40)),
		"two fields of one name":  json.RawMessage(`{"a":1,"a":2}`),
		"the same, apart":         json.RawMessage(`{"a":1,"b":2,"\u0061":3}`),
		"a fraction deep within":  map[string]any{"a": []any{map[string]any{"b": math.Pi}}},
		"bytes that are no text":  json.RawMessage("\"\xff\""),
		"half a pair":             json.RawMessage(`["\ud83d"]`),
		"a half and another text": json.RawMessage(`["\\\ud83d\nude00"]`),
		"a half and a letter":     json.RawMessage(`["\ud83d\u0041"]`),
	} {
		if text, err := Canonical(v); !errors.Is(err, ErrNotCanonical) {
			t.Errorf("%s: %s, %v", name, text, err)
		}
	}
	for name, v := range map[string]any{"a function": func() {}, "not JSON": json.RawMessage("{"), "no number": math.NaN()} {
		if text, err := Canonical(v); err == nil {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// Numbers are found where encoding/json finds them, token by token.
func TestOnlyIntegersAreNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[-0-9.eE"\\{}\[\],: <ä]{0,12}`)
		v := rapid.MapOf(word, rapid.SliceOf(rapid.OneOf(
			rapid.Map(word, func(s string) any { return s }),
			rapid.Map(rapid.Int64(), func(n int64) any { return n }),
			rapid.Map(rapid.Float64Range(-1e9, 1e9), func(f float64) any { return f }),
		))).Draw(t, "record")
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		want := true
		for token, err := dec.Token(); err == nil; token, err = dec.Token() {
			if n, ok := token.(json.Number); ok {
				i, err := n.Int64()
				want = want && err == nil && i <= maxInteger && i >= -maxInteger
			}
		}
		if _, err := Canonical(v); want != (err == nil) {
			t.Fatalf("%s: %v", text, err)
		}
	})
}

func FuzzCanonical(f *testing.F) {
	f.Add([]byte(`{"b":[1,"\u003c",null,true],"a":{"\r":-12}}`))
	f.Add([]byte(`["\ud83d\ude00", "\ud83d", 1e2]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := Canonical(json.RawMessage(text))
		if err != nil || got[0] != '{' && got[0] != '[' {
			return
		}
		want, err := jcs.Transform(text)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%q is %q, want %q (%v)", text, got, want, err)
		}
	})
}

func BenchmarkCanonical(b *testing.B) {
	v := map[string]any{"reasons": []map[string]string{{"sentence": "The member has not given consent for this.", "layer": "member", "code": "no-consent"}}, "at": 1767225600000}
	for b.Loop() {
		if _, err := Canonical(v); err != nil {
			b.Fatal(err)
		}
	}
}
