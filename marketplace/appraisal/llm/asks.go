package llm

import (
	"strconv"
	"strings"

	"distributed.ai/datacoop/marketplace/appraisal"
)

func factID(i int) string { return "e" + strconv.Itoa(i+1) }

func factOf(name string, value int64) appraisal.Fact { return appraisal.Fact{Name: name, Value: value} }

// aliases names the subjects of one call; nobody can tell from a name which
// dossier it is, or find it again in another call.
func (p *panel) aliases(family, call string, batch []subject) map[string]string {
	out, used := make(map[string]string, len(batch)), map[string]bool{}
	for _, s := range batch {
		alias := ""
		for n := 0; alias == "" || used[alias]; n++ {
			alias = p.seed.word(5, "alias", family, call, s.id, strconv.Itoa(n))
		}
		out[s.id], used[alias] = alias, true
	}
	return out
}

// seedOf is the number that a model takes its chances from, if it does.
func (p *panel) seedOf(salt string) int { return p.seed.pick(1<<31-1, "seed", salt) }

// askJudge asks a checklist about a batch. Every subject keeps its evidence in
// the same order, so that its ids mean the same in every order of asking.
func (p *panel) askJudge(r *runner, g group, batch []subject, order int, aliases map[string]string, salt string) ask {
	prompt := judgePrompt{Kind: g.kind, Rubric: p.rubric, Task: "judge", Dossiers: []judgedPrompt{}, Questions: []listedPrompt{}}
	for _, s := range inOrder(p.seed, batch, order, subjectID, "dossiers", salt) {
		class := s.class
		if g.kind == appraisal.KindWork {
			class = classOf(class)
		}
		d := judgedPrompt{Class: class, ID: aliases[s.id], Evidence: make([]fact, len(s.facts))}
		for i, f := range s.facts {
			d.Evidence[i] = fact{ID: factID(i), Name: f.Name, Value: f.Value}
		}
		prompt.Dossiers = append(prompt.Dossiers, d)
	}
	for _, q := range inOrder(p.seed, checklists.Sheets[g.sheet], order, questionID, "questions", salt) {
		prompt.Questions = append(prompt.Questions, listedPrompt{q.ID, q.Text})
	}
	return ask{kind: "chat", model: r.family.Model, name: "judgement", schema: judgeSchema,
		seed: p.seedOf(salt), system: strings.TrimSpace(judgeSystem + "\n\n" + p.prompt), user: encode(prompt)}
}

// askExtract asks what one text states. Without the text the question cannot
// be made; nobody needs it then.
func (p *panel) askExtract(r *runner, x exhibit, order int, salt string) ask {
	if x.segments == nil {
		return ask{}
	}
	marker, mark, segs := spotlight(p.seed, x.segments, salt)
	prompt := extractPrompt{Mark: mark, Marker: marker, Segments: segs, Task: "extract", Kinds: []listedPrompt{}}
	for _, s := range inOrder(p.seed, checklists.Statements, order, func(s statement) string { return s.ID }, "kinds", salt) {
		prompt.Kinds = append(prompt.Kinds, listedPrompt{s.ID, s.Means})
	}
	return ask{kind: "chat", model: r.family.Model, name: "extraction", schema: extractSchema, seed: p.seedOf(salt),
		system: strings.NewReplacer("%MARKER%", marker, "%MARK%", mark).Replace(extractSystem), user: encode(prompt)}
}
