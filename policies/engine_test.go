package policies

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestSealedEngineReleasesNothing(t *testing.T) {
	for name, e := range map[string]*Engine{"never unsealed": NewEngine(nil), "sealed again": NewEngine(compiled(t, Default()))} {
		e.Seal()
		out, revision, err := e.Decide(t.Context(), released())
		if out.Allow || revision != "" || !errors.Is(err, ErrSealed) || e.Current() != nil {
			t.Errorf("%s: %+v under %q, %v", name, out, revision, err)
		}
		if len(out.Reasons) != 1 || out.Reasons[0].Code != CodeUnavailable || out.Reasons[0].Layer != LayerBase {
			t.Errorf("%s: %v", name, out.Reasons)
		}
	}
	var zero Outcome
	if zero.Allow {
		t.Error("the zero outcome releases")
	}
}

func TestDeadlineRefuses(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out, err := compiled(t, Default()).Decide(ctx, released())
	if out.Allow || err == nil || out.Reasons[0].Code != CodeUnavailable {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestAnErrorInLawRefuses(t *testing.T) {
	text := law(ban("limit > 1") + "\nlimit := 1\n\nlimit := 2 if input.request.requester.kind == \"university\"")
	out, err := compiled(t, []byte(text)).Decide(t.Context(), released())
	if out.Allow || err == nil || out.Reasons[0].Code != CodeUnavailable {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestReviewWaitsForPeople(t *testing.T) {
	text := law(strings.Replace(ban("input.request.requester.kind == \"company\""), "no-such-use", "no-company", 1) +
		"\nreview contains {\n\t\"code\": \"look-first\",\n\t\"sentence\": \"A steward looks at this request first.\",\n} if input.request.retention_days > 300")
	revision := compiled(t, []byte(text))
	out, err := revision.Decide(t.Context(), released())
	if err != nil || out.Allow || !out.NeedsReview || len(out.Reasons) != 1 || out.Reasons[0] != (Reason{"look-first", LayerCoop, "A steward looks at this request first."}) {
		t.Errorf("%+v, %v", out, err)
	}
	reviewed := released()
	reviewed.Request.Reviewed = true
	if out, err := revision.Decide(t.Context(), reviewed); err != nil || !out.Allow || out.NeedsReview {
		t.Errorf("after review: %+v, %v", out, err)
	}
	reviewed.Records[0].Paused = true
	if out, err := revision.Decide(t.Context(), reviewed); err != nil || out.Allow || out.NeedsReview || len(out.Obligations) != 0 {
		t.Errorf("review cured a pause: %+v, %v", out, err)
	}
}

func TestRevisionIsNamedByEverythingInIt(t *testing.T) {
	one, two := compiled(t, Default()), compiled(t, Default())
	if one.Hash() != two.Hash() || len(one.Hash()) != 64 {
		t.Errorf("%s and %s", one.Hash(), two.Hash())
	}
	other := compiled(t, []byte(law(ban("input.request.commercial"))))
	if other.Hash() == one.Hash() {
		t.Error("two laws have one name")
	}
	sources := Base()
	sources[accessPath] = Default()
	if hash(sources) != one.Hash() {
		t.Error("the name is not the hash of the published sources")
	}
	for name := range sources {
		changed := map[string][]byte{}
		for n, text := range sources {
			changed[n] = text
		}
		changed[name] = append(bytes.Clone(sources[name]), ' ')
		if hash(changed) == one.Hash() {
			t.Errorf("%s does not count", name)
		}
	}
	if hash(map[string][]byte{"a": []byte("bc")}) == hash(map[string][]byte{"ab": []byte("c")}) {
		t.Error("paths and texts run into each other")
	}
	if !bytes.Equal(one.Source(), Default()) {
		t.Error("the source is not what was compiled")
	}
}

func TestArchiveReplaysAndNeverRules(t *testing.T) {
	revision := compiled(t, Default())
	archive, err := revision.Archive()
	if err != nil {
		t.Fatal(err)
	}
	restored, err := Restore(t.Context(), archive)
	if err != nil || restored.Hash() != revision.Hash() {
		t.Fatalf("%v", err)
	}
	if out, err := restored.Decide(t.Context(), released()); err != nil || !out.Allow {
		t.Errorf("replays as %+v, %v", out, err)
	}
	older, err := Restore(t.Context(), bytes.Replace(archive, []byte("has not been vetted by the co-op"), []byte("was not vetted by the co-op"), 1))
	if err != nil || older.Hash() == revision.Hash() || older.Classes() || !restored.Classes() || !revision.Classes() {
		t.Errorf("another release's law passes for this one's: %v", err)
	}
	e := NewEngine(revision)
	if e.Swap(restored); e.Current() != nil {
		t.Error("an archive was put in force")
	}
	for name, text := range map[string]string{
		"nothing": "", "no law": "{}", "half": string(archive[:len(archive)/2]),
		"no terms": strings.Replace(string(archive), `"terms/data.json"`, `"terms/other.json"`, 1),
	} {
		if _, err := Restore(t.Context(), []byte(text)); err == nil {
			t.Errorf("%s was restored", name)
		}
	}
}

func TestSwapUnderLoadGivesNoWrongAnswer(t *testing.T) {
	open, closed := compiled(t, Default()), compiled(t, []byte(law(ban("not input.request.commercial"))))
	e := NewEngine(open)
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for range 200 {
				out, name, err := e.Decide(t.Context(), released())
				if err != nil || out.Allow != (name == open.Hash()) || slices.Contains(out.Rules, "access.forbid.no-such-use") == out.Allow {
					t.Errorf("%v by %q under %s: %v", out.Allow, out.Rules, name, err)
					return
				}
				law := e.Current()
				if yes, err := law.Allows(t.Context(), released()); err != nil || yes != (law == open) {
					t.Errorf("%v where nobody asks why: %v", yes, err)
					return
				}
			}
		})
	}
	for i := range 100 {
		e.Swap([]*Revision{closed, open}[i%2])
	}
	workers.Wait()
}

// Revisions share the kernel, which has been read once, and the terms.
func TestRevisionsAreMadeAndAskedAtTheSameTime(t *testing.T) {
	archive, err := compiled(t, Default()).Archive()
	if err != nil {
		t.Fatal(err)
	}
	e := NewEngine(compiled(t, Default()))
	var makers sync.WaitGroup
	for i := range 4 {
		makers.Go(func() {
			for range 3 {
				text, closed := Default(), i%2 == 1
				if closed {
					text = []byte(law(ban("not input.request.commercial")))
				}
				r, err := Compile(t.Context(), text)
				if err != nil {
					t.Error(err)
					return
				}
				e.Swap(r)
				out, err := r.Decide(t.Context(), released())
				if err != nil || out.Allow == closed || slices.Contains(out.Rules, "access.forbid.no-such-use") != closed {
					t.Errorf("%+v (%v)", out, err)
				}
				if old, err := Restore(t.Context(), archive); err != nil || old.Hash() == r.Hash() == closed {
					t.Errorf("restored %v", err)
				}
				if _, _, err := e.Decide(t.Context(), released()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	makers.Wait()
}

func TestPublishedTextsAreCopies(t *testing.T) {
	clear(Default())
	clear(Base()["kernel/base.rego"])
	Vocabulary()[0] = Leaf{}
	if compiled(t, Default()).Hash() == "" || Vocabulary()[0].Path == "" || len(Base()["kernel/base.rego"]) == 0 || Base()["kernel/base.rego"][0] == 0 {
		t.Error("a caller can change the law")
	}
}

func BenchmarkDecide(b *testing.B) {
	revision, in := compiled(b, Default()), released()
	for b.Loop() {
		if out, err := revision.Decide(b.Context(), in); err != nil || !out.Allow {
			b.Fatal(out, err)
		}
	}
}
