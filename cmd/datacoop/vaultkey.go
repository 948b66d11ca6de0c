package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"distributed.ai/datacoop/vault"
)

const (
	masterFile     = "vault.key.age"
	passphraseFile = "vault.passphrase"
)

// errNoVaultKey says what a production server lacks.
var errNoVaultKey = errors.New("there is no sealed vault key: run \"datacoop vault seal\" first")

// openMaster unseals the vault's master identity with a passphrase from a
// file. Without a passphrase the vault starts sealed.
func openMaster(dir, passphrase string) (vault.Identity, error) {
	sealed, err := os.ReadFile(filepath.Join(dir, masterFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoVaultKey
	}
	if err != nil {
		return nil, fmt.Errorf("vault key: %w", err)
	}
	if passphrase == "" {
		return nil, nil
	}
	text, err := os.ReadFile(passphrase)
	if err != nil {
		return nil, fmt.Errorf("vault passphrase: %w", err)
	}
	return vault.OpenMaster(bytes.NewReader(sealed), strings.TrimSpace(string(text)))
}

// Work factors of scrypt, as powers of two: a person's passphrase is stretched
// as age does it, a random one of 256 bits needs no stretching.
const (
	humanLogN  = 18
	randomLogN = 10
)

// sealMaster makes a master identity and seals it. It never replaces one: that
// would make every dataset unreadable.
func sealMaster(dir, passphrase string, logN int) error {
	path := filepath.Join(dir, masterFile)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s exists already; replacing it would lose every dataset", masterFile)
	}
	master, err := vault.NewMaster()
	if err != nil {
		return fmt.Errorf("vault key: %w", err)
	}
	var sealed bytes.Buffer
	if err := vault.SealMaster(&sealed, master, passphrase, logN); err != nil {
		return fmt.Errorf("vault key: %w", err)
	}
	return writePrivate(path, sealed.Bytes())
}

// sealedByHand reports whether a person keeps the passphrase of the vault key.
// Even a local server then starts sealed without it.
func sealedByHand(dir string) bool {
	_, key := os.Stat(filepath.Join(dir, masterFile))
	_, passphrase := os.Stat(filepath.Join(dir, passphraseFile))
	return key == nil && errors.Is(passphrase, fs.ErrNotExist)
}

// localMaster opens the master of a demo or a local server, making it and its
// random passphrase the first time. Key and passphrase lie side by side, which
// protects nothing: it only keeps this path the same as in production.
func localMaster(dir string) (vault.Identity, error) {
	passphrase := filepath.Join(dir, passphraseFile)
	if _, err := os.Stat(filepath.Join(dir, masterFile)); errors.Is(err, fs.ErrNotExist) {
		text := hex.EncodeToString(random(32))
		if err := writePrivate(passphrase, []byte(text+"\n")); err != nil {
			return nil, err
		}
		if err := sealMaster(dir, text, randomLogN); err != nil {
			return nil, err
		}
	}
	return openMaster(dir, passphrase)
}
