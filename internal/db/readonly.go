package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	sqlite3 "github.com/mattn/go-sqlite3"
)

var errReadOnly = errors.New("the database was opened for reading")

// OpenReadOnly opens a SQLite database for View alone, also beside a server:
// Update, Migrate and Truncate are refused. It makes no file and needs no
// right to write, unless a process that was killed has left a write-ahead log
// to be read. A database that is not there is fs.ErrNotExist.
func OpenReadOnly(ctx context.Context, path string) (*DB, error) {
	pool, err := openReader(ctx, path, true)
	if err != nil {
		return nil, fmt.Errorf("db: open: %w", err)
	}
	d := newDB(sqlite{}, pool, pool, max(8, 4*runtime.NumCPU()))
	go d.refuse()
	return d, nil
}

// openReader opens a file that nobody writes to through this pool. Whole says
// that it may be taken for complete if there is no write-ahead log beside it,
// which spares a clean database the files that SQLite keeps beside an open one.
func openReader(ctx context.Context, path string, whole bool) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(abs); err != nil {
		return nil, err
	}
	q := url.Values{"mode": {"ro"}, "_busy_timeout": {strconv.FormatInt(busyTimeout.Milliseconds(), 10)}}
	if _, err := os.Stat(abs + "-wal"); whole && errors.Is(err, fs.ErrNotExist) {
		q.Set("immutable", "1")
	}
	dsn := url.URL{Scheme: "file", Path: abs, RawQuery: q.Encode()}
	pool := sql.OpenDB(&connector{dsn: dsn.String(), drv: &sqlite3.SQLiteDriver{ConnectHook: harden}})
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return pool, nil
}

// refuse stands in for the writer.
func (d *DB) refuse() {
	defer close(d.stopped)
	for {
		select {
		case u := <-d.updates:
			close(u.turn)
			u.end <- errReadOnly
		case c := <-d.controls:
			c.end <- errReadOnly
		case <-d.stop:
			return
		}
	}
}

// Check has SQLite look through the whole database and answers what it finds
// wrong, at most ten things; nothing if all is well. PostgreSQL has no such
// command: it checks each page it reads if the cluster was made with checksums,
// and Check looks at nothing there.
func (d *DB) Check(ctx context.Context) ([]string, error) {
	if !d.overwrites { // not a file of ours
		return nil, nil
	}
	var found []string
	err := d.View(ctx, func(tx *Tx) (err error) {
		found, err = Collect(tx, func(r *Rows) (line string, err error) {
			err = r.Scan(&line)
			return line, err
		}, "PRAGMA quick_check(10)")
		return err
	})
	if code(err) == sqlite3.ErrCorrupt || code(err) == sqlite3.ErrNotADB {
		return []string{"it cannot be read as a database"}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("db: check: %w", err)
	}
	if len(found) == 1 && found[0] == "ok" {
		return nil, nil
	}
	return found, nil
}

// Copy writes a whole, compact copy of a SQLite database as it is at one
// moment, also while a server writes to it; the server waits for nothing. The
// copy must not exist yet, holds no deleted bytes, has mode 0600 and is on the
// disk when Copy returns.
func Copy(ctx context.Context, from, to string) (err error) {
	pool, err := openReader(ctx, from, false)
	if err != nil {
		return fmt.Errorf("db: copy: %w", err)
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	f, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) // SQLite fills an empty file and keeps its mode
	if err != nil {
		return fmt.Errorf("db: copy: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := pool.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return fmt.Errorf("db: copy: %w", explainSQLite(err))
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("db: copy: %w", err)
	}
	return nil
}
