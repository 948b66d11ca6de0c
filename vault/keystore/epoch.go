package keystore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
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
// Errors: ErrSealed, ErrOtherMaster once another process has rotated, ErrEpochTaken.
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
	if current.Master != m.to.String() { // another process has rotated
		return current, ErrOtherMaster
	}
	if s.due(current) {
		if current, err = s.beginEpoch(ctx, m, current, nil); err != nil {
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
// Errors: ErrSealed, ErrOtherMaster if another process has rotated to another
// one, ErrEpochTaken.
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
	current, err := s.currentEpoch(ctx)
	if err != nil {
		return err
	}
	successor := opened{id: next, to: to, epochs: m.epochs}
	if current.Master != to.String() {
		if current, err = s.turn(ctx, m); err != nil {
			return err
		}
		if current, err = s.succeed(ctx, m, current, successor); err != nil {
			return err
		}
	}
	s.master.set(&successor)
	return s.endEpochsBefore(ctx, successor, current)
}

// succeed begins an epoch under the next master, which first is let open the
// key of the epoch that is about to end: a rotation that is interrupted can
// then be finished with it alone.
func (s *Store) succeed(ctx context.Context, m opened, current epoch, successor opened) (epoch, error) {
	k, err := s.epochKey(ctx, m, current.Number)
	if err != nil {
		return epoch{}, err
	}
	shared, err := sealEpochKey(k.id, m.to, successor.to)
	if err != nil {
		return epoch{}, err
	}
	return s.beginEpoch(ctx, successor, current, func() error { return s.files.write(current.Number, shared) })
}

// sealEpochKey writes an epoch's key so that each of the masters opens it.
func sealEpochKey(id age.Identity, masters ...recipient) ([]byte, error) {
	text, _, err := identityText(id)
	if err != nil {
		return nil, err
	}
	var to []age.Recipient
	for _, m := range masters {
		to = append(to, m)
	}
	var sealed bytes.Buffer
	if err := encryptTo(&sealed, []byte(text+"\n"), to...); err != nil {
		return nil, fmt.Errorf("keystore: epoch key: %w", err)
	}
	return sealed.Bytes(), nil
}

// newEpochIdentity makes the key of an epoch under a master.
func newEpochIdentity(m opened) (age.Identity, error) {
	kind := header.KindHybrid
	if header.Kind(m.to.String()) == header.KindX25519 {
		kind = header.KindX25519 // a classic master would undo what a hybrid key protects
	}
	text, _, err := newIdentity(kind)
	if err != nil {
		return nil, err
	}
	return parseIdentity(text)
}

// beginEpoch begins the epoch after another: first its key's file, then the row
// that lets keys be sealed to it, both while nobody else writes to the
// database. Of several processes one begins it; the others find it begun and
// take it as it is. Prepare, if not nil, runs before, only if it has not begun.
//
// Errors: ErrOtherMaster if it was begun under another one, ErrEpochTaken.
func (s *Store) beginEpoch(ctx context.Context, m opened, after epoch, prepare func() error) (epoch, error) {
	id, err := newEpochIdentity(m)
	if err != nil {
		return epoch{}, fmt.Errorf("keystore: epoch: %w", err)
	}
	sealed, err := sealEpochKey(id, m.to)
	if err != nil {
		return epoch{}, err
	}
	var e epoch
	mine := false
	err = s.db.Update(ctx, func(tx *db.Tx) error {
		newest, found, err := newestEpoch(tx)
		if err != nil || found && newest.Number > after.Number {
			e = newest
			return err
		}
		if prepare != nil {
			if err := prepare(); err != nil {
				return err
			}
		}
		mine = true
		if e, err = s.placeEpochKey(m, after.Number+1, sealed); err != nil {
			return err
		}
		return insertEpoch(tx, e)
	})
	if err != nil && mine {
		m.epochs.forget(after.Number + 1)
	}
	switch {
	case err != nil:
		return epoch{}, fmt.Errorf("keystore: epoch: %w", err)
	case e.Master != m.to.String():
		return epoch{}, ErrOtherMaster
	}
	return e, nil
}

// placeEpochKey stores the sealed key of a new epoch. A file that is there
// already is never replaced: it may be the only way to keys that somebody has
// sealed to it. If this master opens it, its key is the epoch's. The key is in
// memory before the epoch is: who still has the last master can go on with it.
func (s *Store) placeEpochKey(m opened, number int64, sealed []byte) (epoch, error) {
	kept, err := s.files.create(number, sealed)
	if err != nil {
		return epoch{}, err
	}
	id, err := openEpochKey(kept, m)
	if err != nil {
		return epoch{}, fmt.Errorf("%w (%w)", ErrEpochTaken, err)
	}
	_, to, err := identityText(id)
	if err != nil {
		return epoch{}, err
	}
	k, err := newEpochKey(id)
	if err != nil {
		return epoch{}, err
	}
	m.epochs.put(number, k)
	now := s.clock()
	return epoch{Number: number, Recipient: to.String(), Master: m.to.String(),
		CreatedAt: now.UnixMilli(), EndsAt: now.Add(s.horizon).UnixMilli()}, nil
}

// endEpochsBefore moves what is left in earlier epochs to the current one and
// then destroys their keys, everywhere.
func (s *Store) endEpochsBefore(ctx context.Context, m opened, current epoch) error {
	all, err := s.epochsBefore(ctx, current.Number)
	if err != nil {
		return err
	}
	open := slices.DeleteFunc(all, func(e epoch) bool {
		if e.DestroyedAt > 0 { // perhaps by another process
			m.epochs.drop(e.Number)
		}
		return e.DestroyedAt > 0
	})
	if len(open) == 0 {
		return nil
	}
	if err := s.reseal(ctx, m, current); err != nil {
		return err
	}
	for _, e := range open {
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
	if err != nil && !errors.Is(err, db.ErrNoRow) { // none: another process was faster
		return fmt.Errorf("keystore: end epoch: %w", err)
	}
	return nil
}

// epochsBefore lists the epochs before one, oldest first.
func (s *Store) epochsBefore(ctx context.Context, number int64) (out []epoch, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		all, err := allEpochs(tx)
		out = slices.DeleteFunc(all, func(e epoch) bool { return e.Number >= number })
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
