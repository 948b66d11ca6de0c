package vault

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/once"
	"distributed.ai/datacoop/vault/header"
)

// The states of a dataset. It moves down the list and never back up, except
// that an upload which is cancelled or expires leaves the dataset open.
const (
	StateOpen      = "open"      // it has a vault recipient and nothing else
	StateUploading = "uploading" // bytes are coming
	StateReceived  = "received"  // all bytes are here; nothing is checked or shared yet
	StateAvailable = "available" // sealed: consent alone decides who gets it
	StateShredding = "shredding" // revoked: nothing opens it; bytes are being destroyed
	StateShredded  = "shredded"  // key and ciphertext are gone
)

// Dataset is one member's encrypted upload.
type Dataset struct {
	ID              coop.DatasetID
	Member          coop.MemberID
	Pool            coop.PoolID
	State           string
	SelfCustody     bool          // the member's client holds the only key; see OpenSelfCustody
	VaultRecipient  string        // what the client encrypts to, beside the member's own; empty with self-custody
	MemberRecipient string        // as given to Open; may be empty
	Upload          coop.UploadID // the one under way or received, if any
	HeaderSHA256    string        // of the age header as uploaded, hex; set when sealed, like all that follows
	PayloadSHA256   string        // of everything after the header, hex
	PayloadSize     int64
	Terms           string // of the manifest
	Signature       []byte // of the manifest; empty if the member has no signing key
	SigningKey      ed25519.PublicKey
	Profile         Profile
	Raw             bool  // the member shares the file as it is, not the pool's table
	Deliveries      int64 // access requests that a header was ever made for
	CreatedAt       int64 // Unix milliseconds, like all times here; 0 for what has not happened
	SealedAt        int64
	RevokedAt       int64
	ShreddedAt      int64

	blob string
}

// Manifest is what the member has signed about a sealed dataset.
func (d Dataset) Manifest() Manifest {
	return Manifest{Dataset: string(d.ID), SHA256: d.PayloadSHA256, Size: d.PayloadSize,
		HeaderSHA256: d.HeaderSHA256, VaultRecipient: d.VaultRecipient, Terms: d.Terms}
}

// Open begins a dataset for a member in a pool and answers with its own vault
// recipient. That is post-quantum unless memberRecipient is X25519: the two
// stand in one header, and age keeps the kinds apart. Whether the pool exists
// is the caller's to check. Honours an idempotency key.
//
// Errors: ErrPool, header.ErrRecipient, ErrVaultSealed.
func (s *Service) Open(ctx context.Context, m coop.MemberID, pool coop.PoolID, memberRecipient string) (Dataset, error) {
	kind := header.KindHybrid
	if !coop.ValidSlug(pool) {
		return Dataset{}, ErrPool
	}
	if memberRecipient != "" {
		var err error
		if _, kind, err = header.ParseRecipient(memberRecipient); err != nil {
			return Dataset{}, err
		}
	}
	s.minting.RLock()
	defer s.minting.RUnlock()
	d := Dataset{ID: coop.DatasetID(coop.NewID()), Member: m, Pool: pool, State: StateOpen,
		MemberRecipient: memberRecipient, CreatedAt: s.now()}
	var err error
	if d.VaultRecipient, err = s.keys.Mint(ctx, d.ID, kind); err != nil {
		return Dataset{}, err
	}
	out, err := s.open(ctx, d)
	if err != nil || out.ID != d.ID { // refused, or answered from an earlier call
		return out, errors.Join(err, s.keys.Forget(context.WithoutCancel(ctx), d.ID))
	}
	return out, nil
}

func (s *Service) open(ctx context.Context, d Dataset) (out Dataset, err error) {
	err = s.db.Update(ctx, func(tx *db.Tx) (err error) {
		out, err = once.Do(tx, func() (Dataset, error) { return d, insertDataset(tx, d) })
		return err
	})
	if err != nil {
		return Dataset{}, fmt.Errorf("vault: open: %w", err)
	}
	return out, nil
}

// Mine lists a member's datasets, oldest first, shredded ones included.
func (s *Service) Mine(ctx context.Context, m coop.MemberID) (out []Dataset, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		out, err = datasetsOf(tx, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("vault: list: %w", err)
	}
	return out, nil
}

// Get answers one of a member's datasets. Error: ErrNotFound, also for another
// member's.
func (s *Service) Get(ctx context.Context, m coop.MemberID, ds coop.DatasetID) (out Dataset, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		out, err = ownDataset(tx, m, ds)
		return err
	})
	return out, err
}

// Content answers a member's own file as it was uploaded: original header and
// payload. It needs no keys and works while the vault is sealed.
//
// Errors: ErrNotFound, ErrNotSealed, ErrRevoked.
func (s *Service) Content(ctx context.Context, m coop.MemberID, ds coop.DatasetID) (out Delivery, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		d, err := ownDataset(tx, m, ds)
		if err != nil {
			return err
		}
		if err := d.deliverable(); err != nil {
			return err
		}
		hdr, err := originalHeader(tx, ds)
		if err != nil {
			return fmt.Errorf("vault: content: %w", err)
		}
		out = s.delivery(d, hdr, func(*db.Tx) error { return nil })
		return nil
	})
	return out, err
}

// deliverable refuses every state but available.
func (d Dataset) deliverable() error {
	switch d.State {
	case StateAvailable:
		return nil
	case StateShredding, StateShredded:
		return ErrRevoked
	}
	return ErrNotSealed
}

// ownDataset finds a dataset of m; another member's is not found.
func ownDataset(tx *db.Tx, m coop.MemberID, ds coop.DatasetID) (Dataset, error) {
	if !coop.ValidID(ds) {
		return Dataset{}, ErrNotFound
	}
	d, err := getDataset(tx, ds)
	switch {
	case errors.Is(err, db.ErrNoRow):
		return Dataset{}, ErrNotFound
	case err != nil:
		return Dataset{}, fmt.Errorf("vault: dataset: %w", err)
	case d.Member != m:
		return Dataset{}, ErrNotFound
	}
	return d, nil
}
