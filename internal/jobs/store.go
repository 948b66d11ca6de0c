package jobs

import (
	"errors"
	"strings"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// job is a claimed row.
type job struct {
	id, kind string
	payload  []byte
	attempts int64
	lease    string
}

const sqlInsert = `INSERT INTO jobs_queue (id, kind, key, payload, run_at) VALUES (?, ?, ?, ?, ?)
	ON CONFLICT (kind, key) DO NOTHING`

func insert(tx *db.Tx, kind, key string, payload []byte, runAt time.Time) error {
	_, err := tx.Exec(sqlInsert, coop.NewID(), kind, key, payload, runAt.UnixMilli())
	return err
}

// sqlDue takes the kinds that have handlers in place of its KINDS.
const sqlDue = `SELECT id, kind, payload, attempts FROM jobs_queue
	WHERE done = 0 AND run_at <= ? AND not_before <= ? AND leased_until <= ? AND kind IN (KINDS)
	ORDER BY run_at, id LIMIT 1`

func due(tx *db.Tx, kinds []string, domain, machine time.Time) (j job, ok bool, err error) {
	if len(kinds) == 0 {
		return job{}, false, nil
	}
	args := []any{domain.UnixMilli(), machine.UnixMilli(), machine.UnixMilli()}
	for _, kind := range kinds {
		args = append(args, kind)
	}
	marks := strings.Repeat(", ?", len(kinds))[2:]
	row := tx.QueryRow(strings.Replace(sqlDue, "KINDS", marks, 1), args...)
	err = row.Scan(&j.id, &j.kind, &j.payload, &j.attempts)
	if errors.Is(err, db.ErrNoRow) {
		return job{}, false, nil
	}
	return j, err == nil, err
}

const sqlLease = `UPDATE jobs_queue SET lease = ?, leased_until = ?, attempts = ? WHERE id = ?`

func lease(tx *db.Tx, j job, until time.Time) error {
	return tx.ExecOne(sqlLease, j.lease, until.UnixMilli(), j.attempts, j.id)
}

const sqlRenew = `UPDATE jobs_queue SET leased_until = ? WHERE id = ? AND lease = ?`

func renew(tx *db.Tx, j job, until time.Time) error {
	_, err := tx.Exec(sqlRenew, until.UnixMilli(), j.id, j.lease)
	return err
}

const sqlFinish = `UPDATE jobs_queue SET done = 1, payload = ?, lease = '', leased_until = 0 WHERE id = ? AND done = 0`

// finish marks a job done, whoever holds the lease by now: the handler
// returned, so its effect is there.
func finish(tx *db.Tx, j job) error {
	_, err := tx.Exec(sqlFinish, []byte{}, j.id)
	return err
}

const sqlRelease = `UPDATE jobs_queue SET not_before = ?, lease = '', leased_until = 0 WHERE id = ? AND lease = ?`

// release gives a job back, unless another process has leased it since.
func release(tx *db.Tx, j job, notBefore time.Time) error {
	_, err := tx.Exec(sqlRelease, notBefore.UnixMilli(), j.id, j.lease)
	return err
}

const sqlBacklog = `SELECT count(*), coalesce(min(run_at), 0), coalesce(sum(CASE WHEN attempts > 1 THEN 1 ELSE 0 END), 0)
	FROM jobs_queue WHERE done = 0 AND run_at <= ?`

func backlog(tx *db.Tx, domain time.Time) (b Backlog, err error) {
	err = tx.QueryRow(sqlBacklog, domain.UnixMilli()).Scan(&b.Due, &b.Oldest, &b.Retried)
	return b, err
}
