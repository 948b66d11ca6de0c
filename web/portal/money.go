package portal

import (
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/marketplace/appraisal"
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
	page := struct {
		Periods []myPeriod
		Account marketplace.PayoutAccount
		Settled coop.Money
		Coming  coop.Money
	}{Account: account}
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
	pub, err := p.Market.Statement(v.ctx(), coop.PeriodID(v.id()))
	if err != nil {
		return err
	}
	page := struct {
		Period    marketplace.Period
		Statement appraisal.Statement
		Mine      *marketplace.Share
		Appeal    *marketplace.Appeal
		Contest   bool
		Titles    map[string]string // of what lines refer to
	}{Period: pub.Period, Statement: pub.Statement, Titles: map[string]string{}}
	mine, err := p.Market.MemberStatement(v.ctx(), v.me.ID, pub.Period.ID)
	if err == nil {
		page.Mine = &mine.Share
		if page.Titles, err = p.evidence(v, mine.Share); err != nil {
			return err
		}
	} else if fault.KindOf(err) != fault.NotFound {
		return err
	}
	if page.Appeal, err = p.ownAppeal(v, pub.Period.ID); err != nil {
		return err
	}
	answered := page.Appeal == nil || page.Appeal.State == marketplace.AppealUpheld
	page.Contest = answered && pub.Period.State == marketplace.PeriodClosed &&
		p.Clock().UnixMilli() < pub.Period.ChallengeEndsAt
	return v.show("statement", page)
}

// bundle is what a statement is recomputed from, byte for byte.
func (p *Portal) bundle(v *visit) error {
	pub, err := p.Market.Statement(v.ctx(), coop.PeriodID(v.id()))
	if err != nil {
		return err
	}
	return v.download("application/json", "statement-"+string(pub.Period.ID)+".json", pub.Bundle)
}

// evidence says in words what the lines of a share refer to.
func (p *Portal) evidence(v *visit, s marketplace.Share) (map[string]string, error) {
	out := map[string]string{}
	list, err := p.Vault.Mine(v.ctx(), v.me.ID)
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		out[string(d.ID)] = p.poolTitle(d.Pool)
	}
	for _, line := range s.Lines {
		if line.Kind != "work" || !coop.ValidID(line.Ref) {
			continue
		}
		c, err := p.Governance.Contribution(v.ctx(), coop.ContributionID(line.Ref))
		if err == nil {
			out[line.Ref] = c.Title
		} else if fault.KindOf(err) != fault.NotFound {
			return nil, err
		}
	}
	return out, nil
}

// ownAppeal is the member's latest appeal against a statement, if any.
func (p *Portal) ownAppeal(v *visit, id coop.PeriodID) (*marketplace.Appeal, error) {
	list, err := p.Market.Appeals(v.ctx(), v.me.ID)
	if err != nil {
		return nil, err
	}
	var out *marketplace.Appeal
	for i, a := range list {
		if a.Member == v.me.ID && a.Period == id && (out == nil || a.OpenedAt > out.OpenedAt) {
			out = &list[i]
		}
	}
	return out, nil
}

func (p *Portal) appeal(v *visit) error {
	a, err := p.Market.Appeal(v.action(), v.me.ID, coop.PeriodID(v.id()), v.text("text"))
	if err != nil {
		return v.again(err, p.statement)
	}
	return v.done("/money/"+string(a.Period), note{Title: "Your appeal is in",
		Text: "The period is not settled before a steward has answered you. You read the answer on this page.", Ref: a.ID})
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
