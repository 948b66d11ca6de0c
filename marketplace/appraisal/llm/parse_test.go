package llm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/appraisal/fakellm"
)

var (
	twoQuestions = []question{{ID: "a"}, {ID: "b"}}
	twoEvidence  = map[string][]string{"x": {"e1", "e2"}, "y": {}}
)

const goodJudgement = `{"dossiers":[{"id":"x","cannot_tell":false,"answers":[{"question":"a","yes":true,"evidence":["e2"]},{"question":"b","yes":false,"evidence":[]}]},` +
	`{"id":"y","cannot_tell":true,"answers":[{"question":"b","yes":false,"evidence":[]},{"question":"a","yes":true,"evidence":["e1"]}]}]}`

func TestAYesCountsOnlyWithEvidenceOfItsOwnDossier(t *testing.T) {
	for cited, want := range map[string]bool{
		`["e1"]`: true, `["e2","e1"]`: true, `[]`: false, `["e3"]`: false, `["e1","e3"]`: false, `["a"]`: false, `[""]`: false,
		`["e1\u200b"]`: false, "[\"e1\u200b\"]": false, `["е1"]`: false, `["E1"]`: false, // what looks like an id is none
	} {
		got, err := readJudgement(strings.Replace(goodJudgement, `["e2"]`, cited, 1), twoEvidence, twoQuestions)
		if err != nil || got["x"].yes["a"] != want {
			t.Errorf("%s: %v, %v", cited, got["x"], err)
		}
		if got["y"].yes["a"] || !got["y"].cannotTell {
			t.Errorf("another dossier's evidence counted: %v", got["y"])
		}
	}
}

func TestJudgementsThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		old, new string
		want     refusal
	}{
		{goodJudgement, ``, notJSON},
		{goodJudgement, `null`, badShape},
		{goodJudgement, `[]`, badShape},
		{goodJudgement, `{}`, badShape},
		{goodJudgement, goodJudgement + `{}`, notJSON},
		{goodJudgement, "\xef\xbb\xbf" + goodJudgement, notJSON},
		{goodJudgement, "```json\n" + goodJudgement + "\n```", notJSON},
		{goodJudgement, `{"dossiers":{}}`, badShape},
		{goodJudgement, `{"dossiers":[]}`, missing},
		{goodJudgement, `{"dossiers":[null]}`, badShape},
		{goodJudgement, `{"dossiers":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, tooDeep},
		{goodJudgement, strings.Repeat("[", 20000) + strings.Repeat("]", 20000), notJSON},
		{`"id":"y"`, `"id":"x"`, unknownID},
		{`"id":"y"`, `"id":"z"`, unknownID},
		{`"id":"y"`, `"id":7`, badShape},
		{`"id":"y"`, `"ID":"y"`, badShape},
		{`"id":"y"`, "\"id\":\"\xff\"", notUTF8},
		{`"id":"y",`, ``, badShape},
		{`"id":"y"`, `"id":"y","id":"y"`, twice},
		{`"id":"y"`, `"id":"y","note":"x"`, badShape},
		{`"yes":true`, `"yes":"true"`, badShape},
		{`"yes":true`, `"yes":1`, badShape},
		{`"yes":true`, `"yes":null`, badShape},
		{`"yes":true`, `"yes":NaN`, notJSON},
		{`"yes":true`, `"yes":-1`, badShape},
		{`"yes":true`, `"yes":-Infinity`, notJSON},
		{`"id":"y"`, `"id":"y\u200b"`, unknownID},
		{`"id":"y"`, `"id":"\u202ey"`, unknownID},
		{`"question":"a"`, "\"question\":\"a\u00ad\"", unknownID},
		{`"question":"a"`, `"question":"а"`, unknownID}, // a Cyrillic letter
		{"\"id\"", "\"i\u200bd\"", badShape},
		{goodJudgement, `{"data":0.7,"work":0.7,"governance":-0.2}`, badShape}, // nobody asks for shares, so none can add up to something else
		{`{"dossiers":`, `{"split":{"data":0.7,"work":0.7},"dossiers":`, badShape},
		{`["e2"]`, `[-1]`, badShape},
		{`"yes":true`, `"yes":false,"yes":true`, twice},
		{`"question":"a"`, `"question":"b"`, unknownID},
		{`"question":"a"`, `"question":"c"`, unknownID},
		{`,{"question":"b","yes":false,"evidence":[]}`, ``, missing},
		{`["e2"]`, `"e2"`, badShape},
		{`["e2"]`, `[2]`, badShape},
		{`["e2"]`, `null`, badShape},
		{`["e2"]`, `["e2"` + strings.Repeat(`,"e2"`, mostCited) + `]`, badShape},
		{`"cannot_tell":true`, `"cannot_tell":"no"`, badShape},
		{`,{"id":"y"`, `],"x":[{"id":"y"`, badShape},
	} {
		text := strings.Replace(goodJudgement, c.old, c.new, 1)
		if _, err := readJudgement(text, twoEvidence, twoQuestions); err != c.want {
			t.Errorf("%.80q: %v, not %v", text, err, c.want)
		}
	}
	if _, err := readJudgement(goodJudgement, twoEvidence, twoQuestions); err != nil {
		t.Error(err)
	}
}

const goodExtraction = `{"observations":[{"kind":"need","strength":2,"evidence":["s1","s3"]}],"steering":false}`

func TestExtractionsThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		old, new string
		want     refusal
	}{
		{goodExtraction, `{"observations":[]}`, badShape},
		{goodExtraction, `{"observations":[],"steering":"no"}`, badShape},
		{goodExtraction, `{"observations":{},"steering":false}`, badShape},
		{`"need"`, `"praise"`, unknownID},
		{`"need"`, `"NEED"`, unknownID},
		{`"need"`, `7`, badShape},
		{`2`, `0`, badShape},
		{`2`, `4`, badShape},
		{`2`, `-1`, badShape},
		{`2`, `2.0`, badShape},
		{`2`, `2e0`, badShape},
		{`2`, `NaN`, notJSON},
		{`2`, `Infinity`, notJSON},
		{`2`, `99999999999999999999`, badShape},
		{`2`, `"2"`, badShape},
		{`["s1","s3"]`, `[]`, badShape},
		{`["s1","s3"]`, `["s4"]`, unknownID},
		{`["s1","s3"]`, `["s0"]`, unknownID},
		{`["s1","s3"]`, `["s01"]`, unknownID},
		{`["s1","s3"]`, `["s+1"]`, unknownID},
		{`["s1","s3"]`, `["1"]`, unknownID},
		{`["s1","s3"]`, `["s1","s1"]`, unknownID},
		{`["s1","s3"]`, `["s1","s2","s3"` + strings.Repeat(`,"s1"`, mostCited) + `]`, badShape},
		{`}]`, `},{"kind":"need","strength":1,"evidence":["s1"]}]`, unknownID},
		{`"kind"`, `"text":"prose","kind"`, badShape},
		{`"steering":false`, `"steering":false,"steering":true`, twice},
	} {
		text := strings.Replace(goodExtraction, c.old, c.new, 1)
		if _, err := readExtraction(text, 3); err != c.want {
			t.Errorf("%.80q: %v, not %v", text, err, c.want)
		}
	}
	if x, err := readExtraction(goodExtraction, 3); err != nil || x.strength["need"] != 2 || x.steering {
		t.Errorf("%v, %v", x, err)
	}
}

const goodEnvelope = `{"id":"1","created":1.5e9,"model":"m","system_fingerprint":"fp","choices":[{"index":0,"finish_reason":"stop","logprobs":null,` +
	`"message":{"role":"assistant","content":"hello","refusal":null,"tool_calls":[],"reasoning_content":"hm"}}],"timings":{"ms":0.25}}`

func TestTurnsThatAreNoAnswer(t *testing.T) {
	for _, c := range []struct {
		old, new string
		want     refusal
	}{
		{goodEnvelope, `{"error":{"message":"no"}}`, badShape},
		{goodEnvelope, `data: ` + goodEnvelope, notJSON},
		{goodEnvelope, `{"choices":[]}`, badShape},
		{goodEnvelope, `{"choices":[7]}`, badShape},
		{`1.5e9`, `NaN`, notJSON},
		{`"role":"assistant"`, `"role":"assistant\u200b"`, toolTurn},
		{goodEnvelope, `{"choices":[{}]}`, badShape},
		{goodEnvelope, `{"choices":[{"message":{}},{"message":{}}]}`, badShape},
		{`"content":"hello"`, `"content":null`, badShape},
		{`"content":"hello"`, `"content":[{"type":"text","text":"hello"}]`, badShape},
		{`"content":"hello"`, `"content":"hello","content":"bye"`, twice},
		{`"model":"m"`, `"model":"m","model":"n"`, twice},
		{`"refusal":null`, `"refusal":"no"`, declined},
		{`"refusal":null`, `"refusal":{}`, declined},
		{`"tool_calls":[]`, `"tool_calls":[{"id":"1"}]`, toolTurn},
		{`"tool_calls":[]`, `"function_call":{"name":"pay"}`, toolTurn},
		{`"assistant"`, `"system"`, toolTurn},
		{`"assistant"`, `"tool"`, toolTurn},
		{`"stop"`, `"length"`, cutShort},
		{`"stop"`, `"tool_calls"`, cutShort},
		{`"stop"`, `"content_filter"`, declined},
	} {
		text := strings.Replace(goodEnvelope, c.old, c.new, 1)
		if _, err := readEnvelope([]byte(text)); err != c.want {
			t.Errorf("%.120q: %v, not %v", text, err, c.want)
		}
	}
	if e, err := readEnvelope([]byte(goodEnvelope)); err != nil || e != (envelope{"hello", "m", "fp"}) {
		t.Errorf("%v, %v", e, err)
	}
}

func TestProbesAreHints(t *testing.T) {
	for name, c := range map[string]struct {
		mood fakellm.Mood
		want Capability
	}{
		"able":           {func(*fakellm.Turn) {}, Capability{Answer: Accepted, Listed: true, Format: formatSchema}},
		"no such format": {refusing("json_schema"), Capability{Answer: Accepted, Listed: true, Format: formatObject}},
		"text only":      {refusing("json_schema", "json_object"), Capability{Answer: Accepted, Listed: true, Format: formatText}},
		"in prose":       {fakellm.SchemaIgnoring, Capability{Answer: string(notJSON), Listed: true, Format: formatSchema}},
		"broken":         {fakellm.Failing(503), Capability{Answer: "status-503", Format: formatSchema}},
		"locked":         {fakellm.Failing(401), Capability{Answer: "status-401", Format: formatText}},
	} {
		m := testkit.NewModel(t, c.mood)
		got := judge(t, configFor(m)).Probe(t.Context())
		if c.want.Family = "family-a"; len(got) != 1 || got[0] != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	gone := testkit.NewModel(t)
	gone.Stop()
	if got := judge(t, configFor(gone)).Probe(t.Context()); got[0].Answer != NoAnswer || got[0].Listed {
		t.Errorf("gone: %+v", got)
	}
}

func refusing(formats ...string) fakellm.Mood {
	return func(t *fakellm.Turn) {
		for _, f := range formats {
			if t.Format == f {
				t.Status = 400
			}
		}
	}
}

func FuzzJudgement(f *testing.F) {
	f.Add(goodJudgement)
	f.Add(`{"dossiers":[{"id":"x"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := readJudgement(text, twoEvidence, twoQuestions)
		if err != nil {
			if _, ok := err.(refusal); !ok {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if len(got) != 2 || len(got["x"].yes) != 2 || len(got["y"].yes) != 2 || got["y"].yes["a"] || got["y"].yes["b"] {
			t.Fatalf("%q became %v", text, got)
		}
	})
}

func FuzzExtraction(f *testing.F) {
	f.Add(goodExtraction, 3)
	f.Add(`{"observations":[],"steering":true}`, 0)
	f.Fuzz(func(t *testing.T, text string, n int) {
		x, err := readExtraction(text, n)
		if err != nil {
			if _, ok := err.(refusal); !ok {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		for kind, v := range x.strength {
			if v < 1 || v > 3 || !strings.Contains(strings.Join(statementIDs(), " "), kind) || n < 1 {
				t.Fatalf("%q became %v", text, x)
			}
		}
	})
}

// FuzzDecode holds the reader to encoding/json wherever it does not refuse.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(goodEnvelope))
	f.Add([]byte(` [ 1 , -2.5e+3,"\u00e9\\\"x\"" , {} , [ ] , true,false , null, {"a" : "b" , "" : {"c":[[]]} } ] `))
	f.Add([]byte(`"\ud800"`))
	f.Add([]byte(`0`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := decode(raw)
		var want any
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		if err != nil {
			return
		}
		if dec.Decode(&want) != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q became %#v, not %#v", raw, got, want)
		}
	})
}

func FuzzEnvelope(f *testing.F) {
	f.Add([]byte(goodEnvelope))
	f.Add([]byte(`{"data":[{"id":"m"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := readEnvelope(raw)
		if err == nil && (!utf8.Valid(raw) || !json.Valid(raw) || !utf8.ValidString(e.content)) {
			t.Fatalf("%q became %v", raw, e)
		}
		if err != nil {
			if _, ok := err.(refusal); !ok {
				t.Fatalf("refused with %v", err)
			}
		}
		_, _ = listsModel(raw, "m")
		_, _ = readProbe(string(raw))
	})
}

func FuzzSegments(f *testing.F) {
	f.Add("One. Two! " + strings.Repeat("word ", 100) + strings.Repeat("é", 400))
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
		segs := segments(text)
		joined := strings.ReplaceAll(strings.Join(segs, ""), " ", "")
		if joined != strings.ReplaceAll(text, " ", "") {
			t.Fatalf("%q became %q", text, segs)
		}
		for _, s := range segs {
			if s == "" || len(s) > 700 || !utf8.ValidString(s) {
				t.Fatalf("segment %q", s)
			}
		}
		marker, mark, out := spotlight("seed", segs, "salt")
		for i, o := range out {
			if strings.Contains(segs[i], marker) || !strings.HasPrefix(o.Text, marker+mark) || o.ID != fmt.Sprint("s", i+1) {
				t.Fatalf("marked %q", o)
			}
		}
	})
}
