package trial

import (
	"encoding/json"
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const insertSQL = `
INSERT INTO governance_rehearsals (proposal, law, plan_sha256, pieces, done, total, left_out, laws, found, past, failures, reason, started_at, ended_at)
VALUES (?, '', '', 0, 0, 0, 0, ?, ?, ?, 0, '', 0, 0)`

func insert(tx *db.Tx, id coop.ProposalID) error {
	return tx.ExecOne(insertSQL, id, []byte("[]"), []byte("{}"), []byte("{}"))
}

const selectSQL = `
SELECT law, plan_sha256, pieces, done, total, left_out, laws, found, past, failures, reason, started_at, ended_at
FROM governance_rehearsals WHERE proposal = ?`

func find(tx *db.Tx, id coop.ProposalID) (Rehearsal, error) {
	var r Rehearsal
	var found, past, laws []byte
	err := tx.QueryRow(selectSQL, id).Scan(&r.Law, &r.plan, &r.pieces, &r.Done, &r.Total, &r.Left, &laws, &found, &past,
		&r.failures, &r.Reason, &r.StartedAt, &r.EndedAt)
	if errors.Is(err, db.ErrNoRow) {
		return Rehearsal{State: Untried}, nil
	}
	if err == nil {
		err = errors.Join(json.Unmarshal(laws, &r.laws), json.Unmarshal(found, &r.found), json.Unmarshal(past, &r.past))
	}
	if err != nil {
		return Rehearsal{}, fmt.Errorf("trial: reading a rehearsal: %w", err)
	}
	switch {
	case r.EndedAt > 0 && r.Reason != "":
		r.State = Failed
	case r.EndedAt > 0:
		r.State = Ended
	case r.StartedAt > 0:
		r.State = Running
	default:
		r.State = Waiting
	}
	return r, nil
}

const updateSQL = `
UPDATE governance_rehearsals SET law = ?, plan_sha256 = ?, pieces = ?, done = ?, total = ?, left_out = ?, laws = ?, found = ?, past = ?,
failures = ?, reason = ?, started_at = ?, ended_at = ? WHERE proposal = ? AND ended_at = 0`

// update writes down how far a rehearsal is; one that has ended stays as it is.
func update(tx *db.Tx, id coop.ProposalID, r Rehearsal) error {
	var texts [3][]byte
	for i, part := range []any{r.laws, r.found, r.past} {
		text, err := json.Marshal(part)
		if err != nil {
			return fmt.Errorf("trial: %w", err)
		}
		texts[i] = text
	}
	return tx.ExecOne(updateSQL, r.Law, r.plan, r.pieces, r.Done, r.Total, r.Left, texts[0], texts[1], texts[2],
		r.failures, r.Reason, r.StartedAt, r.EndedAt, id)
}
