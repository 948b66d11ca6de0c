package vault

import (
	"fmt"
	"time"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// Restored is what had to be done to a database that came out of a backup.
type Restored struct {
	Revoked int // datasets that were revoked again
	Unknown int // revocations of what the backup does not hold
	Dropped int // uploads, which begin anew
}

// Restored puts a database right that came out of a backup, in the caller's
// transaction, before anything is served from it: it revokes what the entries
// of the co-op's log say was revoked since, under their places in the log, and
// forgets uploads under way, whose bytes no backup holds. If an entry names
// nothing here, it forgets complete uploads too that were never sealed: one of
// them may have been replaced and revoked under another name. Sweep then
// destroys what is condemned.
func (s *Service) Restored(tx *db.Tx, since []audit.Leaf) (out Restored, err error) {
	here, err := takeInventory(tx, s.now())
	if err != nil {
		return out, fmt.Errorf("vault: restored: %w", err)
	}
	held := make(map[string]coop.DatasetID, len(here.Payloads))
	for _, p := range here.Payloads {
		held[hexSHA256([]byte(p.Blob))] = p.Dataset
	}
	for _, u := range here.Growing {
		held[hexSHA256([]byte(u.Blob))] = u.Dataset
	}
	for _, leaf := range since {
		if leaf.Kind != kindRevoked {
			continue
		}
		ds, ok := held[leaf.Erases]
		if !ok {
			out.Unknown++
			continue
		}
		if err := s.revokeAgain(tx, ds, leaf); err != nil {
			return out, fmt.Errorf("vault: restored: %w", err)
		}
		out.Revoked++
	}
	if out.Dropped, err = dropUnfinished(tx, out.Unknown > 0); err != nil {
		return out, fmt.Errorf("vault: restored: %w", err)
	}
	return out, nil
}

func (s *Service) revokeAgain(tx *db.Tx, ds coop.DatasetID, leaf audit.Leaf) error {
	d, err := getDataset(tx, ds)
	if err != nil {
		return err
	}
	at := time.Unix(leaf.Hour*int64(time.Hour/time.Second), 0)
	if sealed := time.UnixMilli(d.SealedAt); at.Before(sealed) {
		at = sealed
	}
	if now := s.cfg.Clock(); at.After(now) { // by another clock; it holds from now on
		at = now
	}
	t, err := s.condemn(tx, d, at)
	if err != nil {
		return err
	}
	t.LogIndex = leaf.Index
	return bury(tx, d, t)
}

// dropUnfinished forgets uploads under way, or all of them.
func dropUnfinished(tx *db.Tx, complete bool) (n int, err error) {
	rows, err := expiredUploads(tx, coop.Forever)
	if err != nil {
		return 0, err
	}
	for _, u := range rows {
		if u.Complete && !complete {
			continue
		}
		if err := dropRow(tx, u, coop.Forever); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
