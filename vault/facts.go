package vault

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault/header"
)

// Facts is what other rooms may know of a sealed dataset.
type Facts struct {
	Dataset       coop.DatasetID
	Member        coop.MemberID
	Pool          coop.PoolID
	Profile       Profile
	Raw           bool
	SelfCustody   bool  // deliveries wait for the member's client
	Size          int64 // of the age file as the named recipient would get it
	PayloadSize   int64
	PayloadSHA256 string
	Sealed        int64 // Unix milliseconds
	Revoked       int64 // Unix milliseconds, 0 while it stands
	Shredded      bool  // revoked: nothing opens it any more
}

// Facts answers what is known of a dataset, revoked or not, in the caller's
// transaction. Size is that of a delivery to recipient; with none, the header
// is not counted. Error: ErrNotFound, also before sealing.
func (s *Service) Facts(tx *db.Tx, ds coop.DatasetID, recipient string) (Facts, error) {
	d, err := getDataset(tx, ds)
	if errors.Is(err, db.ErrNoRow) || err == nil && d.SealedAt == 0 {
		return Facts{}, ErrNotFound
	}
	if err != nil {
		return Facts{}, fmt.Errorf("vault: facts: %w", err)
	}
	f := Facts{Dataset: d.ID, Member: d.Member, Pool: d.Pool, Profile: d.Profile, Raw: d.Raw, SelfCustody: d.SelfCustody, Size: d.PayloadSize,
		PayloadSize: d.PayloadSize, PayloadSHA256: d.PayloadSHA256, Sealed: d.SealedAt, Revoked: d.RevokedAt,
		Shredded: d.State != StateAvailable}
	if recipient != "" {
		f.Size += header.Size(header.Kind(recipient))
	}
	return f, nil
}

// Info is Facts in a snapshot of its own.
func (s *Service) Info(ctx context.Context, ds coop.DatasetID) (f Facts, err error) {
	err = s.db.View(ctx, func(tx *db.Tx) error {
		f, err = s.Facts(tx, ds, "")
		return err
	})
	return f, err
}

// Infos is Facts of many datasets; those that are not sealed are left out.
func (s *Service) Infos(tx *db.Tx, ids ...coop.DatasetID) (map[coop.DatasetID]Facts, error) {
	out := make(map[coop.DatasetID]Facts, len(ids))
	for _, ds := range ids {
		f, err := s.Facts(tx, ds, "")
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out[ds] = f
	}
	return out, nil
}

// Verify reads every available dataset from the disk and recomputes its
// hashes. It answers how many there are; the error names the first that does
// not hold what was sealed.
func (s *Service) Verify(ctx context.Context) (datasets int64, err error) {
	var ids []coop.DatasetID
	err = s.db.View(ctx, func(tx *db.Tx) error {
		ids, err = availableDatasets(tx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("vault: verify: %w", err)
	}
	for _, ds := range ids {
		if err := s.verify(ctx, ds); err != nil {
			return datasets, fmt.Errorf("vault: verify %s: %w", ds, err)
		}
		datasets++
	}
	return datasets, nil
}

var errDiffers = errors.New("what is stored is not what was sealed")

func (s *Service) verify(ctx context.Context, ds coop.DatasetID) error {
	var d Dataset
	var hdr []byte
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		if d, err = getDataset(tx, ds); err != nil || d.State != StateAvailable {
			return err
		}
		hdr, err = originalHeader(tx, ds)
		return err
	})
	if err != nil || d.State != StateAvailable {
		return err
	}
	file, err := s.cfg.Blobs.Open(ctx, d.blob)
	if err != nil {
		return s.unlessRevoked(ds, err)
	}
	hash := sha256.New()
	size, err := io.Copy(hash, io.NewSectionReader(file, 0, d.PayloadSize+1))
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	if size != d.PayloadSize || hex.EncodeToString(hash.Sum(nil)) != d.PayloadSHA256 || hexSHA256(hdr) != d.HeaderSHA256 {
		return errDiffers
	}
	return nil
}

// unlessRevoked keeps an error only if the dataset still stands.
func (s *Service) unlessRevoked(ds coop.DatasetID, err error) error {
	if errors.Is(s.standing(ds), ErrRevoked) {
		return nil
	}
	return err
}
