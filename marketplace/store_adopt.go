package marketplace

import (
	"encoding/json"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
)

const sqlReplaceBundle = `UPDATE marketplace_periods SET bundle = ?, bundle_sha256 = ?, steps = ? WHERE id = ? AND state = 'closed' AND bundle_sha256 = ?`

// replaceBundle puts a statement in the place of the one that p has.
func replaceBundle(tx *db.Tx, p Period, bundle []byte, steps []appraisal.Step) error {
	text, err := json.Marshal(steps)
	if err != nil {
		return failed("steps", err)
	}
	return failed("replace bundle", tx.ExecOne(sqlReplaceBundle, bundle, coop.Digest(bundle), string(text), p.ID, p.BundleSHA256))
}
