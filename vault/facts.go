package vault

import (
	"context"
	"errors"
	"fmt"

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
