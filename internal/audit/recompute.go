package audit

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Published is a log as it was read from what it publishes. It fits its own
// signed checkpoint.
type Published struct {
	checkpoint []byte
	tree       tlog.Tree
	leaves     [][]byte
	hashes     []tlog.Hash // as tlog stores them
}

// Size is the number of leaves.
func (p *Published) Size() int64 { return p.tree.N }

// Read reads a log from nothing but what it publishes: it opens the
// checkpoint (a C2SP signed note) with the verifier key, reads every leaf from
// the entry tiles that fetch gets by their C2SP tlog-tiles path, such as
// "tile/entries/000", and compares the root they make with the signed one. It
// holds all leaves in memory. Errors name what does not fit, or are fetch's own.
func Read(checkpoint []byte, vkey string, fetch func(path string) ([]byte, error)) (*Published, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("audit: verifier key: %w", err)
	}
	tree, err := openCheckpoint(checkpoint, verifier)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	p := &Published{checkpoint: checkpoint, tree: tree}
	if err := p.read(fetch); err != nil {
		return nil, err
	}
	root, err := tlog.TreeHash(tree.N, p.reader())
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	if root != tree.Hash {
		return nil, fmt.Errorf("%w: the leaves do not make the signed tree", ErrTampered)
	}
	return p, nil
}

// Recompute checks a log as Read does and answers how many leaves there are.
func Recompute(checkpoint []byte, vkey string, fetch func(path string) ([]byte, error)) (leaves int64, err error) {
	p, err := Read(checkpoint, vkey, fetch)
	if err != nil {
		return 0, err
	}
	return p.Size(), nil
}

// perTile is how many entries a full tile of a C2SP tlog-tiles log holds.
const perTile = 256

func (p *Published) reader() tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, at := range indexes {
			out[i] = p.hashes[at]
		}
		return out, nil
	})
}

// read hashes all leaves from the entry tiles.
func (p *Published) read(fetch func(string) ([]byte, error)) error {
	for n := int64(0); n < p.tree.N; {
		leaves, err := entryTile(n/perTile, int(min(p.tree.N-n, perTile)), fetch)
		if err != nil {
			return err
		}
		for _, leaf := range leaves {
			hashes, err := tlog.StoredHashes(n, leaf, p.reader())
			if err != nil {
				return fmt.Errorf("audit: %w", err)
			}
			p.leaves, p.hashes = append(p.leaves, leaf), append(p.hashes, hashes...)
			n++
		}
	}
	return nil
}

// entryTile reads one tile of leaves, each with its length in two bytes before
// it.
func entryTile(n int64, width int, fetch func(string) ([]byte, error)) ([][]byte, error) {
	tile := tlog.Tile{H: 8, L: -1, N: n, W: width}
	data, err := fetch(entryPath(tile))
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, errors.New("audit: an entry tile is cut off")
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		out = append(out, data[2:end])
		data = data[end:]
	}
	if len(out) != width {
		return nil, errors.New("audit: an entry tile is incomplete")
	}
	return out, nil
}

// entryPath is the path of a tile of leaves: C2SP says entries, and no height.
func entryPath(tile tlog.Tile) string { return "tile/entries/" + tile.Path()[len("tile/8/data/"):] }
