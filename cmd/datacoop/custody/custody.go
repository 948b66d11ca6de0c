// Package custody keeps a data directory's secrets: the master key, with the
// commands by which people seal it, split it among custodians, put it together
// and check it, and the keys that the server signs with, which open no dataset.
//
// The key lies in vault.key.age, encrypted with a passphrase, in the form that
// stock age reads. Either people know the passphrase (vault seal), or nobody
// does and any k of n custodians make it out of their shares (vault shares).
// The server takes it from a file when it starts, such as one that systemd
// provides as a credential; without it the vault starts sealed. There is no way
// to unseal a vault that runs: a process that could be handed keys could be
// tricked into it.
//
// # What it guarantees
//
// No command replaces a key that something is sealed to, writes a secret that
// others can read, or prints one. What takes several steps can be repeated
// after a crash. Commands that change keys refuse while a server holds the
// directory.
//
// # What it cannot do
//
// See to it that copies are destroyed: of the file under an earlier passphrase,
// of a passphrase that was put together, of a share that was decrypted.
package custody

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"distributed.ai/datacoop/vault"
)

// Names of files in a data directory.
const (
	MasterFile     = "vault.key.age"
	NextFile       = "vault.key.next.age" // only while a rotation is under way
	BoardFile      = "vault.shares.json"
	KeystoreFile   = "keystore.db"
	EpochDir       = "epochs"
	passphraseFile = "vault.passphrase"
)

// RandomLogN is scrypt's work factor, as a power of two, for a random passphrase
// of 256 bits, which needs no stretching.
const RandomLogN = 10

// HumanLogN is that for a person's passphrase, stretched as age does it. It is a
// variable for tests alone, which seal and unseal many times.
var HumanLogN = 18

var (
	errNoKey    = errors.New("there is no sealed vault key: run \"datacoop vault seal\" first")
	errRotation = errors.New("a rotation of the vault key was interrupted: run \"datacoop vault rotate\" again")
)

// OpenMaster unseals a data directory's master identity with a passphrase from
// a file; it is nil without one. A rotation that was interrupted is an error.
func OpenMaster(dir, passphrase string) (vault.Identity, error) {
	if _, err := os.Stat(filepath.Join(dir, NextFile)); err == nil {
		return nil, errRotation
	}
	return openKey(filepath.Join(dir, MasterFile), passphrase)
}

func openKey(path, passphrase string) (vault.Identity, error) {
	sealed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoKey
	}
	if err != nil {
		return nil, fmt.Errorf("vault key: %w", err)
	}
	if passphrase == "" {
		return nil, nil
	}
	text, err := readPassphrase(passphrase)
	if err != nil {
		return nil, err
	}
	return vault.OpenMaster(bytes.NewReader(sealed), text)
}

func readPassphrase(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("vault passphrase: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// SealMaster makes a master identity and seals it. It never replaces one: that
// would make every dataset unreadable.
func SealMaster(dir, passphrase string, logN int) error {
	path := filepath.Join(dir, MasterFile)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s exists already; replacing it would lose every dataset", MasterFile)
	}
	_, err := newKey(path, passphrase, logN)
	return err
}

func newKey(path, passphrase string, logN int) (vault.Identity, error) {
	master, err := vault.NewMaster()
	if err != nil {
		return nil, fmt.Errorf("vault key: %w", err)
	}
	var sealed bytes.Buffer
	if err := vault.SealMaster(&sealed, master, passphrase, logN); err != nil {
		return nil, fmt.Errorf("vault key: %w", err)
	}
	return master, WritePrivate(path, sealed.Bytes())
}

// LocalMaster opens the master of a demo or a local server, making it and its
// random passphrase the first time. Key and passphrase lie side by side, which
// protects nothing: it only keeps this path the same as in production.
func LocalMaster(dir string) (vault.Identity, error) {
	passphrase := filepath.Join(dir, passphraseFile)
	if _, err := os.Stat(filepath.Join(dir, MasterFile)); errors.Is(err, fs.ErrNotExist) {
		secret := make([]byte, 32)
		_, _ = rand.Read(secret) // never fails (crypto/rand)
		text := hex.EncodeToString(secret)
		if err := WritePrivate(passphrase, []byte(text+"\n")); err != nil {
			return nil, err
		}
		if err := SealMaster(dir, text, RandomLogN); err != nil {
			return nil, err
		}
	}
	return OpenMaster(dir, passphrase)
}

// SealedByHand reports whether people, and not LocalMaster, sealed the master:
// then only they can unseal it.
func SealedByHand(dir string) bool {
	_, key := os.Stat(filepath.Join(dir, MasterFile))
	_, phrase := os.Stat(filepath.Join(dir, passphraseFile))
	return key == nil && errors.Is(phrase, fs.ErrNotExist)
}

// WritePrivate writes a file only its owner can read, whole or not at all.
func WritePrivate(path string, text []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // made 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // already renamed when all went well
	_, err = tmp.Write(text)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir makes the names in a directory survive a loss of power.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
