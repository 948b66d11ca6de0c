package keystore

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"filippo.io/age"
	"golang.org/x/crypto/chacha20poly1305"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// A row holds an identity in one of two forms. Who has the epoch's key seals
// with a symmetric one that is derived from it, which costs a microsecond to
// open at each delivery; a locked keystore seals to its public half, as an age
// file. Either form is bound to its dataset.
const direct = 1 // the first byte of the symmetric form; an age file begins with a letter

// epochKey is an epoch's key, opened.
type epochKey struct {
	id   age.Identity
	rows cipher.AEAD // XChaCha20-Poly1305
}

func newEpochKey(id age.Identity) (*epochKey, error) {
	text, _, err := identityText(id)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, []byte(text), nil, "datacoop keystore rows", chacha20poly1305.KeySize)
	if err != nil {
		return nil, fmt.Errorf("keystore: epoch key: %w", err)
	}
	defer clear(key)
	rows, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("keystore: epoch key: %w", err)
	}
	return &epochKey{id, rows}, nil
}

// place is what a sealed row is bound to.
func place(ds coop.DatasetID, number int64) []byte {
	return []byte(strconv.FormatInt(number, 10) + "\n" + string(ds))
}

// seal writes a row in the symmetric form. Nonces are 192 random bits.
func (k *epochKey) seal(ds coop.DatasetID, number int64, text string) []byte {
	out := make([]byte, 1+k.rows.NonceSize(), 1+k.rows.NonceSize()+len(text)+k.rows.Overhead())
	out[0] = direct
	nonce := out[1:]
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	plain := []byte(text)
	defer clear(plain)
	return k.rows.Seal(out, nonce, plain, place(ds, number)) //nolint:gosec // the nonce is random, two lines above
}

// open reads a row in either form and answers the identity as text.
func (k *epochKey) open(row key) (string, error) {
	if len(row.Sealed) == 0 || row.Sealed[0] != direct {
		return unsealIdentity(row.Dataset, row.Sealed, k.id)
	}
	sealed := row.Sealed[1:]
	if len(sealed) < k.rows.NonceSize() {
		return "", errors.New("the row is cut short")
	}
	nonce, sealed := sealed[:k.rows.NonceSize()], sealed[k.rows.NonceSize():]
	plain, err := k.rows.Open(nil, nonce, sealed, place(row.Dataset, row.Epoch))
	if err != nil {
		return "", fmt.Errorf("the row is altered or in another's place: %w", err)
	}
	defer clear(plain)
	return string(plain), nil
}

// sealFor seals an identity under an epoch's key, as well as can be.
func (s *Store) sealFor(ctx context.Context, e epoch, ds coop.DatasetID, text string) ([]byte, error) {
	m, err := s.master.get()
	if err == nil {
		k, err := s.epochKey(ctx, m, e.Number)
		if err != nil {
			return nil, err
		}
		return k.seal(ds, e.Number, text), nil
	}
	to, err := parseRecipient(e.Recipient)
	if err != nil {
		return nil, err
	}
	return sealIdentity(ds, text, to)
}

// sealIdentity binds the identity to its dataset: a row copied to another
// dataset's place in the keystore is refused when it is opened.
func sealIdentity(ds coop.DatasetID, text string, to age.Recipient) ([]byte, error) {
	plain := []byte(string(ds) + "\n" + text + "\n")
	defer clear(plain)
	var out bytes.Buffer
	if err := encryptTo(&out, plain, to); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// openKey opens a row of the keystore and answers the identity as text.
func (s *Store) openKey(ctx context.Context, m opened, k key) (string, error) {
	with, err := s.epochKey(ctx, m, k.Epoch)
	if err != nil {
		return "", err
	}
	return with.open(k)
}

func unsealIdentity(ds coop.DatasetID, sealed []byte, with age.Identity) (string, error) {
	plain, err := decryptWith(bytes.NewReader(sealed), with)
	if err != nil {
		return "", err
	}
	defer clear(plain)
	owner, text, ok := strings.Cut(strings.TrimSuffix(string(plain), "\n"), "\n")
	if !ok || owner != string(ds) {
		return "", errors.New("the key of another dataset is in this dataset's place")
	}
	return text, nil
}

// epochKey answers an epoch's key, from memory or from its file.
func (s *Store) epochKey(ctx context.Context, m opened, number int64) (*epochKey, error) {
	if k, ok := m.epochs.get(number); ok {
		return k, nil
	}
	var e epoch
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		e, err = getEpoch(tx, number)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("keystore: epoch: %w", err)
	}
	id, err := s.readEpochKey(m, e)
	if err != nil {
		return nil, err
	}
	k, err := newEpochKey(id)
	if err != nil {
		return nil, err
	}
	m.epochs.put(number, k)
	return k, nil
}

func (s *Store) readEpochKey(m opened, e epoch) (age.Identity, error) {
	sealed, err := s.files.read(e.Number)
	if err != nil {
		return nil, err
	}
	id, err := openEpochKey(sealed, m)
	if err != nil {
		return nil, err
	}
	if _, to, err := identityText(id); err != nil || to.String() != e.Recipient {
		return nil, ErrEpochLost
	}
	return id, nil
}

// openEpochKey reads an epoch's key file.
func openEpochKey(sealed []byte, m opened) (age.Identity, error) {
	text, err := decryptWith(bytes.NewReader(sealed), m.id)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrEpochLost, err)
	}
	defer clear(text)
	ids, err := age.ParseIdentities(bytes.NewReader(text))
	if err != nil || len(ids) != 1 {
		return nil, ErrEpochLost
	}
	return ids[0], nil
}

// epochCache holds the opened keys of living epochs. An epoch that was dropped
// stays out: who read its key file just before cannot bring it back.
type epochCache struct{ keys sync.Map }

func (c *epochCache) get(number int64) (*epochKey, bool) {
	v, _ := c.keys.Load(number)
	k, _ := v.(*epochKey)
	return k, k != nil
}

func (c *epochCache) put(number int64, k *epochKey) { c.keys.LoadOrStore(number, k) }
func (c *epochCache) forget(number int64)           { c.keys.Delete(number) } // of an epoch that did not begin
func (c *epochCache) drop(number int64)             { c.keys.Store(number, (*epochKey)(nil)) }
