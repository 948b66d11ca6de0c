// Package vault keeps members' encrypted datasets, and the keys that could
// open them.
//
// # What it is for
//
// A member's client encrypts a file to the member and to a recipient that the
// vault makes for this one dataset, and uploads it in parts. The vault splits
// off the age header, keeps it in the database and the payload in a file, and
// checks that the two fit. When consent permits a delivery, the vault makes a
// new header for the researcher around the same file key. The payload is
// neither read nor rewritten for that, so a grant costs the same for a
// kilobyte and a gigabyte; what the researcher gets is an ordinary age file.
//
// # Keys
//
//	master ─ seals ─▶ epoch key ─ seals ─▶ one identity per dataset ─ opens ─▶ header ──▶ file key ──▶ payload
//	a passphrase,     a file that no      keystore database                  database    memory       blob storage
//	or custodians     backup copies
//
// One identity per dataset means that a header replayed under another dataset
// opens nothing, so the vault cannot be used as an oracle for stolen headers,
// and that destroying one small row destroys one dataset. Package keystore
// holds them, package blobs the payloads.
//
// A member can also keep the only key (OpenSelfCustody): then every granted
// request waits until the member's own client has re-wrapped it, and the vault
// never holds anything that opens the dataset.
//
// # What it guarantees
//
// No plaintext: nothing here decrypts a payload, not even to check it. No
// delivery without a [consent.Permit], which only a decision makes. Every
// acknowledged byte of an upload is on disk, and the hash of the payload is
// carried along with it, so that an upload goes on after a crash where it
// stood. A dataset is sealed only if its header opens under its own identity,
// its last chunk is authentic and its manifest describes what was received.
// No member takes more than their part of storage and connections.
//
// Revocation is immediate and then thorough: once Revoke has committed, no
// delivery begins and those under way stop within 1 MiB or a second, in every
// process. Then the key is deleted, both write-ahead logs are emptied, the
// payload is unlinked, and a signed receipt says what of this was achieved and
// by when every backup of the keystore goes dark. It works on a full disk, and
// Sweep finishes what a crash left undone.
//
// # What it refuses
//
// Whatever is not an acceptable age file (see package header), as early as
// the bytes show it. Whatever belongs to another member, as not found. Work
// with keys while the master identity is absent: Seal and Rewrap answer
// ErrVaultSealed, everything else goes on.
//
// # What it cannot do
//
// Call back what was delivered: who holds a file key holds it for good. Vouch
// for a payload: who knows the file key can write another payload under the
// same header, which is why members sign a manifest over the ciphertext. Look
// into what a member in self-custody uploads or approves, beyond its form.
// Erase bytes from storage that copies behind its back: the keystore and the
// epochs' keys belong on an encrypted, trimmed volume. And while it is
// unlocked its process holds keys that open vault-mode datasets: this package
// separates keys from data, not the process from its host.
package vault

import (
	"context"
	"crypto/ed25519"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"filippo.io/age"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault/keystore"
	"distributed.ai/datacoop/vault/reserve"
)

//go:embed schema/*.sql
var schema embed.FS

// Config wires the room. All of it is needed, except where it says otherwise.
type Config struct {
	DB       *db.DB
	Keystore *db.DB // a database file of its own, so that backups of DB never carry keys
	Blobs    *Blobs
	Consent  *consent.Service
	Log      *audit.Log
	Clock    coop.Clock
	Master   age.Identity       // nil: the vault starts sealed, see Unlock
	Key      ed25519.PrivateKey // signs revocation receipts
	MaxBytes int64              // largest age file a dataset may be

	// EpochDirs hold the epochs' keys, the same in each; they are made if they
	// are missing. No backup may copy them: what revocation promises about
	// backups rests on these files. The first should be local; another on a
	// second machine keeps the keystore alive when this one is lost.
	EpochDirs []string
	Horizon   time.Duration // how long an epoch's key lives at most; 0: DefaultHorizon

	Limits Limits // of one member

	// Ballast is a file of 4 MiB that is given up when the disk is full, so
	// that revocation always works. It lies on the databases' file system.
	// Empty: no reserve is kept.
	Ballast string

	ClassicRecipients bool         // the charter lets researchers use X25519 keys
	Logger            *slog.Logger // nil: slog.Default()
}

// Service is the vault. It is safe for concurrent use.
type Service struct {
	cfg     Config
	db      *db.DB
	keys    *keystore.Store
	ballast *reserve.Ballast
	revoked revocations
	writing claims

	recipients recipients
	minting    sync.RWMutex // held shared while a key has no dataset row yet

	patience time.Duration // shredPatience, except in tests
}

// New brings both schemas up to date and, if there is a master identity,
// unlocks. It does not Sweep; a server does that once before it serves.
func New(ctx context.Context, c Config) (*Service, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := c.DB.Migrate(ctx, "vault", schema); err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Limits = c.Limits.orDefaults(c.MaxBytes)
	id := c.Master
	c.Master = nil // from here on it is kept where Lock can forget it
	s := &Service{cfg: c, db: c.DB, ballast: reserve.New(c.Ballast), patience: shredPatience}
	var err error
	s.keys, err = keystore.New(ctx, keystore.Config{DB: c.Keystore, Dirs: c.EpochDirs, Horizon: c.Horizon,
		Clock: c.Clock, Logger: c.Logger, Ended: s.noteEpoch})
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	if err := s.ballast.Fill(); err != nil {
		c.Logger.WarnContext(ctx, "vault: no room for a reserve", "error", err)
	}
	if id == nil {
		return s, nil
	}
	return s, s.Unlock(ctx, id)
}

func (c Config) check() error {
	switch {
	case c.DB == nil || c.Keystore == nil || c.DB == c.Keystore:
		return errors.New("vault: needs a database and another one for keys")
	case c.Blobs == nil || c.Consent == nil || c.Log == nil || c.Clock == nil:
		return errors.New("vault: incomplete configuration")
	case len(c.Key) != ed25519.PrivateKeySize:
		return errors.New("vault: the receipt key is not an Ed25519 private key")
	case c.MaxBytes < minTotal:
		return errors.New("vault: MaxBytes leaves room for no file")
	}
	return nil
}

// noteEpoch enters the end of an epoch in the co-op's log, where members can
// see that what their receipts promised has happened.
func (s *Service) noteEpoch(ctx context.Context, e Epoch) error {
	return s.db.Update(ctx, func(tx *db.Tx) error {
		_, err := s.cfg.Log.Append(tx, audit.Event{Kind: "vault.epoch-destroyed",
			Record: map[string]any{"epoch": e.Number, "ends_at": e.EndsAt, "destroyed_at": e.DestroyedAt}})
		return err
	})
}

func (s *Service) now() int64 { return s.cfg.Clock().UnixMilli() }

// MaxBytes is the size of the largest age file a dataset may be.
func (s *Service) MaxBytes() int64 { return s.cfg.MaxBytes }

// revocations is what this process has revoked since it started: the check
// that costs nothing. Older ones are in the database.
type revocations struct{ set sync.Map }

func (r *revocations) add(ds coop.DatasetID) { r.set.Store(ds, struct{}{}) }

func (r *revocations) has(ds coop.DatasetID) bool {
	_, ok := r.set.Load(ds)
	return ok
}
