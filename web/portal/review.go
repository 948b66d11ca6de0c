package portal

import (
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/portal/words"
)

// toJudge says to a steward how to answer what a request is put to them for.
var toJudge = map[string]string{
	"ethics-unread":        "Ask for the letter of the ethics board. Check that it is about this study and these data, that it is for this organisation, and that it has not run out.",
	"collaboration-unread": "Agree with them in writing who does what, who is named, and what comes back to the members.",
	"project-unread":       "Ask the organisation whether this request belongs to the project it names.",
}

// docket is a request on the list of those that wait for a steward.
type docket struct {
	marketplace.Asking
	Left string
}

// reviews lists the requests that wait for a steward of vetting.
func (p *Portal) reviews(v *visit) error {
	list, err := p.Market.ToReview(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	now := p.Clock().UnixMilli()
	out := make([]docket, 0, len(list))
	for _, a := range list {
		out = append(out, docket{a, words.Left(now, a.Wait.Until)})
	}
	return v.show("reviews", out)
}

// reviewCase shows what a steward is asked about one request.
func (p *Portal) reviewCase(v *visit) error { return p.openCase(v, "review") }

func (p *Portal) openCase(v *visit, page string) error {
	if !coop.ValidID(v.id()) {
		return errNotHere
	}
	c, err := p.Market.UnderReview(v.ctx(), v.me.ID, coop.RequestID(v.id()))
	if err != nil {
		return err
	}
	return v.show(page, struct {
		marketplace.Case
		Pool string
		Left string
		Open bool
		How  map[string]string
		Yes  bool // what was chosen, where it is shown again
	}{c, p.poolTitle(c.Request.Pool), words.Left(p.Clock().UnixMilli(), c.Wait.Until), c.Waits() && !c.Wait.Spoken(), toJudge, v.form.Get("finding") == "yes"})
}

var (
	errFinding = fault.New(fault.Invalid, "finding-missing", "Say whether it is as the request states.")
	errFound   = fault.New(fault.Invalid, "found-missing", "Write what you found. The researcher reads it.")
)

// sayReview takes a steward's word in two steps: they see what it means, and
// then it counts.
func (p *Portal) sayReview(v *visit) error {
	finding, reason := v.form.Get("finding"), v.text("reason")
	switch {
	case finding != "yes" && finding != "no":
		return v.again(errFinding, p.reviewCase)
	case reason == "":
		return v.again(errFound, p.reviewCase)
	case v.form.Get("step") == "change":
		return p.reviewCase(v)
	case v.form.Get("step") != "save":
		return p.openCase(v, "reviewed")
	}
	if err := p.Market.Review(v.action(), v.me.ID, coop.RequestID(v.id()), finding == "yes", reason); err != nil {
		return v.again(err, p.reviewCase)
	}
	n := note{Title: "You have said that it is so", Text: "The law decides about the request now, or once the members who are asked have answered.", Ref: v.id()}
	if finding == "no" {
		n.Title, n.Text = "You have said that it is not so", "Data whose members ask for it are not given out for this request. The researcher reads what you wrote."
	}
	return v.done("/steward/vetting/requests", n)
}
