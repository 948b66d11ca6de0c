// Package once makes a call that creates or spends safe to repeat: the answer
// is stored under the caller's idempotency key, in the transaction that has
// the effect.
//
// The web puts the key of a request into its context; the room that owns the
// effect wraps it in Do, inside its Update. The room need not know whether
// there is a key.
//
// # What it guarantees
//
// The same caller, key and body get the same answer, and the effect happens
// once, even if the first answer was lost on its way or both calls arrive
// together. If the effect is rolled back so is the key: the call may be
// repeated. One caller's keys are nothing to another's.
//
// # What it refuses
//
// It refuses a key that was used with another body. It forgets answers after
// Keep, so an answer must not be the only copy of anything; and since answers
// lie in the database until then, they must hold no secret.
package once

import (
	"context"
	"crypto/subtle"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

//go:embed schema
var schema embed.FS

// Keep is how long an answer is remembered, in machine time: a caller who
// repeats a call later than that makes a new one.
const Keep = 7 * 24 * time.Hour

// maxKey bounds what a caller may send as a key, in bytes.
const maxKey = 255

// Key identifies one call.
type Key struct {
	Caller string   // who calls, such as a member's or researcher's id
	Key    string   // the Idempotency-Key the caller chose; empty means none
	Body   [32]byte // keyed digest of path and body: what was said must not be guessed from it
}

type contextKey struct{}

// With returns a context that carries k to the Do of the transaction that has
// the effect.
func With(ctx context.Context, k Key) context.Context {
	return context.WithValue(ctx, contextKey{}, k)
}

// Store keeps the answers.
type Store struct{ db *db.DB }

// New makes the table if needed and prunes it. Do needs no more than that.
func New(ctx context.Context, d *db.DB) (*Store, error) {
	if err := d.Migrate(ctx, "once", schema); err != nil {
		return nil, err
	}
	s := &Store{db: d}
	return s, s.Prune(ctx)
}

// Prune forgets the answers that are older than Keep.
func (s *Store) Prune(ctx context.Context) error {
	err := s.db.Update(ctx, func(tx *db.Tx) error { return deleteBefore(tx, time.Now().Add(-Keep)) })
	if err != nil {
		return fmt.Errorf("once: prune: %w", err)
	}
	return nil
}

// Run prunes once an hour until ctx ends. What fails is logged and tried again.
func (s *Store) Run(ctx context.Context, logger *slog.Logger) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := s.Prune(ctx); err != nil {
				logger.WarnContext(ctx, "forget repeated calls", "error", err)
			}
		}
	}
}

// Published faults.
var (
	ErrReused = fault.New(fault.Invalid, "idempotency-key-reused",
		"This idempotency key was used for another request. Use a new key for a new request.")
	ErrKey = fault.New(fault.Invalid, "idempotency-key-invalid",
		"An idempotency key has at most 255 characters.")
)

// Do runs fn and stores its result as JSON under the key in tx.Context(), or,
// if that key has a result, decodes it and does not run fn. Without a key it
// just runs fn. An error of fn is returned and leaves no key. A request has
// one effect: within it the outermost Do counts and a Do inside fn just runs.
func Do[T any](tx *db.Tx, fn func() (T, error)) (T, error) {
	k, ok := tx.Context().Value(contextKey{}).(Key)
	if !ok || k.Key == "" {
		return fn()
	}
	var out T
	if len(k.Key) > maxKey {
		return out, ErrKey
	}
	body, answer, err := find(tx, k)
	switch {
	case errors.Is(err, db.ErrNoRow):
		return first(tx, k, fn)
	case err != nil:
		return out, fmt.Errorf("once: find: %w", err)
	case subtle.ConstantTimeCompare(body, k.Body[:]) != 1:
		return out, ErrReused
	case len(answer) == 0: // only our own transaction sees a row without an answer
		return fn()
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		return out, fmt.Errorf("once: stored answer: %w", err)
	}
	return out, nil
}

// first runs fn under a key that is new.
func first[T any](tx *db.Tx, k Key, fn func() (T, error)) (T, error) {
	var none T
	if err := insert(tx, k, time.Now()); err != nil {
		return none, fmt.Errorf("once: insert: %w", err)
	}
	out, err := fn()
	if err != nil {
		// The caller may commit all the same, to record the refusal.
		if undo := remove(tx, k); undo != nil {
			return none, fmt.Errorf("once: remove: %w", errors.Join(undo, err))
		}
		return out, err
	}
	answer, err := json.Marshal(out)
	if err != nil {
		return none, fmt.Errorf("once: answer: %w", err)
	}
	if err := putAnswer(tx, k, answer); err != nil {
		return none, fmt.Errorf("once: store: %w", err)
	}
	return out, nil
}
