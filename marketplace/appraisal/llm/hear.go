package llm

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// ranked is what one family makes of one subject.
type ranked struct {
	told    bool // whether it could tell
	suspect bool // whether it sees an attempt to steer
	score   int64
	yes     map[string]bool
}

// verdict is everything one family said.
type verdict struct {
	name, model, digest string
	ranks               map[string]ranked // by subject and by part
	canaries, wrong     [2]int            // about texts, about figures
}

// fails reports whether a fifth of the canaries about texts, or of those about
// figures, came out wrong. Of 40, a judge that errs in 7 % of cases then fails
// once in 150 periods, and one that errs in 30 % nearly always.
func (v verdict) fails() bool {
	for i, n := range v.canaries {
		if n > 0 && 5*v.wrong[i] >= n {
			return true
		}
	}
	return false
}

// hear asks one family everything.
func (p *panel) hear(ctx context.Context, r *runner) verdict {
	v := verdict{name: r.family.Name, model: r.family.Model, ranks: map[string]ranked{}}
	r.sealed = p.sealed
	r.probe(ctx)
	found := p.extractAll(ctx, r)
	for i, g := range append(slices.Clone(p.groups), p.split) {
		answers := p.judgeGroup(ctx, r, i, g, found)
		for _, s := range g.subjects {
			rank := rankOf(checklists.Sheets[g.sheet], answers[s.id])
			rank.suspect = found[s.id].steering
			v.ranks[s.id] = rank
		}
		for _, s := range g.subjects {
			if c, ok := p.canaries[s.id]; ok {
				v.canaries[g.sort()]++
				if c.wrong(checklists.Sheets[g.sheet], v.ranks[s.id]) {
					v.wrong[g.sort()]++
				}
			}
		}
	}
	v.digest = r.digestOfModel()
	return v
}

// rankOf joins two or three askings about one subject: a question is yes if
// most of them say so. Fewer than two askings, or most of them unable to tell,
// tell nothing.
func rankOf(sheet []question, answers []sheetAnswer) ranked {
	out := ranked{yes: map[string]bool{}}
	cannot, yes := 0, int64(0)
	for _, a := range answers {
		if a.cannotTell {
			cannot++
		}
	}
	if len(answers) < 2 || 2*cannot >= len(answers) {
		return out
	}
	for _, q := range sheet {
		votes := 0
		for _, a := range answers {
			if a.yes[q.ID] && !a.cannotTell {
				votes++
			}
		}
		if 2*votes > len(answers) {
			out.yes[q.ID] = true
			yes++
		}
	}
	out.told, out.score = true, 1000*yes/int64(len(sheet))
	return out
}

// extractAll takes the facts out of every text: in both orders, and a third
// time where they disagree.
func (p *panel) extractAll(ctx context.Context, r *runner) map[string]extraction {
	asked := make([][3]*extraction, len(p.exhibits))
	r.each(2*len(p.exhibits), func(i int) {
		asked[i/2][i%2] = p.extract(ctx, r, p.exhibits[i/2], i%2+1)
	})
	var again []int
	for i, a := range asked {
		if !agree(a[0], a[1]) {
			again = append(again, i)
		}
	}
	r.grow(len(again))
	r.each(len(again), func(i int) {
		asked[again[i]][2] = p.extract(ctx, r, p.exhibits[again[i]], 3)
	})
	out := make(map[string]extraction, len(asked))
	for i, a := range asked {
		if x, ok := joined(a[:]); ok {
			out[p.exhibits[i].dossier] = x
		}
	}
	return out
}

func (p *panel) extract(ctx context.Context, r *runner, x exhibit, order int) *extraction {
	name := fmt.Sprintf("extract/%s/%d", x.dossier, order)
	c := chat(r, name, func(number int) ask {
		return p.askExtract(r, x, order, fmt.Sprint(r.family.Name, " ", name, " ", number))
	},
		func(content string) (extraction, error) { return readExtraction(content, x.n) })
	c.sealed = x.member
	out, ok := put(ctx, r, c)
	if !ok {
		return nil
	}
	return &out
}

// agree reports whether two askings found the same kinds, at whatever strength.
func agree(a, b *extraction) bool {
	if a == nil || b == nil || a.steering != b.steering || len(a.strength) != len(b.strength) {
		return false
	}
	for kind := range a.strength {
		if b.strength[kind] == 0 {
			return false
		}
	}
	return true
}

// joined is what most askings found, at the lowest strength of those that found
// it. Fewer than two askings are nothing to go by.
func joined(asked []*extraction) (extraction, bool) {
	heard := slices.DeleteFunc(slices.Clone(asked), func(x *extraction) bool { return x == nil })
	out := extraction{strength: map[string]int64{}}
	steering := 0
	for _, x := range heard {
		if x.steering {
			steering++
		}
	}
	out.steering = 2*steering >= max(len(heard), 2)
	for _, s := range checklists.Statements {
		n, least := 0, int64(3)
		for _, x := range heard {
			if v := x.strength[s.ID]; v > 0 {
				n, least = n+1, min(least, v)
			}
		}
		if 2*n > len(heard) {
			out.strength[s.ID] = least
		}
	}
	return out, len(heard) >= 2
}

// judgeGroup answers one checklist for every subject of a group. Subjects whose
// text could not be read are left out. What comes back are the askings of each.
func (p *panel) judgeGroup(ctx context.Context, r *runner, at int, g group, found map[string]extraction) map[string][]sheetAnswer {
	var asked []subject
	for _, s := range g.subjects {
		if x, ok := found[s.id]; ok || !s.text {
			asked = append(asked, s.with(x))
		}
	}
	out := map[string][]sheetAnswer{}
	var mu sync.Mutex
	asking := func(batches [][]subject, from, orders int) {
		r.each(len(batches)*orders, func(i int) {
			n, order := i/orders, from+i%orders
			name := fmt.Sprintf("judge/%d-%s/%04d/%d", at, g.sheet, n, order)
			answers := p.judge(ctx, r, name, g, batches[n], order)
			mu.Lock()
			defer mu.Unlock()
			for id, a := range answers {
				out[id] = append(out[id], a)
			}
		})
	}
	asking(batchesOf(asked, p.batch), 1, 2)
	disputed := slices.DeleteFunc(slices.Clone(asked), func(s subject) bool { return settled(checklists.Sheets[g.sheet], out[s.id]) })
	third := batchesOf(shuffled(p.seed, disputed, subjectID, "third", g.sheet), p.batch)
	r.grow(len(third))
	asking(third, 3, 1)
	return out
}

// with adds what was found in a subject's text to its figures.
func (s subject) with(x extraction) subject {
	s.facts = slices.Clone(s.facts)
	for _, st := range checklists.Statements {
		if v := x.strength[st.ID]; v > 0 {
			s.facts = append(s.facts, factOf(st.ID, v))
		}
	}
	return s
}

func batchesOf(list []subject, size int) [][]subject { return slices.Collect(slices.Chunk(list, size)) }

// settled reports whether both askings came and agree on every question.
func settled(sheet []question, answers []sheetAnswer) bool {
	if len(answers) != 2 || answers[0].cannotTell != answers[1].cannotTell {
		return false
	}
	return answers[0].cannotTell || !slices.ContainsFunc(sheet, func(q question) bool { return answers[0].yes[q.ID] != answers[1].yes[q.ID] })
}

// judge puts one batch in one order. The answers are by subject, whatever it
// was called in the question.
func (p *panel) judge(ctx context.Context, r *runner, name string, g group, batch []subject, order int) map[string]sheetAnswer {
	sheet := checklists.Sheets[g.sheet]
	aliases := p.aliases(r.family.Name, name, batch)
	evidence := make(map[string][]string, len(batch))
	for _, s := range batch {
		ids := make([]string, len(s.facts))
		for i := range s.facts {
			ids[i] = factID(i)
		}
		evidence[aliases[s.id]] = ids
	}
	c := chat(r, name, func(number int) ask {
		return p.askJudge(r, g, batch, order, aliases, fmt.Sprint(r.family.Name, " ", name, " ", number))
	}, func(content string) (map[string]sheetAnswer, error) { return readJudgement(content, evidence, sheet) })
	got, ok := put(ctx, r, c)
	if !ok {
		return nil
	}
	out := make(map[string]sheetAnswer, len(batch))
	for _, s := range batch {
		out[s.id] = got[aliases[s.id]]
	}
	return out
}
