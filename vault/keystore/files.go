package keystore

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// epochKeys are the files that hold the epochs' keys, each sealed to the
// master. They live in directories that no backup copies; every one holds the
// same files, so that losing one machine does not lose the keystore.
type epochKeys struct{ dirs []string }

func openEpochKeys(dirs []string) (epochKeys, error) {
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return epochKeys{}, fmt.Errorf("keystore: epoch keys: %w", err)
		}
	}
	return epochKeys{dirs}, nil
}

func epochFile(dir string, number int64) string {
	return filepath.Join(dir, fmt.Sprintf("epoch-%08d.age", number))
}

// create stores the sealed key of an epoch that has none, everywhere, and
// answers what is there: if somebody has stored one before, that, and nothing is
// replaced. Copies that differ are ErrEpochTaken.
func (k epochKeys) create(number int64, sealed []byte) ([]byte, error) {
	kept, err := k.read(number)
	switch {
	case errors.Is(err, ErrEpochLost):
		kept = sealed
	case err != nil:
		return nil, fmt.Errorf("keystore: epoch key: %w", err)
	}
	for i, dir := range k.dirs {
		there, err := createWhole(epochFile(dir, number), kept)
		switch {
		case err != nil:
			return nil, fmt.Errorf("keystore: epoch key: %w", err)
		case i == 0:
			kept = there // somebody may have come between
		case !bytes.Equal(there, kept):
			return nil, ErrEpochTaken
		}
	}
	return kept, nil
}

// write stores a sealed key everywhere, replacing what is there.
func (k epochKeys) write(number int64, sealed []byte) error {
	for _, dir := range k.dirs {
		if err := writeWhole(epochFile(dir, number), sealed); err != nil {
			return fmt.Errorf("keystore: epoch key: %w", err)
		}
	}
	return nil
}

// read answers the first copy there is.
func (k epochKeys) read(number int64) ([]byte, error) {
	for _, dir := range k.dirs {
		sealed, err := os.ReadFile(epochFile(dir, number))
		if !errors.Is(err, fs.ErrNotExist) {
			return sealed, err
		}
	}
	return nil, ErrEpochLost
}

// destroy overwrites and unlinks every copy. All are tried; a copy that could
// not be destroyed is an error, and the call can be repeated.
func (k epochKeys) destroy(number int64) error {
	var failed []error
	for _, dir := range k.dirs {
		err := overwrite(epochFile(dir, number))
		if err == nil {
			err = errors.Join(os.Remove(epochFile(dir, number)), syncPath(dir))
		}
		if !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, err)
		}
	}
	if err := errors.Join(failed...); err != nil {
		return fmt.Errorf("keystore: destroy epoch key: %w", err)
	}
	return nil
}

// overwrite writes noise over a file's bytes, where they are.
func overwrite(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		_, err = io.CopyN(f, rand.Reader, info.Size())
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// writeWhole writes a file that only its owner can read, whole or not at all.
func writeWhole(path string, data []byte) error {
	aside, err := writeAside(path, data)
	if err != nil {
		return err
	}
	if err := os.Rename(aside, path); err != nil {
		return errors.Join(err, os.Remove(aside))
	}
	return syncPath(filepath.Dir(path))
}

// createWhole is writeWhole unless there is a file already, and answers what
// there is.
func createWhole(path string, data []byte) ([]byte, error) {
	aside, err := writeAside(path, data)
	if err != nil {
		return nil, err
	}
	err = os.Link(aside, path) // unlike a rename, it replaces nothing
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err := errors.Join(err, os.Remove(aside), syncPath(filepath.Dir(path))); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// writeAside writes a file beside the path it is meant for.
func writeAside(path string, data []byte) (string, error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // made 0600
	if err != nil {
		return "", err
	}
	_, err = tmp.Write(data)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return "", errors.Join(err, os.Remove(tmp.Name()))
	}
	return tmp.Name(), nil
}

func syncPath(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
