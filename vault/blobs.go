package vault

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"sync/atomic"
	"syscall"
)

// Blobs is the directory of payloads. A file is named by 128 random bits that
// say nothing about member, dataset or content; it grows under partial/ and
// moves to payload/ when it is whole. Everything is written through an os.Root,
// so that no name can lead outside.
type Blobs struct {
	root   *os.Root
	failed atomic.Bool
}

const (
	partialDir = "partial"
	payloadDir = "payload"
)

var blobName = regexp.MustCompile(`^[0-9a-f]{32}$`)

// OpenBlobs opens the directory, which must exist and belong to this process
// alone, and makes what is missing in it.
func OpenBlobs(dir string) (*Blobs, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("vault: blobs: %w", err)
	}
	b := &Blobs{root: root}
	if err := b.layout(); err != nil {
		return nil, errors.Join(fmt.Errorf("vault: blobs: %w", err), root.Close())
	}
	return b, nil
}

// layout makes every directory at once, so that no later write has to make
// one durable.
func (b *Blobs) layout() error {
	dirs := []string{partialDir, payloadDir}
	for i := range 256 {
		dirs = append(dirs, path.Join(payloadDir, fmt.Sprintf("%02x", i)))
	}
	for _, d := range dirs {
		if err := b.root.Mkdir(d, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return errors.Join(b.syncDir(payloadDir), b.syncDir("."))
}

// Close lets go of the directory.
func (b *Blobs) Close() error { return b.root.Close() }

func newBlobName() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	return hex.EncodeToString(raw[:])
}

func partialPath(name string) string { return path.Join(partialDir, name) }
func payloadPath(name string) string { return path.Join(payloadDir, name[:2], name) }

// appendTo opens a growing file that stands at size acknowledged bytes. What
// lies beyond was never acknowledged and is cut off. A crash between the move
// to payload/ and its acknowledgement is undone.
func (b *Blobs) appendTo(name string, size int64) (*os.File, error) {
	if b.failed.Load() {
		return nil, ErrStorage
	}
	f, err := b.root.OpenFile(partialPath(name), os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = b.recover(name, size)
	}
	if err != nil {
		return nil, fmt.Errorf("vault: blob: %w", full(err))
	}
	if err := cut(f, size); err != nil {
		return nil, errors.Join(fmt.Errorf("vault: blob: %w", full(err)), f.Close())
	}
	return f, nil
}

func (b *Blobs) recover(name string, size int64) (*os.File, error) {
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

// sync makes what was written to f durable. After a failed fsync the kernel
// may have dropped the pages, and asking again would report success: nothing
// more is accepted until the process starts anew.
func (b *Blobs) sync(f *os.File) error {
	if err := f.Sync(); err != nil {
		b.failed.Store(true)
		return fmt.Errorf("%w (%w)", ErrStorage, err)
	}
	return nil
}

func (b *Blobs) syncDir(name string) error {
	d, err := b.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(b.sync(d), d.Close())
}

// finish moves a whole, synced file to where it stays.
func (b *Blobs) finish(name string) error {
	if err := b.root.Rename(partialPath(name), payloadPath(name)); err != nil {
		return fmt.Errorf("vault: blob: %w", err)
	}
	return errors.Join(b.syncDir(path.Dir(payloadPath(name))), b.syncDir(partialDir))
}

// open opens a whole payload for reading.
func (b *Blobs) open(name string) (*os.File, error) {
	if !blobName.MatchString(name) {
		return nil, fmt.Errorf("vault: blob: %w", fs.ErrNotExist)
	}
	f, err := b.root.Open(payloadPath(name))
	if err != nil {
		return nil, fmt.Errorf("vault: blob: %w", err)
	}
	return f, nil
}

// remove unlinks a file wherever it is, durably. A file that is not there is
// no error.
func (b *Blobs) remove(name string) error {
	if !blobName.MatchString(name) {
		return nil
	}
	for _, p := range []string{partialPath(name), payloadPath(name)} {
		err := b.root.Remove(p)
		if err == nil {
			err = b.syncDir(path.Dir(p))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("vault: blob: %w", err)
		}
	}
	return nil
}

// names lists every file there is, whole or not.
func (b *Blobs) names() ([]string, error) {
	var out []string
	err := fs.WalkDir(b.root.FS(), ".", func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && blobName.MatchString(d.Name()) {
			out = append(out, d.Name())
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("vault: blobs: %w", err)
	}
	return out, nil
}

// full names the one failure of storage that passes by itself.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w (%w)", ErrStorageFull, err)
	}
	return err
}
