package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// Checked is what Verify has found.
type Checked struct {
	Datasets int64 // that are available
	Signed   int64 // of them with a manifest that their member signed
	Bytes    int64 // that were read
	Wrong    []Mismatch
}

// Mismatch is a dataset that is not what was sealed.
type Mismatch struct {
	Dataset  coop.DatasetID
	Sentence string
}

// Verify reads every available dataset from where it is kept and compares it
// with its manifest, and the manifest with the member's signature. It goes on
// after a mismatch and answers them all. Progress, unless nil, is told how many
// payload bytes have been read of how many.
func (s *Service) Verify(ctx context.Context, progress func(done, total int64)) (out Checked, err error) {
	inventory, err := TakeInventory(ctx, s.db, s.cfg.Clock())
	if err != nil {
		return out, err
	}
	var total int64
	for _, p := range inventory.Payloads {
		if p.Sealed {
			total += p.Size
		}
	}
	if progress == nil {
		progress = func(int64, int64) {}
	}
	for _, p := range inventory.Payloads {
		if !p.Sealed {
			continue
		}
		before := out.Bytes
		read := func(n int64) { out.Bytes += n; progress(out.Bytes, total) }
		d, wrong, err := s.verify(ctx, p.Dataset, read)
		if err != nil {
			return out, fmt.Errorf("vault: verify: %w", err)
		}
		if d.State != StateAvailable { // revoked meanwhile
			out.Bytes = before
			continue
		}
		out.Datasets++
		if len(d.Signature) > 0 {
			out.Signed++
		}
		if wrong != "" {
			out.Wrong = append(out.Wrong, Mismatch{p.Dataset, wrong})
		}
	}
	return out, nil
}

func (s *Service) verify(ctx context.Context, ds coop.DatasetID, read func(int64)) (d Dataset, wrong string, err error) {
	var hdr []byte
	err = s.db.View(ctx, func(tx *db.Tx) (err error) {
		if d, err = getDataset(tx, ds); err != nil || d.State != StateAvailable {
			return err
		}
		hdr, err = originalHeader(tx, ds)
		if errors.Is(err, db.ErrNoRow) {
			return nil // which its hash will not fit
		}
		return err
	})
	if err != nil || d.State != StateAvailable {
		return d, "", err
	}
	wrong = d.differs(s.cfg.Blobs.Digest(ctx, d.blob, d.PayloadSize, read))
	if wrong == "" && hexSHA256(hdr) != d.HeaderSHA256 {
		wrong = "its header is not the one that was sealed"
	}
	if wrong == "" && len(d.Signature)+len(d.SigningKey) > 0 && d.Manifest().Verify(d.SigningKey, d.Signature) != nil {
		wrong = "its manifest is not what its member has signed"
	}
	if wrong != "" && ctx.Err() == nil && errors.Is(s.standing(ds, func(*db.Tx) error { return nil }), ErrRevoked) {
		return Dataset{}, "", nil
	}
	return d, wrong, ctx.Err()
}

// differs says in what way a payload is not the sealed one.
func (d Dataset) differs(sum string, size int64, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "its payload is missing"
	case err != nil:
		return "its payload cannot be read"
	case size < d.PayloadSize:
		return "its payload is cut short"
	case size > d.PayloadSize || sum != d.PayloadSHA256:
		return "its payload is not the one that was sealed"
	}
	return ""
}
