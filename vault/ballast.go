package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"distributed.ai/datacoop/internal/fault"
)

// ballastBytes is what is kept in reserve: room for one revocation's rows, its
// audit entry and both write-ahead logs, several times over.
const ballastBytes = 4 << 20

// errDatabaseFull is how the database says that its disk is full.
var errDatabaseFull = fault.New(fault.Unavailable, "storage-full", "")

func diskFull(err error) bool {
	return errors.Is(err, errDatabaseFull) || errors.Is(err, ErrStorageFull)
}

// ballast is a file that takes up room until the disk is full: withdrawing
// consent must not wait until somebody has tidied up.
type ballast struct {
	path string
	gone atomic.Bool // it is used up: what it gave back is not for uploads
}

// fill takes the room, if it is there to be taken. The bytes are noise, so that
// no file system saves them.
func (b *ballast) fill() error {
	if b.path == "" {
		return nil
	}
	err := b.take()
	b.gone.Store(err != nil)
	return err
}

func (b *ballast) take() error {
	if info, err := os.Stat(b.path); err == nil && info.Size() == ballastBytes {
		return nil
	}
	f, err := os.OpenFile(b.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("vault: ballast: %w", err)
	}
	_, err = io.CopyN(f, rand.Reader, ballastBytes)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		// a reserve that is not whole helps nobody, and what it took others may need
		return errors.Join(fmt.Errorf("vault: ballast: %w", err), os.Remove(b.path))
	}
	dir, err := os.Open(filepath.Dir(b.path))
	if err != nil {
		return fmt.Errorf("vault: ballast: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// drop gives the room back and reports whether there was any.
func (b *ballast) drop() bool {
	if b.path == "" {
		return false
	}
	b.gone.Store(true)
	err := os.Remove(b.path)
	return err == nil || !errors.Is(err, fs.ErrNotExist)
}

// urgently does what must not fail for want of room: on a full disk it drops
// the ballast and tries once more.
func (s *Service) urgently(ctx context.Context, do func() error) error {
	err := do()
	if diskFull(err) && s.ballast.drop() {
		s.cfg.Logger.WarnContext(ctx, "vault: the disk is full; the reserve is used up for a revocation")
		err = do()
	}
	return err
}
