// Package appeals is the part of the API through which members contest
// statements, serve on panels and vote on what a model made of a period.
//
// # What it is for
//
// The hall mounts these handlers and answers for who calls; each translates
// between what the API says (package client) and what the market knows, and
// nothing else.
//
// # What it guarantees
//
// A panellist's answer carries no name and no score of a model. Lists are never
// null.
//
// # What it refuses
//
// Nothing of its own: every rule is the market's, and so is every refusal.
package appeals

import (
	"context"
	"encoding/json"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/client"
)

// API answers for the market. Caller finds who makes a request.
type API struct {
	Market *marketplace.Service
	Caller func(context.Context) coop.MemberID
}

// Body is a question or an answer of JSON.
type Body[T any] struct{ Body T }

// None is a question without anything in it.
type None struct{}

// ByID is a question about what the path names.
type ByID struct {
	ID string `path:"id" maxLength:"64"`
}

// About is a question about what the path names, with a body.
type About[T any] struct {
	ID   string `path:"id" maxLength:"64"`
	Body T
}

// Raw is JSON as it was stored, byte for byte.
type Raw struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

// File contests a statement.
func (a API) File(ctx context.Context, in *Body[client.AppealDraft]) (*Body[client.Appeal], error) {
	var lines []marketplace.AppealLine
	if l := in.Body.Line; l != nil {
		lines = append(lines, marketplace.AppealLine{Kind: l.Kind, Ref: l.Ref})
	}
	return one(a.Market.Appeal(ctx, a.Caller(ctx), coop.PeriodID(in.Body.Period), in.Body.Text, lines...))
}

// List lists the caller's appeals, or all for the office.
func (a API) List(ctx context.Context, _ *None) (*Body[client.Page[client.Appeal]], error) {
	list, err := a.Market.Appeals(ctx, a.Caller(ctx))
	if err != nil {
		return nil, err
	}
	out := &Body[client.Page[client.Appeal]]{client.Page[client.Appeal]{Items: []client.Appeal{}}}
	for _, one := range list {
		out.Body.Items = append(out.Body.Items, Wire(one))
	}
	return out, nil
}

// Decide answers an appeal about a fact.
func (a API) Decide(ctx context.Context, in *About[client.AppealDecision]) (*Body[client.Appeal], error) {
	var fixes []marketplace.AppealCorrection
	for _, f := range in.Body.Corrections {
		fixes = append(fixes, marketplace.AppealCorrection{Line: marketplace.AppealLine{Kind: f.Line.Kind, Ref: f.Line.Ref}, Field: f.Field, Value: f.Value, Source: f.Source})
	}
	return one(a.Market.DecideAppeal(ctx, a.Caller(ctx), in.ID, in.Body.Uphold, in.Body.Answer, fixes...))
}

// Escalate takes a dismissed appeal to a panel.
func (a API) Escalate(ctx context.Context, in *About[client.AppealLine]) (*Body[client.Appeal], error) {
	return one(a.Market.Escalate(ctx, a.Caller(ctx), in.ID, marketplace.AppealLine{Kind: in.Body.Kind, Ref: in.Body.Ref}))
}

// Duties lists the panels that the caller was drawn into.
func (a API) Duties(ctx context.Context, _ *None) (*Body[client.Page[client.PanelDuty]], error) {
	list, err := a.Market.PanelDuties(ctx, a.Caller(ctx))
	if err != nil {
		return nil, err
	}
	out := &Body[client.Page[client.PanelDuty]]{client.Page[client.PanelDuty]{Items: []client.PanelDuty{}}}
	for _, one := range list {
		out.Body.Items = append(out.Body.Items, WireDuty(one))
	}
	return out, nil
}

// Answer takes a panellist's answer.
func (a API) Answer(ctx context.Context, in *About[client.PanelAnswer]) (*Body[client.PanelDuty], error) {
	var d marketplace.PanelDuty
	var err error
	if in.Body.StepBack {
		d, err = a.Market.StepBack(ctx, a.Caller(ctx), in.ID)
	} else {
		d, err = a.Market.AnswerPanel(ctx, a.Caller(ctx), in.ID, in.Body.Yes)
	}
	if err != nil {
		return nil, err
	}
	return &Body[client.PanelDuty]{WireDuty(d)}, nil
}

// Record is what became of a settled period's appeals.
func (a API) Record(ctx context.Context, in *ByID) (*Raw, error) {
	text, err := a.Market.Record(ctx, coop.PeriodID(in.ID))
	return &Raw{"application/json", json.RawMessage(text)}, err
}

// Vote is how far the vote on a period's model is.
func (a API) Vote(ctx context.Context, in *ByID) (*Body[client.AdoptionVote], error) {
	v, voted, err := a.Market.AdoptionVote(ctx, a.Caller(ctx), coop.PeriodID(in.ID))
	if err != nil {
		return nil, err
	}
	return &Body[client.AdoptionVote]{client.AdoptionVote{Period: string(v.Period), State: v.State, ClosesAt: at(v.ClosesAt), Electorate: v.Electorate,
		Needed: v.Needed, Voted: voted, Yes: v.Yes, No: v.No, Abstain: v.Abstain}}, nil
}

// Cast takes a ballot on a period's model.
func (a API) Cast(ctx context.Context, in *About[client.AdoptionBallot]) (*Body[client.AdoptionBallot], error) {
	receipt, err := a.Market.CastAdoption(ctx, a.Caller(ctx), coop.PeriodID(in.ID), in.Body.Choice)
	if err != nil {
		return nil, err
	}
	return &Body[client.AdoptionBallot]{client.AdoptionBallot{Choice: in.Body.Choice, Receipt: receipt}}, nil
}

// Ballots lists what was counted about a period's model.
func (a API) Ballots(ctx context.Context, in *ByID) (*Body[client.Page[client.CountedBallot]], error) {
	list, err := a.Market.AdoptionBallots(ctx, coop.PeriodID(in.ID))
	if err != nil {
		return nil, err
	}
	out := client.Page[client.CountedBallot]{Items: make([]client.CountedBallot, 0, len(list))}
	for _, b := range list {
		out.Items = append(out.Items, client.CountedBallot{ReceiptSHA256: b.ReceiptSHA256, Choice: b.Choice})
	}
	return &Body[client.Page[client.CountedBallot]]{out}, nil
}

func one(a marketplace.Appeal, err error) (*Body[client.Appeal], error) {
	if err != nil {
		return nil, err
	}
	return &Body[client.Appeal]{Wire(a)}, nil
}

// Wire is an appeal as the API says it.
func Wire(a marketplace.Appeal) client.Appeal {
	out := client.Appeal{ID: a.ID, Period: string(a.Period), State: a.State, Tier: a.Tier, Text: a.Text, Answer: a.Answer,
		Paid: int64(a.Paid), Award: int64(a.Award), OpenedAt: at(a.OpenedAt)}
	if a.About.Kind != "" {
		out.Line = &client.AppealLine{Kind: a.About.Kind, Ref: a.About.Ref}
	}
	if a.Escalates > 0 {
		until := at(a.Escalates)
		out.PanelBy = &until
	}
	return out
}

// WireDuty is a panel duty as the API says it.
func WireDuty(d marketplace.PanelDuty) client.PanelDuty {
	out := client.PanelDuty{Appeal: d.Appeal, Period: string(d.Period), State: d.State, Kind: d.Kind, Class: d.Class, Text: d.Text, Rubric: d.Rubric,
		Facts: []client.PanelFact{}, Questions: []client.PanelQuestion{}, Yes: append([]string{}, d.Yes...), Deadline: at(d.Deadline)}
	for _, f := range d.Facts {
		out.Facts = append(out.Facts, client.PanelFact{Name: f.Name, Value: f.Value})
	}
	for _, q := range d.Questions {
		out.Questions = append(out.Questions, client.PanelQuestion{ID: q.ID, Text: q.Text})
	}
	if d.Decided {
		out.Score = &d.Score
	}
	return out
}

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
