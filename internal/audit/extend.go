package audit

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"distributed.ai/datacoop/internal/db"
)

// Leaf is an entry as the log publishes it. Its record is not in it.
type Leaf struct {
	Index    int64
	Hour     int64 // Unix time in whole hours
	Kind     string
	Revision string
	Verdict  string
	Erases   string
}

// What Extend and Ahead answer about a published log that does not continue
// this one.
var (
	ErrFork   = errors.New("audit: the published log is not a continuation of this one")
	ErrBehind = errors.New("audit: the published log ends before this one, so it does not tell what came after")
)

// Extend adopts what a published log holds beyond this one, in the caller's
// transaction: a database that was restored from a backup so takes up its
// co-op's history where it went on without it. The new entries have no records,
// as if those were erased. It answers them, oldest first.
//
// Errors: ErrBehind, ErrFork; then nothing was changed.
func (l *Log) Extend(tx *db.Tx, p *Published) ([]Leaf, error) {
	n, err := size(tx)
	if err != nil {
		return nil, fmt.Errorf("audit: extend: %w", err)
	}
	if p.Size() < n {
		return nil, ErrBehind
	}
	own, err := tlog.TreeHash(n, reader(tx))
	if err != nil {
		return nil, fmt.Errorf("audit: extend: %w", err)
	}
	if theirs, err := tlog.TreeHash(n, p.reader()); err != nil || theirs != own {
		return nil, errors.Join(ErrFork, err)
	}
	missing := make([]Leaf, 0, p.Size()-n)
	for ; n < p.Size(); n++ {
		leaf, err := adopt(tx, n, p.leaves[n])
		if err != nil {
			return nil, fmt.Errorf("audit: extend: %w", err)
		}
		missing = append(missing, leaf)
	}
	if err := putSigned(tx, n, p.checkpoint); err != nil {
		return nil, fmt.Errorf("audit: extend: %w", err)
	}
	return missing, nil
}

func adopt(tx *db.Tx, index int64, text []byte) (Leaf, error) {
	var said leaf
	if err := json.Unmarshal(text, &said); err != nil {
		return Leaf{}, fmt.Errorf("leaf %d: %w", index, err)
	}
	if at, err := appendLeaf(tx, text); err != nil || at != index {
		return Leaf{}, errors.Join(fmt.Errorf("leaf %d: stored as %d", index, at), err)
	}
	return Leaf{Index: index, Hour: said.Hour, Kind: said.Kind, Revision: said.Revision, Verdict: said.Verdict, Erases: said.Erases}, nil
}

// Ahead answers by how many entries a checkpoint of this log is ahead of what
// the database holds; it is negative if it is behind. Error: ErrFork if the two
// cannot be one log, which only shows where the checkpoint is not ahead.
func (l *Log) Ahead(ctx context.Context, checkpoint []byte) (entries int64, err error) {
	tree, err := l.open(checkpoint)
	if err != nil {
		return 0, fmt.Errorf("audit: %w", err)
	}
	err = l.db.View(ctx, func(tx *db.Tx) error {
		n, err := size(tx)
		if err != nil || tree.N > n {
			entries = tree.N - n
			return err
		}
		entries = tree.N - n
		root, err := tlog.TreeHash(tree.N, reader(tx))
		if err == nil && root != tree.Hash {
			err = ErrFork
		}
		return err
	})
	if err != nil && !errors.Is(err, ErrFork) {
		err = fmt.Errorf("audit: ahead: %w", err)
	}
	return entries, err
}

// Head is where a log stands.
type Head struct {
	Leaves int64
	Hour   int64 // of the newest leaf, Unix time in whole hours
}

// Look answers where the log in a database stands. It writes nothing.
func Look(ctx context.Context, d *db.DB) (h Head, err error) {
	err = d.View(ctx, func(tx *db.Tx) error {
		if h.Leaves, err = size(tx); err != nil || h.Leaves == 0 {
			return err
		}
		text, err := leafText(tx, h.Leaves-1)
		if err != nil {
			return err
		}
		var newest leaf
		err = json.Unmarshal(text, &newest)
		h.Hour = newest.Hour
		return err
	})
	if err != nil {
		return Head{}, fmt.Errorf("audit: look: %w", err)
	}
	return h, nil
}

// SignCopy signs a checkpoint over the log in a copy of a co-op's database, and
// stores nothing. Origin and key are those of New.
func SignCopy(ctx context.Context, d *db.DB, origin string, key ed25519.PrivateKey) (text []byte, leaves int64, err error) {
	vkey, err := note.NewEd25519VerifierKey(origin, key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, 0, fmt.Errorf("audit: %w", err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, 0, fmt.Errorf("audit: origin: %w", err)
	}
	l := &Log{db: d, origin: origin, verifier: verifier, vkey: vkey, signer: signer{verifier, key}}
	err = d.View(ctx, func(tx *db.Tx) error {
		text, leaves, err = l.note(tx)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("audit: sign: %w", err)
	}
	return text, leaves, nil
}

// Reaches answers nil if the published log holds everything that a checkpoint
// of the same log covers. Errors: ErrBehind, ErrFork.
func (p *Published) Reaches(checkpoint []byte, vkey string) error {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return fmt.Errorf("audit: verifier key: %w", err)
	}
	tree, err := openCheckpoint(checkpoint, verifier)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if tree.N > p.Size() {
		return ErrBehind
	}
	if root, err := tlog.TreeHash(tree.N, p.reader()); err != nil || root != tree.Hash {
		return errors.Join(ErrFork, err)
	}
	return nil
}
