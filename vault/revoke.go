package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault/blobs"
)

// kindRevoked is what the log calls a revocation.
const kindRevoked = "dataset.revoked"

// shredPatience is how long one round of destruction waits for readers to let
// go of a write-ahead log. What it cannot finish, Sweep does.
const shredPatience = 10 * time.Second

// Revoke withdraws a dataset in whatever state it is and destroys it. The
// first transaction decides: after it nothing is delivered any more, from the
// next byte on. Then the key, the headers, the ciphertext and what the logs
// hold of them are destroyed. The receipt says how far that came; if something
// is left over, it says so, Sweep finishes it, and Receipt answers the final
// one. Revoking twice answers the receipt again.
//
// It needs no master key and does not stop when the caller goes away.
// Error: ErrNotFound.
func (s *Service) Revoke(ctx context.Context, m coop.MemberID, ds coop.DatasetID) (Receipt, error) {
	ctx = context.WithoutCancel(ctx)
	err := s.urgently(ctx, func() error {
		return s.db.Update(ctx, func(tx *db.Tx) error {
			d, err := ownDataset(tx, m, ds)
			if err != nil || d.State == StateShredding || d.State == StateShredded {
				return err
			}
			if err := s.revoke(tx, d); err != nil {
				return fmt.Errorf("vault: revoke: %w", err)
			}
			return nil
		})
	})
	if err != nil {
		return Receipt{}, err
	}
	s.revoked.add(ds)
	return s.shred(ctx, ds)
}

// revoke does everything about a revocation that is a row in the database.
func (s *Service) revoke(tx *db.Tx, d Dataset) error {
	t, err := s.condemn(tx, d, s.cfg.Clock())
	if err != nil {
		return err
	}
	t.LogIndex, err = s.cfg.Log.Append(tx, audit.Event{Kind: kindRevoked, Erases: t.BlobSHA256, Record: map[string]any{
		"dataset": string(d.ID), "member": string(d.Member), "blob_sha256": t.BlobSHA256,
		"header_sha256": d.HeaderSHA256, "grants": t.Grants, "deliveries": d.Deliveries,
	}})
	if err != nil {
		return err
	}
	return bury(tx, d, t)
}

// condemn drops what can be delivered from and closes consent. It answers the
// tombstone, which is not set and knows no place in the log yet.
func (s *Service) condemn(tx *db.Tx, d Dataset, at time.Time) (tombstone, error) {
	blob, err := s.dropEverything(tx, d)
	if err != nil {
		return tombstone{}, err
	}
	t := tombstone{Dataset: d.ID, Blob: blob, BlobSHA256: hexSHA256([]byte(blob)), HeaderSHA256: d.HeaderSHA256, CreatedAt: at.UnixMilli()}
	if blob == "" { // nothing was uploaded; the log need not tell
		t.BlobSHA256 = hexSHA256([]byte(blobs.NewName()))
	}
	if t.Grants, err = deleteGrants(tx, d.ID); err != nil {
		return tombstone{}, err
	}
	if err := closeApprovals(tx, d.ID, at.UnixMilli()); err != nil {
		return tombstone{}, err
	}
	if d.SealedAt > 0 {
		err = s.cfg.Consent.Close(tx, d.ID, at)
	}
	return t, err
}

func bury(tx *db.Tx, d Dataset, t tombstone) error {
	if err := insertTombstone(tx, t); err != nil {
		return err
	}
	return revokeDataset(tx, d.ID, t.CreatedAt, d.Deliveries)
}

// dropEverything deletes header and upload and names the file that is left.
func (s *Service) dropEverything(tx *db.Tx, d Dataset) (blob string, err error) {
	if err := deleteHeader(tx, d.ID); err != nil {
		return "", err
	}
	if d.Upload == "" {
		return d.blob, nil
	}
	row, err := getUpload(tx, d.Upload)
	if err != nil {
		return "", err
	}
	return row.Blob, deleteUpload(tx, row.ID, coop.Forever)
}

// shred destroys what a committed revocation has condemned, or answers the
// receipt if that is done. Each step can be repeated. An incomplete receipt
// comes with no error: the revocation stands; why a step failed is logged.
func (s *Service) shred(ctx context.Context, ds coop.DatasetID) (Receipt, error) {
	d, t, err := s.condemned(ctx, ds)
	if err != nil {
		return Receipt{}, err
	}
	if len(t.Receipt) > 0 {
		return ParseReceipt(t.Receipt)
	}
	var done steps
	err = s.urgently(ctx, func() (err error) {
		done, err = s.destroy(ctx, t)
		return err
	})
	var dark darkness
	if err == nil {
		// asked once the key is deleted: until then it could move to a newer epoch
		dark.epoch, dark.by, err = s.keys.Darkness(ctx)
	}
	if err != nil {
		s.cfg.Logger.ErrorContext(ctx, "vault: shredding is incomplete; the sweeper tries again", "error", err)
		return s.sign(d, t, done, dark)
	}
	d.State, d.ShreddedAt = StateShredded, s.now()
	receipt, err := s.sign(d, t, done, dark)
	if err != nil {
		return Receipt{}, err
	}
	text, err := receipt.JSON()
	if err != nil {
		return Receipt{}, err
	}
	err = s.urgently(ctx, func() error {
		return s.db.Update(ctx, func(tx *db.Tx) error { return finishShredding(tx, d, text) })
	})
	if errors.Is(err, db.ErrNoRow) { // another call was faster: its receipt stands
		return s.shred(ctx, ds)
	}
	if err != nil { // all is destroyed but the note of it is missing: the sweeper writes it
		s.cfg.Logger.ErrorContext(ctx, "vault: shredding is complete but not recorded; the sweeper tries again", "error", err)
	}
	return receipt, nil
}

func (s *Service) condemned(ctx context.Context, ds coop.DatasetID) (d Dataset, t tombstone, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) (err error) {
		if d, err = getDataset(tx, ds); err != nil {
			return err
		}
		t, err = getTombstone(tx, ds)
		return err
	})
	if err != nil {
		return d, t, fmt.Errorf("vault: shred: %w", err)
	}
	return d, t, nil
}

// steps is what of a destruction has been achieved.
type steps struct{ key, keyLog, log, file bool }

// destroy takes every step it can, also after one has failed.
func (s *Service) destroy(ctx context.Context, t tombstone) (steps, error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	var done steps
	forgotten := s.keys.Forget(ctx, t.Dataset)
	done.key = forgotten == nil
	unlinked := s.cfg.Blobs.Remove(ctx, t.Blob)
	done.file = unlinked == nil
	keyLog := s.keys.Truncate(ctx)
	done.keyLog = done.key && keyLog == nil
	log := s.db.Truncate(ctx, headerTables...)
	done.log = log == nil
	return done, errors.Join(forgotten, unlinked, keyLog, log)
}

// Receipt answers the receipt of a revoked dataset, as far as shredding has
// come. Errors: ErrNotFound, also if the dataset is not revoked.
func (s *Service) Receipt(ctx context.Context, m coop.MemberID, ds coop.DatasetID) (Receipt, error) {
	d, err := s.Get(ctx, m, ds)
	if err != nil {
		return Receipt{}, err
	}
	if d.State != StateShredding && d.State != StateShredded {
		return Receipt{}, ErrNotFound
	}
	return s.shred(context.WithoutCancel(ctx), ds)
}
