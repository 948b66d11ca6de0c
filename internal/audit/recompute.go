package audit

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Recompute checks a log from nothing but what it publishes: it opens the
// checkpoint (a C2SP signed note) with the verifier key, reads every leaf from
// the entry tiles that fetch gets by their C2SP tlog-tiles path, such as
// "tile/entries/000", and compares the root they make with the signed one. It
// returns how many leaves there are. Errors name what does not fit, or are
// fetch's own.
func Recompute(checkpoint []byte, vkey string, fetch func(path string) ([]byte, error)) (leaves int64, err error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return 0, fmt.Errorf("audit: verifier key: %w", err)
	}
	signed, err := note.Open(checkpoint, note.VerifierList(verifier))
	if err != nil {
		return 0, fmt.Errorf("audit: checkpoint: %w", err)
	}
	tree, err := parseTree(signed.Text)
	if err != nil {
		return 0, err
	}
	root, err := rootOf(tree.N, fetch)
	if err != nil {
		return 0, err
	}
	if root != tree.Hash {
		return 0, fmt.Errorf("%w: the leaves do not make the signed tree", ErrTampered)
	}
	return tree.N, nil
}

// parseTree reads the body of a C2SP tlog-checkpoint: origin, size, root.
func parseTree(text string) (tlog.Tree, error) {
	var origin, root string
	var tree tlog.Tree
	if _, err := fmt.Sscanf(text, "%s\n%d\n%s\n", &origin, &tree.N, &root); err != nil {
		return tlog.Tree{}, fmt.Errorf("audit: checkpoint: %w", err)
	}
	hash, err := base64.StdEncoding.DecodeString(root)
	if err != nil || len(hash) != tlog.HashSize || tree.N < 0 {
		return tlog.Tree{}, errors.New("audit: checkpoint: not a tree head")
	}
	tree.Hash = tlog.Hash(hash)
	return tree, nil
}

// perTile is how many entries a full tile of a C2SP tlog-tiles log holds.
const perTile = 256

// rootOf hashes size leaves from the entry tiles.
func rootOf(size int64, fetch func(string) ([]byte, error)) (tlog.Hash, error) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, at := range indexes {
			out[i] = stored[at]
		}
		return out, nil
	})
	for n := int64(0); n < size; {
		leaves, err := entryTile(n/perTile, int(min(size-n, perTile)), fetch)
		if err != nil {
			return tlog.Hash{}, err
		}
		for _, leaf := range leaves {
			hashes, err := tlog.StoredHashes(n, leaf, reader)
			if err != nil {
				return tlog.Hash{}, fmt.Errorf("audit: %w", err)
			}
			stored = append(stored, hashes...)
			n++
		}
	}
	return tlog.TreeHash(size, reader)
}

// entryTile reads one tile of leaves, each with its length in two bytes before
// it.
func entryTile(n int64, width int, fetch func(string) ([]byte, error)) ([][]byte, error) {
	tile := tlog.Tile{H: 8, L: -1, N: n, W: width}
	data, err := fetch("tile/entries/" + tile.Path()[len("tile/8/data/"):]) // C2SP says entries, and no height
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
