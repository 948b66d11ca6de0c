package custody

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"distributed.ai/datacoop/vault"
)

// Rotation replaces a data directory's master key in steps that can be
// interrupted at any point: the next key is stored beside the old one, the
// keystore moves over, and the next one takes the old one's place.
type Rotation struct {
	dir       string
	Old, Next vault.Identity
}

// BeginRotation opens the old key and makes the next one, or finds the one
// that an interrupted rotation has made. Both are sealed with the same
// passphrase, so that custodians' shares stay good.
func BeginRotation(dir, passphraseFile string) (*Rotation, error) {
	r := &Rotation{dir: dir}
	var err error
	if r.Old, err = openKey(filepath.Join(dir, MasterFile), passphraseFile); err != nil {
		return nil, err
	}
	next := filepath.Join(dir, NextFile)
	if _, err := os.Stat(next); !errors.Is(err, fs.ErrNotExist) {
		r.Next, err = openKey(next, passphraseFile)
		return r, err
	}
	phrase, err := readPassphrase(passphraseFile)
	if err != nil {
		return nil, err
	}
	logN := HumanLogN
	if len(phrase) == 64 { // random, as LocalMaster and custodians make it
		logN = RandomLogN
	}
	r.Next, err = newKey(next, phrase, logN)
	return r, err
}

// Finish puts the next key in the old one's place. The keystore is sealed to
// it by now, and nothing to the old one.
func (r *Rotation) Finish() error {
	if err := os.Rename(filepath.Join(r.dir, NextFile), filepath.Join(r.dir, MasterFile)); err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	return SyncDir(r.dir)
}
