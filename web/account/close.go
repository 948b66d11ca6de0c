package account

import (
	"context"
	"net/http"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/farewell"
	"distributed.ai/datacoop/web/portal"
)

var errSure = fault.New(fault.Invalid, "confirm-first", "Say that you are sure with the button below. Nothing was changed.")

// closing is what the page before says.
type closing struct {
	farewell.Outlook
	Kept []string
}

func (d *Desk) page(code string) string { return d.BaseURL + "/goodbye/" + code }

func (d *Desk) closeForm(g portal.Guest) error {
	o, err := d.Farewell.Outlook(g.Context(), g.Me().ID)
	if err != nil {
		return err
	}
	return g.Show("close", closing{o, farewell.Kept()})
}

// close ends the member's account once they have said that they are sure.
func (d *Desk) close(g portal.Guest) error {
	if g.Typed("sure") != "yes" {
		return g.Again(errSure, d.closeForm)
	}
	c, err := d.Farewell.Begin(g.Context(), g.Me().ID, farewell.Wish{Owed: g.Typed("owed"), Vacate: g.Typed("vacate") == "yes"})
	if err != nil {
		return g.Again(err, d.closeForm)
	}
	if err := d.Sessions.Destroy(g.Context()); err != nil {
		return err
	}
	http.Redirect(g.Writer(), g.Request(), "/goodbye/"+c.Code, http.StatusSeeOther)
	return nil
}

// goodbye shows a closing to whoever has its code.
func (d *Desk) goodbye(g portal.Guest) error {
	c, err := d.found(g)
	if err != nil {
		return err
	}
	return g.Show("goodbye", struct {
		farewell.Closing
		Code   string
		Stages []farewell.Stage
	}{c, g.Request().PathValue("id"), c.Stages()})
}

func (d *Desk) found(g portal.Guest) (farewell.Closing, error) {
	return d.Farewell.Find(g.Context(), g.Request().PathValue("id"))
}

func (d *Desk) receipt(g portal.Guest) error {
	c, err := d.found(g)
	if err == nil && c.EndedAt == 0 {
		err = farewell.ErrUnknown
	}
	if err != nil {
		return err
	}
	return g.Download("application/json", "closing-"+c.Reference+".json", c.Receipt)
}

func (d *Desk) name(g portal.Guest) error {
	code := g.Request().PathValue("id")
	if err := d.Farewell.Name(g.Context(), code, g.Typed("holder"), g.Typed("iban")); err != nil {
		return g.Again(err, d.goodbye)
	}
	http.Redirect(g.Writer(), g.Request(), "/goodbye/"+code, http.StatusSeeOther)
	return nil
}

// API answers for the account. Member finds who makes a request.
type API struct {
	*Desk
	Member func(context.Context) coop.MemberID
	Tell   func(context.Context, coop.Notice) error
}

// Leave is how a member leaves.
type Leave struct {
	Owed   string `query:"owed" enum:"pay,give" doc:"What becomes of what I am owed; needed where that is something"`
	Vacate bool   `query:"vacate" doc:"Leave although nobody else holds my office"`
	Code   string `query:"code" pattern:"^[a-z2-7]{26}$" doc:"That will find the closing again, of 130 random bits that you draw: so it is found where this answer is lost. Otherwise one is drawn, and told in the answer alone"`
}

// Answer is a closing.
type Answer struct{ Body client.Closing }

// Close ends the caller's account.
func (a API) Close(ctx context.Context, in *Leave) (*Answer, error) {
	c, err := a.Farewell.Begin(ctx, a.Member(ctx), farewell.Wish{Owed: in.Owed, Vacate: in.Vacate, Code: in.Code})
	if err != nil {
		return nil, err
	}
	return a.answer(c, c.Code), a.Sessions.Destroy(ctx)
}

// Code names a closing.
type Code struct {
	Code string `path:"code" maxLength:"64" doc:"From the answer that closed the account, or the address of the page after it"`
}

// Find answers a closing to whoever has its code.
func (a API) Find(ctx context.Context, in *Code) (*Answer, error) {
	c, err := a.Farewell.Find(ctx, in.Code)
	if err != nil {
		return nil, err
	}
	return a.answer(c, in.Code), nil
}

func (a API) answer(c farewell.Closing, code string) *Answer {
	out := client.Closing{Reference: c.Reference, Code: code, Page: a.page(code), State: "closing", Owed: int64(c.OwedNow),
		Currency: string(a.Currency), Steps: []client.ClosingStep{}}
	if c.EndedAt > 0 {
		out.State, out.Receipt = "closed", string(c.Receipt)
	}
	for _, s := range c.Stages() {
		out.Steps = append(out.Steps, client.ClosingStep{Name: s.Name, Sentence: s.Sentence, Done: s.Done})
	}
	return &Answer{out}
}
