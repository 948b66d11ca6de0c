package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"distributed.ai/datacoop/web/client/rest"
)

// OpenDispute says that a fetched file is no good: undecryptable or
// not-as-described.
func (c *Client) OpenDispute(ctx context.Context, file string, draft DisputeDraft) (Dispute, error) {
	return rest.Post[Dispute](ctx, c.conn, draft, "v1", "files", file, "disputes")
}

// Disputes walks the researcher's disputes, newest first.
func (c *Client) Disputes(ctx context.Context) iter.Seq2[Dispute, error] {
	return rest.List[Dispute](ctx, c.conn, "v1", "disputes")
}

// CreditNotes walks the researcher's credit notes, newest first.
func (c *Client) CreditNotes(ctx context.Context) iter.Seq2[CreditNote, error] {
	return rest.List[CreditNote](ctx, c.conn, "v1", "credit-notes")
}

// MyDisputes walks what was said about the member's datasets.
func (c *Client) MyDisputes(ctx context.Context) iter.Seq2[DisputeCase, error] {
	return rest.List[DisputeCase](ctx, c.conn, "v1", "me", "disputes")
}

// AnswerDispute is the member's word about one of them.
func (c *Client) AnswerDispute(ctx context.Context, id, text string) (DisputeCase, error) {
	return rest.Post[DisputeCase](ctx, c.conn, DisputeAnswer{Text: text}, "v1", "me", "disputes", id)
}

// DisputeCases walks all disputes, for stewards of appeals.
func (c *Client) DisputeCases(ctx context.Context) iter.Seq2[DisputeCase, error] {
	return rest.List[DisputeCase](ctx, c.conn, "v1", "dispute-cases")
}

// ReviewDispute takes a dispute, as a steward of appeals.
func (c *Client) ReviewDispute(ctx context.Context, id string) (DisputeCase, error) {
	return rest.Post[DisputeCase](ctx, c.conn, nil, "v1", "dispute-cases", id, "review")
}

// DecideDispute upholds or dismisses a dispute that is in review.
func (c *Client) DecideDispute(ctx context.Context, id string, d DisputeDecision) (DisputeCase, error) {
	return rest.Post[DisputeCase](ctx, c.conn, d, "v1", "dispute-cases", id, "decision")
}

// Give gives a part of what the member is owed to the common purpose.
func (c *Client) Give(ctx context.Context, amount int64) (Gift, error) {
	return rest.Post[Gift](ctx, c.conn, GiftDraft{Amount: amount}, "v1", "me", "gifts")
}

// Year is the member's statement of a calendar year.
func (c *Client) Year(ctx context.Context, year int) (YearStatement, error) {
	return rest.Get[YearStatement](ctx, c.conn, "v1", "me", "years", strconv.Itoa(year))
}

// YearCSV is the same as a table.
func (c *Client) YearCSV(ctx context.Context, year int) ([]byte, error) {
	return c.document(ctx, "text/csv", "v1", "me", "years", strconv.Itoa(year), "statement.csv")
}

// Patronage is what the member has contributed, beside the money.
func (c *Client) Patronage(ctx context.Context) (Patronage, error) {
	return rest.Get[Patronage](ctx, c.conn, "v1", "me", "patronage")
}

// PayoutFileAs is PayoutFile in a version of pain.001, such as pain.001.001.03.
func (c *Client) PayoutFileAs(ctx context.Context, period, version string) ([]byte, error) {
	at, err := c.conn.At("v1", "periods", period, "payout.xml")
	if err != nil {
		return nil, err
	}
	at.RawQuery = url.Values{"version": {version}}.Encode()
	text, _, err := c.conn.Whole(ctx, rest.Call{Method: http.MethodGet, URL: at, Header: rest.Accept("application/xml")})
	return text, err
}

// Journal is the books as a plain-text journal, for stewards of the treasury;
// patronage in place of money with units.
func (c *Client) Journal(ctx context.Context, units bool) ([]byte, error) {
	name := "journal"
	if units {
		name = "patronage"
	}
	return c.document(ctx, "text/plain", "v1", "ledger", name)
}
