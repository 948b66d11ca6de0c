package portal

import (
	"strconv"

	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/web/portal/words"
)

// piece is a contribution with the name of who did it.
type piece struct {
	governance.Contribution
	Author   string
	Mine     bool
	Reviewed bool // by the member who looks
}

// Reviewable reports whether the member who looks may still review it.
func (c piece) Reviewable() bool {
	return c.State == governance.Submitted && !c.Mine && !c.Reviewed
}

func (p *Portal) pieceOf(v *visit, c governance.Contribution, name func(coop.MemberID) (string, error)) (piece, error) {
	author, err := name(c.Member)
	if err != nil {
		return piece{}, err
	}
	out := piece{Contribution: c, Author: author, Mine: c.MadeBy(v.me.ID)}
	for _, r := range c.Reviews {
		out.Reviewed = out.Reviewed || r.Reviewer == v.me.ID
	}
	return out, nil
}

// work lists what members did for the co-op, what waits for a review first.
func (p *Portal) work(v *visit) error {
	before := v.r.URL.Query().Get("before")
	if before != "" && !coop.ValidID(before) {
		return errNotHere
	}
	list, err := p.Governance.Contributions(v.ctx(), governance.Filter{}, governance.Page{Before: before, Limit: pageLength})
	if err != nil {
		return err
	}
	page := struct {
		Waiting, Rest []piece
		Kinds         []governance.WorkKind
		Next          string
	}{Kinds: governance.WorkKinds()}
	name := p.annals().Names(v.ctx())
	for _, c := range list {
		one, err := p.pieceOf(v, c, name)
		if err != nil {
			return err
		}
		if one.Reviewable() {
			page.Waiting = append(page.Waiting, one)
		} else {
			page.Rest = append(page.Rest, one)
		}
	}
	if len(list) == pageLength {
		page.Next = string(list[pageLength-1].ID)
	}
	return v.show("work", page)
}

func (p *Portal) submit(v *visit) error {
	c, err := p.Governance.Submit(v.action(), v.me.ID, governance.Work{Kind: governance.WorkKind(v.form.Get("kind")),
		Title: v.text("title"), Evidence: v.text("evidence"), Text: v.text("text")})
	if err != nil {
		return v.again(err, p.work)
	}
	return v.done("/work/"+string(c.ID), note{Title: "Your work is handed in",
		Text: "Two other members will look at it. If they accept it, it counts in the next statement.", Ref: string(c.ID)})
}

// verdict is a review with the name of who gave it.
type verdict struct {
	governance.Review
	Name string
}

func (p *Portal) contribution(v *visit) error {
	if !coop.ValidID(v.id()) {
		return errNotHere
	}
	c, err := p.Governance.Contribution(v.ctx(), coop.ContributionID(v.id()))
	if err != nil {
		return err
	}
	name := p.annals().Names(v.ctx())
	one, err := p.pieceOf(v, c, name)
	if err != nil {
		return err
	}
	var reviews []verdict
	for _, r := range c.Reviews {
		who, err := name(r.Reviewer)
		if err != nil {
			return err
		}
		reviews = append(reviews, verdict{r, who})
	}
	return v.show("contribution", struct {
		Piece   piece
		Reviews []verdict
		Sizes   []int
	}{one, reviews, []int{1, 2, 3, 4, 5}})
}

var errVerdict = fault.New(fault.Invalid, "verdict-missing", "Say whether you accept or decline this work.")

func (p *Portal) review(v *visit) error {
	if !coop.ValidID(v.id()) {
		return errNotHere
	}
	accept := v.form.Get("accept")
	if accept != "yes" && accept != "no" {
		return v.again(errVerdict, p.contribution)
	}
	size, err := strconv.Atoi(words.Or(v.form.Get("size"), "0"))
	if err != nil {
		return v.again(governance.ErrSize, p.contribution)
	}
	c, err := p.Governance.Review(v.action(), v.me.ID, coop.ContributionID(v.id()),
		governance.Verdict{Accept: accept == "yes", Size: size, Note: v.text("note")})
	if err != nil {
		return v.again(err, p.contribution)
	}
	return v.done("/work/"+string(c.ID), note{Title: "Your review is saved", Text: "Thank you. Reviews earn fixed points in the statement."})
}
