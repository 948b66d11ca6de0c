package blobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"distributed.ai/datacoop/vault/bucket"
)

// Look opens storage for Open, Names and Partials alone, also beside the
// process that it belongs to: nothing is made in it. URL names the bucket that
// whole payloads are in, or is empty.
func Look(ctx context.Context, dir, url string) (*Store, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	b := &Store{root: root}
	b.failed.Store(true) // takes nothing
	b.whole = directory{b}
	if url == "" {
		return b, nil
	}
	store, err := bucket.Open(ctx, url)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("blobs: %w", err), root.Close())
	}
	b.whole = remote{b, store}
	return b, nil
}

// Digest reads a whole payload, at most the given number of bytes and one more,
// and answers its hex SHA-256 and how many there were. Tell is called with each
// number of bytes that was read. Errors: those of Open, and ctx's own.
func (b *Store) Digest(ctx context.Context, name string, most int64, tell func(int64)) (sum string, size int64, err error) {
	file, err := b.Open(ctx, name)
	if err != nil {
		return "", 0, err
	}
	hash := sha256.New()
	size, err = io.Copy(io.MultiWriter(hash, counter{ctx, tell}), io.NewSectionReader(file, 0, most+1))
	return hex.EncodeToString(hash.Sum(nil)), size, errors.Join(err, file.Close())
}

// counter counts what is written to it, until its context ends.
type counter struct {
	ctx  context.Context
	tell func(int64)
}

func (c counter) Write(p []byte) (int, error) {
	c.tell(int64(len(p)))
	return len(p), c.ctx.Err()
}
