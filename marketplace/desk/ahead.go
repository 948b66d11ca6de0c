package desk

import (
	"context"
	"iter"
)

// Ahead runs a sequence on a processor of its own, a few pages before whoever
// takes them, until ctx is over.
func Ahead[T any](ctx context.Context, each iter.Seq2[T, error]) iter.Seq2[T, error] {
	type page struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		pages := make(chan page, 8)
		go func() {
			defer close(pages)
			for v, err := range each {
				select {
				case pages <- page{v, err}:
				case <-ctx.Done():
					return
				}
			}
		}()
		for p := range pages {
			if !yield(p.value, p.err) {
				return
			}
		}
	}
}
