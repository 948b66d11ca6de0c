package client

import (
	"context"
	"iter"
	"net/http"

	"distributed.ai/datacoop/web/client/rest"
)

// ClaimAddress says that an e-mail address in git histories is the caller's.
// Claimed again it answers the claim there is.
func (c *Client) ClaimAddress(ctx context.Context, email string) (Claim, error) {
	return rest.Post[Claim](ctx, c.conn, ClaimBody{Email: email}, "v1", "me", "claims")
}

// MyClaims walks the caller's claims.
func (c *Client) MyClaims(ctx context.Context) iter.Seq2[Claim, error] {
	return rest.List[Claim](ctx, c.conn, "v1", "me", "claims")
}

// WithdrawClaim takes one of the caller's claims back.
func (c *Client) WithdrawClaim(ctx context.Context, id string) error {
	return c.conn.Effect(ctx, http.MethodDelete, nil, "v1", "me", "claims", id)
}

// Claims walks the claims of others that wait for an answer.
func (c *Client) Claims(ctx context.Context) iter.Seq2[Claim, error] {
	return rest.List[Claim](ctx, c.conn, "v1", "claims")
}

// AnswerClaim confirms or refuses another member's claim.
func (c *Client) AnswerClaim(ctx context.Context, id string, answer ClaimAnswerBody) (Claim, error) {
	return rest.Post[Claim](ctx, c.conn, answer, "v1", "claims", id, "answers")
}
