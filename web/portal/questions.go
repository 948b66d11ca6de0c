package portal

import (
	"context"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/web/portal/words"
)

// asked is a question about one request, with who asks and what for.
type asked struct {
	consent.Question
	Ask     marketplace.Asking
	Pool    string
	Left    string
	Yes, No bool
	Open    bool // it has no answer, and one still counts
}

// Can reports whether the member can still answer, or change what they said.
func (a asked) Can() bool {
	return a.Ask.State != marketplace.StateClosed && a.Ask.State != marketplace.StateExpired
}

// asked lists what the member's terms leave to them, what waits for an answer
// first.
func (p *Portal) asked(ctx context.Context, m coop.MemberID) (waiting, rest []asked, err error) {
	list, err := p.Consent.Questions(ctx, m)
	if err != nil {
		return nil, nil, err
	}
	asks, now := p.reader().Asks(ctx), p.Clock().UnixMilli()
	for _, q := range list {
		a, err := asks(q.Request)
		if err != nil {
			return nil, nil, err
		}
		one := asked{q, a, p.poolTitle(a.Request.Pool), words.Left(now, a.Wait.Until), q.Answer == policies.AnswerYes, q.Answer == policies.AnswerNo, a.Waits() && q.Answer == ""}
		if one.Open {
			waiting = append(waiting, one)
		} else {
			rest = append(rest, one)
		}
	}
	return waiting, rest, nil
}

func (p *Portal) questions(v *visit) error {
	waiting, rest, err := p.asked(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	return v.show("questions", struct{ Waiting, Rest []asked }{waiting, rest})
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
