package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/once"
	"distributed.ai/datacoop/vault/blobs"
	"distributed.ai/datacoop/vault/header"
)

// How long an upload waits: for its next part, and, once complete, for being
// sealed. The second is long because a locked vault makes members wait.
const (
	uploadLife   = 72 * time.Hour
	completeLife = 60 * 24 * time.Hour
)

// minTotal is the shortest age file there is: a header for one X25519
// recipient, a nonce and the tag of an empty chunk.
const minTotal = 168 + 16 + 16

// Upload is a file on its way in. Offset bytes of it are on disk.
type Upload struct {
	ID        coop.UploadID
	Dataset   coop.DatasetID
	Total     int64 // of the whole age file, header included
	Offset    int64
	Complete  bool
	CreatedAt int64
	ExpiresAt int64

	// Of a complete upload, to compare a manifest with.
	HeaderSHA256  string
	PayloadSHA256 string
	PayloadSize   int64
}

// CreateUpload begins the upload of an age file of total bytes for a dataset.
// A dataset has one upload at a time. Honours an idempotency key.
//
// Errors: ErrNotFound, ErrLength, ErrTooLarge, ErrUploadExists,
// ErrAlreadySealed, ErrRevoked, ErrQuota, ErrTooManyUploads.
func (s *Service) CreateUpload(ctx context.Context, m coop.MemberID, ds coop.DatasetID, total int64) (Upload, error) {
	switch {
	case total < minTotal:
		return Upload{}, ErrLength
	case total > s.cfg.MaxBytes:
		return Upload{}, ErrTooLarge
	}
	var out Upload
	err := s.db.Update(ctx, func(tx *db.Tx) (err error) {
		out, err = once.Do(tx, func() (Upload, error) { return s.createUpload(tx, m, ds, total) })
		return err
	})
	return out, err
}

func (s *Service) createUpload(tx *db.Tx, m coop.MemberID, ds coop.DatasetID, total int64) (Upload, error) {
	d, err := ownDataset(tx, m, ds)
	if err != nil {
		return Upload{}, err
	}
	switch d.State {
	case StateUploading, StateReceived:
		return Upload{}, ErrUploadExists
	case StateAvailable:
		return Upload{}, ErrAlreadySealed
	case StateShredding, StateShredded:
		return Upload{}, ErrRevoked
	}
	if err := s.room(tx, m, total); err != nil {
		return Upload{}, err
	}
	row := upload{ID: coop.UploadID(coop.NewID()), Dataset: ds, Member: m, Blob: blobs.NewName(), Total: total,
		CreatedAt: s.now(), ExpiresAt: s.after(uploadLife)}
	if err := insertUpload(tx, row); err != nil {
		return Upload{}, fmt.Errorf("vault: create upload: %w", err)
	}
	if err := setState(tx, ds, StateOpen, StateUploading); err != nil {
		return Upload{}, fmt.Errorf("vault: create upload: %w", err)
	}
	return row.public(), nil
}

func (s *Service) after(d time.Duration) int64 { return s.cfg.Clock().Add(d).UnixMilli() }

// Upload answers how far a member's upload has come. It is asked by whoever
// goes on with it: a part that is still being received is ended as Append does.
// Errors: ErrUploadNotFound, ErrUploadExpired.
func (s *Service) Upload(ctx context.Context, m coop.MemberID, id coop.UploadID) (Upload, error) {
	if _, err := s.ownUpload(ctx, m, id); err != nil {
		return Upload{}, err
	}
	s.writing.succeed(ctx, id)
	row, err := s.ownUpload(ctx, m, id)
	if err != nil {
		return Upload{}, err
	}
	return row.public(), nil
}

// ownUpload finds an upload of m; with ErrUploadExpired it still answers it.
func (s *Service) ownUpload(ctx context.Context, m coop.MemberID, id coop.UploadID) (row upload, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		row, err = s.uploadOf(tx, m, id)
		return err
	})
	return row, err
}

func (s *Service) uploadOf(tx *db.Tx, m coop.MemberID, id coop.UploadID) (upload, error) {
	if !coop.ValidID(id) {
		return upload{}, ErrUploadNotFound
	}
	row, err := getUpload(tx, id)
	switch {
	case errors.Is(err, db.ErrNoRow):
		return upload{}, ErrUploadNotFound
	case err != nil:
		return upload{}, fmt.Errorf("vault: upload: %w", err)
	case row.Member != m:
		return upload{}, ErrUploadNotFound
	case row.ExpiresAt <= s.now():
		return row, ErrUploadExpired
	}
	return row, nil
}

// Cancel ends an upload, complete or not, that is not sealed yet, and deletes
// what has come of it. The dataset is open again. Error: ErrUploadNotFound.
func (s *Service) Cancel(ctx context.Context, m coop.MemberID, id coop.UploadID) error {
	row, err := s.ownUpload(ctx, m, id)
	if err != nil && !errors.Is(err, ErrUploadExpired) {
		return err
	}
	return s.dropUpload(ctx, row, coop.Forever)
}

// dropUpload forgets an upload that expires before the given time, and then
// its bytes: a crash in between leaves a file without a row, which Sweep
// removes.
func (s *Service) dropUpload(ctx context.Context, row upload, before int64) error {
	err := s.db.Update(ctx, func(tx *db.Tx) error { return dropRow(tx, row, before) })
	if errors.Is(err, db.ErrNoRow) {
		return ErrUploadNotFound
	}
	if err != nil {
		return fmt.Errorf("vault: drop upload: %w", err)
	}
	return s.cfg.Blobs.Remove(ctx, row.Blob)
}

func dropRow(tx *db.Tx, row upload, before int64) error {
	if err := deleteUpload(tx, row.ID, before); err != nil {
		return err
	}
	return reopenDataset(tx, row.Dataset)
}

// payloadStored is how much of the payload is on disk.
func (u upload) payloadStored() int64 {
	if !u.HeadWhole {
		return 0
	}
	return u.Received - int64(len(u.Head))
}

func (u upload) public() Upload {
	out := Upload{ID: u.ID, Dataset: u.Dataset, Total: u.Total, Offset: u.Received, Complete: u.Complete,
		CreatedAt: u.CreatedAt, ExpiresAt: u.ExpiresAt}
	if u.Complete {
		out.HeaderSHA256, out.PayloadSHA256, out.PayloadSize = hexSHA256(u.Head), u.PayloadSHA256, u.payloadStored()
	}
	return out
}

// whole checks what can be checked of a file whose last byte has come.
func (u upload) whole() error {
	switch {
	case !u.HeadWhole:
		return header.ErrTruncated
	case !header.ValidPayloadSize(u.payloadStored()):
		return header.ErrPayloadSize
	}
	return nil
}
