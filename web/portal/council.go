package portal

import (
	"strconv"

	"distributed.ai/datacoop/web/portal/annals"
	"distributed.ai/datacoop/web/portal/notice"
)

func (p *Portal) annals() annals.Rooms {
	return annals.Rooms{Market: p.Market, Governance: p.Governance, Clock: p.Clock}
}

// minutes tells what the co-op decided and did, month by month.
func (p *Portal) minutes(v *visit) error {
	year, _ := strconv.Atoi(v.r.URL.Query().Get("year")) // none is this one
	m, err := p.annals().Minutes(v.ctx(), year)
	if err != nil {
		return err
	}
	return v.show("minutes", m)
}

// incidents is where stewards stop all deliveries and let them go on.
func (p *Portal) incidents(v *visit) error {
	all, err := p.annals().Incidents(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	return v.show("incidents", all)
}

func (p *Portal) freeze(v *visit) error {
	i, err := p.Market.Freeze(v.action(), v.me.ID, v.text("reason"))
	if err != nil {
		return v.again(err, p.incidents)
	}
	return v.done("/steward/incidents", note{Title: "Every delivery is stopped", Ref: i.ID,
		Text: "From now on nobody gets any data, and every member reads your reason. It takes two stewards to lift it."})
}

func (p *Portal) unfreeze(v *visit) error {
	i, err := p.Market.Unfreeze(v.action(), v.me.ID)
	if err != nil {
		return v.again(err, p.incidents)
	}
	n := note{Title: "You have asked to lift the stop", Text: "It stands until a second steward agrees.", Ref: i.ID}
	if !i.Standing() {
		n.Title, n.Text = "Deliveries go on", "Two stewards have agreed. What members allowed counts again, as it did before."
	}
	return v.done("/steward/incidents", n)
}

// privacy is the notice that the law asks for, made from the charter.
func (p *Portal) privacy(v *visit) error {
	list, err := p.Market.Researchers(v.ctx())
	if err != nil {
		return err
	}
	asked, err := p.Market.Asked(v.ctx())
	if err != nil {
		return err
	}
	judges := notice.Judges(p.Charter, asked...)
	return v.show("privacy", struct {
		Judges      []notice.Judge
		Remote      bool
		Researchers any
		Locked      bool
	}{judges, notice.Remote(judges), list, p.Vault.Locked()})
}
