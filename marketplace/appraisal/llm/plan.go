package llm

import (
	"fmt"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/appraisal"
)

// Plan is what weighing a task will ask, known before the first call. Its Run
// digest fixes task, seed, questions, families and limits: logged before the
// first call, it lets nobody shop for answers.
type Plan struct {
	Commitment string // Task.SHA256
	Run        string // SHA-256 of the record's header
	Dossiers   int
	Canaries   int
	Families   []FamilyPlan
}

// FamilyPlan is one family's part. Calls are those that have to be made; third
// askings and repeated attempts come on top, up to Most. Tokens and cost are
// estimates for Calls, at four bytes a token.
type FamilyPlan struct {
	Family       string
	Remote       bool
	Calls        int
	Most         int
	PromptTokens int64
	AnswerTokens int64
	Cost         coop.Money // minor units, rounded up; 0 where no prices are set
}

// Sentence says what a family will be asked, for whoever starts an appraisal.
func (f FamilyPlan) Sentence(c coop.Currency) string {
	cost := "no price is set"
	if f.Cost > 0 {
		cost = "about " + f.Cost.Format(c)
	}
	return fmt.Sprintf("%s: %d calls, at most %d; about %d tokens to read and %d to write; %s.",
		f.Family, f.Calls, f.Most, f.PromptTokens, f.AnswerTokens, cost)
}

// Estimate says what weighing a task would ask, without asking anybody.
func (j *Judge) Estimate(t appraisal.Task) (Plan, error) {
	h, p, err := j.prepare(t)
	if err != nil {
		return Plan{}, err
	}
	return p.plan(h, j.c.Families), nil
}

const (
	bytesPerToken   = 4
	tokensPerAnswer = 30 // one line of a checklist
	tokensPerText   = 200
	probes          = 4
)

// plan counts what every family will be asked, by making the questions of the
// first asking as they would be if every text held every kind of statement.
func (p *panel) plan(h header, families []Family) Plan {
	out := Plan{Commitment: h.Commitment, Run: h.run(), Dossiers: len(h.Dossiers), Canaries: len(p.canaries)}
	var calls, extracts int
	var read, written int64
	sample := &runner{family: Family{Name: "x", Model: "x"}}
	for _, x := range p.exhibits {
		q := p.askExtract(sample, x, 1, "plan")
		read += int64(len(q.system) + len(q.user))
		written += tokensPerText
		extracts++
	}
	full := extraction{strength: map[string]int64{}}
	for _, s := range checklists.Statements {
		full.strength[s.ID] = 1
	}
	for _, g := range append(p.groups[:len(p.groups):len(p.groups)], p.split) {
		for _, batch := range batchesOf(g.subjects, p.batch) {
			batch = slices.Clone(batch)
			for i, s := range batch {
				if s.text {
					batch[i] = s.with(full)
				}
			}
			q := p.askJudge(sample, g, batch, 1, p.aliases("x", "plan", batch), "plan")
			read += int64(len(q.system) + len(q.user))
			written += int64(len(batch) * len(checklists.Sheets[g.sheet]) * tokensPerAnswer)
			calls++
		}
	}
	calls += extracts
	for _, f := range families {
		plan := FamilyPlan{Family: f.Name, Remote: !f.local(), Calls: 2*calls + probes, Most: 3*calls*h.MaxAttempts + probes,
			PromptTokens: 2 * read / bytesPerToken, AnswerTokens: 2 * written}
		plan.Cost = priced(plan.PromptTokens, f.PromptPrice) + priced(plan.AnswerTokens, f.AnswerPrice)
		out.Families = append(out.Families, plan)
	}
	return out
}

// priced is what tokens cost at a price for a million of them, rounded up.
func priced(tokens int64, million coop.Money) coop.Money {
	whole, rest := tokens/1_000_000, tokens%1_000_000
	return coop.Money(whole)*million + (coop.Money(rest)*million+999_999)/1_000_000
}
