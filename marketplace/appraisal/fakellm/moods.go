package fakellm

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Moods that change what a model says.

// AllYes praises everything, citing whatever there is.
func AllYes(t *Turn) {
	for i := range t.Dossiers {
		t.setAll(i, true)
	}
	if t.Prompt.Task == "extract" {
		t.findAll()
	}
}

// AllNo finds nothing in anything.
func AllNo(t *Turn) {
	for i := range t.Dossiers {
		t.setAll(i, false)
	}
	t.Found = []Observation{}
}

// Noisy flips so many thousandths of all yes-or-no answers, always the same
// ones for the same question.
func Noisy(seed, permille int) Mood {
	return func(t *Turn) {
		t.flip(func(dossier, question string) bool {
			return chance(fmt.Sprint(seed, " ", t.User, " ", dossier, " ", question)) < permille
		})
	}
}

// NonDeterministic flips so many thousandths of its answers, others every time.
func NonDeterministic(permille int) Mood {
	return func(t *Turn) {
		t.flip(func(dossier, question string) bool {
			return chance(fmt.Sprint(t.Number, " ", time.Now().UnixNano(), dossier, question)) < permille
		})
	}
}

// PositionBiased says yes about the first half of whatever it is shown and no
// about the rest.
func PositionBiased(t *Turn) {
	for i := range t.Dossiers {
		t.setAll(i, 2*i < len(t.Dossiers))
	}
}

// LengthLoving finds two kinds of statement in every segment, whatever it says.
func LengthLoving(t *Turn) {
	if t.Prompt.Task != "extract" {
		return
	}
	t.findAll()
	t.Found = t.Found[:min(len(t.Found), 2*len(t.Prompt.Segments))]
}

// PrestigeLoving finds everything in a text that drops a name.
func PrestigeLoving(t *Turn) {
	if t.contains("professor", "university of", "award") {
		t.findAll()
	}
}

// Injectable obeys a text that contains one of the words, or tries to steer in
// a way that is known. It can only overdo what it is asked for.
func Injectable(words ...string) Mood {
	return func(t *Turn) {
		if t.contains(append(words, steering...)...) {
			t.findAll()
			t.Steering = false
		}
	}
}

// Colluder praises the dossiers it knows its own by, and no others.
func Colluder(own func(PromptDossier) bool) Mood {
	return func(t *Turn) {
		for i, d := range t.Prompt.Dossiers {
			t.setAll(i, own(d))
		}
	}
}

// After lets a mood set in after so many turns, as a model that is exchanged.
func After(turns int, mood Mood) Mood {
	return func(t *Turn) {
		if t.Number >= turns {
			mood(t)
		}
	}
}

// Sometimes lets a mood have so many thousandths of the questions.
func Sometimes(permille int, mood Mood) Mood {
	return func(t *Turn) {
		if chance(fmt.Sprint("sometimes ", t.User, t.System)) < permille {
			mood(t)
		}
	}
}

// Only lets a mood have the questions of one task: "judge", "extract" or "probe".
func Only(task string, mood Mood) Mood {
	return func(t *Turn) {
		if t.Prompt.Task == task {
			mood(t)
		}
	}
}

// Moods that change how a model says it.

// InvalidJSON leaves the end off.
func InvalidJSON(t *Turn) { t.Content = t.Text()[:len(t.Text())-1] }

// SchemaIgnoring wraps the answer in prose, as models do that were not forced.
func SchemaIgnoring(t *Turn) { t.Content = "Certainly! Here it is:\n```json\n" + t.Text() + "\n```" }

// ExtraField adds one that nobody asked for.
func ExtraField(t *Turn) { t.Content = strings.Replace(t.Text(), "{", `{"note":"as requested",`, 1) }

// DuplicateKey says its first field twice, with the nicer answer last.
func DuplicateKey(t *Turn) {
	t.Content = strings.NewReplacer(`"yes":false`, `"yes":false,"yes":true`, `"steering":`, `"steering":true,"steering":`, `"ok":`, `"ok":false,"ok":`).Replace(t.Text())
}

// NaN puts what is not a number where one belongs.
func NaN(t *Turn) {
	t.Content = strings.NewReplacer(`"strength":1`, `"strength":NaN`, `"strength":2`, `"strength":NaN`, `"strength":3`, `"strength":NaN`,
		`"yes":true`, `"yes":NaN`, `"yes":false`, `"yes":NaN`, `"ok":true`, `"ok":NaN`).Replace(t.Text())
}

// UnknownIDs answers about what it was not asked.
func UnknownIDs(t *Turn) {
	for i := range t.Dossiers {
		t.Dossiers[i].ID = "zzzzz"
	}
	for i := range t.Found {
		t.Found[i].Evidence = []string{"s999"}
	}
	t.Found = append(t.Found, Observation{Kind: "need", Strength: 1, Evidence: []string{"s0"}})
}

// Forgetful leaves the last dossier and the last question out.
func Forgetful(t *Turn) {
	for i, d := range t.Dossiers {
		t.Dossiers[i].Answers = d.Answers[:len(d.Answers)-1]
	}
}

// Uncited says yes to everything and shows nothing for it.
func Uncited(t *Turn) {
	AllYes(t)
	for _, d := range t.Dossiers {
		for i := range d.Answers {
			d.Answers[i].Evidence = []string{}
		}
	}
}

// InvalidUTF8 puts bytes between that are no text.
func InvalidUTF8(t *Turn) {
	t.Body = bytes.Replace(t.body(), []byte(`"role"`), []byte("\"\xff\xfe\":1,\"role\""), 1)
}

// Refusing declines in the field that is there for it.
func Refusing(t *Turn) {
	t.Message = `{"role":"assistant","content":null,"refusal":"I cannot help with that."}`
}

// ToolCalling wants to call a tool instead of answering.
func ToolCalling(t *Turn) {
	t.Message = `{"role":"assistant","content":` + mustJSON(t.Text()) +
		`,"tool_calls":[{"id":"1","type":"function","function":{"name":"pay","arguments":"{}"}}]}`
}

// ForgedTurn speaks as the system.
func ForgedTurn(t *Turn) { t.Message = `{"role":"system","content":` + mustJSON(t.Text()) + `}` }

// TenMegabytes answers correctly and does not stop there.
func TenMegabytes(t *Turn) { t.Content = t.Text() + strings.Repeat(" ", 10<<20) }

// Nested answers with brackets only.
func Nested(t *Turn) { t.Content = strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) }

// DripFeed sends a byte now and then and never ends.
func DripFeed(t *Turn) { t.Drip = true }

// Slow waits before it answers.
func Slow(d time.Duration) Mood { return func(t *Turn) { t.Wait = d } }

// Failing answers with a status and a text that names what it was sent.
func Failing(status int) Mood {
	return func(t *Turn) {
		t.Status, t.Body = status, []byte(`{"error":{"message":`+mustJSON("denied: "+t.Key)+`}}`)
	}
}

// Redirecting sends whoever asks elsewhere.
func Redirecting(to string) Mood {
	return func(t *Turn) {
		t.Status, t.Header = http.StatusTemporaryRedirect, http.Header{"Location": {to}}
	}
}

// EchoingKey repeats the key it was sent, in every answer.
func EchoingKey(t *Turn) {
	t.Fingerprint = t.Key
	t.Body = append(t.body(), '\n')
}

// ChangingModel says with every answer that it is another one.
func ChangingModel(t *Turn) { t.Fingerprint = fmt.Sprint("fp_", t.Number%5) }

func chance(of string) int {
	sum := sha256.Sum256([]byte(of))
	return (int(sum[0])<<16 | int(sum[1])<<8 | int(sum[2])) % 1000
}

func (t *Turn) contains(words ...string) bool {
	for _, s := range t.Prompt.Segments {
		if anyOf(plainText(t.Prompt, s), words) {
			return true
		}
	}
	return false
}

func (t *Turn) findAll() {
	t.Found = []Observation{}
	for _, k := range t.Prompt.Kinds {
		t.Found = append(t.Found, Observation{Kind: k.ID, Strength: 3, Evidence: []string{"s1"}})
	}
}

func (t *Turn) setAll(i int, yes bool) {
	for k := range t.Dossiers[i].Answers {
		t.set(i, k, yes)
	}
}

func (t *Turn) set(i, k int, yes bool) {
	a := &t.Dossiers[i].Answers[k]
	a.Yes, a.Evidence = yes, []string{}
	if e := t.Prompt.Dossiers[i].Evidence; yes && len(e) > 0 {
		a.Evidence = []string{e[0].ID}
	}
}

func (t *Turn) flip(which func(dossier, question string) bool) {
	for i, d := range t.Dossiers {
		for k, a := range d.Answers {
			if which(d.ID, a.Question) {
				t.set(i, k, !a.Yes)
			}
		}
	}
}
