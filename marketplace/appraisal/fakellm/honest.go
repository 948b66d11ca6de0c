package fakellm

import "strings"

// answer is what an honest and attentive model would say.
func (t *Turn) answer() {
	switch t.Prompt.Task {
	case "judge":
		for _, d := range t.Prompt.Dossiers {
			t.Dossiers = append(t.Dossiers, honestDossier(t.Prompt, d))
		}
	case "extract":
		if _, truth, ok := t.Truth(); ok {
			t.Found, t.Steering = truth.found(t.Prompt), truth.Steers
		} else {
			t.Found, t.Steering = honestExtract(t.Prompt)
		}
	}
}

// thresholds say from which value of which figure an honest model answers yes.
var thresholds = map[string]struct {
	name  string
	value int64
}{
	"data filled": {"coverage", 500}, "data complete": {"coverage", 900}, "data recent": {"fresh", 700},
	"data asked": {"requests", 2}, "data sought": {"requests", 10}, "data distinct": {"unique", 500},
	"data rare": {"unique", 900}, "data trusted": {"trust", 900},
	"governance repeated": {"duties", 2}, "governance steady": {"duties", 5}, "governance many": {"duties", 10},
	"governance weighty": {"points", 4}, "governance substantial": {"points", 10},
	"governance protects": {"duties", 1}, "governance independent": {"duties", 1},
	"split active": {"dossiers", 1}, "split several": {"dossiers", 3}, "split broad": {"dossiers", 4},
	"split weighty": {"points", 5}, "split steady": {"duties", 5}, "split underpaid": {"points", 8}, "split needed": {"share-in-force", 500},
}

func honestDossier(p Prompt, d PromptDossier) JudgedDossier {
	out := JudgedDossier{ID: d.ID, Answers: []JudgedQuestion{}}
	yes := 0
	for _, q := range p.Questions {
		a := JudgedQuestion{Question: q.ID, Evidence: []string{}}
		limit, ok := thresholds[p.Kind+" "+q.ID]
		if !ok {
			limit.name, limit.value = q.ID, 1
		}
		for _, e := range d.Evidence {
			if e.Name == limit.name && e.Value >= limit.value {
				a.Yes, a.Evidence = true, []string{e.ID}
				yes++
			}
		}
		out.Answers = append(out.Answers, a)
	}
	for i := range out.Answers {
		if out.Answers[i].Question == "rubric" && 2*yes > len(p.Questions) && len(d.Evidence) > 0 {
			out.Answers[i].Yes, out.Answers[i].Evidence = true, []string{d.Evidence[0].ID}
		}
	}
	return out
}

// cues are the words by which a kind of statement is known.
var cues = map[string][]string{
	"need": {"need", "problem"}, "change": {"what was done", "what was made"}, "result": {"result"}, "others": {"gain"},
	"checked": {"checked"}, "measured": {"measured"}, "limits": {"limits"}, "handover": {"handover"},
	"sources": {"sources"}, "choices": {"reasons"}, "access": {"access"}, "care": {"care "},
}

// steering are words by which an attempt to steer is known.
var steering = []string{"ignore", "system:", "observations", "assistant", "full marks", "world-class", "steward for appraisals", "test purposes"}

func plainText(p Prompt, s PromptText) string {
	return strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(s.Text, p.Marker, ""), p.Mark, " "))
}

func honestExtract(p Prompt) (found []Observation, steers bool) {
	found = []Observation{}
	for _, kind := range p.Kinds {
		o := Observation{Kind: kind.ID}
		for _, s := range p.Segments {
			for sentence := range strings.SplitSeq(plainText(p, s), ". ") {
				if anyOf(sentence, steering) {
					steers = true
				} else if anyOf(sentence, cues[kind.ID]) && (len(o.Evidence) == 0 || o.Evidence[len(o.Evidence)-1] != s.ID) {
					o.Evidence = append(o.Evidence, s.ID)
				}
			}
		}
		if o.Strength = min(len(o.Evidence), 3); o.Strength > 0 {
			found = append(found, o)
		}
	}
	return found, steers
}

func anyOf(text string, words []string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}
