package portal

import (
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/web/portal/hearings"
)

// panels lists what the member was drawn by lot to look at.
func (p *Portal) panels(v *visit) error {
	list, err := p.Market.PanelDuties(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	return v.show("panels", hearings.Duties(list, p.Clock().UnixMilli()))
}

func (p *Portal) answerPanel(v *visit) error {
	n := note{Title: "Your answers are in", Text: "They stand as they are. You read the outcome here once the panel has decided."}
	var err error
	if v.form.Get("answer") == "back" {
		n = note{Title: "You stepped back", Text: "The next member in the draw is asked. That is always fine."}
		_, err = p.Market.StepBack(v.action(), v.me.ID, v.id())
	} else {
		_, err = p.Market.AnswerPanel(v.action(), v.me.ID, v.id(), v.form["yes"])
	}
	if err != nil {
		return v.again(err, p.panels)
	}
	return v.done("/panels", n)
}

// escalate takes an appeal that a steward dismissed to a panel.
func (p *Portal) escalate(v *visit) error {
	a, err := p.Market.Escalate(v.action(), v.me.ID, v.form.Get("appeal"), hearings.Line(v.form.Get("line")))
	if err != nil {
		return v.again(err, p.statement)
	}
	return v.done("/money/"+string(a.Period), note{Title: "A panel will look at it", Ref: a.ID,
		Text: "Members are drawn by lot and answer the questions that the model answered, without seeing its answer."})
}

// adopt takes a ballot on whether what judges made of a period counts. As with
// cast, its receipt is in this answer and nowhere else.
func (p *Portal) adopt(v *visit) error {
	receipt, err := p.Market.CastAdoption(v.ctx(), v.me.ID, coop.PeriodID(v.id()), v.form.Get("choice"))
	if err != nil {
		return v.again(err, p.statement)
	}
	return v.show("ballot", ballot{receipt, "/money/" + v.id()})
}
