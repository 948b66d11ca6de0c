package rest

import (
	"context"
	"encoding/json"
)

// Papers reads and sends documents of the API by their address, for whoever knows
// their shape.
type Papers struct{ Conn *Conn }

// Read takes a document as the server writes it.
func (p Papers) Read(ctx context.Context, segments ...string) (json.RawMessage, error) {
	return Get[json.RawMessage](ctx, p.Conn, segments...)
}

// Create posts one, once, and answers what the server says to it. Nil is none.
func (p Papers) Create(ctx context.Context, in any, segments ...string) (json.RawMessage, error) {
	return Post[json.RawMessage](ctx, p.Conn, in, segments...)
}
