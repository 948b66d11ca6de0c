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
 reasons, obligations, revision, input, input_sha256, at, consent_seq, leaf)
VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM consent_decisions), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

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
		err = tx.ExecOne(sqlInsertDecision, d.ID, cohort, d.Request, d.Researcher, d.Dataset, d.Member, d.Pool,
			d.Purpose.DUO, d.Purpose.DPV, d.Stage, bit(d.Allow), bit(d.NeedsReview),
			string(reasons), string(obligations), d.Revision, string(d.input), d.InputSHA256, d.At, d.ConsentSeq, leaf)
		if err != nil {
			return err
		}
	}
	return nil
}

const sqlDecisionColumns = `SELECT seq, id, request, researcher, dataset, member, pool, duo, dpv, stage, allow, needs_review,
reasons, obligations, revision, input, input_sha256, at, consent_seq FROM consent_decisions`

// stored is a decision with its place.
type stored struct {
	Decision
	seq int64
}

func scanDecision(r *sql.Rows) (stored, error) {
	var d stored
	var reasons, obligations string
	err := r.Scan(&d.seq, &d.ID, &d.Request, &d.Researcher, &d.Dataset, &d.Member, &d.Pool, &d.Purpose.DUO, &d.Purpose.DPV,
		&d.Stage, &d.Allow, &d.NeedsReview, &reasons, &obligations, &d.Revision, &d.input, &d.InputSHA256, &d.At, &d.ConsentSeq)
	if err != nil {
		return stored{}, err
	}
	return d, errors.Join(json.Unmarshal([]byte(reasons), &d.Reasons), json.Unmarshal([]byte(obligations), &d.Obligations))
}

const sqlDecisionsAfter = sqlDecisionColumns + ` WHERE seq > ? AND at >= ? ORDER BY seq LIMIT ?`

// decisionsAfter reads a page of decisions made at since or later.
func decisionsAfter(tx *db.Tx, seq, since int64, limit int) ([]stored, error) {
	return db.Collect(tx, scanDecision, sqlDecisionsAfter, seq, since, limit)
}

const (
	sqlUses     = sqlDecisionColumns + ` WHERE member = ? AND seq < ? ORDER BY seq DESC LIMIT ?`
	sqlCursor   = `SELECT seq FROM consent_decisions WHERE id = ? AND member = ?`
	endOfFuture = int64(1) << 62
)

// usesBefore reads a member's decisions, newest first, older than the decision
// named before; "" is from the newest.
func usesBefore(tx *db.Tx, m coop.MemberID, before string, limit int) ([]Decision, error) {
	seq := endOfFuture
	if before != "" {
		if err := tx.QueryRow(sqlCursor, before, m).Scan(&seq); err != nil {
			return nil, err
		}
	}
	list, err := db.Collect(tx, scanDecision, sqlUses, m, seq, limit)
	return plainDecisions(list), err
}

const (
	sqlByRequest      = sqlDecisionColumns + ` WHERE request = ? ORDER BY seq`
	sqlByRequestStage = sqlDecisionColumns + ` WHERE request = ? AND stage = ? ORDER BY seq`
)

func decisionsByRequest(tx *db.Tx, r coop.RequestID, stage string) ([]Decision, error) {
	var list []stored
	var err error
	if stage == "" {
		list, err = db.Collect(tx, scanDecision, sqlByRequest, r)
	} else {
		list, err = db.Collect(tx, scanDecision, sqlByRequestStage, r, stage)
	}
	return plainDecisions(list), err
}

func plainDecisions(list []stored) []Decision {
	out := make([]Decision, 0, len(list))
	for _, d := range list {
		out = append(out, d.Decision)
	}
	return out
}

const sqlInsertCohort = `INSERT INTO consent_cohorts
(id, request, pool, revision, granted, refused, digest, consent_seq, at, leaf) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

func insertCohort(tx *db.Tx, e cohortEvent, revision string, leaf int64) error {
	return tx.ExecOne(sqlInsertCohort, e.Cohort, e.Request, e.Pool, revision, e.Granted, e.Refused, e.Digest, e.ConsentSeq, e.At, leaf)
}

const (
	sqlCohortsAfter   = `SELECT id, digest FROM consent_cohorts WHERE id > ? ORDER BY id LIMIT ?`
	sqlCohortOutcomes = sqlDecisionColumns + ` WHERE cohort = ? ORDER BY dataset`
)

type cohortDigest struct{ id, digest string }

func cohortsAfter(tx *db.Tx, id string, limit int) ([]cohortDigest, error) {
	return db.Collect(tx, func(r *sql.Rows) (c cohortDigest, err error) {
		err = r.Scan(&c.id, &c.digest)
		return c, err
	}, sqlCohortsAfter, id, limit)
}

func cohortOutcomes(tx *db.Tx, id string) ([]Decision, error) {
	list, err := db.Collect(tx, scanDecision, sqlCohortOutcomes, id)
	return plainDecisions(list), err
}
