package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"distributed.ai/datacoop/internal/db"
)

// ErrTampered is in the chain of every error of Verify that says the tables
// are not what was written; the error names the leaf, hash, record or
// checkpoint.
var ErrTampered = errors.New("the log is not what was written")

func tampered(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrTampered, fmt.Sprintf(format, args...))
}

// Verify recomputes the log from its leaves, in one snapshot: every stored
// hash, the commitment of every record that is not erased, and the newest
// signed checkpoint. It returns how many leaves there are.
func (l *Log) Verify(ctx context.Context) (leaves int64, err error) {
	err = l.db.View(ctx, func(tx *db.Tx) error {
		leaves, err = l.verify(tx)
		return err
	})
	if err != nil {
		return leaves, fmt.Errorf("audit: verify: %w", err)
	}
	return leaves, nil
}

// walk goes through the three tables side by side.
type walk struct {
	leaves, hashes, records *cursor
	tree                    []tlog.Hash // roots of the full subtrees so far, the largest first
	n                       int64
}

func (l *Log) verify(tx *db.Tx) (n int64, err error) {
	tree, signedTree, err := l.head(tx)
	if err != nil {
		return 0, err
	}
	w, err := begin(tx)
	if err != nil {
		return 0, err
	}
	for !w.leaves.done {
		if signedTree && w.n == tree.N && w.root() != tree.Hash {
			break
		}
		if err := w.leaf(); err != nil {
			return w.n, err
		}
	}
	switch {
	case signedTree && w.n < tree.N:
		return w.n, tampered("the signed checkpoint covers %d leaves and there are %d", tree.N, w.n)
	case signedTree && w.n == tree.N && w.root() != tree.Hash:
		return w.n, tampered("the first %d leaves are not those of the signed checkpoint", tree.N)
	case !w.hashes.done:
		return w.n, tampered("stored hash %d belongs to no leaf", w.hashes.index)
	case !w.records.done:
		return w.n, tampered("record %d belongs to no leaf", w.records.index)
	}
	return w.n, nil
}

// head opens the newest signed checkpoint, if there is one.
func (l *Log) head(tx *db.Tx) (tree tlog.Tree, found bool, err error) {
	text, err := signed(tx)
	if err != nil || text == nil {
		return tlog.Tree{}, false, err
	}
	tree, err = l.open(text)
	if err != nil {
		return tlog.Tree{}, false, tampered("stored %v", err)
	}
	return tree, true, nil
}

func begin(tx *db.Tx) (*walk, error) {
	leaves, err := open(tx, sqlScanLeaves, 1)
	if err != nil {
		return nil, err
	}
	hashes, err := open(tx, sqlScanHashes, 1)
	if err != nil {
		return nil, err
	}
	records, err := open(tx, sqlScanRecords, 2)
	if err != nil {
		return nil, err
	}
	return &walk{leaves: leaves, hashes: hashes, records: records}, nil
}

// leaf checks the leaf at hand with its hashes and its record.
func (w *walk) leaf() error {
	if !w.leaves.at(w.n) {
		return tampered("leaf %d is missing", w.n)
	}
	text := w.leaves.cells[0]
	if err := w.add(tlog.RecordHash(text)); err != nil {
		return err
	}
	if err := w.record(text); err != nil {
		return err
	}
	w.n++
	return w.leaves.next()
}

// add compares the hash of leaf n, and of every subtree it completes, with
// what is stored.
func (w *walk) add(h tlog.Hash) error {
	for level := 0; ; level++ {
		at := tlog.StoredHashIndex(level, w.n>>level)
		switch {
		case !w.hashes.at(at):
			return tampered("the hash at level %d over leaf %d is missing", level, w.n)
		case !bytes.Equal(w.hashes.cells[0], h[:]) && level == 0:
			return tampered("leaf %d does not have its stored hash", w.n)
		case !bytes.Equal(w.hashes.cells[0], h[:]):
			return tampered("the hash at level %d over leaf %d is wrong", level, w.n)
		}
		if err := w.hashes.next(); err != nil {
			return err
		}
		if w.n>>level&1 == 0 {
			w.tree = append(w.tree, h)
			return nil
		}
		last := len(w.tree) - 1
		h = tlog.NodeHash(w.tree[last], h)
		w.tree = w.tree[:last]
	}
}

// record checks the record of leaf n unless it is erased.
func (w *walk) record(text []byte) error {
	var committed leaf
	if err := json.Unmarshal(text, &committed); err != nil {
		return tampered("leaf %d is not JSON", w.n)
	}
	if !w.records.done && w.records.index < w.n {
		return tampered("record %d belongs to no leaf", w.records.index)
	}
	if !w.records.at(w.n) {
		return nil
	}
	if commitment(w.records.cells[0], w.records.cells[1]) != committed.Commitment {
		return tampered("record %d: %v", w.n, errRecord)
	}
	return w.records.next()
}

// root is the tree hash of the leaves walked so far (RFC 6962, section 2.1).
func (w *walk) root() tlog.Hash {
	if len(w.tree) == 0 {
		empty, _ := tlog.TreeHash(0, nil) // a constant
		return empty
	}
	h := w.tree[len(w.tree)-1]
	for i := len(w.tree) - 2; i >= 0; i-- {
		h = tlog.NodeHash(w.tree[i], h)
	}
	return h
}
