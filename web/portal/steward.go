package portal

import (
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/portal/hearings"
	"distributed.ai/datacoop/web/portal/words"
)

func (p *Portal) vetting(v *visit) error {
	list, err := p.Market.Researchers(v.ctx())
	if err != nil {
		return err
	}
	waiting, err := p.Market.ToReview(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	return v.show("vetting", struct {
		Researchers []marketplace.Researcher
		Kinds       []coop.Term
		Waiting     int
	}{list, coop.RequesterKinds(), len(waiting)})
}

// vet enters a researcher and shows their credentials in this answer and
// nowhere else.
func (p *Portal) vet(v *visit) error {
	r, err := p.Market.Vet(v.action(), v.me.ID, marketplace.Researcher{Name: v.text("name"), Kind: v.form.Get("kind"),
		Region: strings.ToUpper(v.text("region")), Email: v.text("email"), Related: v.form.Get("related") == "yes"})
	if err != nil {
		return v.again(err, p.vetting)
	}
	client, secret, err := p.Hall.Issue(v.ctx(), r.ID)
	if err != nil {
		return err
	}
	return v.show("vetted", struct {
		Researcher     marketplace.Researcher
		Client, Secret string
		BaseURL        string
	}{r, client, secret, p.BaseURL})
}

// booked is a period with the steps it can take.
type booked struct {
	marketplace.Period
	Settles bool // the time for appeals is over
	Left    string
}

func (p *Portal) treasury(v *visit) error {
	periods, err := p.Market.Periods(v.ctx())
	if err != nil {
		return err
	}
	now := p.Clock().UnixMilli()
	out := make([]booked, 0, len(periods))
	for _, one := range periods {
		settles := one.State == marketplace.PeriodClosed && one.ChallengeEndsAt != 0 && now >= one.ChallengeEndsAt
		out = append(out, booked{one, settles, words.Left(now, one.ChallengeEndsAt)})
	}
	return v.show("treasury", out)
}

var (
	errStep   = fault.New(fault.Invalid, "confirm-step", "Tick the box beside the step first. Nothing was changed.")
	errNoFile = fault.New(fault.Invalid, "file-missing", "Choose a bank statement first.")
)

func (p *Portal) importStatement(v *visit) error {
	f, err := v.file("statement")
	if err == nil && f == nil {
		err = errNoFile
	}
	if err != nil {
		return v.again(err, p.treasury)
	}
	defer f.Close()
	i, err := p.Market.ImportBankStatement(v.ctx(), v.me.ID, f)
	if err != nil {
		return v.again(err, p.treasury)
	}
	n := note{Title: "The statement is imported", Text: "It has " + words.Count(i.Entries, "entry", "entries") + "; " +
		words.Count(i.Matched, "payment", "payments") + " matched an invoice: " + p.amount(i.Received) + " received."}
	if i.Known > 0 {
		n.Items = append(n.Items, words.Count(i.Known, "entry was", "entries were")+" imported before and not counted again.")
	}
	if i.PaidOut > 0 {
		n.Items = append(n.Items, p.amount(i.PaidOut)+" of payouts has left the account.")
	}
	if i.Returned > 0 {
		n.Items = append(n.Items, p.amount(i.Returned)+" came back; their members are owed it again and asked for another account.")
	}
	if len(i.Unmatched) > 0 {
		n.Items = append(n.Items, words.Count(len(i.Unmatched), "payment fits", "payments fit")+" no invoice; the money is held as unassigned.")
	}
	return v.done("/steward/treasury", n)
}

// step takes a period one step on: close, settle or release. None of them can
// be undone.
func (p *Portal) step(v *visit) error {
	if v.form.Get("sure") != "yes" {
		return v.again(errStep, p.treasury)
	}
	id := coop.PeriodID(v.id())
	var period marketplace.Period
	var err error
	n := note{Ref: v.id()}
	switch v.r.PathValue("step") {
	case "close":
		period, err = p.Market.Close(v.action(), v.me.ID, id)
		n.Title, n.Text = "The period is closed", "Its statement is published and members can contest it."
	case "settle":
		period, err = p.Market.Settle(v.action(), v.me.ID, id)
		n.Title, n.Text = "The period is settled", "Every share is posted to its member."
	case "release":
		period, err = p.Market.Release(v.action(), v.me.ID, id)
		n.Title, n.Text = "Your release is noted", "A second treasurer has to release the payout as well."
	default:
		return errNotHere
	}
	if err != nil {
		return v.again(err, p.treasury)
	}
	if period.State == marketplace.PeriodReleased {
		n.Title, n.Text = "The payout is released", "Two treasurers have released it. Download the payment file and give it to the bank."
	}
	return v.done("/steward/treasury", n)
}

func (p *Portal) payoutFile(v *visit) error {
	text, err := p.Market.PayoutFileAs(v.ctx(), v.me.ID, coop.PeriodID(v.id()), v.r.URL.Query().Get("version"))
	if err != nil {
		return err
	}
	return v.download("application/xml", "payout-"+v.id()+".xml", text)
}

// objection is an appeal as its steward sees it.
type objection struct {
	marketplace.Appeal
	Own     bool
	Figures []hearings.Figure // that can be mended
}

func (p *Portal) appeals(v *visit) error {
	list, err := p.Market.Appeals(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	page := struct {
		Open, Answered []objection
		At             string // the appeal that was answered just now, if it has to be again
	}{At: v.id()}
	for _, a := range list {
		o := objection{Appeal: a, Own: a.Member == v.me.ID}
		if a.State == marketplace.AppealOpen {
			o.Figures = p.rooms().Figures(v.ctx(), a)
			page.Open = append(page.Open, o)
		} else {
			page.Answered = append(page.Answered, o)
		}
	}
	return v.show("appeals", page)
}

var (
	errAnswer   = fault.New(fault.Invalid, "answer-missing", "Write an answer for the member first.")
	errDecision = fault.New(fault.Invalid, "decision-missing", "Say whether you uphold or dismiss the appeal.")
)

func (p *Portal) decideAppeal(v *visit) error {
	decision := v.form.Get("decision")
	uphold := decision == "uphold"
	if !uphold && decision != "dismiss" {
		return v.again(errDecision, p.appeals)
	}
	if v.text("answer") == "" {
		return v.again(errAnswer, p.appeals)
	}
	_, err := p.Market.DecideAppeal(v.ctx(), v.me.ID, v.id(), uphold, v.text("answer"), hearings.Corrections(v.form)...)
	if err != nil {
		return v.again(err, p.appeals)
	}
	n := note{Title: "The appeal is dismissed", Text: "The member reads your answer; the statement stays as it is. For three days they can take it to a panel."}
	if uphold {
		n = note{Title: "The appeal is upheld", Text: "The statement was computed again, and members can contest it once more."}
	}
	return v.done("/steward/appeals", n)
}
