package client

import (
	"context"
	"encoding/json"
	"iter"

	"distributed.ai/datacoop/web/client/rest"
)

// Appeal contests a statement.
func (c *Client) Appeal(ctx context.Context, draft AppealDraft) (Appeal, error) {
	return rest.Post[Appeal](ctx, c.conn, draft, "v1", "appeals")
}

// Appeals walks the caller's appeals; for stewards of appeals, everybody's.
func (c *Client) Appeals(ctx context.Context) iter.Seq2[Appeal, error] {
	return rest.List[Appeal](ctx, c.conn, "v1", "appeals")
}

// DecideAppeal answers an appeal about a fact, as a steward of appeals.
func (c *Client) DecideAppeal(ctx context.Context, id string, decision AppealDecision) (Appeal, error) {
	return rest.Post[Appeal](ctx, c.conn, decision, "v1", "appeals", id, "decision")
}

// TakeToPanel takes an appeal that a steward dismissed to a panel.
func (c *Client) TakeToPanel(ctx context.Context, id string, line AppealLine) (Appeal, error) {
	return rest.Post[Appeal](ctx, c.conn, line, "v1", "appeals", id, "panel")
}

// PanelDuties walks the panels that the caller was drawn into, newest first.
func (c *Client) PanelDuties(ctx context.Context) iter.Seq2[PanelDuty, error] {
	return rest.List[PanelDuty](ctx, c.conn, "v1", "me", "panels")
}

// AnswerPanel answers a panel's questions, or steps back.
func (c *Client) AnswerPanel(ctx context.Context, appeal string, answer PanelAnswer) (PanelDuty, error) {
	answer.Yes = append([]string{}, answer.Yes...)
	return rest.Post[PanelDuty](ctx, c.conn, answer, "v1", "me", "panels", appeal)
}

// AppealsRecord is what became of a settled period's appeals, for VerifyAppeals.
func (c *Client) AppealsRecord(ctx context.Context, period string) (json.RawMessage, error) {
	return rest.Get[json.RawMessage](ctx, c.conn, "v1", "periods", period, "appeals")
}

// AdoptionVote is how far the vote on a period's model is.
func (c *Client) AdoptionVote(ctx context.Context, period string) (AdoptionVote, error) {
	return rest.Get[AdoptionVote](ctx, c.conn, "v1", "periods", period, "vote")
}

// Adopt casts the caller's ballot on a period's model: yes, no or abstain.
func (c *Client) Adopt(ctx context.Context, period, choice string) (AdoptionBallot, error) {
	return rest.Post[AdoptionBallot](ctx, c.conn, AdoptionBallot{Choice: choice}, "v1", "periods", period, "ballots")
}

// AdoptionBallots lists the ballots that were counted about a period's model.
func (c *Client) AdoptionBallots(ctx context.Context, period string) (Page[CountedBallot], error) {
	return rest.Get[Page[CountedBallot]](ctx, c.conn, "v1", "periods", period, "ballots")
}
