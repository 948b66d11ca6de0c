// Package db is the co-op's one database: SQLite in WAL mode, one writer and
// a pool of readers.
//
// Every room keeps its tables here, under its own name, and reaches them
// through two doors. Update runs a function in a write transaction; View runs
// one in a read-only snapshot. Nothing else touches the file.
//
// # What it guarantees
//
// An Update that returned nil is on disk: the commit has been fsynced
// (synchronous=FULL), so it survives kill -9 and power loss. An Update that
// returned an error changed nothing at all. There is no third outcome: once
// its function has run, Update waits for the commit even if the context ends.
//
// Writers that wait at the same moment share one commit (group commit). Each
// runs in a savepoint of its own, one after the other, so that a function that
// fails or panics takes only its own changes with it; and since a later
// function may have read what an earlier one wrote, none is answered, not even
// with a refusal, before the shared commit has succeeded.
//
// Deleted bytes are overwritten (secure_delete=on) and nothing is sorted in
// temporary files. After Truncate they are gone from the write-ahead log too,
// which is what makes shredding a key in this file real.
//
// # What it refuses
//
// It refuses an Update inside an Update, which would wait for itself: pass the
// Tx down. It refuses to try again after an fsync failed, because the kernel
// may have dropped the pages and a second fsync would report success: from
// then on every Update is Unavailable until the process starts anew, and Err
// says why. It refuses a schema that is newer than the program.
//
// # Dialect
//
// Placeholders are question marks, never numbered: the driver ignores the
// numbers of $1 and $2, and such a statement silently matches nothing.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// DB is an open database. All methods are safe for concurrent use.
type DB struct {
	write *sql.DB // one connection, used by the writer goroutine alone
	read  *sql.DB

	updates  chan *update
	controls chan *control
	stop     chan struct{}
	stopped  chan struct{}
	closing  sync.Once
	broken   atomic.Pointer[error]
}

// Open opens the database at path, creating it with mode 0600 if it is not
// there; its directory must exist. The caller closes it.
func Open(ctx context.Context, path string) (*DB, error) {
	abs, err := prepare(path)
	if err != nil {
		return nil, fmt.Errorf("db: open: %w", err)
	}
	d := &DB{
		write:    sql.OpenDB(newConnector(abs, true)),
		read:     sql.OpenDB(newConnector(abs, false)),
		updates:  make(chan *update),
		controls: make(chan *control),
		stop:     make(chan struct{}),
		stopped:  make(chan struct{}),
	}
	readers := max(8, 4*runtime.NumCPU())
	d.write.SetMaxOpenConns(1)
	d.read.SetMaxOpenConns(readers)
	d.read.SetMaxIdleConns(readers)
	if err := d.write.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("db: open: %w", err), d.write.Close(), d.read.Close())
	}
	go d.run()
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

// Close waits for the commit under way and closes the database. Updates that
// have not begun are refused. Closing twice is harmless.
func (d *DB) Close() error {
	var err error
	d.closing.Do(func() {
		close(d.stop)
		<-d.stopped
		err = errors.Join(d.read.Close(), d.write.Close())
	})
	if err != nil {
		return fmt.Errorf("db: close: %w", err)
	}
	return nil
}

// Err says why the database takes no more updates, or nil while it does.
// Once it is not nil the process should end: reopening recovers.
func (d *DB) Err() error {
	if p := d.broken.Load(); p != nil {
		return *p
	}
	return nil
}

// View runs fn in a read-only snapshot: everything fn reads is of one moment,
// later than every Update that has returned. A write in fn fails. Inside an
// Update or View of the same database, that is with the context of its Tx,
// View joins that transaction and sees what it sees. fn's error is returned
// unchanged.
func (d *DB) View(ctx context.Context, fn func(tx *Tx) error) error {
	if tx := current(ctx, d); tx != nil {
		return fn(tx)
	}
	raw, err := d.read.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("db: view: %w", explain(err))
	}
	tx := newTx(ctx, d, raw, nil)
	defer func() {
		tx.over.Store(true)
		_ = raw.Rollback() // nothing was written; a broken connection is dropped by the pool
	}()
	return fn(tx)
}

// Patience of one attempt to truncate the log: writers wait as long.
const (
	firstPatience = 50 * time.Millisecond
	mostPatience  = time.Second
)

// Truncate moves the write-ahead log into the database and empties it, so that
// bytes deleted before the call are in neither file. A reader that still sees
// an older snapshot prevents that; Truncate tries again until it succeeds or
// ctx ends, so give it a deadline. It is refused inside Update and View.
func (d *DB) Truncate(ctx context.Context) error {
	if current(ctx, d) != nil {
		return fmt.Errorf("db: truncate: %w", ErrNested)
	}
	for patience := firstPatience; ; patience = min(2*patience, mostPatience) {
		var busy bool
		err := d.control(ctx, func() (err error) {
			busy, err = d.checkpoint(patience)
			return err
		})
		if err != nil {
			return fmt.Errorf("db: truncate: %w", err)
		}
		if !busy {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("db: truncate: a reader holds the log: %w", ctx.Err())
		case <-time.After(firstPatience): // lets the writers that waited go first
		}
	}
}
