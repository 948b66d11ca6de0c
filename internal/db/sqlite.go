package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	sqlite3 "github.com/mattn/go-sqlite3"

	"distributed.ai/datacoop/internal/fault"
)

// busyTimeout is how long a statement waits for another process, such as a
// backup or a verify, to let go of the file.
const busyTimeout = 5 * time.Second

// connector opens connections to one file with one set of pragmas.
type connector struct {
	dsn string
	drv *sqlite3.SQLiteDriver
}

func newConnector(path string, writer bool) *connector {
	q := url.Values{
		"_busy_timeout":    {strconv.FormatInt(busyTimeout.Milliseconds(), 10)},
		"_foreign_keys":    {"on"},
		"_journal_mode":    {"WAL"},
		"_secure_delete":   {"on"},
		"_stmt_cache_size": {"128"},
		"_synchronous":     {"FULL"},
		"_txlock":          {"immediate"},
	}
	if !writer {
		q.Del("_journal_mode") // a property of the file, which the writer has set
		q.Set("_query_only", "on")
		q.Set("_txlock", "deferred")
	}
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return &connector{dsn: dsn.String(), drv: &sqlite3.SQLiteDriver{ConnectHook: harden}}
}

// harden sets what the DSN cannot say: no temporary files that would keep
// deleted bytes, real fsyncs where the operating system fakes them, and no
// functions with side effects out of a tampered schema.
func harden(c *sqlite3.SQLiteConn) error {
	for _, pragma := range []string{
		"PRAGMA temp_store = MEMORY",
		"PRAGMA fullfsync = ON",
		"PRAGMA checkpoint_fullfsync = ON",
		"PRAGMA trusted_schema = OFF",
	} {
		if _, err := c.Exec(pragma, nil); err != nil {
			return fmt.Errorf("%s: %w", pragma, err)
		}
	}
	return nil
}

func (c *connector) Connect(context.Context) (driver.Conn, error) { return c.drv.Open(c.dsn) }
func (c *connector) Driver() driver.Driver                        { return c.drv }

// checkpoint tries once to empty the write-ahead log, waiting at most patience
// for readers. It runs on the writer goroutine, between batches.
func (d *DB) checkpoint(patience time.Duration) (busy bool, err error) {
	ctx := context.Background()
	conn, err := d.write.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() {
		_, reset := conn.ExecContext(ctx, pragmaBusy(busyTimeout))
		err = errors.Join(err, reset, conn.Close())
	}()
	if _, err := conn.ExecContext(ctx, pragmaBusy(patience)); err != nil {
		return false, err
	}
	var blocked, frames, moved int
	err = conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&blocked, &frames, &moved)
	if code(err) == sqlite3.ErrBusy || code(err) == sqlite3.ErrLocked {
		return true, nil
	}
	return blocked != 0, err
}

func pragmaBusy(d time.Duration) string {
	return fmt.Sprintf("PRAGMA busy_timeout = %d", d.Milliseconds())
}

// rolledBack reports whether SQLite has ended the transaction on its own, as
// it may after a full disk or an I/O error.
func rolledBack(conn *sql.Conn) bool {
	gone := true
	err := conn.Raw(func(raw any) error {
		if c, ok := raw.(*sqlite3.SQLiteConn); ok {
			gone = c.AutoCommit()
		}
		return nil
	})
	return err != nil || gone
}

// What a caller may read when the storage cannot do its work.
var (
	errFull   = fault.New(fault.Unavailable, "storage-full", "The storage is full. Nothing was changed; please try again later.")
	errBusy   = fault.New(fault.Unavailable, "storage-busy", "The storage is busy. Nothing was changed; please try again.")
	errSealed = fault.New(fault.Unavailable, "storage-sealed", "The storage failed and takes no changes until it has been checked.")
	errClosed = fault.New(fault.Unavailable, "storage-closed", "The service is stopping. Nothing was changed; please try again.")
)

// ErrNoRow is returned where exactly one row was expected and there is none.
var ErrNoRow = sql.ErrNoRows

// ErrNested is returned by Update inside an Update, and by Truncate inside
// either door. It is a mistake of the program: pass the Tx down instead.
var ErrNested = errors.New("called with the context of a transaction on the same database; pass the Tx down")

// errOver is what a Tx answers after its function has returned.
var errOver = errors.New("db: transaction used after its function returned")

// IsUnique reports whether err says that a row with the same unique or primary
// key is already there. The transaction can go on after it.
func IsUnique(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) &&
		(e.ExtendedCode == sqlite3.ErrConstraintUnique || e.ExtendedCode == sqlite3.ErrConstraintPrimaryKey)
}

func code(err error) sqlite3.ErrNo {
	var e sqlite3.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// explain turns the storage troubles that pass by themselves into faults and
// leaves every other error as it is.
func explain(err error) error {
	switch code(err) {
	case sqlite3.ErrFull:
		return fmt.Errorf("%w (%w)", errFull, err)
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return fmt.Errorf("%w (%w)", errBusy, err)
	}
	return err
}
