// Package reserve keeps a little room on the disk for what must not fail when
// the disk is full.
//
// # What it guarantees
//
// Fill takes the room or nothing: a reserve that is not whole helps nobody, and
// what it took others may need. Drop gives it back at once. It knows nothing of
// what the room is for, and refuses nothing: who finds the disk full drops it
// and tries again, and it is filled again when there is room.
package reserve

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
)

// Bytes is what is kept: room for one revocation's rows, its audit entry and
// both write-ahead logs, several times over.
const Bytes = 4 << 20

// Ballast is a file that takes up room until the disk is full: withdrawing
// consent must not wait until somebody has tidied up.
type Ballast struct {
	path string
	gone atomic.Bool // it is used up: what it gave back is not for uploads
}

// New names the file; with an empty path there is no reserve.
func New(path string) *Ballast { return &Ballast{path: path} }

// Gone reports whether the room was given back and has not been taken again.
func (b *Ballast) Gone() bool { return b.gone.Load() }

// Fill takes the room, if it is there to be taken. The bytes are noise, so that
// no file system saves them.
func (b *Ballast) Fill() error {
	if b.path == "" {
		return nil
	}
	err := b.take()
	b.gone.Store(err != nil)
	return err
}

func (b *Ballast) take() error {
	if info, err := os.Stat(b.path); err == nil && info.Size() == Bytes {
		return nil
	}
	f, err := os.OpenFile(b.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	_, err = io.CopyN(f, rand.Reader, Bytes)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		// a reserve that is not whole helps nobody, and what it took others may need
		return errors.Join(fmt.Errorf("reserve: %w", err), os.Remove(b.path))
	}
	dir, err := os.Open(filepath.Dir(b.path))
	if err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Drop gives the room back and reports whether there was any.
func (b *Ballast) Drop() bool {
	if b.path == "" {
		return false
	}
	b.gone.Store(true)
	err := os.Remove(b.path)
	return err == nil || !errors.Is(err, fs.ErrNotExist)
}
