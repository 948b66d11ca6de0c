package portal

import (
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/policies/document"
)

// rehearsal is what the gate says about a policy before it is proposed.
type rehearsal struct {
	policies.Report
	Impact governance.Impact
}

// proposeForm begins with the law in force, or with the one the co-op started
// with.
func (p *Portal) proposeForm(v *visit) error { return p.proposing(v, nil) }

func (p *Portal) proposing(v *visit, r *rehearsal) error {
	before := p.law().Source
	if v.r.URL.Query().Get("from") == "start" || before == "" {
		before = string(policies.Default())
	}
	return v.show("propose", struct {
		Policy     string
		Rehearsal  *rehearsal
		Vocabulary []policies.Leaf
		Subjects   []document.Subject
		Duties     []document.Duty
	}{before, r, policies.Vocabulary(), document.Subjects(), document.Duties()})
}

// propose tries a policy at the gate, and puts it to the vote if asked to.
func (p *Portal) propose(v *visit) error {
	text, err := v.uploaded("file")
	if err != nil {
		return v.again(err, p.proposeForm)
	}
	if text != "" {
		v.form.Set("policy", text)
	}
	policy := v.text("policy") + "\n"
	if v.form.Get("step") != "propose" {
		report, impact, err := p.Governance.Preview(v.ctx(), []byte(policy))
		if err != nil {
			return v.again(err, p.proposeForm)
		}
		return p.proposing(v, &rehearsal{report, impact})
	}
	o, err := p.Governance.Propose(v.action(), v.me.ID,
		governance.Draft{Title: v.text("title"), Text: v.text("text"), Source: []byte(policy)})
	if err != nil {
		return v.again(err, p.proposeForm)
	}
	return v.done("/votes/"+string(o.ID), note{Title: "Your proposal is before the members",
		Text: "It is tried on past requests first. Then everybody who is a member now can vote on it.", Ref: string(o.ID)})
}
