package portal

import (
	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// asked is a question about one request, with who asks and what for.
type asked struct {
	consent.Question
	Title, Researcher string
	Yes, No           bool
}

// questions lists what the member's terms leave to them.
func (p *Portal) questions(v *visit) error {
	list, err := p.Consent.Questions(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	out := make([]asked, 0, len(list))
	for _, q := range list {
		title, researcher, err := p.Market.Purpose(v.ctx(), q.Request)
		if err != nil {
			return err
		}
		out = append(out, asked{q, title, researcher, q.Answer == policies.AnswerYes, q.Answer == policies.AnswerNo})
	}
	return v.show("questions", out)
}

// answerQuestion says yes or no to one request for one dataset.
func (p *Portal) answerQuestion(v *visit) error {
	yes := v.form.Get("answer") == policies.AnswerYes
	ds := coop.DatasetID(v.form.Get("dataset"))
	if err := p.Market.AnswerQuestion(v.action(), v.me.ID, coop.RequestID(v.id()), ds, yes); err != nil {
		return v.again(err, p.questions)
	}
	return v.done("/questions", note{Title: "Your answer is saved", Text: "You can change it until the data are fetched."})
}
