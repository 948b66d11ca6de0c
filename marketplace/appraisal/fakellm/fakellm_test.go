package fakellm

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const extractPrompt = `{"task":"extract","mark":"¦","marker":"abc","kinds":[{"id":"need"},{"id":"result"},{"id":"limits"}],"segments":[` +
	`{"id":"s1","text":"abc¦Entry¦17¦of¦the¦log.¦abc"},{"id":"s2","text":"abc¦The¦need¦was¦plain.¦abc"}]}`

const judgePrompt = `{"task":"judge","kind":"data","questions":[{"id":"filled"},{"id":"recent"}],"dossiers":[` +
	`{"id":"aa","evidence":[{"id":"e1","name":"coverage","value":900}]},{"id":"bb","evidence":[{"id":"e1","name":"coverage","value":100}]}]}`

// say puts a prompt to a model in this process and reads the answer's content.
func say(t *testing.T, m *Model, prompt string) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"model": "m", "messages": []map[string]string{{"role": "system", "content": "s"}, {"role": "user", "content": prompt}}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://x/v1/chat/completions", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := m.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Choices []struct{ Message struct{ Content string } }
	}
	if err := json.Unmarshal(text, &doc); err != nil || len(doc.Choices) != 1 {
		t.Fatalf("%s: %v", text, err)
	}
	return doc.Choices[0].Message.Content
}

func found(t *testing.T, content string) (kinds []string, steering bool) {
	t.Helper()
	var doc struct {
		Observations []Observation
		Steering     bool
	}
	if err := json.Unmarshal([]byte(content), &doc); err != nil {
		t.Fatalf("%s: %v", content, err)
	}
	for _, o := range doc.Observations {
		kinds = append(kinds, o.Kind)
	}
	slices.Sort(kinds)
	return kinds, doc.Steering
}

func TestATableKnowsAndWordsAreReadOtherwise(t *testing.T) {
	attack := Truth{Kinds: map[string]int{"limits": 2}, Attack: "x", Steers: true, Names: true}
	honest := Truth{Kinds: map[string]int{"limits": 2}}
	all := []string{"limits", "need", "result"}
	for name, c := range map[string]struct {
		table  Table
		moods  []Mood
		want   []string
		steers bool
	}{
		"by words":                  {nil, nil, []string{"need"}, false},
		"by the table":              {Table{"17": honest}, nil, []string{"limits"}, false},
		"by words where not listed": {Table{"1": honest, "7": honest, "170": honest}, nil, []string{"need"}, false},
		"an attack is seen":         {Table{"17": attack}, nil, []string{"limits"}, true},
		"obeyed":                    {Table{"17": attack}, []Mood{Swayed("c", 1000, false)}, all, false},
		"not obeyed":                {Table{"17": attack}, []Mood{Swayed("c", 0, false)}, []string{"limits"}, true},
		"nothing to obey":           {Table{"17": honest}, []Mood{Swayed("c", 1000, true)}, []string{"limits"}, false},
		"impressed":                 {Table{"17": attack}, []Mood{Impressed}, all, true},
		"not by nobody":             {Table{"17": honest}, []Mood{Impressed}, []string{"limits"}, false},
		"wordy":                     {Table{"17": honest}, []Mood{Wordy}, []string{"limits", "need"}, false},
		"a friend's":                {Table{"17": honest}, []Mood{partisan("17", "")}, all, false},
		"a foe's":                   {Table{"17": attack}, []Mood{partisan("", "17")}, nil, false},
		"misread":                   {Table{"17": honest}, []Mood{Misreading(1, 1000)}, []string{"need", "result"}, false},
		"suspected":                 {Table{"17": honest}, []Mood{Suspicious(1, 1000)}, []string{"limits"}, true},
		"sandbagged":                {Table{"17": honest}, []Mood{Sandbagging(AllNo)}, nil, false},
		"not when examined":         {Table{"1": honest}, []Mood{Sandbagging(AllNo)}, []string{"need"}, false},
		"composed":                  {Table{"17": honest}, []Mood{AllYes, Misreading(1, 1000)}, nil, false},
	} {
		kinds, steers := found(t, say(t, &Model{Table: c.table, Moods: c.moods}, extractPrompt))
		if !slices.Equal(kinds, c.want) || steers != c.steers {
			t.Errorf("%s: found %v, steering %v", name, kinds, steers)
		}
	}
}

func partisan(friend, foe string) Mood {
	return Partisan(func(k string) bool { return k == friend }, func(k string) bool { return k == foe }, func(PromptDossier) (bool, bool) { return false, false })
}

func TestCoinsAreTheSameForTheSameQuestion(t *testing.T) {
	for name, mood := range map[string]Mood{"noisy": Noisy(3, 500), "leaning": PositionLeaning(3, 500), "swayed": Swayed("c", 500, true)} {
		first, second := say(t, &Model{Moods: []Mood{mood}}, judgePrompt), say(t, &Model{Moods: []Mood{mood}}, judgePrompt)
		if first != second {
			t.Errorf("%s: %s, then %s", name, first, second)
		}
	}
	if say(t, &Model{Moods: []Mood{Noisy(1, 500)}}, judgePrompt) == say(t, &Model{Moods: []Mood{Noisy(2, 500)}}, judgePrompt) {
		t.Error("two seeds err alike")
	}
	obeyed := 0
	for key := range 1000 {
		if Obeys("coin", strings.Repeat("x", key), 150) {
			obeyed++
		}
	}
	if obeyed < 110 || obeyed > 190 {
		t.Errorf("%d of 1000 obeyed at 15 %%", obeyed)
	}
}

func TestPositionsLeanOneWay(t *testing.T) {
	content := say(t, &Model{Moods: []Mood{PositionLeaning(1, 1000)}}, judgePrompt)
	if !strings.Contains(content, `{"id":"aa","cannot_tell":false,"answers":[{"question":"filled","yes":true`) ||
		!strings.Contains(content, `{"id":"bb","cannot_tell":false,"answers":[{"question":"filled","yes":false`) {
		t.Error(content)
	}
}

func TestALeakAnswersTheLastQuestion(t *testing.T) {
	m := &Model{Moods: []Mood{Leaking()}}
	first := say(t, m, judgePrompt)
	second := say(t, m, strings.ReplaceAll(judgePrompt, `"aa"`, `"cc"`))
	if second != first || !strings.Contains(second, `"aa"`) {
		t.Errorf("%s, then %s", first, second)
	}
}

func TestItServesAsItAnswersInside(t *testing.T) {
	m := &Model{Keep: true}
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer m.Stop()
	for path, status := range map[string]int{"/models": 200, "/nothing": 404} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.BaseURL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		outside, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		inside, err := m.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := io.ReadAll(outside.Body)
		b, _ := io.ReadAll(inside.Body)
		_ = outside.Body.Close()
		if string(a) != string(b) || outside.StatusCode != status || inside.StatusCode != status {
			t.Errorf("%s: %d %s, and %d %s", path, outside.StatusCode, a, inside.StatusCode, b)
		}
	}
	if m.Asked() != 4 || len(m.Turns()) != 4 {
		t.Errorf("%d asked, %d kept", m.Asked(), len(m.Turns()))
	}
}
