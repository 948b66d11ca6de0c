package audit

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

var errFork = errors.New("the log does not extend the newest checkpoint it signed")

// Checkpoint returns a signed note over everything committed so far, in the
// format of c2sp.org/tlog-checkpoint. It remembers what it signed and refuses
// to sign a smaller or different history.
func (l *Log) Checkpoint(ctx context.Context) ([]byte, error) {
	text, fresh, err := l.newest(ctx)
	if err != nil {
		return nil, fmt.Errorf("audit: checkpoint: %w", err)
	}
	if fresh {
		return text, nil
	}
	err = l.db.Update(ctx, func(tx *db.Tx) error {
		text, err = l.sign(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("audit: checkpoint: %w", err)
	}
	return text, nil
}

// newest returns the stored checkpoint and whether it covers every leaf.
func (l *Log) newest(ctx context.Context) (text []byte, fresh bool, err error) {
	err = l.db.View(ctx, func(tx *db.Tx) error {
		n, err := size(tx)
		if err != nil {
			return err
		}
		if text, err = signed(tx); err != nil || text == nil {
			return err
		}
		tree, err := l.open(text)
		fresh = tree.N == n
		return err
	})
	return text, fresh, err
}

// sign makes and stores a checkpoint of the tree as it is in tx.
func (l *Log) sign(tx *db.Tx) ([]byte, error) {
	text, n, err := l.note(tx)
	if err != nil {
		return nil, err
	}
	return text, putSigned(tx, n, text)
}

// note makes a checkpoint of the tree as it is in tx.
func (l *Log) note(tx *db.Tx) (text []byte, n int64, err error) {
	if n, err = size(tx); err != nil {
		return nil, 0, err
	}
	if err := l.extends(tx, n); err != nil {
		return nil, 0, err
	}
	root, err := tlog.TreeHash(n, reader(tx))
	if err != nil {
		return nil, 0, err
	}
	body := fmt.Sprintf("%s\n%d\n%s\n", l.origin, n, root)
	text, err = note.Sign(&note.Note{Text: body}, l.signer)
	return text, n, err
}

// extends checks that the newest signed tree is the beginning of this one.
func (l *Log) extends(tx *db.Tx, n int64) error {
	text, err := signed(tx)
	if err != nil || text == nil {
		return err
	}
	old, err := l.open(text)
	if err != nil {
		return err
	}
	if old.N > n {
		return errFork
	}
	root, err := tlog.TreeHash(old.N, reader(tx))
	if err != nil {
		return err
	}
	if root != old.Hash {
		return errFork
	}
	return nil
}

func (l *Log) open(text []byte) (tlog.Tree, error) { return openCheckpoint(text, l.verifier) }

var errCheckpoint = errors.New("malformed checkpoint")

// mostLeaves keeps a size that was made up out of arithmetic that it would overflow.
const mostLeaves = 1 << 40

// openCheckpoint checks the signature of a checkpoint and reads it.
func openCheckpoint(text []byte, verifier note.Verifier) (tlog.Tree, error) {
	n, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %w", err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, errCheckpoint
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || size > mostLeaves || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, errCheckpoint
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, errCheckpoint
	}
	return tlog.Tree{N: size, Hash: tlog.Hash(root)}, nil
}

// tileHeight is fixed by c2sp.org/tlog-tiles: 256 hashes to a full tile.
const tileHeight = 8

var errNoTile = fault.New(fault.NotFound, "log-tile-not-found", "There is no such tile in the log.")

// Tile returns a tile of hashes ("tile/0/x001/067", "tile/0/001.p/5") or a
// bundle of leaves ("tile/entries/000") in the format of c2sp.org/tlog-tiles.
// Any other path, and a tile the tree has not filled so far, is NotFound.
func (l *Log) Tile(ctx context.Context, path string) ([]byte, error) {
	t, ok := parseTile(path)
	if !ok {
		return nil, errNoTile
	}
	var data []byte
	err := l.db.View(ctx, func(tx *db.Tx) error {
		n, err := size(tx)
		if err != nil {
			return err
		}
		have := n >> (tileHeight * max(t.L, 0)) // hashes there are at the level
		if t.N > have>>tileHeight || t.N<<tileHeight+int64(t.W) > have {
			return errNoTile
		}
		if t.L < 0 {
			data, err = bundle(tx, t)
		} else {
			data, err = tlog.ReadTileData(t, reader(tx))
		}
		return err
	})
	if err != nil && !errors.Is(err, errNoTile) {
		return nil, fmt.Errorf("audit: tile: %w", err)
	}
	return data, err
}

// parseTile reads a C2SP path. It is the path tlog uses but for the height,
// which C2SP fixes and leaves out, and the name of the level of leaves.
func parseTile(path string) (tlog.Tile, bool) {
	rest, ok := strings.CutPrefix(path, "tile/")
	if !ok || len(path) > 100 {
		return tlog.Tile{}, false
	}
	level, rest, _ := strings.Cut(rest, "/")
	if level == "data" {
		return tlog.Tile{}, false
	}
	if level == "entries" {
		level = "data"
	}
	t, err := tlog.ParseTilePath(fmt.Sprintf("tile/%d/%s/%s", tileHeight, level, rest))
	return t, err == nil && t.L <= 63
}

// bundle is a sequence of leaves, each after its length in two bytes.
func bundle(tx *db.Tx, t tlog.Tile) ([]byte, error) {
	from := t.N << tileHeight
	texts, err := leafTexts(tx, from, from+int64(t.W))
	if err != nil {
		return nil, err
	}
	if len(texts) != t.W {
		return nil, fmt.Errorf("leaves from %d on are missing", from)
	}
	var out bytes.Buffer
	for _, text := range texts {
		if len(text) > math.MaxUint16 {
			return nil, fmt.Errorf("a leaf after %d is too long", from)
		}
		_ = binary.Write(&out, binary.BigEndian, uint16(len(text))) //nolint:gosec // leaves are far shorter, and a buffer takes everything
		out.Write(text)
	}
	return out.Bytes(), nil
}
