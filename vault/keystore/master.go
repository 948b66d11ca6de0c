package keystore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"filippo.io/age"

	"distributed.ai/datacoop/vault/header"
)

// Bounds of scrypt's work factor, as powers of two. The lower one is for
// passphrases that are random keys themselves; the upper one is what a file
// may ask of the machine that opens it.
const (
	minLogN = 10
	maxLogN = 22
)

// maxMasterFile bounds what OpenMaster reads.
const maxMasterFile = 64 << 10

// Identity is an age identity; the name spares callers age itself.
type Identity = age.Identity

// NewMaster makes a master identity, post-quantum hybrid.
func NewMaster() (Identity, error) {
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		return nil, fmt.Errorf("keystore: new master: %w", err)
	}
	return id, nil
}

// SealMaster writes id to w as an age file encrypted with passphrase; stock
// age opens it with "age -d" and reads it as an identity file. LogN is
// scrypt's work factor as a power of two, from 10 to 22: 18 is about a second
// and right for a passphrase that people chose.
func SealMaster(w io.Writer, id age.Identity, passphrase string, logN int) error {
	text, _, err := identityText(id)
	if err != nil {
		return err
	}
	if logN < minLogN || logN > maxLogN {
		return fmt.Errorf("keystore: seal master: the work factor must be between %d and %d", minLogN, maxLogN)
	}
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return fmt.Errorf("keystore: seal master: %w", err)
	}
	to.SetWorkFactor(logN)
	if err := encryptTo(w, []byte(text+"\n"), to); err != nil {
		return fmt.Errorf("keystore: seal master: %w", err)
	}
	return nil
}

// OpenMaster reads what SealMaster wrote. Error: ErrMasterKey.
func OpenMaster(r io.Reader, passphrase string) (age.Identity, error) {
	with, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, ErrMasterKey
	}
	with.SetMaxWorkFactor(maxLogN)
	text, err := decryptWith(io.LimitReader(r, maxMasterFile), with)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrMasterKey, err)
	}
	defer clear(text)
	ids, err := age.ParseIdentities(bytes.NewReader(text))
	if err != nil || len(ids) != 1 {
		return nil, ErrMasterKey
	}
	if _, _, err := identityText(ids[0]); err != nil {
		return nil, ErrMasterKey
	}
	return ids[0], nil
}

// master is the one place where the identity lives.
type master struct {
	mu  sync.RWMutex
	now *opened
}

type opened struct {
	id     age.Identity
	to     recipient
	epochs *epochCache
}

type recipient interface {
	age.Recipient
	String() string
}

func (m *master) set(o *opened) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = o
}

func (m *master) get() (opened, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.now == nil {
		return opened{}, ErrSealed
	}
	return *m.now, nil
}

// identityText writes an identity as age does and names its recipient.
func identityText(id age.Identity) (string, recipient, error) {
	switch id := id.(type) {
	case *age.HybridIdentity:
		return id.String(), id.Recipient(), nil
	case *age.X25519Identity:
		return id.String(), id.Recipient(), nil
	}
	return "", nil, errors.New("keystore: only native age identities can be kept")
}

func parseIdentity(text string) (age.Identity, error) {
	if strings.HasPrefix(text, "AGE-SECRET-KEY-PQ-1") {
		return age.ParseHybridIdentity(text)
	}
	return age.ParseX25519Identity(text)
}

func parseRecipient(text string) (age.Recipient, error) {
	if header.Kind(text) == header.KindHybrid {
		return age.ParseHybridRecipient(text)
	}
	return age.ParseX25519Recipient(text)
}

func encryptTo(w io.Writer, text []byte, to ...age.Recipient) error {
	out, err := age.Encrypt(w, to...)
	if err != nil {
		return err
	}
	if _, err := out.Write(text); err != nil {
		return err
	}
	return out.Close()
}

func decryptWith(r io.Reader, id age.Identity) ([]byte, error) {
	plain, err := age.Decrypt(r, id)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(plain)
}
