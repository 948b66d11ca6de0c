package portal

import (
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/portal/hearings"
)

// myPeriod is a period with the member's part of it.
type myPeriod struct {
	marketplace.Period
	Amount coop.Money
	Mine   bool // the statement has a part for the member
	Out    bool // there is a statement
}

// money lists what the member got, and what every period brought.
func (p *Portal) money(v *visit) error {
	periods, err := p.Market.Periods(v.ctx())
	if err != nil {
		return err
	}
	mine, err := p.Market.MemberStatements(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	account, err := p.Market.PayoutAccount(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	owed, err := p.Market.Owed(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	patronage, err := p.Market.Patronage(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	soFar, err := p.Market.SoFar(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	page := struct {
		Periods   []myPeriod
		Account   marketplace.PayoutAccount
		Settled   coop.Money
		Coming    coop.Money
		Owed      coop.Money
		SoFar     coop.Money // revenue of the running period
		Patronage any
		About     string
		Year      int
		Outlook   any
	}{Account: account, Owed: owed, SoFar: coop.Money(soFar / 1000), Patronage: patronage, About: marketplace.PatronageText, Year: p.Clock().UTC().Year()}
	if page.Outlook, err = p.Market.Outlook(v.ctx(), p.Charter.Pools...); err != nil {
		return err
	}
	for _, one := range periods {
		page.Periods = append(page.Periods, partOf(one, mine))
	}
	for _, one := range page.Periods {
		if one.State == marketplace.PeriodClosed {
			page.Coming += one.Amount
		} else {
			page.Settled += one.Amount
		}
	}
	return v.show("money", page)
}

func partOf(p marketplace.Period, mine []marketplace.MemberStatement) myPeriod {
	out := myPeriod{Period: p, Out: p.ChallengeEndsAt != 0}
	for _, s := range mine {
		if s.Period.ID == p.ID {
			out.Amount, out.Mine = s.Share.Amount, true
		}
	}
	return out
}

// statement is one period: the member's amount, why it is that much, and where
// all the money went.
func (p *Portal) statement(v *visit) error {
	page, err := p.rooms().Statement(v.ctx(), v.me.ID, coop.PeriodID(v.id()))
	if err != nil {
		return err
	}
	return v.show("statement", page)
}

func (p *Portal) rooms() hearings.Rooms {
	return hearings.Rooms{Market: p.Market, Governance: p.Governance, Vault: p.Vault, PoolTitle: p.poolTitle, Clock: p.Clock,
		Currency: p.Charter.Currency, Shelf: &p.shelf}
}

// bundle is what a statement is recomputed from, byte for byte.
func (p *Portal) bundle(v *visit) error {
	pub, err := p.Market.Statement(v.ctx(), coop.PeriodID(v.id()))
	if err != nil {
		return err
	}
	return v.download("application/json", "statement-"+string(pub.Period.ID)+".json", pub.Bundle)
}

// appealsRecord is what became of the appeals, to be computed again.
func (p *Portal) appealsRecord(v *visit) error {
	text, err := p.Market.Record(v.ctx(), coop.PeriodID(v.id()))
	if err != nil {
		return err
	}
	return v.download("application/json", "appeals-"+v.id()+".json", text)
}

func (p *Portal) appeal(v *visit) error {
	var lines []marketplace.AppealLine
	n := note{Title: "Your appeal is in", Text: "The period is not settled before a steward has answered you. You read the answer on this page."}
	if about := v.form.Get("line"); about != "" {
		lines = append(lines, hearings.Line(about))
		n.Text = "Members are drawn by lot to look at it, without your name. The period is not settled before they have. You read the outcome on this page."
	}
	a, err := p.Market.Appeal(v.action(), v.me.ID, coop.PeriodID(v.id()), v.text("text"), lines...)
	if err != nil {
		return v.again(err, p.statement)
	}
	n.Ref = a.ID
	return v.done("/money/"+string(a.Period), n)
}

func (p *Portal) account(v *visit) error {
	a, err := p.Market.PayoutAccount(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	return v.show("account", a)
}

func (p *Portal) setAccount(v *visit) error {
	a, err := p.Market.SetPayoutAccount(v.action(), v.me.ID, v.text("holder"), strings.ToUpper(v.text("iban")))
	if err != nil {
		return v.again(err, p.account)
	}
	return v.done("/money", note{Title: "Your account is saved", Text: "Money goes to the account that ends in " + a.Ending() + "."})
}
