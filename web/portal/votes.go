package portal

import (
	"context"
	"slices"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies/document"
	"distributed.ai/datacoop/web/portal/annals"
	"distributed.ai/datacoop/web/portal/words"
)

// votable is a proposal on the list.
type votable = annals.Votable

// listed is how many proposals the list of votes looks at.
const listed = 100

// openVotes lists what can be voted on, most urgent first.
func (p *Portal) openVotes(ctx context.Context, m coop.MemberID) ([]votable, error) {
	all, err := p.Governance.Proposals(ctx, governance.Page{Limit: listed})
	if err != nil {
		return nil, err
	}
	return p.annals().Votes(ctx, m, slices.DeleteFunc(all, func(o governance.Proposal) bool { return o.State != governance.Voting }))
}

// votes lists every proposal and the law in force.
func (p *Portal) votes(v *visit) error {
	before := v.r.URL.Query().Get("before")
	if before != "" && !coop.ValidID(before) {
		return errNotHere
	}
	all, err := p.Governance.Proposals(v.ctx(), governance.Page{Before: before, Limit: listed})
	if err != nil {
		return err
	}
	list, err := p.annals().Votes(v.ctx(), v.me.ID, all)
	if err != nil {
		return err
	}
	next := ""
	if len(all) == listed {
		next = string(all[listed-1].ID)
	}
	return v.show("votes", struct {
		Proposals []votable
		Law       law
		Next      string
	}{list, p.law(), next})
}

// vote is one proposal: what it says, what it would have meant, the ballot or
// the result.
func (p *Portal) vote(v *visit) error {
	if !coop.ValidID(v.id()) {
		return errNotHere
	}
	o, err := p.Governance.Proposal(v.ctx(), coop.ProposalID(v.id()))
	if err != nil {
		return err
	}
	voted, err := p.Governance.Voted(v.ctx(), v.me.ID, o.ID)
	if err != nil {
		return err
	}
	author, err := p.Governance.Member(v.ctx(), o.Author)
	if err != nil {
		return err
	}
	page := struct {
		Proposal governance.Proposal
		Author   string
		Voted    bool
		Open     bool
		Left     string
		Needed   int
		Trying   bool
		Impact   governance.Impact
		ODRL     string // empty where no document expresses the rule
		Outside  string
	}{Proposal: o, Outside: document.OutsideSentence, Author: words.Or(author.Name, "a former member"), Voted: voted, Needed: o.Rule.Needed(o.Electorate)}
	now := p.Clock().UnixMilli()
	page.Open = o.State == governance.Voting && now < o.ClosesAt
	page.Left = words.Left(now, o.ClosesAt)
	page.Trying = o.State == governance.Rehearsing
	if d, ok := document.Read(o.Source, p.Charter.Currency); ok {
		page.ODRL = string(d.ODRL(o.Revision))
	}
	if page.Impact, err = p.Governance.Impact(v.ctx(), o.ID); err != nil {
		return err
	}
	return v.show("vote", page)
}

// cast takes a ballot. Its receipt is in this answer and nowhere else: a note
// in the session would tie the ballot to the member.
func (p *Portal) cast(v *visit) error {
	if !coop.ValidID(v.id()) {
		return errNotHere
	}
	b, err := p.Governance.Cast(v.ctx(), v.me.ID, coop.ProposalID(v.id()), v.form.Get("choice"))
	if err != nil {
		return v.again(err, p.vote)
	}
	return v.show("ballot", ballot{b.Receipt, "/votes/" + string(b.Proposal)})
}

// ballot is a page that tells a voter their receipt, and leads back.
type ballot struct{ Receipt, Back string }
