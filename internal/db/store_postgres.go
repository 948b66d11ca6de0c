package db

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The tables this package keeps for itself in PostgreSQL. The row without a
// process is the writers' lock: it has one holder at a time, for as long as
// its transaction. Each process has a row that its batches write: after a
// connection was lost while it committed, the row says whether the batch is
// there. Times are machine time in Unix milliseconds.
const sqlTables = `
CREATE TABLE IF NOT EXISTS db_batches (
    process TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    batch   BIGINT NOT NULL,
    at      BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS db_owner (
    id    BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    owner TEXT COLLATE "C" NOT NULL
);
INSERT INTO db_batches (process, batch, at) VALUES ('', 0, 0) ON CONFLICT (process) DO NOTHING`

// sqlFirst keeps two processes from making the tables at the same moment.
const sqlFirst = `SELECT pg_advisory_xact_lock(7237117975334838885)`

const sqlForgetProcesses = `DELETE FROM db_batches WHERE process <> '' AND at < ?`

// forgetAfter is how long the row of a process that ended stays.
const forgetAfter = 30 * 24 * time.Hour

func makeTables(ctx context.Context, conn *sql.Conn) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	for _, query := range []string{sqlFirst, sqlTables} {
		if _, err := tx.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, sqlForgetProcesses, time.Now().Add(-forgetAfter).UnixMilli()); err != nil {
		return err
	}
	return tx.Commit()
}

// sqlBegin opens a batch in one round trip. It waits for the lock first; each
// statement after it then sees what all earlier holders have committed,
// because READ COMMITTED takes a new snapshot for every statement.
const sqlBegin = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
WITH held AS (SELECT 1 FROM db_batches WHERE process = '' FOR UPDATE)
INSERT INTO db_batches (process, batch, at) SELECT '%s', %d, %d FROM held
ON CONFLICT (process) DO UPDATE SET batch = excluded.batch, at = excluded.at`

var errNoLock = errors.New("the writers' lock is missing from the database")

// beginBatch opens a transaction as the only writer.
func beginBatch(ctx context.Context, conn *sql.Conn, process string, batch int64) error {
	res, err := conn.ExecContext(ctx, fmt.Sprintf(sqlBegin, process, batch, time.Now().UnixMilli()))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(errNoLock, err)
	}
	return nil
}

const (
	sqlHold = `SELECT batch FROM db_batches WHERE process = '' FOR UPDATE`
	sqlLast = `SELECT batch FROM db_batches WHERE process = ?`
)

// lastBatch reads which batch of a process was committed last, once no batch
// is under way any more.
func lastBatch(ctx context.Context, d *sql.DB, process string) (batch int64, err error) {
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }() // it wrote nothing
	if err := tx.QueryRowContext(ctx, sqlHold).Scan(&batch); err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, sqlLast, process).Scan(&batch)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return batch, err
}

// holdLock takes the writers' lock until release is called.
func holdLock(ctx context.Context, d *sql.DB) (release func() error, err error) {
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	if err := tx.QueryRowContext(ctx, sqlHold).Scan(new(int64)); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	return tx.Rollback, nil
}

const (
	sqlClaim = `INSERT INTO db_owner (id, owner) VALUES (1, ?) ON CONFLICT (id) DO NOTHING`
	sqlOwner = `SELECT owner FROM db_owner WHERE id = 1`
)

// claim writes the owner down if there is none and returns who it is.
func claim(tx *Tx, owner string) (has string, err error) {
	if _, err := tx.Exec(sqlClaim, owner); err != nil {
		return "", err
	}
	err = tx.QueryRow(sqlOwner).Scan(&has)
	return has, err
}

const sqlVacuum = `VACUUM (INDEX_CLEANUP ON) `

// vacuum frees the rows of a table that nobody sees any more.
func vacuum(ctx context.Context, d *sql.DB, table string) error {
	_, err := d.ExecContext(ctx, sqlVacuum+`"`+strings.ReplaceAll(table, `"`, `""`)+`"`)
	return err
}

// sqlSettings asks what must hold for the guarantees to hold.
const sqlSettings = `SELECT current_setting('server_version_num')::integer, current_setting('server_encoding'),
current_setting('fsync'), current_setting('synchronous_commit'), coalesce(current_schema(), '')`

type serverSettings struct {
	version                             int
	encoding, fsync, commits, schemaNow string
}

func readSettings(ctx context.Context, conn *sql.Conn) (s serverSettings, err error) {
	err = conn.QueryRowContext(ctx, sqlSettings).Scan(&s.version, &s.encoding, &s.fsync, &s.commits, &s.schemaNow)
	return s, err
}

func newProcess() string { return rand.Text() }
