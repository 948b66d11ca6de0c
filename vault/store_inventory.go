package vault

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// Payload is a whole payload that a row knows.
type Payload struct {
	Dataset coop.DatasetID
	Blob    string // its name in the storage
	SHA256  string
	Size    int64
	Sealed  bool // false: complete, and waits for being sealed
}

// Inventory is what the vault's tables say that there must be elsewhere, and
// what is still to be done.
type Inventory struct {
	Payloads  []Payload        // by name
	Growing   []Payload        // of uploads under way; size and hash are not known
	Keyed     []coop.DatasetID // whose key the keystore must hold
	Shredding int64            // revoked datasets whose bytes are not all destroyed
	Expired   int64            // uploads that were left alone for too long
	Stale     int64            // headers for researchers whose time is over
}

// TakeInventory reads the vault's tables in any database that has them, such as
// one opened for reading only.
func TakeInventory(ctx context.Context, d *db.DB, now time.Time) (out Inventory, err error) {
	err = d.View(ctx, func(tx *db.Tx) error {
		out, err = takeInventory(tx, now.UnixMilli())
		return err
	})
	if err != nil {
		return Inventory{}, fmt.Errorf("vault: inventory: %w", err)
	}
	return out, nil
}

const (
	sqlPayloads = `SELECT id, blob, payload_sha256, payload_size, TRUE FROM vault_datasets WHERE blob <> ''
	UNION ALL SELECT dataset, blob, payload_sha256, received - LENGTH(head), FALSE FROM vault_uploads WHERE complete = TRUE
	ORDER BY blob`
	sqlGrowing = `SELECT dataset, blob, '', 0, FALSE FROM vault_uploads WHERE complete = FALSE ORDER BY blob`
	sqlKeyed   = `SELECT id FROM vault_datasets WHERE state NOT IN ('shredding', 'shredded') AND custody = 'vault' ORDER BY id`
	sqlUndone  = `SELECT (SELECT COUNT(*) FROM vault_datasets WHERE state = 'shredding'),
	(SELECT COUNT(*) FROM vault_uploads WHERE expires_at <= ?),
	(SELECT COUNT(*) FROM vault_grants WHERE expires_at <= ? AND LENGTH(header) > 0)`
)

func takeInventory(tx *db.Tx, now int64) (out Inventory, err error) {
	scan := func(r *sql.Rows) (p Payload, err error) {
		err = r.Scan(&p.Dataset, &p.Blob, &p.SHA256, &p.Size, &p.Sealed)
		return p, err
	}
	if out.Payloads, err = db.Collect(tx, scan, sqlPayloads); err != nil {
		return out, err
	}
	if out.Growing, err = db.Collect(tx, scan, sqlGrowing); err != nil {
		return out, err
	}
	if out.Keyed, err = datasetIDs(tx, sqlKeyed); err != nil {
		return out, err
	}
	return out, tx.QueryRow(sqlUndone, now, now).Scan(&out.Shredding, &out.Expired, &out.Stale)
}
