package client

import (
	"context"
	"iter"
	"strings"

	"distributed.ai/datacoop/web/client/rest"
)

// Discovery asks what a stranger needs to know first: the co-op's name,
// currency, policy revision and public keys.
func (c *Client) Discovery(ctx context.Context) (Discovery, error) {
	return rest.Get[Discovery](ctx, c.conn, ".well-known", "datacoop")
}

// Pools walks the catalogue.
func (c *Client) Pools(ctx context.Context) iter.Seq2[Pool, error] {
	return rest.List[Pool](ctx, c.conn, "v1", "pools")
}

// Pool is one entry of the catalogue.
func (c *Client) Pool(ctx context.Context, pool string) (Pool, error) {
	return rest.Get[Pool](ctx, c.conn, "v1", "pools", pool)
}

// Codebook documents the table researchers receive from a pool.
func (c *Client) Codebook(ctx context.Context, pool string) (Codebook, error) {
	return rest.Get[Codebook](ctx, c.conn, "v1", "pools", pool, "codebook")
}

// Sample is a synthetic table of a pool, as CSV.
func (c *Client) Sample(ctx context.Context, pool string) ([]byte, error) {
	return c.document(ctx, "text/csv", "v1", "pools", pool, "sample")
}

// Policy is the law in force.
func (c *Client) Policy(ctx context.Context) (Policy, error) {
	return rest.Get[Policy](ctx, c.conn, "v1", "policies", "current")
}

// Checkpoint is the transparency log's signed head (C2SP signed note).
func (c *Client) Checkpoint(ctx context.Context) ([]byte, error) {
	return c.document(ctx, "text/plain", "log", "checkpoint")
}

// Tile is one tile of the log by its C2SP tlog-tiles path, such as
// "tile/0/x001/067".
func (c *Client) Tile(ctx context.Context, path string) ([]byte, error) {
	return c.document(ctx, "application/octet-stream", append([]string{"log"}, strings.Split(path, "/")...)...)
}

// Periods walks the periods whose books close together.
func (c *Client) Periods(ctx context.Context) iter.Seq2[Period, error] {
	return rest.List[Period](ctx, c.conn, "v1", "periods")
}

// Statement is what the caller may see of a period's statement; members also
// get the bundle from which it can be recomputed.
func (c *Client) Statement(ctx context.Context, period string) (StatementView, error) {
	return rest.Get[StatementView](ctx, c.conn, "v1", "periods", period, "statement")
}
