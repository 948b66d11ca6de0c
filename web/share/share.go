// Package share is the part of the hall where members say how the members' part
// should be divided between data, work and governance.
//
// # What it guarantees
//
// A member reads and changes their own ballot alone; how many others have said
// something is told only if they are at least the smallest group. Every figure is
// in thousandths in the API and in per cent on the page, which works without
// JavaScript.
//
// # What it refuses
//
// A figure on the page that is no percentage. Every other rule is the market's,
// and so is every refusal.
package share

import (
	"context"
	"strconv"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/appeals"
	"distributed.ai/datacoop/web/offer"
	"distributed.ai/datacoop/web/portal"
)

// API answers for the market. Member finds who makes a request.
type API struct {
	Market *marketplace.Service
	Member func(context.Context) coop.MemberID
}

// Parts is a division of the members' part.
type Parts struct {
	Data       int64 `json:"data" minimum:"0" maximum:"1000" doc:"Thousandths for data"`
	Work       int64 `json:"work" minimum:"0" maximum:"1000" doc:"Thousandths for accepted work"`
	Governance int64 `json:"governance" minimum:"0" maximum:"1000" doc:"Thousandths for duties of governance; the three add up to 1000"`
}

// Split is how the members' part is divided, and what the caller has said of it.
type Split struct {
	InForce Parts  `json:"in_force" doc:"Of the last period that closed; before the first, the charter's"`
	Period  string `json:"period,omitempty" doc:"That it was counted for"`
	Voted   bool   `json:"voted" doc:"Whether members' ballots set it; otherwise the charter does"`
	Charter Parts  `json:"charter" doc:"What the charter says, which stands while too few have said something"`
	Least   Parts  `json:"least" doc:"The charter's bounds of each part"`
	Most    Parts  `json:"most"`
	Said    *Parts `json:"said,omitempty" doc:"Your ballot; missing while you have none"`
	Ballots int    `json:"ballots,omitempty" doc:"How many members have said something; missing if they are fewer than the smallest group"`
	Quorum  int64  `json:"quorum" doc:"Thousandths of the members whose ballots it takes, at least fewest"`
	Fewest  int    `json:"fewest"`
}

func parts(c marketplace.SplitCut) Parts { return Parts{c.Data, c.Work, c.Governance} }

func wire(v marketplace.SplitView) Split {
	out := Split{InForce: parts(v.InForce), Period: string(v.Period), Voted: v.Voted, Charter: parts(v.Charter), Least: parts(v.Least),
		Most: parts(v.Most), Ballots: v.Ballots, Quorum: v.Quorum, Fewest: v.Fewest}
	if v.Said != nil {
		said := parts(*v.Said)
		out.Said = &said
	}
	return out
}

// Offer mounts the routes of the API.
func (a API) Offer(d offer.Desk) {
	const path = "/v1/me/split"
	offer.On(d, offer.Operation{Method: "GET", Path: path, Summary: "How the members' part is divided, and what I want", Who: offer.Members}, a.get)
	offer.On(d, offer.Operation{Method: "PUT", Path: path, Summary: "Say how the members' part should be divided", Who: offer.Members}, a.put)
	offer.On(d, offer.Operation{Method: "DELETE", Path: path, Summary: "Withdraw what I said of the division", Who: offer.Members, Status: 204}, a.drop)
}

func (a API) get(ctx context.Context, _ *appeals.None) (*appeals.Body[Split], error) {
	return body(a.Market.Split(ctx, a.Member(ctx)))
}

func (a API) put(ctx context.Context, in *appeals.Body[Parts]) (*appeals.Body[Split], error) {
	return body(a.Market.SaySplit(ctx, a.Member(ctx), marketplace.SplitCut{Data: in.Body.Data, Work: in.Body.Work, Governance: in.Body.Governance}))
}

func (a API) drop(ctx context.Context, _ *appeals.None) (*struct{}, error) {
	return nil, a.Market.WithdrawSplit(ctx, a.Member(ctx))
}

func body(v marketplace.SplitView, err error) (*appeals.Body[Split], error) {
	if err != nil {
		return nil, err
	}
	return &appeals.Body[Split]{Body: wire(v)}, nil
}

// Held is what the member's archive has of it.
func (a API) Held(ctx context.Context) (any, error) {
	v, err := a.Market.Split(ctx, a.Member(ctx))
	return wire(v), err
}

const page = "/votes/split"

// Pages lists the pages that the portal serves for this package.
func (a API) Pages() []portal.Page {
	return []portal.Page{
		{Method: "GET", Path: page, Door: "member", Handle: a.show},
		{Method: "POST", Path: page, Door: "member", Handle: a.say},
		{Method: "POST", Path: page + "/withdraw", Door: "member", Handle: a.withdraw},
	}
}

func (a API) show(g portal.Guest) error {
	v, err := a.Market.Split(g.Context(), g.Me().ID)
	if err != nil {
		return err
	}
	// The form begins with the member's own figures, else with those in force.
	form := v.InForce
	if v.Said != nil {
		form = *v.Said
	}
	return g.Show("split", struct {
		marketplace.SplitView
		Fields []field
	}{v, []field{
		{"data", form.Data, v.Least.Data, v.Most.Data}, {"work", form.Work, v.Least.Work, v.Most.Work},
		{"governance", form.Governance, v.Least.Governance, v.Most.Governance},
	}})
}

// field is one figure of the form, in thousandths.
type field struct {
	Name             string
	now, least, most int64
}

// Now, Least and Most are in per cent, as a number field has them.
func (f field) Now() string   { return percent(f.now) }
func (f field) Least() string { return percent(f.least) }
func (f field) Most() string  { return percent(f.most) }

// percent writes thousandths, 875 as 87.5.
func percent(permille int64) string { return strconv.FormatFloat(float64(permille)/10, 'f', -1, 64) }

var errFigure = fault.New(fault.Invalid, "split-figure", "Give each part in per cent, such as 70 or 12.5.")

// permille reads a percentage with at most one decimal, behind a point or a comma.
func permille(text string) (int64, error) {
	whole, part, _ := strings.Cut(strings.Replace(strings.TrimSpace(text), ",", ".", 1), ".")
	if part == "" {
		part = "0"
	}
	n, err := strconv.ParseUint(whole+part, 10, 16)
	if err != nil || len(part) != 1 {
		return 0, errFigure
	}
	return int64(n), nil // at most 16 bits
}

func (a API) say(g portal.Guest) error {
	var c marketplace.SplitCut
	for name, into := range map[string]*int64{"data": &c.Data, "work": &c.Work, "governance": &c.Governance} {
		n, err := permille(g.Typed(name))
		if err != nil {
			return g.Again(err, a.show)
		}
		*into = n
	}
	if _, err := a.Market.SaySplit(g.Action(), g.Me().ID, c); err != nil {
		return g.Again(err, a.show)
	}
	return g.Done(page, "Your say is kept", "It counts when a period closes, until you change or withdraw it.")
}

func (a API) withdraw(g portal.Guest) error {
	if err := a.Market.WithdrawSplit(g.Context(), g.Me().ID); err != nil {
		return g.Again(err, a.show)
	}
	return g.Done(page, "Your say is withdrawn", "Your figures are forgotten. You can say something again at any time.")
}
