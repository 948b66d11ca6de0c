package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/fakellm"
)

func TestARecordHoldsEveryAttemptAndNoProse(t *testing.T) {
	task := taskOf(t, fullText+" Xylophones were involved.")
	c := configFor(testkit.NewModel(t, fakellm.Sometimes(200, fakellm.InvalidJSON)))
	c.MaxAttempts = 4
	_, record := weighed(t, c, task)
	if bytes.Contains(bytes.ToLower(record), []byte("xylophone")) {
		t.Error("the record holds a member's text")
	}
	discarded := 0
	for line := range bytes.Lines(record) {
		var a Attempt
		if json.Unmarshal(line, &a) == nil && a.Outcome == string(notJSON) {
			if discarded++; len(a.Answer) == 0 {
				t.Errorf("a discarded answer is not kept: %s", line)
			}
		}
	}
	if discarded == 0 {
		t.Error("no discarded attempt is recorded")
	}
}

func TestEveryLineOfARecordIsCanonical(t *testing.T) {
	_, record := weighed(t, configFor(testkit.NewModel(t, fakellm.Sometimes(100, fakellm.InvalidUTF8))), ordinary(t))
	for line := range bytes.Lines(record) {
		want, err := jcs.Transform(line)
		if err != nil || !bytes.Equal(append(want, '\n'), line) {
			t.Fatalf("%.200s is written %.200s, %v", line, want, err)
		}
	}
}

func TestATamperedRecordIsFoundOut(t *testing.T) {
	task := ordinary(t)
	c := configFor(testkit.NewModel(t, fakellm.Sometimes(100, fakellm.Refusing)))
	c.MaxAttempts = 4
	op, record := weighed(t, c, task)
	lines := bytes.SplitAfter(record, []byte("\n"))
	lines = lines[:len(lines)-1]
	change := func(i int, f func(a *Attempt)) []byte {
		var a Attempt
		if err := json.Unmarshal(lines[i], &a); err != nil {
			t.Fatal(err)
		}
		f(&a)
		out := append([][]byte{}, lines...)
		out[i] = append(a.line(), '\n')
		return bytes.Join(out, nil)
	}
	find := func(call, outcome string) int {
		for i, line := range lines {
			if bytes.Contains(line, []byte(`"call":"`+call)) && bytes.Contains(line, []byte(`"outcome":"`+outcome)) {
				return i
			}
		}
		t.Fatalf("no %s of %s", outcome, call)
		return 0
	}
	good, refused := find("judge/0", Accepted), find("", string(declined))
	header := func(old, new string) []byte { return bytes.Replace(record, []byte(old), []byte(new), 1) }
	for name, forged := range map[string][]byte{
		"empty":               nil,
		"no JSON":             []byte("x\n"),
		"another format":      header(Format, "datacoop-judge/0"),
		"other questions":     header(Questions(), strings.Repeat("0", 64)),
		"another seed":        header(`"seed":"`, `"seed":"0`),
		"a retold rubric":     header("Work that helps", "Work that pays"),
		"spaces":              header(`{"batch"`, `{ "batch"`),
		"an extra field":      header(`{"batch"`, `{"also":1,"batch"`),
		"more attempts":       header(`"max_attempts":4`, `"max_attempts":1`),
		"a family less":       header(`"name":"family-a"`, `"name":"family-b"`),
		"cut off":             record[:len(record)-2],
		"without last":        bytes.Join(lines[:len(lines)-1], nil),
		"doubled line":        append(bytes.Clone(record), lines[good]...),
		"discarded accepted":  change(good, func(a *Attempt) { a.Answer, a.Outcome = nil, TimedOut }),
		"refused renamed":     change(refused, func(a *Attempt) { a.Outcome = Accepted }),
		"outcome changed":     change(good, func(a *Attempt) { a.Outcome = string(notJSON) }),
		"answer gone":         change(good, func(a *Attempt) { a.Answer = nil }),
		"unknown outcome":     change(good, func(a *Attempt) { a.Answer, a.Outcome = nil, "lost" }),
		"another question":    change(good, func(a *Attempt) { a.Request = strings.Repeat("0", 64) }),
		"another call":        change(good, func(a *Attempt) { a.Call = "judge/9" }),
		"number skipped":      change(good, func(a *Attempt) { a.Number = 7 }),
		"number nought":       change(good, func(a *Attempt) { a.Number = 0 }),
		"an unasked attempt":  append(bytes.Clone(record), append(Attempt{Call: "judge/x", Family: "family-a", Number: 1, Outcome: TimedOut}.line(), '\n')...),
		"an unasked family":   append(bytes.Clone(record), append(Attempt{Call: "probe/models", Family: "z", Number: 1, Outcome: TimedOut}.line(), '\n')...),
		"asked after success": append(bytes.Clone(record), append(Attempt{Call: "judge/0-data/0000/1", Family: "family-a", Number: 2, Outcome: TimedOut}.line(), '\n')...),
	} {
		again, err := Replay(forged)
		if err == nil && again.Trace == op.Trace {
			t.Errorf("%s: replayed as the original", name)
		}
		// A timeout in place of an answer cannot be told from a real one; only the trace gives it away.
		if name != "without last" && name != "discarded accepted" && name != "a retold rubric" && !errors.Is(err, ErrRecord) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Audit(forged, task); name == "a retold rubric" && !errors.Is(err, ErrRecord) {
			t.Errorf("%s: audited, %v", name, err)
		}
	}
}

func TestAnAuditNeedsTheTaskItself(t *testing.T) {
	task := ordinary(t)
	_, record := weighed(t, configFor(testkit.NewModel(t)), task)
	for name, other := range map[string]appraisal.Task{
		"another text":   taskOf(t, fullText, halfText, emptyText+" Or not.", fullText),
		"a text less":    taskOf(t, fullText, halfText, emptyText),
		"nothing":        {},
		"another rubric": func() appraisal.Task { o := ordinary(t); o.Rubric = "x"; return o }(),
		"other bounds":   func() appraisal.Task { o := ordinary(t); o.Params.Gamma = 1; return o }(),
	} {
		if _, err := Audit(record, other); !errors.Is(err, ErrRecord) && !errors.Is(err, ErrTask) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAFolderKeepsRunsAndRecords(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "judge")
	folder, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := testkit.NewModel(t)
	c, task := configFor(m), ordinary(t)
	c.Recorder = folder
	op, err := judge(t, c).Weigh(t.Context(), task)
	if err != nil {
		t.Fatal(err)
	}
	if err := folder.Close(); err != nil {
		t.Fatal(err)
	}
	if folder, err = OpenFolder(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close() })
	record, err := folder.Record(op.Trace)
	if err != nil {
		t.Fatal(err)
	}
	same(t, op, record, task)
	asked := len(m.Turns())
	c.Recorder = folder
	again, err := judge(t, c).Weigh(t.Context(), task)
	if err != nil || encode(again) != encode(op) || len(m.Turns()) != asked {
		t.Errorf("after a restart: %d more calls, %v", len(m.Turns())-asked, err)
	}
	for _, trace := range []string{"", "x", strings.Repeat("0", 64), "../" + op.Trace} {
		if _, err := folder.Record(trace); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", trace, err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Errorf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), info.Mode(), err)
		}
	}
}

func TestAFolderDropsAHalfWrittenLineAndRefusesAnotherRun(t *testing.T) {
	dir := t.TempDir()
	folder, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close() })
	run := strings.Repeat("ab", 32)
	first, second := Attempt{Call: "a", Family: "f", Number: 1, Outcome: TimedOut}, Attempt{Call: "b", Family: "f", Number: 1, Outcome: TimedOut}
	if err := folder.Add(run, first); !errors.Is(err, ErrRecord) {
		t.Errorf("added to a run that is not open: %v", err)
	}
	if _, err := folder.Begin(t.Context(), "../x", nil); !errors.Is(err, ErrRecord) {
		t.Errorf("a run outside: %v", err)
	}
	log := "{}\n" + string(first.line()) + "\n" + string(second.line())[:20]
	if err := os.WriteFile(filepath.Join(dir, run+".log"), []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Begin(t.Context(), run, []byte(`{"another":1}`)); !errors.Is(err, ErrRecord) {
		t.Errorf("another header: %v", err)
	}
	got, err := folder.Begin(t.Context(), run, []byte("{}"))
	if err != nil || len(got) != 1 || got[0].Call != "a" {
		t.Fatalf("held %v, %v", got, err)
	}
	if err := folder.Add(run, second); err != nil {
		t.Fatal(err)
	}
	if got, err = folder.Begin(t.Context(), run, []byte("{}")); err != nil || len(got) != 2 {
		t.Errorf("held %v, %v", got, err)
	}
	if err := os.WriteFile(filepath.Join(dir, strings.Repeat("cd", 32)+".log"), []byte("{}\nnonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Begin(t.Context(), strings.Repeat("cd", 32), []byte("{}")); !errors.Is(err, ErrRecord) {
		t.Errorf("a damaged log: %v", err)
	}
}

func FuzzReplay(f *testing.F) {
	m, mem := testkit.NewModel(f), newMemory()
	c := configFor(m)
	c.Canaries, c.Recorder = 10, mem
	if _, err := judge(f, c).Weigh(f.Context(), taskOf(f, halfText)); err != nil {
		f.Fatal(err)
	}
	record := mem.only(f)
	f.Add(record)
	f.Add(record[:bytes.IndexByte(record, '\n')+1])
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		op, err := Replay(text)
		if err == nil && op.Trace != digest(text) {
			t.Fatal("another trace")
		}
		if err != nil && !errors.Is(err, ErrRecord) && !errors.Is(err, ErrUnavailable) {
			t.Fatalf("replayed: %v", err)
		}
	})
}
