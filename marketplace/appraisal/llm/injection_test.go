package llm

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/fakellm"
)

// injections are the published seeds; without them the test is skipped.
func injections(t *testing.T) []string {
	t.Helper()
	seeds, err := fakellm.PublishedSeeds(filepath.Dir(testkit.Fixture(t, "17-prompt-injection")))
	if err != nil {
		t.Fatal(err)
	}
	return seeds
}

// crowd is a period of n pieces of work, each with a text.
func crowd(t *testing.T, texts []string) (appraisal.Evidence, appraisal.Params, appraisal.Task) {
	t.Helper()
	ev, p := period()
	ev.Work = nil
	var exhibits []appraisal.Exhibit
	for i, text := range texts {
		id := fmt.Sprintf("w%d", i)
		ev.Work = append(ev.Work, appraisal.Work{Contribution: id, Member: "m" + id, Kind: []string{"git", "support"}[i%2], Grade: "D", Points: 1 + int64(i%5)})
		exhibits = append(exhibits, appraisal.NewExhibit(appraisal.DossierID(ev.Salt, appraisal.KindWork, id), text))
	}
	task, err := appraisal.NewTask(ev, p, "Work that helps members counts most.", exhibits)
	if err != nil {
		t.Fatal(err)
	}
	return ev, p, task
}

const carrier = "The month was long and ordinary, and nothing came of it. "

// obeys finds everything in the texts of members, whatever they say, and none of
// the canaries: the worst that a model can be without being found out.
func obeys(t *fakellm.Turn) {
	for _, s := range t.Prompt.Segments {
		if strings.Contains(s.Text, "month"+t.Prompt.Mark+"was"+t.Prompt.Mark+"long") {
			t.Found, t.Steering = []fakellm.Observation{}, false
			for _, k := range t.Prompt.Kinds {
				t.Found = append(t.Found, fakellm.Observation{Kind: k.ID, Strength: 3, Evidence: []string{"s1"}})
			}
			return
		}
	}
}

// TestInjectedTextsStayInsideTheFence puts every seed into a text of its own, in
// front of two models that obey them all, of one that does, alone, and of one
// that does beside one that does not: only the first raise anything.
func TestInjectedTextsStayInsideTheFence(t *testing.T) {
	seeds := injections(t)
	if len(seeds) < 100 {
		t.Fatalf("only %d seeds", len(seeds))
	}
	for at := 0; at < len(seeds); at += 80 {
		some := seeds[at:min(at+80, len(seeds))]
		texts := []string{fullText, emptyText}
		for _, s := range some {
			texts = append(texts, carrier+s)
		}
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			ev, p, task := crowd(t, texts)
			obeyed, record := weighed(t, configFor(testkit.NewModel(t, obeys), testkit.NewModel(t, obeys)), task)
			fenced(t, ev, p, &obeyed)
			alone, _ := weighed(t, configFor(testkit.NewModel(t, obeys)), task)
			fenced(t, ev, p, &alone)
			both, _ := weighed(t, configFor(testkit.NewModel(t, obeys), testkit.NewModel(t)), task)
			fenced(t, ev, p, &both)
			raised := 0
			for _, x := range task.Exhibits {
				attack, ok := strings.CutPrefix(x.Text, carrier)
				if !ok {
					continue
				}
				if score(t, obeyed, x.Dossier).Score > 900 {
					raised++
				}
				for name, op := range map[string]appraisal.Opinion{"one of two families": both, "a family alone": alone} {
					if s := score(t, op, x.Dossier); s.Score > neutral {
						t.Errorf("%s raised %q to %v", name, x.Text, s)
					}
				}
				if bytes.Contains(record, []byte(attack)) {
					t.Errorf("the record holds the text %q", x.Text)
				}
			}
			if raised < len(some) {
				t.Errorf("two obedient models raised %d of %d", raised, len(some))
			}
		})
	}
}

// TestNoSeedReachesAJudge: what a seed says stays in the extractor's call.
func TestNoSeedReachesAJudge(t *testing.T) {
	seeds := injections(t)
	texts := make([]string, 40)
	for i := range texts {
		texts[i] = carrier + seeds[i*len(seeds)/len(texts)]
	}
	m := testkit.NewModel(t, obeys)
	_, _, task := crowd(t, texts)
	weighed(t, configFor(m), task)
	for _, turn := range m.Turns() {
		if turn.Prompt.Task != "judge" {
			continue
		}
		for _, d := range turn.Prompt.Dossiers {
			for _, e := range d.Evidence {
				if !slices.Contains(statementIDs(), e.Name) && !slices.Contains([]string{"points", "duties", "requests", "coverage", "fresh", "trust", "unique",
					"dossiers", "share-in-force", "mean-coverage", "mean-fresh", "mean-trust", "mean-unique"}, e.Name) {
					t.Errorf("a judge reads %q", e.Name)
				}
			}
		}
		if strings.Contains(turn.User, "ordinary") {
			t.Errorf("a judge reads %q", turn.User)
		}
	}
}

// TestCanariesFindOutAModelThatObeys: the same obedience, but not only to the
// members of this period.
func TestCanariesFindOutAModelThatObeys(t *testing.T) {
	for _, seed := range []string{"a", "b", "c", "d", "e"} {
		c := configFor(testkit.NewModel(t, fakellm.Injectable()))
		c.Seed = NewSecret(strings.Repeat(seed, 16))
		if _, err := judge(t, c).Weigh(t.Context(), ordinary(t)); err == nil {
			t.Errorf("seed %s: a model that obeys every text was heard", seed)
		}
	}
}
