package policies

import (
	"context"
	"sync/atomic"
)

// Engine holds the revision in force. It is safe for concurrent use: a decision
// under way keeps the revision it began with, the next one sees the new.
type Engine struct{ current atomic.Pointer[Revision] }

// NewEngine starts with r in force, as after Swap.
func NewEngine(r *Revision) *Engine {
	e := &Engine{}
	e.Swap(r)
	return e
}

// Current is the revision in force, or nil while the engine is sealed. Several
// questions that must be answered by one law take it once.
func (e *Engine) Current() *Revision { return e.current.Load() }

// Swap puts r in force at once. A nil r seals, and so does a restored one.
func (e *Engine) Swap(r *Revision) {
	if r != nil && r.restored {
		r = nil
	}
	e.current.Store(r)
}

// Seal takes all law out of force: everything is refused until the next Swap.
func (e *Engine) Seal() { e.current.Store(nil) }

// Decide answers one question under the revision in force and names it; the
// name is empty while the engine is sealed. See Revision.Decide for err.
func (e *Engine) Decide(ctx context.Context, in Input) (Outcome, string, error) {
	r := e.current.Load()
	out, err := r.Decide(ctx, in)
	if r == nil {
		return out, "", err
	}
	return out, r.hash, err
}
