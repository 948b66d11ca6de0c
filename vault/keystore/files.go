package keystore

import (
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

// write stores a sealed key everywhere, replacing what an interrupted attempt
// has left.
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
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // made 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return syncPath(filepath.Dir(path))
}

func syncPath(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
