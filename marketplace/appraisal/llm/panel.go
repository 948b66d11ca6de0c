package llm

import (
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"distributed.ai/datacoop/marketplace/appraisal"
)

// maxRubric bounds the voted text that every question carries, in bytes.
const maxRubric = 16 << 10

// subject is one dossier as it is put to a judge; a canary is one like any
// other.
type subject struct {
	id    string
	class string
	facts []appraisal.Fact
	text  bool // whether a member wrote a text about it
}

// group is all subjects that answer one checklist, canaries included.
type group struct {
	kind     string
	sheet    string
	subjects []subject
}

// exhibit is a text cut into segments. When replaying without the texts only
// their number is known.
type exhibit struct {
	dossier  string
	segments []string
	n        int
	member   bool // a member's, and not a canary's
}

// panel is everything that is asked about one task, the same for every family.
type panel struct {
	seed     secret
	rubric   string
	prompt   string // added to the instructions of a judge call
	weights  []appraisal.Reliability
	batch    int
	sealed   bool
	silent   []appraisal.Dossier // work without a text: nothing to judge by
	groups   []group
	exhibits []exhibit
	canaries map[string]canary // by id
	split    group
}

// prepare checks a task and lays out what will be asked about it.
func (j *Judge) prepare(t appraisal.Task) (header, *panel, error) {
	commitment, err := t.SHA256()
	if err != nil {
		return header{}, nil, fmt.Errorf("llm: commitment: %w", err)
	}
	if err := checkTask(t); err != nil {
		return header{}, nil, err
	}
	h := header{
		Batch: j.c.Batch, Canaries: j.c.Canaries, Commitment: commitment, Dossiers: t.Dossiers, Exhibits: sealTexts(t),
		Families: make([]voice, len(j.c.Families)), Format: Format, MaxAttempts: j.c.MaxAttempts, Params: t.Params,
		Prompt: j.c.Prompt, Questions: Questions(), Rubric: t.Rubric,
		Seed: secret(fmt.Sprintf("%x", secret(j.c.Seed.reveal()).mac("datacoop/judge", commitment))),
	}
	for i, f := range j.c.Families {
		h.Families[i] = voice{Endpoint: f.BaseURL, Model: f.Model, Name: f.Name}
	}
	p := newPanel(h, append([]appraisal.Exhibit{}, t.Exhibits...))
	if len(p.groups) == 0 {
		return header{}, nil, ErrTask
	}
	return h.sealed(), p, nil
}

func sealTexts(t appraisal.Task) []sealedText {
	out := make([]sealedText, len(t.Exhibits))
	for i, x := range t.Exhibits {
		out[i] = sealedText{Dossier: x.Dossier, SHA256: digest([]byte(x.Text)), Segments: len(segments(x.Text))}
	}
	return out
}

// checkTask holds a task to the shape that appraisal.NewTask gives it.
func checkTask(t appraisal.Task) error {
	if len(t.Dossiers) == 0 {
		return ErrTask
	}
	if len(t.Rubric) > maxRubric || !utf8.ValidString(t.Rubric) {
		return ErrTask.With("the rubric is too long or cannot be read")
	}
	if err := t.Params.Check(); err != nil {
		return ErrTask.With("params")
	}
	kinds := map[string]string{}
	for _, d := range t.Dossiers {
		known := d.Kind == appraisal.KindData || d.Kind == appraisal.KindWork || d.Kind == appraisal.KindGovernance
		if d.ID == "" || kinds[d.ID] != "" || !known || len(d.Facts) > mostCited {
			return ErrTask.With("dossiers")
		}
		kinds[d.ID] = d.Kind
	}
	for _, x := range t.Exhibits {
		if kinds[x.Dossier] != appraisal.KindWork || appraisal.NewExhibit(x.Dossier, x.Text) != x {
			return ErrTask.With("exhibits")
		}
		kinds[x.Dossier] += " with text" // a second one is not for work any more
	}
	return nil
}

// newPanel lays out a header; exhibits are nil when the texts are not at hand.
func newPanel(h header, exhibits []appraisal.Exhibit) *panel {
	p := &panel{seed: h.Seed, rubric: h.Rubric, prompt: h.Prompt, weights: h.Params.Reliability, batch: h.Batch, sealed: exhibits == nil, canaries: map[string]canary{}}
	spoken := map[string]bool{}
	for i, x := range h.Exhibits {
		if x.Segments == 0 {
			continue
		}
		spoken[x.Dossier] = true
		e := exhibit{dossier: x.Dossier, n: x.Segments, member: true}
		if !p.sealed {
			e.segments = segments(exhibits[i].Text)
		}
		p.exhibits = append(p.exhibits, e)
	}
	groups := map[string]*group{}
	for _, d := range h.Dossiers {
		if d.Kind == appraisal.KindWork && !spoken[d.ID] {
			p.silent = append(p.silent, d)
			continue
		}
		name := sheetName(d.Kind, d.Class)
		if groups[name] == nil {
			groups[name] = &group{kind: d.Kind, sheet: name}
		}
		groups[name].subjects = append(groups[name].subjects, subject{id: d.ID, class: d.Class, facts: d.Facts, text: spoken[d.ID]})
	}
	p.addCanaries(groups, h.Canaries)
	p.split = group{kind: kindSplit, sheet: kindSplit, subjects: parts(h)}
	return p
}

// addCanaries shares them out between the checklists that are in use, as many
// for texts as for figures, and mixes every group.
func (p *panel) addCanaries(groups map[string]*group, total int) {
	var sorts [2][]string // checklists about texts, and about figures
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		sorts[groups[name].sort()] = append(sorts[groups[name].sort()], name)
	}
	for _, names := range sorts {
		for i, name := range names {
			n := total / len(names)
			if i < total%len(names) {
				n++
			}
			p.mix(groups[name], n)
		}
	}
	byDossier := func(x exhibit) string { return x.dossier }
	p.exhibits = shuffled(p.seed, p.exhibits, byDossier, "mix", "exhibits")
}

// mix adds n canaries to a group and shuffles it.
func (p *panel) mix(g *group, n int) {
	members := g.subjects
	for i, c := range p.seed.canaries(g.kind, members[0].class, n) {
		p.canaries[c.id] = c
		g.subjects = append(g.subjects, subject{id: c.id, class: members[i%len(members)].class, facts: c.facts, text: c.text != ""})
		if c.text != "" {
			segs := segments(c.text)
			p.exhibits = append(p.exhibits, exhibit{dossier: c.id, segments: segs, n: len(segs)})
		}
	}
	g.subjects = shuffled(p.seed, g.subjects, subjectID, "mix", g.sheet)
	p.groups = append(p.groups, *g)
}

// sort is 0 for a group about texts and 1 for one about figures.
func (g group) sort() int {
	if g.kind == appraisal.KindWork {
		return 0
	}
	return 1
}

func subjectID(s subject) string { return s.id }

// parts are the three parts of the split with what the period holds of each:
// numbers only, the same ones that the dossiers show.
func parts(h header) []subject {
	inForce := map[string]int64{appraisal.KindData: h.Params.Data, appraisal.KindWork: h.Params.Work, appraisal.KindGovernance: h.Params.Governance}
	out := make([]subject, len(partNames))
	for i, name := range partNames {
		n, sums := int64(0), map[string]int64{}
		for _, d := range h.Dossiers {
			if d.Kind != name {
				continue
			}
			n++
			for _, f := range d.Facts {
				sums[f.Name] += f.Value
			}
		}
		facts := []appraisal.Fact{{Name: "dossiers", Value: n}, {Name: "share-in-force", Value: inForce[name]}}
		for _, f := range slices.Sorted(maps.Keys(sums)) {
			if scaled := f == "coverage" || f == "fresh" || f == "trust" || f == "unique"; scaled {
				facts = append(facts, appraisal.Fact{Name: "mean-" + f, Value: sums[f] / n})
			} else {
				facts = append(facts, appraisal.Fact{Name: f, Value: sums[f]})
			}
		}
		out[i] = subject{id: name, class: name, facts: facts}
	}
	return out
}
