package client

import (
	"context"
	"iter"
	"net/http"

	"distributed.ai/datacoop/web/client/rest"
)

// Invite makes an invitation, good once and for 14 days. Who may is the
// charter's to say.
func (c *Client) Invite(ctx context.Context) (Invitation, error) {
	return rest.Post[Invitation](ctx, c.conn, nil, "v1", "invitations")
}

// Propose puts a policy before the members.
func (c *Client) Propose(ctx context.Context, draft ProposalDraft) (Proposal, error) {
	return rest.Post[Proposal](ctx, c.conn, draft, "v1", "proposals")
}

// Proposals walks all proposals.
func (c *Client) Proposals(ctx context.Context) iter.Seq2[Proposal, error] {
	return rest.List[Proposal](ctx, c.conn, "v1", "proposals")
}

// Proposal is one proposal.
func (c *Client) Proposal(ctx context.Context, id string) (Proposal, error) {
	return rest.Get[Proposal](ctx, c.conn, "v1", "proposals", id)
}

// TryPolicy says what the gate says about a policy, and replays it on past
// decisions, before anybody proposes it.
func (c *Client) TryPolicy(ctx context.Context, policy string) (PolicyTrial, error) {
	return rest.Post[PolicyTrial](ctx, c.conn, PolicyText{Policy: policy}, "v1", "proposals", "check")
}

// Impact is what the rehearsal of a proposal found, or how far it is.
func (c *Client) Impact(ctx context.Context, id string) (Impact, error) {
	return rest.Get[Impact](ctx, c.conn, "v1", "proposals", id, "impact")
}

// Cast casts the caller's ballot: yes, no or abstain.
func (c *Client) Cast(ctx context.Context, proposal, choice string) (Ballot, error) {
	return rest.Post[Ballot](ctx, c.conn, BallotBody{Choice: choice}, "v1", "proposals", proposal, "ballots")
}

// Result is a closed vote; while it runs there is none.
func (c *Client) Result(ctx context.Context, proposal string) (Result, error) {
	return rest.Get[Result](ctx, c.conn, "v1", "proposals", proposal, "result")
}

// SubmitContribution submits work done for the co-op.
func (c *Client) SubmitContribution(ctx context.Context, draft ContributionDraft) (Contribution, error) {
	return rest.Post[Contribution](ctx, c.conn, draft, "v1", "contributions")
}

// Contributions walks the work done for the co-op.
func (c *Client) Contributions(ctx context.Context) iter.Seq2[Contribution, error] {
	return rest.List[Contribution](ctx, c.conn, "v1", "contributions")
}

// Review accepts and sizes another member's work, or declines it.
func (c *Client) Review(ctx context.Context, contribution string, body ReviewBody) (Contribution, error) {
	return rest.Post[Contribution](ctx, c.conn, body, "v1", "contributions", contribution, "reviews")
}

// VetResearcher admits a researcher, as a steward of vetting. The client
// secret is in the answer and nowhere else.
func (c *Client) VetResearcher(ctx context.Context, draft ResearcherDraft) (Researcher, error) {
	return rest.Post[Researcher](ctx, c.conn, draft, "v1", "researchers")
}

// Relate says, as a steward of vetting, whether a member stands behind a
// researcher, for uses since the running period began.
func (c *Client) Relate(ctx context.Context, researcher string, body Related) (Related, error) {
	return rest.Put[Related](ctx, c.conn, body, "v1", "researchers", researcher, "related")
}

// ImportBankStatement books the payments in a camt.053 document, as a steward
// of the treasury. Entries imported before are not counted again.
func (c *Client) ImportBankStatement(ctx context.Context, camt []byte) (BankImport, error) {
	header := rest.Accept("application/json")
	header.Set("Content-Type", "application/xml")
	body, err := c.conn.Text(ctx, http.MethodPost, "", header, camt, "v1", "bank-statements")
	if err != nil {
		return BankImport{}, err
	}
	return rest.Decode[BankImport](body)
}

// ClosePeriod closes the books of a period and publishes its statement, as a
// steward of the treasury.
func (c *Client) ClosePeriod(ctx context.Context, id string) (Period, error) {
	return c.period(ctx, id, "close")
}

// SettlePeriod posts a statement once its challenge window is over.
func (c *Client) SettlePeriod(ctx context.Context, id string) (Period, error) {
	return c.period(ctx, id, "settle")
}

// ReleasePeriod releases the payout; two stewards of the treasury have to.
func (c *Client) ReleasePeriod(ctx context.Context, id string) (Period, error) {
	return c.period(ctx, id, "release")
}

func (c *Client) period(ctx context.Context, id, step string) (Period, error) {
	return rest.Post[Period](ctx, c.conn, nil, "v1", "periods", id, step)
}

// PayoutFile is the released payout of a period as pain.001 for the bank.
func (c *Client) PayoutFile(ctx context.Context, period string) ([]byte, error) {
	return c.document(ctx, "application/xml", "v1", "periods", period, "payout.xml")
}
