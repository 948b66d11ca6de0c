// Package blobs keeps encrypted payloads: growing ones as files, whole ones as
// files or in an object store.
//
// A payload is named by 128 random bits that say nothing about member, dataset
// or content. It grows as a file under partial/ and moves, when it is whole, to
// payload/ beside it or to a bucket (package bucket). It is there before its
// row says so, and what no row knows is for the sweeper to remove.
//
// The package guarantees that what was synced is on disk, that a move is
// durable when it returns, and that no name leads outside the directory (an
// os.Root). After a failed fsync it takes nothing more until the process starts
// anew: the kernel may have dropped the pages, and asking again would report
// success. It refuses names it did not make.
package blobs

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"sync/atomic"
	"syscall"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/vault/bucket"
)

// What storage answers when it cannot take or give.
var (
	ErrStorage     = fault.New(fault.Unavailable, "blob-storage-failed", "The storage for encrypted files failed and takes nothing until it has been checked.")
	ErrStorageFull = fault.New(fault.Unavailable, "blob-storage-full", "The storage for encrypted files is full; nothing was changed.")
	ErrStorageAway = fault.New(fault.Unavailable, "blob-storage-away", "The storage for encrypted files cannot be reached; nothing was changed, please try again.")
)

// Store keeps payloads. It is safe for concurrent use, but for two writers of
// one payload.
type Store struct {
	root   *os.Root
	whole  shelf
	failed atomic.Bool
}

// shelf is where whole payloads stay: a directory or a bucket. What is not
// there is fs.ErrNotExist to open and nothing to remove.
type shelf interface {
	// put takes a whole, synced file over. It may be repeated. Whether the
	// file is still in partial/ after it is the shelf's business.
	put(ctx context.Context, name string) error
	open(ctx context.Context, name string) (Payload, error)
	remove(ctx context.Context, name string) error
	names(ctx context.Context) ([]string, error)
	close() error
}

// Payload is a whole payload, open for one reader.
type Payload interface {
	io.ReaderAt
	io.Closer
}

const (
	partialDir = "partial"
	payloadDir = "payload"
)

var blobName = regexp.MustCompile(`^[0-9a-f]{32}$`)

// Open opens the directory, which must exist and belong to this process
// alone, and makes what is missing in it.
func Open(dir string) (*Store, error) {
	b, err := openPartials(dir)
	if err != nil {
		return nil, err
	}
	here := directory{b}
	if err := here.layout(); err != nil {
		return nil, errors.Join(fmt.Errorf("blobs: %w", err), b.root.Close())
	}
	b.whole = here
	return b, nil
}

// OpenBucket is Open with whole payloads in an object store; see package
// bucket for its URL and for what must be switched off there. The directory
// holds uploads until they are whole.
func OpenBucket(ctx context.Context, dir, url string) (*Store, error) {
	b, err := openPartials(dir)
	if err != nil {
		return nil, err
	}
	store, err := bucket.Open(ctx, url)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("blobs: %w", err), b.root.Close())
	}
	b.whole = remote{b, store}
	return b, nil
}

func openPartials(dir string) (*Store, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	b := &Store{root: root}
	if err := errors.Join(b.mkdir(partialDir), b.syncDir(".")); err != nil {
		return nil, errors.Join(fmt.Errorf("blobs: %w", err), root.Close())
	}
	return b, nil
}

func (b *Store) mkdir(name string) error {
	if err := b.root.Mkdir(name, 0o700); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// Close lets go of the storage.
func (b *Store) Close() error { return errors.Join(b.whole.close(), b.root.Close()) }

// NewName makes a name.
func NewName() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	return hex.EncodeToString(raw[:])
}

func partialPath(name string) string { return path.Join(partialDir, name) }
func payloadPath(name string) string { return path.Join(payloadDir, name[:2], name) }

// Append opens a growing file that stands at size acknowledged bytes. What
// lies beyond was never acknowledged and is cut off. A crash between the move
// to payload/ and its acknowledgement is undone.
func (b *Store) Append(name string, size int64) (*os.File, error) {
	if b.failed.Load() {
		return nil, ErrStorage
	}
	f, err := b.root.OpenFile(partialPath(name), os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = b.recover(name, size)
	}
	if err != nil {
		return nil, fmt.Errorf("blobs: %w", Explain(err))
	}
	if err := cut(f, size); err != nil {
		return nil, errors.Join(fmt.Errorf("blobs: %w", Explain(err)), f.Close())
	}
	return f, nil
}

func (b *Store) recover(name string, size int64) (*os.File, error) {
	err := b.root.Rename(payloadPath(name), partialPath(name))
	switch {
	case err == nil:
		return b.root.OpenFile(partialPath(name), os.O_RDWR, 0o600)
	case !errors.Is(err, fs.ErrNotExist) || size > 0:
		return nil, err
	}
	f, err := b.root.OpenFile(partialPath(name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := b.syncDir(partialDir); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func cut(f *os.File, size int64) error {
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case info.Size() < size:
		return errors.New("acknowledged bytes are missing")
	case info.Size() > size:
		if err := f.Truncate(size); err != nil {
			return err
		}
	}
	_, err = f.Seek(size, 0)
	return err
}

// Sync makes what was written to f durable. After a failed fsync the kernel
// may have dropped the pages, and asking again would report success: nothing
// more is accepted until the process starts anew.
func (b *Store) Sync(f *os.File) error {
	if err := f.Sync(); err != nil {
		b.failed.Store(true)
		return fmt.Errorf("%w (%w)", ErrStorage, err)
	}
	return nil
}

func (b *Store) syncDir(name string) error {
	d, err := b.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(b.Sync(d), d.Close())
}

// Finish moves a whole, synced file to where it stays. The row that knows it
// is written after.
func (b *Store) Finish(ctx context.Context, name string) error {
	if err := b.whole.put(ctx, name); err != nil {
		return fmt.Errorf("blobs: %w", err)
	}
	return nil
}

// Open opens a whole payload for one reader, who closes it. It answers
// fs.ErrNotExist, wrapped, if there is none.
func (b *Store) Open(ctx context.Context, name string) (Payload, error) {
	if !blobName.MatchString(name) {
		return nil, fmt.Errorf("blobs: %w", fs.ErrNotExist)
	}
	f, err := b.whole.open(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	return f, nil
}

// Remove deletes a payload wherever it is, durably. One that is not there is
// no error.
func (b *Store) Remove(ctx context.Context, name string) error {
	if !blobName.MatchString(name) {
		return nil
	}
	if err := errors.Join(b.RemovePartial(name), b.whole.remove(ctx, name)); err != nil {
		return fmt.Errorf("blobs: %w", err)
	}
	return nil
}

// RemovePartial unlinks the file of an upload that is over.
func (b *Store) RemovePartial(name string) error { return b.unlink(partialPath(name)) }

func (b *Store) unlink(file string) error {
	err := b.root.Remove(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return b.syncDir(path.Dir(file))
}

// Partials lists the files of uploads.
func (b *Store) Partials() ([]string, error) { return b.files(partialDir) }

// Names lists the whole payloads.
func (b *Store) Names(ctx context.Context) ([]string, error) {
	out, err := b.whole.names(ctx)
	if err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	return out, nil
}

func (b *Store) files(dir string) (out []string, err error) {
	err = fs.WalkDir(b.root.FS(), dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && blobName.MatchString(d.Name()) {
			out = append(out, d.Name())
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	return out, nil
}

// Explain names the one failure of storage that passes by itself.
func Explain(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w (%w)", ErrStorageFull, err)
	}
	return err
}
