package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	sqlite3 "github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
)

// busyTimeout is how long a statement waits for another process, such as a
// backup or a verify, to let go of the file.
const busyTimeout = 5 * time.Second

// openSQLite opens the file at path, creating it with mode 0600.
func openSQLite(ctx context.Context, path string) (*DB, error) {
	abs, err := prepare(path)
	if err != nil {
		return nil, err
	}
	d := newDB(sqlite{}, sql.OpenDB(newConnector(abs, true)), sql.OpenDB(newConnector(abs, false)), max(8, 4*runtime.NumCPU()))
	if err := d.write.PingContext(ctx); err != nil {
		return nil, errors.Join(err, d.write.Close(), d.read.Close())
	}
	return d, nil
}

// prepare creates the file, private from its first byte on: SQLite gives the
// write-ahead log the mode of the database.
func prepare(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(abs, os.O_RDWR|os.O_CREATE, 0o600) // #nosec G304 -- the operator names the database
	if err != nil {
		return "", err
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return "", err
	}
	dir, err := os.Open(filepath.Dir(abs))
	if err != nil {
		return "", err
	}
	return abs, errors.Join(dir.Sync(), dir.Close())
}

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

// sqlite is a database in one file.
type sqlite struct{}

func (sqlite) traits() traits {
	return traits{dialect: goose.DialectSQLite3, batch: 128, overwrites: true}
}

func (sqlite) schema(text string) string { return text }

func (sqlite) begin(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	return explainSQLite(err)
}

// commit seals the database after an fsync that failed: the kernel may have
// dropped the pages, and a second one would report success.
func (sqlite) commit(d *DB, conn *sql.Conn) error {
	_, err := conn.ExecContext(context.Background(), "COMMIT")
	if code(err) == sqlite3.ErrIoErr {
		sealed := fmt.Errorf("%w (%w)", errSealed, err)
		d.broken.Store(&sealed)
	}
	return err
}

// ended is so after a full disk or an I/O error, for example.
func (sqlite) ended(conn *sql.Conn) bool {
	gone := true
	err := conn.Raw(func(raw any) error {
		if c, ok := raw.(*sqlite3.SQLiteConn); ok {
			gone = c.AutoCommit()
		}
		return nil
	})
	return err != nil || gone
}

// migrate tries again, because another process may have been faster: each
// migration is a transaction, so the second attempt finds it done, or fails as
// the first did.
func (sqlite) migrate(_ context.Context, _ *DB, fn func() error) error {
	for range attempts - 1 {
		if fn() == nil {
			return nil
		}
	}
	return fn()
}

func (sqlite) explain(err error) error { return explainSQLite(err) }

// Patience of one attempt to truncate the log: writers wait as long.
const (
	firstPatience = 50 * time.Millisecond
	mostPatience  = time.Second
)

func (sqlite) truncate(ctx context.Context, d *DB, _ []string) error {
	for patience := firstPatience; ; patience = min(2*patience, mostPatience) {
		var busy bool
		err := d.control(ctx, func() (err error) {
			busy, err = d.checkpoint(patience)
			return err
		})
		if err != nil {
			return err
		}
		if !busy {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("a reader holds the log: %w", ctx.Err())
		case <-time.After(firstPatience): // lets the writers that waited go first
		}
	}
}

func code(err error) sqlite3.ErrNo {
	var e sqlite3.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

func explainSQLite(err error) error {
	switch code(err) {
	case sqlite3.ErrFull:
		return fmt.Errorf("%w (%w)", errFull, err)
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return fmt.Errorf("%w (%w)", errBusy, err)
	}
	return err
}
