package consent

import (
	"database/sql"
	"encoding/json"
	"errors"

	"distributed.ai/datacoop/consent/proof"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

const (
	sqlHasRevision    = `SELECT count(*) FROM consent_revisions WHERE hash = ?`
	sqlInsertRevision = `INSERT INTO consent_revisions (hash, archive, at) VALUES (?, ?, ?)`
)

// keepRevision stores the law a decision was made under, the first time.
func keepRevision(tx *db.Tx, r *policies.Revision, now int64) error {
	if r == nil {
		return nil
	}
	var have int64
	if err := tx.QueryRow(sqlHasRevision, r.Hash()).Scan(&have); err != nil || have > 0 {
		return err
	}
	archive, err := r.Archive()
	if err != nil {
		return err
	}
	return tx.ExecOne(sqlInsertRevision, r.Hash(), archive, now)
}

const sqlRevision = `SELECT archive FROM consent_revisions WHERE hash = ?`

func revisionArchive(tx *db.Tx, hash string) (archive []byte, err error) {
	err = tx.QueryRow(sqlRevision, hash).Scan(&archive)
	return archive, err
}

const sqlInsertDecision = `INSERT INTO consent_decisions
(seq, id, cohort, request, researcher, dataset, member, pool, duo, dpv, stage, allow, needs_review,
 reasons, obligations, rules, revision, input, input_sha256, at, consent_seq, leaf)
VALUES ((` + sqlNextPlace + `), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// insertDecisions appends decisions that share one audit entry.
func insertDecisions(tx *db.Tx, cohort string, leaf int64, decisions ...Decision) error {
	for _, d := range decisions {
		reasons, err := proof.Canonical(d.Reasons)
		if err != nil {
			return err
		}
		obligations, err := proof.Canonical(d.Obligations)
		if err != nil {
			return err
		}
		rules, err := proof.Canonical(d.Rules)
		if err != nil {
			return err
		}
		err = tx.ExecOne(sqlInsertDecision, d.ID, cohort, d.Request, d.Researcher, d.Dataset, d.Member, d.Pool,
			d.Purpose.DUO, d.Purpose.DPV, d.Stage, bit(d.Allow), bit(d.NeedsReview),
			string(reasons), string(obligations), string(rules), d.Revision, string(d.input), d.InputSHA256, d.At, d.ConsentSeq, leaf)
		if err != nil {
			return err
		}
	}
	return nil
}

const sqlDecisionColumns = `SELECT seq, id, request, researcher, dataset, member, pool, duo, dpv, stage, allow, needs_review,
reasons, obligations, rules, revision, input, input_sha256, at, consent_seq FROM consent_decisions`

// stored is a decision with its place.
type stored struct {
	Decision
	seq int64
}

func scanDecision(r *sql.Rows) (stored, error) {
	var d stored
	var reasons, obligations, rules string
	err := r.Scan(&d.seq, &d.ID, &d.Request, &d.Researcher, &d.Dataset, &d.Member, &d.Pool, &d.Purpose.DUO, &d.Purpose.DPV,
		&d.Stage, &d.Allow, &d.NeedsReview, &reasons, &obligations, &rules, &d.Revision, &d.input, &d.InputSHA256, &d.At, &d.ConsentSeq)
	if err != nil {
		return stored{}, err
	}
	if rules != "" {
		err = json.Unmarshal([]byte(rules), &d.Rules)
	}
	return d, errors.Join(err, json.Unmarshal([]byte(reasons), &d.Reasons), json.Unmarshal([]byte(obligations), &d.Obligations))
}

const sqlCountDecisions = `SELECT (SELECT count(*) FROM consent_decisions WHERE at >= ?) +
(SELECT CAST(coalesce(sum(granted + refused), 0) AS BIGINT) FROM consent_cohorts WHERE seq > 0 AND at >= ?)`

// countDecisions counts what was decided at since or later, one by one or in a
// cohort.
func countDecisions(tx *db.Tx, since int64) (n int, err error) {
	err = tx.QueryRow(sqlCountDecisions, since, since).Scan(&n)
	return n, err
}

const sqlDecisionsAfter = sqlDecisionColumns + ` WHERE seq > ? AND at >= ? ORDER BY seq LIMIT ?`

// decisionsAfter reads a page of decisions made at since or later.
func decisionsAfter(tx *db.Tx, seq, since int64, limit int) ([]stored, error) {
	return db.Collect(tx, scanDecision, sqlDecisionsAfter, seq, since, limit)
}

const (
	sqlUses  = sqlDecisionColumns + ` WHERE member = ? AND seq < ? ORDER BY seq DESC LIMIT ?`
	sqlPlace = `SELECT seq FROM consent_decisions WHERE id = ? AND member = ?`
)

// decisionPlace finds a decision about a member's data by its id.
func decisionPlace(tx *db.Tx, m coop.MemberID, id string) (seq int64, err error) {
	err = tx.QueryRow(sqlPlace, id, m).Scan(&seq)
	return seq, err
}

// decisionsBefore reads a member's decisions before a place, newest first.
func decisionsBefore(tx *db.Tx, m coop.MemberID, seq int64, limit int) ([]stored, error) {
	return db.Collect(tx, scanDecision, sqlUses, m, seq, limit)
}

func plainDecisions(list []stored) []Decision {
	out := make([]Decision, 0, len(list))
	for _, d := range list {
		out = append(out, d.Decision)
	}
	return out
}

const sqlCohortOutcomes = sqlDecisionColumns + ` WHERE cohort = ? ORDER BY dataset`

func cohortOutcomes(tx *db.Tx, id string) ([]Decision, error) {
	list, err := db.Collect(tx, scanDecision, sqlCohortOutcomes, id)
	return plainDecisions(list), err
}
