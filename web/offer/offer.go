// Package offer lets an annex of the hall describe and mount its own operations of
// the API, under the hall's rules.
//
// # What it guarantees
//
// An operation that is mounted with [On] stands behind the hall's doors like any
// other: who calls is settled before any input is read, and an error of its handler
// becomes the hall's problem document.
//
// # What it refuses
//
// Nothing of its own.
package offer

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
)

// Who says whom an operation is for.
type Who int

// Whom there is.
const (
	Anyone Who = iota
	Members
	Researchers
)

// Operation is one operation in a line.
type Operation struct {
	Method, Path, Summary string
	Who                   Who
	Status                int // success, if not 200
}

// Desk is the hall's side of it.
type Desk struct {
	API      huma.API
	Describe func(Operation) huma.Operation
	Problem  func(context.Context, error) error
}

// On mounts one operation.
func On[I, O any](d Desk, op Operation, handle func(context.Context, *I) (*O, error)) {
	huma.Register(d.API, d.Describe(op), func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, d.Problem(ctx, err)
		}
		return out, nil
	})
}
