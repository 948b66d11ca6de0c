package lessons

import (
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
	"distributed.ai/datacoop/marketplace/appraisal/spotcheck"
	"distributed.ai/datacoop/web/portal"
	"distributed.ai/datacoop/web/portal/hearings"
)

// Pages lists the pages that the portal serves for this package.
func (a API) Pages() []portal.Page {
	treasury := string(coop.Treasury)
	return []portal.Page{
		{Method: "GET", Path: "/spot-checks", Door: "member", Handle: a.checks},
		{Method: "POST", Path: "/spot-checks/{id}", Door: "member", Handle: a.answer},
		{Method: "GET", Path: "/judges", Door: "member", Handle: a.judges},
		{Method: "GET", Path: "/judges/{id}", Door: "member", Handle: a.candidate},
		{Method: "GET", Path: "/judges/{id}/comparison", Door: "member", Handle: a.comparisonFile},
		{Method: "GET", Path: "/judges/sets/{id}", Door: "member", Handle: a.setFile},
		{Method: "POST", Path: "/judges/{id}/offer", Door: "member", Handle: a.offer},
		{Method: "POST", Path: "/judges/{id}/vote", Door: "member", Handle: a.vote},
		{Method: "GET", Path: "/steward/judges", Door: treasury, Handle: a.form},
		{Method: "POST", Path: "/steward/judges", Door: treasury, Handle: a.enter},
		{Method: "POST", Path: "/steward/judges/{id}/withdraw", Door: treasury, Handle: a.withdraw},
	}
}

func (a API) checks(g portal.Guest) error {
	list, err := a.Market.SpotChecks(g.Context(), g.Me().ID)
	if err != nil {
		return err
	}
	return g.Show("spotchecks", each(list, func(d marketplace.SpotCheck) shownCheck {
		waits := d.State == "waiting" && a.Clock().UnixMilli() < d.Deadline
		return shownCheck{d, waits, ended[d.State]}
	}))
}

// shownCheck is a pair as its page shows it.
type shownCheck struct {
	marketplace.SpotCheck
	Waits bool
	Ended string
}

var ended = map[string]string{
	"scored": "You answered. Thank you: it counts as a duty.", "stepped-back": "You stepped back; the next in the draw was asked.",
	"silent": "The time passed; the next in the draw was asked.", "waiting": "The time passed; the next in the draw was asked.",
}

func (a API) answer(g portal.Guest) error {
	title, text := "Your answer is in", "It stands as it is. Nobody’s money depends on it: it helps to measure the models."
	var err error
	if said := g.Typed("answer"); said == "back" {
		title, text = "You stepped back", "The next member in the draw is asked. That is always fine."
		_, err = a.Market.PassSpotCheck(g.Action(), g.Me().ID, g.Request().PathValue("id"))
	} else {
		_, err = a.Market.AnswerSpotCheck(g.Action(), g.Me().ID, g.Request().PathValue("id"), said)
	}
	if err != nil {
		return g.Again(err, a.checks)
	}
	return g.Done("/spot-checks", title, text)
}

func (a API) judges(g portal.Guest) error {
	list, err := a.Market.Candidates(g.Context(), g.Me().ID)
	if err != nil {
		return err
	}
	sets, err := a.Market.Calibrations(g.Context())
	if err != nil {
		return err
	}
	return g.Show("judges", struct {
		Steward    bool
		Candidates []shownCandidate
		Sets       []shownSet
	}{slices.Contains(g.Me().Offices, coop.Treasury), each(list, show), each(sets, func(v marketplace.Calibration) shownSet {
		return shownSet{v, v.Why == spotcheck.FewMembers, v.Why == spotcheck.FewDossiers}
	})})
}

// shownSet is a calibration set as its page shows it.
type shownSet struct {
	marketplace.Calibration
	FewMembers, FewDossiers bool
}

// shownCandidate is a candidate as its pages show it.
type shownCandidate struct {
	marketplace.CandidateView
	Steward bool           // who reads it may withdraw it
	Better  bool           // it may be offered
	Vote    *hearings.Vote // nil before it was
	Runs    int            // that are done
}

func show(v marketplace.CandidateView) shownCandidate {
	out := shownCandidate{CandidateView: v, Better: v.State == "running" && v.Answer == learning.Better}
	if v.Vote != nil {
		out.Vote = &hearings.Vote{AdoptionVote: *v.Vote, Voted: v.Voted}
	}
	for _, r := range v.Runs {
		if r.State == "done" {
			out.Runs++
		}
	}
	return out
}

// Tag says how far a candidate is, in words and in tone.
func (c shownCandidate) Tag() [2]string {
	switch {
	case c.InForce > 0:
		return [2]string{"Adopted", "good"}
	case c.Vote != nil && (c.Vote.State == "voting" || c.Vote.State == "waiting"):
		return [2]string{"Open for votes", "wait"}
	case c.Vote != nil:
		return [2]string{"Rejected", "off"}
	case c.State == "withdrawn":
		return [2]string{"Withdrawn", "off"}
	case c.Answer == learning.Better:
		return [2]string{"Better", "good"}
	case c.Answer == learning.Worse:
		return [2]string{"Worse", "off"}
	case c.Answer == learning.NotProven:
		return [2]string{"Not proven", "off"}
	}
	return [2]string{"Runs in shadow", "wait"}
}

func (a API) candidate(g portal.Guest) error {
	v, err := a.Market.CandidateOf(g.Context(), g.Me().ID, g.Request().PathValue("id"))
	if err != nil {
		return err
	}
	page := show(v)
	page.Steward = slices.Contains(g.Me().Offices, coop.Treasury)
	return g.Show("judge", page)
}

// comparisonFile and setFile are what anybody can compute again, byte for byte.
func (a API) comparisonFile(g portal.Guest) error {
	id := g.Request().PathValue("id")
	text, err := a.Market.ComparisonDocument(g.Context(), id)
	if err != nil {
		return err
	}
	return g.Download("application/json", "comparison-"+id+".json", text)
}

func (a API) setFile(g portal.Guest) error {
	id := g.Request().PathValue("id")
	text, err := a.Market.CalibrationDocument(g.Context(), coop.PeriodID(id))
	if err != nil {
		return err
	}
	return g.Download("application/json", "calibration-"+id+".json", text)
}

func (a API) offer(g portal.Guest) error {
	v, err := a.Market.Offer(g.Action(), g.Me().ID, g.Request().PathValue("id"))
	if err != nil {
		return g.Again(err, a.candidate)
	}
	return g.Done("/judges/"+v.ID, "The members vote on it", "Everybody who is a member now has one vote. The ballot shows the comparison.")
}

// vote takes a ballot. Its receipt is in this answer and nowhere else.
func (a API) vote(g portal.Guest) error {
	id := g.Request().PathValue("id")
	receipt, err := a.Market.CastCandidate(g.Context(), g.Me().ID, id, g.Typed("choice"))
	if err != nil {
		return g.Again(err, a.candidate)
	}
	return g.Show("ballot", struct{ Receipt, Back string }{receipt, "/judges/" + id})
}

func (a API) form(g portal.Guest) error { return g.Show("newjudge", nil) }

func (a API) enter(g portal.Guest) error {
	c, err := a.Market.Enter(g.Action(), g.Me().ID, marketplace.CandidateEntry{Title: g.Typed("title"), Why: g.Typed("why"), Form: []byte(g.Typed("form"))})
	if err != nil {
		return g.Again(err, a.form)
	}
	return g.Done("/judges/"+c.ID, "It runs in shadow", "From the next statement on it is asked beside the judges in force. It moves no money.")
}

func (a API) withdraw(g portal.Guest) error {
	c, err := a.Market.Withdraw(g.Action(), g.Me().ID, g.Request().PathValue("id"))
	if err != nil {
		return g.Again(err, a.candidate)
	}
	return g.Done("/judges/"+c.ID, "The candidate is withdrawn", "It is not asked any more. What it answered stays.")
}
