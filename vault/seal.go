package vault

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/once"
	"distributed.ai/datacoop/vault/header"
)

// SealInput is what a member's client says when all bytes are in.
type SealInput struct {
	Manifest   Manifest
	Signature  []byte            // by Manifest.Sign
	SigningKey ed25519.PublicKey // the member's registered key; if there is one, the signature is required
	Profile    Profile
	Raw        bool           // the file as it was exported, not the pool's table
	Terms      *consent.Terms // what the member says about this dataset alone; nil: their answer for the pool governs
	Categories []string       // kinds of personal data, as consent.Enrolment takes them; none is fine
	Region     string         // the member's country, ISO 3166-1 alpha-2, or empty
}

// Seal finishes a dataset whose upload is complete: from here on consent alone
// decides who gets it. The header must be acceptable and open under the
// dataset's own identity, the payload's last chunk must be authentic, and the
// manifest must describe what was received. Dataset, header, consent record
// and audit entry are one transaction; nothing changes if any part is refused.
// Honours an idempotency key.
//
// Errors: ErrNotFound, ErrIncomplete, ErrAlreadySealed, ErrRevoked,
// ErrVaultSealed, ErrManifest, ErrSignature, ErrProfile, ErrReplay, ErrChanged,
// those of package header, and those of consent.
func (s *Service) Seal(ctx context.Context, m coop.MemberID, ds coop.DatasetID, in SealInput) (Dataset, error) {
	ready, refusal := s.prepare(ctx, m, ds, in)
	var out Dataset
	err := s.db.Update(ctx, func(tx *db.Tx) (err error) {
		out, err = once.Do(tx, func() (Dataset, error) {
			if refusal != nil {
				return Dataset{}, refusal
			}
			err := s.seal(tx, &ready, in)
			return ready, err
		})
		return err
	})
	if err != nil {
		return Dataset{}, err
	}
	return out, nil
}

// prepare makes every check that needs no write and answers the dataset as it
// will be.
func (s *Service) prepare(ctx context.Context, m coop.MemberID, ds coop.DatasetID, in SealInput) (Dataset, error) {
	var d Dataset
	var row upload
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		if d, err = ownDataset(tx, m, ds); err != nil {
			return err
		}
		if err := d.sealable(); err != nil {
			return err
		}
		row, err = s.uploadOf(tx, m, d.Upload)
		return err
	})
	if err != nil {
		return Dataset{}, err
	}
	d.HeaderSHA256, d.PayloadSHA256, d.PayloadSize = hexSHA256(row.Head), row.PayloadSHA256, row.payloadStored()
	d.Terms, d.Signature, d.SigningKey = in.Manifest.Terms, in.Signature, in.SigningKey
	d.Profile, d.Raw, d.blob = in.Profile.Keyed(s.cfg.Key.Seed(), string(d.Pool)), in.Raw, row.Blob
	if err := in.check(d); err != nil {
		return Dataset{}, err
	}
	return d, s.fits(ctx, d, row.Head)
}

func (d Dataset) sealable() error {
	switch d.State {
	case StateReceived:
		return nil
	case StateAvailable:
		return ErrAlreadySealed
	case StateShredding, StateShredded:
		return ErrRevoked
	}
	return ErrIncomplete
}

// check compares what the client says with what was received.
func (in SealInput) check(d Dataset) error {
	if in.Manifest != d.Manifest() || !in.Manifest.Fit() {
		return ErrManifest
	}
	if len(in.SigningKey) > 0 || len(in.Signature) > 0 {
		if err := in.Manifest.Verify(in.SigningKey, in.Signature); err != nil {
			return err
		}
	}
	if err := in.Profile.Check(); err != nil {
		return err
	}
	if in.Terms == nil {
		return nil
	}
	return in.Terms.Validate()
}

// fits checks header and payload against each other under the dataset's own
// identity. A header made for another dataset fails here. With self-custody the
// vault opens nothing and can look at the form alone.
func (s *Service) fits(ctx context.Context, d Dataset, hdr []byte) error {
	if _, err := header.Inspect(hdr); err != nil || d.SelfCustody {
		return err
	}
	id, err := s.identity(ctx, d.ID)
	if err != nil {
		return err
	}
	file, err := s.cfg.Blobs.Open(ctx, d.blob)
	if errors.Is(err, fs.ErrNotExist) { // cancelled or revoked since it was looked up
		return ErrChanged
	}
	if err != nil {
		return err
	}
	return errors.Join(header.CheckLastChunk(hdr, id, file, d.PayloadSize), file.Close())
}

func (s *Service) seal(tx *db.Tx, d *Dataset, in SealInput) error {
	row, err := getUpload(tx, d.Upload)
	if errors.Is(err, db.ErrNoRow) || err == nil && (!row.Complete || row.Blob != d.blob) {
		return ErrChanged
	}
	if err != nil {
		return fmt.Errorf("vault: seal: %w", err)
	}
	d.State, d.SealedAt, d.Upload = StateAvailable, s.now(), ""
	if err := s.storeSealed(tx, *d, row); err != nil {
		return err
	}
	err = s.cfg.Consent.Enrol(tx, consent.Enrolment{Dataset: d.ID, Member: d.Member, Pool: d.Pool,
		Categories: categories(in.Categories, d.Pool), Region: in.Region, Sealed: d.SealedAt})
	if err != nil {
		return fmt.Errorf("vault: seal: %w", err)
	}
	if in.Terms != nil {
		if _, err := s.cfg.Consent.PutDatasetTx(tx, d.Member, d.ID, *in.Terms); err != nil {
			return fmt.Errorf("vault: seal: %w", err)
		}
	}
	_, err = s.cfg.Log.Append(tx, audit.Event{Kind: "dataset.sealed", Record: map[string]any{
		"dataset": string(d.ID), "member": string(d.Member), "pool": string(d.Pool),
		"header_sha256": d.HeaderSHA256, "payload_sha256": d.PayloadSHA256, "payload_size": d.PayloadSize,
	}})
	if err != nil {
		return fmt.Errorf("vault: seal: %w", err)
	}
	return nil
}

func (s *Service) storeSealed(tx *db.Tx, d Dataset, row upload) error {
	err := sealDataset(tx, d)
	switch {
	case db.IsUnique(err):
		return ErrReplay
	case errors.Is(err, db.ErrNoRow):
		return ErrChanged
	case err != nil:
		return fmt.Errorf("vault: seal: %w", err)
	}
	if err := insertHeader(tx, d.ID, row.Head); err != nil {
		return fmt.Errorf("vault: seal: %w", err)
	}
	if err := deleteUpload(tx, row.ID, coop.Forever); err != nil {
		return fmt.Errorf("vault: seal: %w", err)
	}
	return nil
}

// categories are the kinds of personal data that were said, or else those that a
// pool's datasets hold.
func categories(said []string, pool coop.PoolID) []string {
	if len(said) > 0 {
		return said
	}
	return coop.CategoriesOf(pool)
}
