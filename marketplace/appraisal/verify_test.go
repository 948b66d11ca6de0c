package appraisal

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"

	"distributed.ai/datacoop/internal/fault"
)

// TestBundlesAreCanonicalByAnIndependentEncoder is why canonical may use
// encoding/json.
func TestBundlesAreCanonicalByAnIndependentEncoder(t *testing.T) {
	forPeriods(t, 21, 2_000, func(t *testing.T, rnd *rand.Rand, ev Evidence, p Params) {
		op := randomOpinion(rnd, ev)
		for i := range op.Scores {
			op.Scores[i].Reason = pick(rnd, []string{"", `<a href="x">&`, "größer\\", "日本語 😀"})
		}
		text := bundle(t, ev, p, pick(rnd, []*Opinion{nil, op}))
		want, err := jcs.Transform(text)
		if err != nil || !bytes.Equal(want, text) {
			t.Errorf("not canonical (%v):\n%s\n%s", err, text, want)
		}
	})
}

func TestFieldsAreDeclaredInTheOrderOfTheirNames(t *testing.T) {
	for _, v := range []any{
		Bundle{}, Evidence{}, Request{}, DataUse{}, Availability{}, Work{}, Duty{}, Params{}, Opinion{}, Model{}, Score{},
		PartScore{}, Statement{}, Step{}, Part{}, MemberShare{}, Line{}, Task{}, Dossier{}, Fact{}, Exhibit{}, Ballots{}, Cut{},
	} {
		var names []string
		for i := range reflect.TypeOf(v).NumField() {
			name, _, _ := strings.Cut(reflect.TypeOf(v).Field(i).Tag.Get("json"), ",")
			names = append(names, name)
		}
		if !slices.IsSorted(names) || slices.Contains(names, "") {
			t.Errorf("%T: %v", v, names)
		}
	}
}

func judged(t *testing.T) []byte {
	ev, p := example()
	return bundle(t, ev, voted(ev, p), &Opinion{
		Models: []Model{{Family: "f", Name: "n"}},
		Scores: []Score{{Dossier: DossierID(ev.Salt, KindWork, "w1"), Score: 900, Reason: "useful"}},
		Split:  []PartScore{{Part: KindWork, Score: 600}},
	})
}

func TestABundleVerifies(t *testing.T) {
	ev, p := example()
	for _, text := range [][]byte{judged(t), bundle(t, ev, p, nil)} {
		if err := Verify(text); err != nil {
			t.Error(err)
		}
	}
	forPeriods(t, 22, 2_000, func(t *testing.T, rnd *rand.Rand, ev Evidence, p Params) {
		if err := Verify(bundle(t, ev, p, randomOpinion(rnd, ev))); err != nil {
			t.Error(err)
		}
	})
}

// TestEveryFlippedBitIsCaught changes each byte of a bundle in several ways.
func TestEveryFlippedBitIsCaught(t *testing.T) {
	text := judged(t)
	for i := range text {
		for _, mask := range []byte{1 << (i % 8), 1 << ((i + 5) % 8), 0xff} {
			text[i] ^= mask
			if err := Verify(text); fault.KindOf(err) != fault.Invalid {
				t.Fatalf("byte %d with %#x flipped: %v\n%s", i, mask, err, text[max(0, i-40):min(len(text), i+40)])
			}
			text[i] ^= mask
		}
	}
}

func TestEncodingsThatAreNotTheCanonicalOneAreRefused(t *testing.T) {
	text := string(judged(t))
	for name, other := range map[string]string{
		"white space before":  " " + text,
		"newline after":       text + "\n",
		"space inside":        strings.Replace(text, `,"format"`, `, "format"`, 1),
		"fields swapped":      strings.Replace(text, `"family":"f","name":"n"`, `"name":"n","family":"f"`, 1),
		"a field twice":       strings.Replace(text, `"name":"n"`, `"name":"x","name":"n"`, 1),
		"a field in capitals": strings.Replace(text, `"name":"n"`, `"NAME":"n"`, 1),
		"a number as 9e2":     strings.Replace(text, `"score":900`, `"score":9e2`, 1),
		"a number as 900.0":   strings.Replace(text, `"score":900`, `"score":900.0`, 1),
		"an escaped letter":   strings.Replace(text, `"useful"`, `"\u0075seful"`, 1),
		"a list as null":      strings.Replace(text, `"split":[{"part":"work","reason":"","score":600}]`, `"split":null`, 1),
		"an unknown field":    strings.Replace(text, `"format"`, `"extra":1,"format"`, 1),
		"two documents":       text + text,
		"another format":      strings.Replace(text, Format, "datacoop-statement/2", 1),
		"a missing field":     strings.Replace(text, `"period":"P0001",`, ``, 1),
		"half of it":          text[:len(text)/2],
		"nothing":             "",
		"null":                "null",
		"NaN":                 strings.Replace(text, `"score":900`, `"score":NaN`, 1),
		"deeply nested":       strings.Repeat("[", 100_000),
	} {
		if other == text {
			t.Fatalf("%s: nothing was changed", name)
		}
		if err := Verify([]byte(other)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyNamesTheFirstFieldThatDiffers(t *testing.T) {
	text := string(judged(t))
	for want, other := range map[string]string{
		"statement.evidence_sha256":            strings.Replace(text, `"coverage":500`, `"coverage":501`, 1),
		"statement.opinion_sha256":             strings.Replace(text, `"reason":"useful"`, `"reason":"Useful"`, 1),
		"statement.shares[2].lines[1].kind":    strings.Replace(text, `"kind":"work","ref":"w2"`, `"kind":"data","ref":"w2"`, 1),
		"statement.waterfall[0].name":          strings.Replace(text, `"name":"commission"`, `"name":"omission"`, 1),
		"encoding":                             strings.Replace(text, `"useful"`, `"\u0075seful"`, 1),
		"statement.shares[0].lines[0].request": strings.Replace(text, `"ref":"d-ann","request":"r1"`, `"ref":"d-ann","request":"r2"`, 1),
	} {
		err := Verify([]byte(other))
		var f *fault.Error
		if other == text || !errors.As(err, &f) || !errors.Is(err, ErrDiffers) || !slices.Equal(f.Detail, []string{want}) {
			t.Errorf("want %s, got %v %v", want, err, f)
		}
	}
}

func FuzzVerify(f *testing.F) {
	ev, p := example()
	b, err := NewBundle(ev, p, nil)
	if err != nil {
		f.Fatal(err)
	}
	text, err := b.JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"format":"datacoop-statement/1"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if Verify(text) != nil {
			return
		}
		b, err := ParseBundle(text)
		if err != nil {
			t.Fatalf("verified but unreadable: %v", err)
		}
		again, err := b.JSON()
		if err != nil || !bytes.Equal(again, text) {
			t.Fatalf("verified but not canonical: %v", err)
		}
	})
}

// large is a period of n members with one use and one piece of work each.
func large(n int) (Evidence, Params) {
	ev, p := example()
	ev.Data, ev.Work, ev.Available, ev.Duties = nil, nil, nil, nil
	for i := range n {
		id := fmt.Sprintf("%08d", i)
		ev.Data = append(ev.Data, DataUse{Request: "r1", Dataset: "d" + id, Member: "m" + id, Grade: "A", Coverage: int64(1 + i%1000), Fresh: 900, Unique: 1000, Trust: 1000})
		ev.Work = append(ev.Work, Work{Contribution: "w" + id, Member: "m" + id, Kind: "git", Grade: "D", Points: int64(1 + i%5)})
	}
	return ev, p
}

func BenchmarkClose100k(b *testing.B) {
	ev, p := large(100_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Close(ev, p, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify20k(b *testing.B) {
	ev, p := large(20_000)
	sealed, err := NewBundle(ev, p, nil)
	if err != nil {
		b.Fatal(err)
	}
	text, err := sealed.JSON()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("verify", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if err := Verify(text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if _, err := ParseBundle(text); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestABundleOfOtherRulesSaysSo: it is not a lie, and not ours to compute.
func TestABundleOfOtherRulesSaysSo(t *testing.T) {
	ev, p := example()
	text := bundle(t, ev, p, nil)
	for named, want := range map[string]error{"patronage-1": ErrFormula, "patronage-2": ErrFormula, "patronage-x": ErrDiffers} {
		other := bytes.Replace(text, []byte(`"formula":"`+Formula+`"`), []byte(`"formula":"`+named+`"`), 1)
		if err := Verify(other); !errors.Is(err, want) {
			t.Errorf("%s: %v", named, err)
		}
	}
}

// TestNothingHidesBehindTheStatement: what Verify reads ends where the statement
// begins, and what it compares does not.
func TestNothingHidesBehindTheStatement(t *testing.T) {
	ev, p := example()
	text := bundle(t, ev, p, nil)
	for name, other := range map[string][]byte{
		"a second evidence": bytes.Replace(text, []byte(`}]}}`), []byte(`}]},"evidence":{}}`), 1),
		"a tail":            append(bytes.Clone(text), ' '),
		"cut short":         text[:len(text)-1],
		"no statement":      append(bytes.Clone(text[:bytes.Index(text, []byte(`,"statement"`))]), '}'),
		"two statements":    append(bytes.Clone(text[:len(text)-1]), `,"statement":{"amount":1}}`...),
	} {
		if bytes.Equal(other, text) || Verify(other) == nil {
			t.Errorf("%s verifies", name)
		}
	}
}
