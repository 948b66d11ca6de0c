package money

import (
	"context"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/web/appeals"
	"distributed.ai/datacoop/web/client"
)

// Open says that a fetched file is no good.
func (a API) Open(ctx context.Context, in *appeals.About[client.DisputeDraft]) (*appeals.Body[client.Dispute], error) {
	d, err := a.Market.OpenDispute(ctx, a.Researcher(ctx), coop.FileID(in.ID), in.Body.Kind, in.Body.Text)
	return reply(a.wireDispute(d), err)
}

// Own lists the researcher's disputes.
func (a API) Own(ctx context.Context, _ *appeals.None) (*appeals.Body[client.Page[client.Dispute]], error) {
	list, err := a.Market.OwnDisputes(ctx, a.Researcher(ctx))
	return reply(client.Page[client.Dispute]{Items: each(list, a.wireDispute)}, err)
}

// Notes lists the researcher's credit notes.
func (a API) Notes(ctx context.Context, _ *appeals.None) (*appeals.Body[client.Page[client.CreditNote]], error) {
	list, err := a.Market.Notes(ctx, a.Researcher(ctx))
	return reply(client.Page[client.CreditNote]{Items: each(list, func(n marketplace.Note) client.CreditNote {
		return client.CreditNote{Number: n.Number, Request: string(n.Request), File: string(n.File), Reason: n.Reason,
			Amount: int64(n.Amount), Used: int64(n.Used), Currency: a.Currency, IssuedAt: millis(n.IssuedAt)}
	})}, err)
}

// Mine lists what was said about the member's datasets.
func (a API) Mine(ctx context.Context, _ *appeals.None) (*appeals.Body[client.Page[client.DisputeCase]], error) {
	list, err := a.Market.MemberDisputes(ctx, a.Member(ctx))
	return a.cases(ctx, list, err)
}

// Cases lists disputes for stewards: all that are undecided, then the last decided.
func (a API) Cases(ctx context.Context, _ *appeals.None) (*appeals.Body[client.Page[client.DisputeCase]], error) {
	list, err := a.Market.Disputes(ctx, a.Member(ctx))
	return a.cases(ctx, list, err)
}

// Answer is the member's word.
func (a API) Answer(ctx context.Context, in *appeals.About[client.DisputeAnswer]) (*appeals.Body[client.DisputeCase], error) {
	d, err := a.Market.AnswerDispute(ctx, a.Member(ctx), in.ID, in.Body.Text)
	return a.oneCase(ctx, d, err)
}

// Review takes a dispute.
func (a API) Review(ctx context.Context, in *appeals.ByID) (*appeals.Body[client.DisputeCase], error) {
	d, err := a.Market.ReviewDispute(ctx, a.Member(ctx), in.ID)
	return a.oneCase(ctx, d, err)
}

// Decide upholds or dismisses a dispute.
func (a API) Decide(ctx context.Context, in *appeals.About[client.DisputeDecision]) (*appeals.Body[client.DisputeCase], error) {
	d, err := a.Market.DecideDispute(ctx, a.Member(ctx), in.ID, in.Body.Uphold, in.Body.Reason)
	return a.oneCase(ctx, d, err)
}

func (a API) wireDispute(d marketplace.Dispute) client.Dispute {
	return client.Dispute{ID: d.ID, File: string(d.File), Request: string(d.Request), Kind: d.Kind, Text: d.Text, State: d.State,
		Reason: d.Reason, CreditNote: d.Note, Credited: int64(d.Amount), Currency: a.Currency,
		OpenedAt: millis(d.OpenedAt), DecidedAt: since(d.DecidedAt)}
}

// wireCase is a dispute as its member and the stewards read it. Whose dataset it
// is, its member alone is told.
func (a API) wireCase(ctx context.Context, d marketplace.Dispute) (client.DisputeCase, error) {
	ask, err := a.Market.Asking(ctx, d.Request)
	out := client.DisputeCase{Dispute: a.wireDispute(d), Title: ask.Title, Researcher: ask.Who.Name, Answer: d.Answer,
		AnsweredAt: since(d.AnsweredAt), AnswerUntil: millis(d.AnswerUntil())}
	if d.Member == a.Member(ctx) {
		out.Dataset = string(d.Dataset)
	}
	return out, err
}

func (a API) oneCase(ctx context.Context, d marketplace.Dispute, err error) (*appeals.Body[client.DisputeCase], error) {
	if err != nil {
		return nil, err
	}
	return reply(a.wireCase(ctx, d))
}

func (a API) cases(ctx context.Context, list []marketplace.Dispute, err error) (*appeals.Body[client.Page[client.DisputeCase]], error) {
	if err != nil {
		return nil, err
	}
	out := client.Page[client.DisputeCase]{Items: []client.DisputeCase{}}
	for _, d := range list {
		one, err := a.wireCase(ctx, d)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, one)
	}
	return reply(out, nil)
}
