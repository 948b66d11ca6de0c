// Package db is the co-op's one database, in one of two places: an SQLite file
// in WAL mode, or PostgreSQL once the co-op has outgrown one machine. One
// writer, and a pool of readers.
//
// Every room keeps its tables here, under its own name, and reaches them
// through two doors. Update runs a function in a write transaction; View runs
// one in a read-only snapshot. Nothing else touches the database, and no room
// can tell which of the two it is.
//
// # What it guarantees
//
// An Update that returned nil is on disk: the commit has been fsynced, so it
// survives kill -9 and power loss. An Update that returned an error changed
// nothing at all. There is no third outcome with SQLite: once its function has
// run, Update waits for the commit even if the context ends. With PostgreSQL
// there is one, and it has a name: if the connection breaks while it commits
// and the server cannot be asked within a third of a minute what became of it,
// the answer is ErrUnknown.
//
// Writers that wait at the same moment share one commit (group commit). Each
// runs in a savepoint of its own, one after the other, so that a function that
// fails or panics takes only its own changes with it; and since a later
// function may have read what an earlier one wrote, none is answered, not even
// with a refusal, before the shared commit has succeeded.
//
// A function may therefore read, check and write: nobody else writes meanwhile,
// in no other process either. SQLite locks its file. On PostgreSQL a batch
// begins by locking a row, and its statements see what all earlier holders of
// that lock have committed (READ COMMITTED takes a new snapshot for each); the
// lock is the transaction's and not the session's, so it goes with a process
// that dies, and a server setting ends the transaction of one that is stopped.
// Serialisable transactions would do as well only if functions could be run
// again, which may have had effects in memory, and they were slower by far
// under load.
//
// SQLite overwrites deleted bytes (secure_delete=on), sorts nothing in
// temporary files, and after Truncate has them in its write-ahead log no more,
// which is what makes shredding a key in its file real. PostgreSQL does none of
// that: the vault's keystore is an SQLite file wherever the rest is.
//
// # What it refuses
//
// It refuses an Update inside an Update, which would wait for itself: pass the
// Tx down. It refuses further statements in a transaction in which one has
// failed, as PostgreSQL does: return the error. It refuses to try again after
// an fsync of its file failed, because the kernel may have dropped the pages
// and a second fsync would report success: from then on every Update is
// Unavailable until the process starts anew, and Err says why. It refuses a
// PostgreSQL server that is set up to lose what it confirms, and a schema that
// is newer than the program.
//
// While a server cannot be reached, both doors answer Unavailable; nothing is
// queued for it, and nothing has to be restarted when it is back.
//
// # Dialect
//
// Placeholders are question marks, never numbered: SQLite's driver ignores the
// numbers of $1 and $2, and such a statement silently matches nothing. For
// PostgreSQL they are numbered here. Text compares by its bytes in both.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// DB is an open database. All methods are safe for concurrent use.
type DB struct {
	engine
	traits
	write *sql.DB // one connection, used by the writer goroutine alone
	read  *sql.DB

	updates  chan *update
	controls chan *control
	stop     chan struct{}
	stopped  chan struct{}
	closing  sync.Once
	broken   atomic.Pointer[error]

	noting   sync.Mutex
	migrated []Migrated
}

// Open opens the database at an address: a postgres:// URL, or the path of an
// SQLite file. The file is created with mode 0600 if it is not there; its
// directory must exist. PostgreSQL's database must exist, and the role must be
// allowed to make tables in the first schema of its search_path.
//
// A URL is as libpq takes it, host, user, sslmode and so on, also from PG…
// variables and the password file; in addition pool_max_conns bounds the
// connections of this process. To another machine the connection is encrypted
// and the server's certificate verified (sslmode=verify-full) unless the URL
// says otherwise. The caller closes the database.
func Open(ctx context.Context, address string) (d *DB, err error) {
	if isPostgres(address) {
		d, err = openPostgres(ctx, address)
	} else {
		d, err = openSQLite(ctx, address)
	}
	if err != nil {
		return nil, fmt.Errorf("db: open: %w", err)
	}
	go d.run()
	return d, nil
}

func newDB(e engine, write, read *sql.DB, readers int) *DB {
	d := &DB{
		engine:   e,
		traits:   e.traits(),
		write:    write,
		read:     read,
		updates:  make(chan *update),
		controls: make(chan *control),
		stop:     make(chan struct{}),
		stopped:  make(chan struct{}),
	}
	d.write.SetMaxOpenConns(1)
	d.read.SetMaxOpenConns(readers)
	d.read.SetMaxIdleConns(readers)
	return d
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
	raw, err := d.snapshot(ctx)
	if err != nil {
		return fmt.Errorf("db: view: %w", err)
	}
	tx := newTx(ctx, d, raw, nil)
	defer func() {
		tx.finish()
		_ = raw.Rollback() // nothing was written; a broken connection is dropped by the pool
	}()
	return fn(tx)
}

// snapshot begins a View's transaction. Connections that broke while nobody
// used them are found out here, before anything was asked of them.
func (d *DB) snapshot(ctx context.Context) (raw *sql.Tx, err error) {
	for range attempts {
		raw, err = d.read.BeginTx(ctx, d.traits.snapshot)
		err = d.explain(err)
		if !errors.Is(err, errAway) {
			break
		}
	}
	if err != nil && d.closed() {
		err = fmt.Errorf("%w (%w)", errClosed, err)
	}
	return raw, err
}

// closed reports whether Close was called.
func (d *DB) closed() bool {
	select {
	case <-d.stop:
		return true
	default:
		return false
	}
}

// attempts is how many connections are tried before the database counts as
// unreachable.
const attempts = 3

// Truncate does what the database can about the bytes of rows that were
// deleted before the call.
//
// SQLite moves the write-ahead log into the database and empties it; what was
// deleted, in any table, is then in neither file. A reader that still sees an
// older snapshot prevents that; Truncate tries again until it succeeds or ctx
// ends, so give it a deadline.
//
// PostgreSQL frees the rows of the named tables for new ones (VACUUM) and
// cannot do more: until then their bytes may stay in the tables' files, and
// they stay in its write-ahead log, in archives of that and in backups for as
// long as those are kept. Without tables it does nothing. See Overwrites.
//
// It is refused inside Update and View.
func (d *DB) Truncate(ctx context.Context, tables ...string) error {
	if current(ctx, d) != nil {
		return fmt.Errorf("db: truncate: %w", ErrNested)
	}
	if d.closed() {
		return fmt.Errorf("db: truncate: %w", errClosed)
	}
	if err := d.truncate(ctx, d, tables); err != nil {
		return fmt.Errorf("db: truncate: %w", err)
	}
	return nil
}

// Overwrites reports whether deleted bytes are gone from the database's files
// once Truncate has succeeded. Where they are not, nothing may be kept in it
// that has to be destroyed.
func (d *DB) Overwrites() bool { return d.overwrites }

// Claim makes the database the owner's if it is nobody's yet. An owner is
// any text that another data directory does not have, such as a public key.
// Error: ErrForeign. It is for databases that do not lie in the directory they
// belong to; a file needs no such note and keeps none.
func (d *DB) Claim(ctx context.Context, owner string) error {
	if d.overwrites { // a file
		return nil
	}
	err := d.Update(ctx, func(tx *Tx) error {
		has, err := claim(tx, owner)
		if err == nil && has != owner {
			err = ErrForeign
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("db: claim: %w", err)
	}
	return nil
}
