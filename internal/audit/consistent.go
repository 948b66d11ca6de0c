package audit

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"distributed.ai/datacoop/internal/db"
)

// Consistency is the proof of RFC 6962, section 2.1.2, that the tree of one of this
// log's checkpoints is the beginning of another's. The log must hold both.
func (l *Log) Consistency(ctx context.Context, earlier, later []byte) ([]tlog.Hash, error) {
	from, err := l.open(earlier)
	if err != nil {
		return nil, fmt.Errorf("audit: consistency: %w", err)
	}
	to, err := l.open(later)
	if err != nil {
		return nil, fmt.Errorf("audit: consistency: %w", err)
	}
	var out tlog.TreeProof
	err = l.db.View(ctx, func(tx *db.Tx) (err error) {
		out, err = tlog.ProveTree(to.N, from.N, reader(tx))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("audit: consistency: %w", err)
	}
	return append([]tlog.Hash{}, out...), nil
}

// CheckConsistency verifies such a proof offline against the log's verifier key:
// the name and the signature of both checkpoints, and that the first tree is the
// beginning of the second. It answers how many leaves the first has.
func CheckConsistency(proof []tlog.Hash, earlier, later []byte, verifierKey string) (leaves int64, err error) {
	verifier, err := note.NewVerifier(verifierKey)
	if err != nil {
		return 0, fmt.Errorf("audit: verifier key: %w", err)
	}
	from, err := openCheckpoint(earlier, verifier)
	if err != nil {
		return 0, fmt.Errorf("audit: %w", err)
	}
	to, err := openCheckpoint(later, verifier)
	if err != nil {
		return 0, fmt.Errorf("audit: %w", err)
	}
	if from.N < 1 || from.N > to.N {
		return 0, errNotBeginning
	}
	if err := tlog.CheckTree(proof, to.N, to.Hash, from.N, from.Hash); err != nil {
		return 0, fmt.Errorf("audit: %w", errors.Join(errNotBeginning, err))
	}
	return from.N, nil
}

var errNotBeginning = errors.New("the one checkpoint's tree is not the beginning of the other's")
