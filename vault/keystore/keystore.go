// Package keystore keeps one age identity per dataset, and destroys them.
//
//	master identity ── seals ──▶ epoch key ── seals ──▶ one identity per dataset
//	outside the host             a file that            a row of the keystore
//	or under a passphrase        no backup copies       database
//
// # What it guarantees
//
// A row opens nothing without its epoch's key, and an epoch's key nothing
// without the master. An epoch lasts a week by default. When it ends, every
// living key is sealed anew and the old epoch's key is destroyed; from then on
// no backup of the database opens anything that was deleted meanwhile, wherever
// that backup lies. Keys are never cached: one that is deleted opens nothing
// from the next call on. A row copied to another dataset's place is refused.
//
// Turning an epoch and rotating the master go on beside everything else, can be
// killed at any moment, and are finished by the next call.
//
// # What it refuses
//
// A master identity that the keystore is not sealed to; an epoch's key file
// that does not fit; to replace such a file when an epoch begins, whoever has
// left it there; work with keys while the master is absent. Making a key
// takes public halves alone and works while it is locked.
//
// # What it cannot do
//
// Undo a leak: who has copied the master, an epoch's key file and the database
// keeps what was in it. Reach a copy of an epoch's key file that was made in
// spite of everything. And if every copy of the current epoch's file is lost,
// so is every key; that is the price of backups that go dark.
package keystore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
)

//go:embed schema/*.sql
var schema embed.FS

// What the keystore answers when it refuses.
var (
	ErrSealed      = fault.New(fault.Unavailable, "vault-sealed", "The vault is locked until its operators unlock it; what you uploaded is kept.")
	ErrNoKey       = fault.New(fault.Gone, "dataset-key-gone", "There is no key for this dataset.")
	ErrMasterKey   = fault.New(fault.Invalid, "master-key-invalid", "The passphrase does not open this file, or the file holds no master key.")
	ErrOtherMaster = fault.New(fault.Invalid, "master-key-other", "This is not the master key that the keystore is sealed to.")
	ErrEpochTaken  = fault.New(fault.Conflict, "epoch-key-taken", "There is a key file for the next epoch already, which this master key does not open: another server uses the directory, or a rotation to another master key was broken off. It has to be moved away by hand, if no server needs it.")
	ErrEpochLost   = fault.New(fault.Unavailable, "epoch-key-lost", "The epoch key of this keystore is missing or does not fit; no dataset in it can be opened.")
)

// DefaultHorizon is how long an epoch's key lives at most, and so how long a
// backup can open anything that was deleted meanwhile.
const DefaultHorizon = 7 * 24 * time.Hour

// Config wires a keystore. All of it is needed, except where it says otherwise.
type Config struct {
	DB      *db.DB   // a database file of its own, so that backups of others never carry keys
	Dirs    []string // of the epochs' key files, the same in each; made if missing. No backup may copy them, no other keystore use them
	Horizon time.Duration
	Clock   coop.Clock
	Logger  *slog.Logger

	// Ended is told of an epoch whose key has been destroyed, before that is
	// recorded. It may be told twice. Nil: nobody is.
	Ended func(context.Context, Epoch) error
}

// Store is a keystore. It is safe for concurrent use, also by several
// processes on one database.
type Store struct {
	db      *db.DB
	files   epochKeys
	horizon time.Duration
	clock   coop.Clock
	log     *slog.Logger
	ended   func(context.Context, Epoch) error
	master  master
	turning sync.Mutex // held while an epoch begins or ends
}

// New brings the schema up to date. The keystore is locked; see Unlock.
func New(ctx context.Context, c Config) (*Store, error) {
	if c.Horizon == 0 {
		c.Horizon = DefaultHorizon
	}
	switch {
	case c.DB == nil || c.Clock == nil || c.Logger == nil:
		return nil, errors.New("keystore: incomplete configuration")
	case len(c.Dirs) == 0:
		return nil, errors.New("keystore: needs a directory for epoch keys")
	case c.Horizon < 0:
		return nil, errors.New("keystore: an epoch cannot end before it begins")
	}
	if c.Ended == nil {
		c.Ended = func(context.Context, Epoch) error { return nil }
	}
	if err := c.DB.Migrate(ctx, "keystore", schema); err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	files, err := openEpochKeys(c.Dirs)
	if err != nil {
		return nil, err
	}
	return &Store{db: c.DB, files: files, horizon: c.Horizon, clock: c.Clock, log: c.Logger, ended: c.Ended}, nil
}

func (s *Store) now() int64 { return s.clock().UnixMilli() }

// Unlock gives the keystore its master identity. The first one that it
// sees becomes the one it is sealed to; any other is refused with
// ErrOtherMaster, so that no key is sealed to an identity nobody keeps.
//
// Errors: ErrOtherMaster; ErrEpochLost if the key file of the keystore's epoch
// is missing or does not fit, as when an old keystore was restored.
func (s *Store) Unlock(ctx context.Context, id age.Identity) error {
	_, to, err := identityText(id)
	if err != nil {
		return err
	}
	m := opened{id: id, to: to, epochs: &epochCache{}}
	s.turning.Lock()
	defer s.turning.Unlock()
	var current epoch
	var found bool
	err = s.db.View(ctx, func(tx *db.Tx) error {
		current, found, err = newestEpoch(tx)
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("keystore: unlock: %w", err)
	case !found:
		if current, err = s.beginEpoch(ctx, m, epoch{}, nil); err != nil {
			return fmt.Errorf("keystore: unlock: %w", err)
		}
	case current.Master != to.String():
		return ErrOtherMaster
	}
	if _, err := s.epochKey(ctx, m, current.Number); err != nil {
		return err
	}
	s.master.set(&m)
	return nil
}

// Lock forgets the master identity and the epochs' keys: from now on
// what needs them answers ErrSealed. What Go's memory manager has copied is beyond reach; end the
// process to be rid of it.
func (s *Store) Lock() { s.master.set(nil) }

// Locked reports whether the master identity is absent.
func (s *Store) Locked() bool {
	_, err := s.master.get()
	return err != nil
}

// Check answers nil if a master identity is the one that a keystore is sealed
// to and its epoch's key file fits. It writes nothing.
//
// Errors: ErrOtherMaster, ErrEpochLost, and ErrSealed for a keystore that no
// master has opened yet.
func Check(ctx context.Context, d *db.DB, dirs []string, id age.Identity) error {
	_, to, err := identityText(id)
	if err != nil {
		return err
	}
	s := &Store{db: d, files: epochKeys{dirs}}
	e, err := s.currentEpoch(ctx)
	switch {
	case err != nil:
		return err
	case e.Master != to.String():
		return ErrOtherMaster
	}
	_, err = s.readEpochKey(opened{id: id, to: to}, e)
	return err
}
