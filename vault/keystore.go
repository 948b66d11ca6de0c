package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault/header"
)

// mint makes an identity for one dataset, of the kind that can stand in a
// header beside the member's own, and stores it sealed to the master. It
// answers the recipient.
func (s *Service) mint(ctx context.Context, ds coop.DatasetID, kind string) (string, error) {
	m, err := s.master.get()
	if err != nil {
		return "", err
	}
	text, to, err := newIdentity(kind)
	if err != nil {
		return "", fmt.Errorf("vault: mint: %w", err)
	}
	sealed, err := sealIdentity(ds, text, m.to)
	if err != nil {
		return "", fmt.Errorf("vault: mint: %w", err)
	}
	err = s.keys.Update(ctx, func(tx *db.Tx) error {
		return insertKey(tx, key{Dataset: ds, Epoch: m.epoch, Sealed: sealed, CreatedAt: s.now()})
	})
	if err != nil {
		return "", fmt.Errorf("vault: mint: %w", err)
	}
	return to.String(), nil
}

func newIdentity(kind string) (string, recipient, error) {
	if kind == header.KindX25519 {
		id, err := age.GenerateX25519Identity()
		if err != nil {
			return "", nil, err
		}
		return id.String(), id.Recipient(), nil
	}
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		return "", nil, err
	}
	return id.String(), id.Recipient(), nil
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

// identity opens a dataset's identity. It is read from the keystore each time,
// so that a deleted key opens nothing from the next call on.
//
// Errors: ErrVaultSealed; ErrRevoked if there is no key.
func (s *Service) identity(ctx context.Context, ds coop.DatasetID) (age.Identity, error) {
	m, err := s.master.get()
	if err != nil {
		return nil, err
	}
	var sealed []byte
	err = s.keys.View(ctx, func(tx *db.Tx) (err error) {
		sealed, err = sealedKey(tx, ds)
		return err
	})
	if errors.Is(err, db.ErrNoRow) {
		return nil, ErrRevoked
	}
	if err != nil {
		return nil, fmt.Errorf("vault: keystore: %w", err)
	}
	id, err := openIdentity(ds, sealed, m.id)
	if err != nil {
		return nil, fmt.Errorf("vault: keystore: %w", err)
	}
	return id, nil
}

func openIdentity(ds coop.DatasetID, sealed []byte, with age.Identity) (age.Identity, error) {
	plain, err := decryptWith(bytes.NewReader(sealed), with)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	owner, text, ok := strings.Cut(strings.TrimSuffix(string(plain), "\n"), "\n")
	if !ok || owner != string(ds) {
		return nil, errors.New("the key of another dataset is in this dataset's place")
	}
	return parseIdentity(text)
}

// forget deletes keys. Their bytes are gone for good once the keystore's
// write-ahead log has been emptied too.
func (s *Service) forget(ctx context.Context, ids ...coop.DatasetID) error {
	err := s.keys.Update(ctx, func(tx *db.Tx) error {
		for _, ds := range ids {
			if err := deleteKey(tx, ds); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("vault: keystore: %w", err)
	}
	return nil
}
