package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"distributed.ai/datacoop/internal/db"
)

// Proof shows, to anybody who has the log's verifier key, that a leaf is in
// the log and what it committed to. It needs no connection to be checked.
type Proof struct {
	Index      int64       `json:"index"`
	Leaf       []byte      `json:"leaf"`
	Salt       []byte      `json:"salt,omitempty"`   // absent once the record is erased
	Record     []byte      `json:"record,omitempty"` // canonical JSON
	Hashes     []tlog.Hash `json:"hashes"`           // the audit path of RFC 6962, section 2.1.1
	Checkpoint []byte      `json:"checkpoint"`       // the signed tree the path leads to
}

// Proof makes the proof of the entry at index against a checkpoint of now. The
// record is in it as long as it is not erased: give it only to whom it concerns.
func (l *Log) Proof(ctx context.Context, index int64) (Proof, error) {
	checkpoint, err := l.Checkpoint(ctx)
	if err != nil {
		return Proof{}, err
	}
	tree, err := l.open(checkpoint)
	if err != nil {
		return Proof{}, fmt.Errorf("audit: proof: %w", err)
	}
	if index < 0 || index >= tree.N {
		return Proof{}, errNoEntry
	}
	p := Proof{Index: index, Checkpoint: checkpoint}
	err = l.db.View(ctx, func(tx *db.Tx) (err error) {
		if p.Leaf, err = leafText(tx, index); err != nil {
			return err
		}
		if p.Salt, p.Record, err = recordOf(tx, index); err != nil {
			return err
		}
		p.Hashes, err = tlog.ProveRecord(tree.N, index, reader(tx))
		return err
	})
	if err != nil {
		return Proof{}, fmt.Errorf("audit: proof: %w", err)
	}
	return p, nil
}

// Leaf reads one entry as it stands in the log, in the caller's own snapshot and
// without a proof of it. It answers sql.ErrNoRows where there is none.
func (l *Log) Leaf(tx *db.Tx, index int64) ([]byte, error) { return leafText(tx, index) }

var errRecord = errors.New("the record is not what the leaf committed to")

// Check verifies p offline against the log's verifier key: the checkpoint's
// signature, the path from leaf to root, and the commitment to the record if
// the proof still carries one.
func (p Proof) Check(verifierKey string) error {
	verifier, err := note.NewVerifier(verifierKey)
	if err != nil {
		return fmt.Errorf("audit: verifier key: %w", err)
	}
	tree, err := openCheckpoint(p.Checkpoint, verifier)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if p.Index < 0 || p.Index >= tree.N {
		return errors.New("audit: the proof's index is outside the signed tree")
	}
	if err := tlog.CheckRecord(p.Hashes, tree.N, tree.Hash, p.Index, tlog.RecordHash(p.Leaf)); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if p.Record == nil && p.Salt == nil {
		return nil
	}
	var committed leaf
	if err := json.Unmarshal(p.Leaf, &committed); err != nil {
		return fmt.Errorf("audit: leaf: %w", err)
	}
	if commitment(p.Salt, p.Record) != committed.Commitment {
		return fmt.Errorf("audit: %w", errRecord)
	}
	return nil
}
