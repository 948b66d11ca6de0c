package portal

import (
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/portal/complaints"
)

// disputed counts disputes that wait for the member's word, and for a steward's
// where the member is one.
func (p *Portal) disputed(v *visit) (answers, cases int, err error) {
	mine, err := p.Market.MemberDisputes(v.ctx(), v.me.ID)
	if err != nil || !slices.Contains(v.me.Offices, coop.Appeals) {
		return complaints.Unanswered(mine), 0, err
	}
	all, err := p.Market.Disputes(v.ctx(), v.me.ID)
	return complaints.Unanswered(mine), complaints.Undecided(all), err
}

// disputes shows a member what researchers say is wrong with their datasets.
func (p *Portal) disputes(v *visit) error {
	list, err := p.Market.MemberDisputes(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	page, err := complaints.Of(v.me.ID, list, p.reader().Asks(v.ctx()), p.Clock().UnixMilli(), v.id())
	if err != nil {
		return err
	}
	return v.show("disputes", page)
}

func (p *Portal) answerDispute(v *visit) error {
	_, err := p.Market.AnswerDispute(v.action(), v.me.ID, v.id(), v.text("text"))
	if err != nil {
		return v.again(err, p.disputes)
	}
	return v.done("/disputes", note{Title: "Your answer is saved", Text: "A steward reads it before anything is decided."})
}

// cases shows stewards of appeals what is to be judged.
func (p *Portal) cases(v *visit) error {
	list, err := p.Market.Disputes(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	page, err := complaints.Of(v.me.ID, list, p.reader().Asks(v.ctx()), p.Clock().UnixMilli(), v.id())
	if err != nil {
		return err
	}
	return v.show("cases", page)
}

// judge takes, upholds or dismisses a dispute.
func (p *Portal) judge(v *visit) error {
	n := note{Title: "You have taken the dispute", Text: "It can be decided once the member has answered, or had the time to."}
	var err error
	switch decision := v.form.Get("decision"); decision {
	case "take":
		_, err = p.Market.ReviewDispute(v.action(), v.me.ID, v.id())
	case "uphold", "dismiss":
		var d marketplace.Dispute
		d, err = p.Market.DecideDispute(v.action(), v.me.ID, v.id(), decision == "uphold", v.text("reason"))
		n.Title, n.Text = complaints.Said(d, p.Charter.Currency)
	default:
		err = complaints.ErrDecision
	}
	if err != nil {
		return v.again(err, p.cases)
	}
	return v.done("/steward/disputes", n)
}
