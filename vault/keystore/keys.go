package keystore

import (
	"context"
	"errors"
	"fmt"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault/header"
)

// errTurned says that an epoch ended between sealing a key and storing it.
var errTurned = errors.New("keystore: the epoch turned meanwhile")

// Mint makes an identity for one dataset, of the kind that can stand in a
// header beside the member's own, and stores it sealed under the current
// epoch's key. A locked keystore has its public half and mints too. It answers
// the recipient. Error: ErrSealed if no master has ever unlocked it.
func (s *Store) Mint(ctx context.Context, ds coop.DatasetID, kind string) (string, error) {
	text, to, err := newIdentity(kind)
	if err != nil {
		return "", fmt.Errorf("keystore: mint: %w", err)
	}
	for {
		err := s.mintOnce(ctx, ds, text)
		switch {
		case err == nil:
			return to.String(), nil
		case errors.Is(err, errTurned):
			continue
		case errors.Is(err, ErrSealed):
			return "", err
		}
		return "", fmt.Errorf("keystore: mint: %w", err)
	}
}

func (s *Store) mintOnce(ctx context.Context, ds coop.DatasetID, text string) error {
	e, err := s.currentEpoch(ctx)
	if err != nil {
		return err
	}
	sealed, err := s.sealFor(ctx, e, ds, text)
	if errors.Is(err, ErrEpochLost) {
		return s.turnedSince(ctx, e.Number, err)
	}
	if err != nil {
		return err
	}
	return s.db.Update(ctx, func(tx *db.Tx) error {
		now, _, err := newestEpoch(tx)
		if err != nil {
			return err
		}
		if now.Number != e.Number {
			return errTurned
		}
		return insertKey(tx, key{Dataset: ds, Epoch: e.Number, Sealed: sealed, CreatedAt: s.now()})
	})
}

// turnedSince answers errTurned if a newer epoch has begun, and lost if the key
// of the current one is really gone.
func (s *Store) turnedSince(ctx context.Context, number int64, lost error) error {
	now, err := s.currentEpoch(ctx)
	switch {
	case err != nil:
		return err
	case now.Number != number:
		return errTurned
	}
	return lost
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

// Identity opens a dataset's identity. It is read from the keystore each time,
// so that a deleted key opens nothing from the next call on.
//
// Errors: ErrSealed, ErrNoKey, ErrEpochLost.
func (s *Store) Identity(ctx context.Context, ds coop.DatasetID) (age.Identity, error) {
	for {
		id, err := s.identityOnce(ctx, ds)
		if !errors.Is(err, errTurned) {
			return id, err
		}
	}
}

func (s *Store) identityOnce(ctx context.Context, ds coop.DatasetID) (age.Identity, error) {
	m, err := s.master.get()
	if err != nil {
		return nil, err
	}
	k, err := s.row(ctx, ds)
	if err != nil {
		return nil, err
	}
	text, err := s.openKey(ctx, m, k)
	if errors.Is(err, ErrEpochLost) {
		// The row may have moved to a new epoch since it was read.
		if again, moved := s.row(ctx, ds); moved != nil {
			return nil, moved
		} else if again.Epoch != k.Epoch {
			return nil, errTurned
		}
	}
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	return parseIdentity(text)
}

func (s *Store) row(ctx context.Context, ds coop.DatasetID) (k key, err error) {
	// One row by its key: to watch for a cancellation costs more than to read it.
	err = s.db.View(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		k, err = getKey(tx, ds)
		return err
	})
	if errors.Is(err, db.ErrNoRow) {
		return key{}, ErrNoKey
	}
	if err != nil {
		return key{}, fmt.Errorf("keystore: %w", err)
	}
	return k, nil
}

// Forget deletes keys. Their bytes are gone for good once the
// write-ahead log has been emptied too, see Truncate.
func (s *Store) Forget(ctx context.Context, ids ...coop.DatasetID) error {
	err := s.db.Update(ctx, func(tx *db.Tx) error {
		for _, ds := range ids {
			if err := deleteKey(tx, ds); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keystore: %w", err)
	}
	return nil
}

// Holders lists the datasets that have a key.
func (s *Store) Holders(ctx context.Context) (out []coop.DatasetID, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) (err error) {
		out, err = keyHolders(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	return out, nil
}

// Truncate empties the write-ahead log, so that the bytes of deleted keys are
// in no file. It tries until it succeeds or ctx ends.
func (s *Store) Truncate(ctx context.Context) error { return s.db.Truncate(ctx) }
