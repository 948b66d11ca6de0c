package portal

import (
	"strconv"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
)

// year shows a member's account in one calendar year.
func (p *Portal) year(v *visit) error {
	n, err := strconv.Atoi(v.id())
	if err != nil {
		return errNotHere
	}
	y, err := p.Market.Year(v.ctx(), v.me.ID, n)
	if err != nil {
		return err
	}
	return v.show("year", y)
}

func (p *Portal) yearTable(v *visit) error {
	n, err := strconv.Atoi(v.id())
	if err != nil {
		return errNotHere
	}
	y, err := p.Market.Year(v.ctx(), v.me.ID, n)
	if err != nil {
		return err
	}
	text, err := y.CSV()
	if err != nil {
		return err
	}
	return v.download("text/csv; charset=utf-8", "account-"+v.id()+".csv", text)
}

var errGift = fault.New(fault.Invalid, "gift-amount", "Write an amount, such as 5.00, and tick the box.")

// gift moves a part of what the member is owed to the common purpose.
func (p *Portal) gift(v *visit) error {
	amount, err := coop.ParseMoney(v.text("amount"), p.Charter.Currency)
	if err != nil || amount <= 0 || v.form.Get("sure") != "yes" {
		return v.again(errGift, p.money)
	}
	g, err := p.Market.Give(v.action(), v.me.ID, amount)
	if err != nil {
		return v.again(err, p.money)
	}
	return v.done("/money", note{Title: "Thank you", Text: p.amount(g.Amount) + " now belongs to the common purpose.", Ref: g.ID})
}
