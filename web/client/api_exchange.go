package client

import (
	"context"
	"iter"

	"distributed.ai/datacoop/web/client/rest"
)

// RegisterRecipient registers a researcher's public age recipient. Unless it
// is proven already, the answer holds a challenge; see ProveRecipient.
func (c *Client) RegisterRecipient(ctx context.Context, recipient string) (Recipient, error) {
	return rest.Post[Recipient](ctx, c.conn, RecipientBody{Recipient: recipient}, "v1", "recipients")
}

// AnswerChallenge sends the decrypted challenge back.
func (c *Client) AnswerChallenge(ctx context.Context, id, nonce string) (Recipient, error) {
	return rest.Post[Recipient](ctx, c.conn, ProofBody{Nonce: nonce}, "v1", "recipients", id, "proof")
}

// CheckRequest is a dry run of an access request; nothing is recorded.
func (c *Client) CheckRequest(ctx context.Context, draft RequestDraft) (CheckResult, error) {
	return rest.Post[CheckResult](ctx, c.conn, draft, "v1", "requests", "check")
}

// SubmitRequest submits an access request, which the policy decides.
func (c *Client) SubmitRequest(ctx context.Context, draft RequestDraft) (AccessRequest, error) {
	return rest.Post[AccessRequest](ctx, c.conn, draft, "v1", "requests")
}

// Requests walks the caller's access requests.
func (c *Client) Requests(ctx context.Context) iter.Seq2[AccessRequest, error] {
	return rest.List[AccessRequest](ctx, c.conn, "v1", "requests")
}

// Request is one of the caller's access requests.
func (c *Client) Request(ctx context.Context, id string) (AccessRequest, error) {
	return rest.Get[AccessRequest](ctx, c.conn, "v1", "requests", id)
}

// Quote is the price of what a request was granted.
func (c *Client) Quote(ctx context.Context, request string) (Quote, error) {
	return rest.Get[Quote](ctx, c.conn, "v1", "requests", request, "quote")
}

// Accept agrees to the quote; the invoice is the answer.
func (c *Client) Accept(ctx context.Context, request string) (Invoice, error) {
	return rest.Post[Invoice](ctx, c.conn, nil, "v1", "requests", request, "accept")
}

// Invoices walks the caller's invoices.
func (c *Client) Invoices(ctx context.Context) iter.Seq2[Invoice, error] {
	return rest.List[Invoice](ctx, c.conn, "v1", "invoices")
}

// Invoice is one of the caller's invoices.
func (c *Client) Invoice(ctx context.Context, id string) (Invoice, error) {
	return rest.Get[Invoice](ctx, c.conn, "v1", "invoices", id)
}

// Files walks the files granted to a request.
func (c *Client) Files(ctx context.Context, request string) iter.Seq2[File, error] {
	return rest.List[File](ctx, c.conn, "v1", "requests", request, "files")
}

// Download opens one granted file, an ordinary age file for the request's
// recipient. With an offset and the ETag of the part that is there, the answer
// goes on at that offset if the file is still the same, and starts over
// otherwise: look at Offset. Consent is decided again at this moment. The
// caller closes Body.
func (c *Client) Download(ctx context.Context, file string, offset int64, etag string) (*Download, error) {
	return c.conn.Download(ctx, offset, etag, "v1", "files", file)
}
