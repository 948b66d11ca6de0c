package keystore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault/header"
)

// An epoch is turned before its time is up, so that a day on which the vault is
// locked breaks no promise.
const turnAtSevenths = 6

// resealBatch is how many keys move to a new epoch in one transaction.
const resealBatch = 200

// Epoch is a span of time in which the keystore's rows are sealed to one key.
type Epoch struct {
	Number      int64
	CreatedAt   int64 // Unix milliseconds, like all times here
	EndsAt      int64 // by when its key is to be destroyed
	DestroyedAt int64 // 0 while its key exists
	Keys        int64 // datasets whose key is sealed to it
	Overdue     bool  // its key should be destroyed and is not
}

// Epochs lists the keystore's epochs, oldest first. The last one is current;
// an earlier one whose key still exists is being ended.
func (s *Store) Epochs(ctx context.Context) (out []Epoch, err error) {
	now := s.now()
	err = s.db.View(ctx, func(tx *db.Tx) error {
		all, err := allEpochs(tx)
		if err != nil {
			return err
		}
		for _, e := range all {
			n, err := countKeys(tx, e.Number)
			if err != nil {
				return err
			}
			out = append(out, Epoch{Number: e.Number, CreatedAt: e.CreatedAt, EndsAt: e.EndsAt, DestroyedAt: e.DestroyedAt,
				Keys: n, Overdue: e.DestroyedAt == 0 && e.EndsAt <= now})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("keystore: epochs: %w", err)
	}
	return out, nil
}

// Turn begins a new epoch if the current one is nearly over, and ends the
// earlier ones: every living key is sealed anew, and then the old epoch's key
// is destroyed, which makes every backup of the keystore from before worthless.
// It can be called at any time, also beside deliveries, and goes on where a
// crash has stopped it. A copy of the keystore should be made soon after.
//
// Error: ErrSealed.
func (s *Store) Turn(ctx context.Context) error {
	s.turning.Lock()
	defer s.turning.Unlock()
	m, err := s.master.get()
	if err != nil {
		return err
	}
	_, err = s.turn(ctx, m)
	return err
}

func (s *Store) turn(ctx context.Context, m opened) (current epoch, err error) {
	if current, err = s.currentEpoch(ctx); err != nil {
		return current, err
	}
	if s.due(current) {
		if current, err = s.beginEpoch(ctx, m, current.Number+1); err != nil {
			return current, err
		}
	}
	return current, s.endEpochsBefore(ctx, m, current)
}

func (s *Store) due(e epoch) bool {
	life := time.UnixMilli(e.EndsAt).Sub(time.UnixMilli(e.CreatedAt))
	return s.now() >= time.UnixMilli(e.CreatedAt).Add(life/7*turnAtSevenths).UnixMilli()
}

// Darkness answers which epoch the newest copy of a key that is deleted by now
// can need, and by when that epoch's key is destroyed, in Unix milliseconds;
// zeros if no date can be promised.
func (s *Store) Darkness(ctx context.Context) (number, by int64, err error) {
	e, err := s.currentEpoch(ctx)
	switch {
	case errors.Is(err, ErrSealed), err == nil && e.EndsAt <= s.now():
		return 0, 0, nil
	case err != nil:
		return 0, 0, err
	}
	return e.Number, e.EndsAt, nil
}

// Rotate replaces the master identity, and with it everything that was sealed
// under the old one: a new epoch begins under next, every living key is sealed
// anew and the old epoch's key is destroyed. Deliveries go on meanwhile. The
// caller has stored next safely before, and destroys the old one after.
//
// Once it has begun, only next unlocks this keystore, even if Rotate fails
// half way; Turn, or Rotate with the same next, then finishes it. It
// cannot undo a leak: who has copied the old master, an old epoch's key file
// and an old keystore still has those keys.
//
// Error: ErrSealed.
func (s *Store) Rotate(ctx context.Context, next Identity) error {
	_, to, err := identityText(next)
	if err != nil {
		return err
	}
	s.turning.Lock()
	defer s.turning.Unlock()
	m, err := s.master.get()
	if err != nil {
		return err
	}
	current, err := s.turn(ctx, m)
	if err != nil {
		return err
	}
	successor := opened{id: next, to: to, epochs: m.epochs}
	if current.Master != to.String() {
		if err := s.handOver(ctx, m, current, to); err != nil {
			return err
		}
		if current, err = s.beginEpoch(ctx, successor, current.Number+1); err != nil {
			return err
		}
	}
	s.master.set(&successor)
	return s.endEpochsBefore(ctx, successor, current)
}

// handOver lets the next master too open the key of the epoch that is about to
// end, so that a rotation which is interrupted can be finished with it alone.
func (s *Store) handOver(ctx context.Context, m opened, e epoch, next recipient) error {
	k, err := s.epochKey(ctx, m, e.Number)
	if err != nil {
		return err
	}
	return s.keepEpochKey(e.Number, k.id, m.to, next)
}

// keepEpochKey writes an epoch's key file, sealed to the given masters.
func (s *Store) keepEpochKey(number int64, id age.Identity, masters ...recipient) error {
	text, _, err := identityText(id)
	if err != nil {
		return err
	}
	var to []age.Recipient
	for _, m := range masters {
		to = append(to, m)
	}
	var sealed bytes.Buffer
	if err := encryptTo(&sealed, []byte(text+"\n"), to...); err != nil {
		return fmt.Errorf("keystore: epoch key: %w", err)
	}
	return s.files.write(number, sealed.Bytes())
}

// beginEpoch makes an epoch's key: first the file, then the row that lets keys
// be sealed to it.
func (s *Store) beginEpoch(ctx context.Context, m opened, number int64) (epoch, error) {
	kind := header.KindHybrid
	if header.Kind(m.to.String()) == header.KindX25519 {
		kind = header.KindX25519 // a classic master would undo what a hybrid key protects
	}
	text, to, err := newIdentity(kind)
	if err != nil {
		return epoch{}, fmt.Errorf("keystore: epoch: %w", err)
	}
	id, err := parseIdentity(text)
	if err != nil {
		return epoch{}, fmt.Errorf("keystore: epoch: %w", err)
	}
	if err := s.keepEpochKey(number, id, m.to); err != nil {
		return epoch{}, err
	}
	now := s.clock()
	e := epoch{Number: number, Recipient: to.String(), Master: m.to.String(),
		CreatedAt: now.UnixMilli(), EndsAt: now.Add(s.horizon).UnixMilli()}
	if err := s.db.Update(ctx, func(tx *db.Tx) error { return insertEpoch(tx, e) }); err != nil {
		return epoch{}, fmt.Errorf("keystore: epoch: %w", err)
	}
	k, err := newEpochKey(id)
	if err != nil {
		return epoch{}, err
	}
	m.epochs.put(number, k)
	return e, nil
}

// endEpochsBefore moves what is left in earlier epochs to the current one and
// then destroys their keys, everywhere.
func (s *Store) endEpochsBefore(ctx context.Context, m opened, current epoch) error {
	open, err := s.openEpochs(ctx)
	if err != nil || len(open) < 2 {
		return err
	}
	if err := s.reseal(ctx, m, current); err != nil {
		return err
	}
	for _, e := range open {
		if e.Number >= current.Number {
			continue
		}
		if err := s.endEpoch(ctx, m, e); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) endEpoch(ctx context.Context, m opened, e epoch) error {
	m.epochs.drop(e.Number)
	if err := s.files.destroy(e.Number); err != nil {
		return err
	}
	at := s.now()
	err := s.ended(ctx, Epoch{Number: e.Number, CreatedAt: e.CreatedAt, EndsAt: e.EndsAt, DestroyedAt: at})
	if err == nil {
		err = s.db.Update(ctx, func(tx *db.Tx) error { return endEpoch(tx, e.Number, at) })
	}
	if err != nil {
		return fmt.Errorf("keystore: end epoch: %w", err)
	}
	return nil
}

// openEpochs lists the epochs whose key still exists, oldest first.
func (s *Store) openEpochs(ctx context.Context) (out []epoch, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		all, err := allEpochs(tx)
		for _, e := range all {
			if e.DestroyedAt == 0 {
				out = append(out, e)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("keystore: epochs: %w", err)
	}
	return out, nil
}

// reseal seals every key of an earlier epoch to the current one. A row that
// does not open under its own epoch's key is lost already and does not keep
// that key alive.
func (s *Store) reseal(ctx context.Context, m opened, to epoch) error {
	with, err := s.epochKey(ctx, m, to.Number)
	if err != nil {
		return err
	}
	for last := coop.DatasetID(""); ; {
		var rows []key
		err := s.db.View(ctx, func(tx *db.Tx) (err error) {
			rows, err = keysBefore(tx, to.Number, last, resealBatch)
			return err
		})
		if err != nil {
			return fmt.Errorf("keystore: reseal: %w", err)
		}
		if len(rows) == 0 {
			return nil
		}
		last = rows[len(rows)-1].Dataset
		if err := s.resealBatch(ctx, m, rows, to.Number, with); err != nil {
			return fmt.Errorf("keystore: reseal: %w", err)
		}
	}
}

func (s *Store) resealBatch(ctx context.Context, m opened, rows []key, number int64, with *epochKey) error {
	fresh := make([]key, len(rows))
	for i, row := range rows {
		text, err := s.openKey(ctx, m, row)
		if errors.Is(err, ErrEpochLost) {
			return err
		}
		if err != nil {
			s.log.ErrorContext(ctx, "keystore: a key in the keystore does not open", "dataset", row.Dataset, "error", err)
			continue
		}
		fresh[i] = key{Dataset: row.Dataset, Epoch: number, Sealed: with.seal(row.Dataset, number, text)}
	}
	return s.db.Update(ctx, func(tx *db.Tx) error {
		for i, k := range fresh {
			if k.Epoch == 0 {
				continue
			}
			if err := resealKey(tx, k, rows[i].Epoch); err != nil {
				return err
			}
		}
		return nil
	})
}

// currentEpoch answers the newest epoch, or ErrSealed for a keystore that
// no master has opened yet.
func (s *Store) currentEpoch(ctx context.Context) (e epoch, err error) {
	var found bool
	err = s.db.View(ctx, func(tx *db.Tx) error {
		e, found, err = newestEpoch(tx)
		return err
	})
	switch {
	case err != nil:
		return epoch{}, fmt.Errorf("keystore: epoch: %w", err)
	case !found:
		return epoch{}, ErrSealed
	}
	return e, nil
}
