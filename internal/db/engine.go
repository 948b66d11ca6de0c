package db

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	sqlite3 "github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"

	"distributed.ai/datacoop/internal/fault"
)

// engine is what the two databases do differently.
type engine interface {
	// begin opens a batch: a transaction in which nobody else writes, in this
	// process or another, before it has ended.
	begin(ctx context.Context, conn *sql.Conn) error
	// commit ends it and reports whether its changes stand. It may take conn
	// for its own and close it.
	commit(d *DB, conn *sql.Conn) error
	// ended reports whether the database has ended the transaction by itself.
	ended(conn *sql.Conn) bool
	// explain turns troubles that pass by themselves into faults.
	explain(err error) error
	// truncate does about deleted rows of the tables what the database can.
	truncate(ctx context.Context, d *DB, tables []string) error
	// migrate runs fn while no other process migrates or writes.
	migrate(ctx context.Context, d *DB, fn func() error) error
	// schema is a migration in the database's dialect.
	schema(text string) string

	traits() traits
}

// traits are what the two databases have and are not asked to do.
type traits struct {
	dialect    goose.Dialect
	snapshot   *sql.TxOptions // of a View
	batch      int            // how many updates may share a commit
	patience   time.Duration  // how long a statement of an Update may take, with what follows it; 0: it cannot hang
	reading    time.Duration  // the same in a View
	overwrites bool           // deleted bytes, after Truncate
}

// What a caller may read when the storage cannot do its work.
var (
	errFull   = fault.New(fault.Unavailable, "storage-full", "The storage is full. Nothing was changed; please try again later.")
	errBusy   = fault.New(fault.Unavailable, "storage-busy", "The storage is busy. Nothing was changed; please try again.")
	errSealed = fault.New(fault.Unavailable, "storage-sealed", "The storage failed and takes no changes until it has been checked.")
	errClosed = fault.New(fault.Unavailable, "storage-closed", "The service is stopping. Nothing was changed; please try again.")
	errAway   = fault.New(fault.Unavailable, "storage-unreachable", "The storage cannot be reached. Nothing was changed; please try again.")
	errText   = fault.New(fault.Invalid, "text-not-storable", "A text contains a character that cannot be stored.")

	// ErrUnknown is the one outcome that is neither: the storage went away
	// while it was told to keep a change and did not come back in time to say
	// whether it did. It is an internal fault.
	ErrUnknown = fault.New(fault.Internal, "storage-outcome-unknown",
		"The storage went away while it was keeping your change. It may have been kept or not: look before you try again.")
)

// ErrNoRow is returned where exactly one row was expected and there is none.
var ErrNoRow = sql.ErrNoRows

// ErrNested is returned by Update inside an Update, and by Truncate inside
// either door. It is a mistake of the program: pass the Tx down instead.
var ErrNested = errors.New("called with the context of a transaction on the same database; pass the Tx down")

// ErrForeign is returned by Claim for a database that belongs to another.
var ErrForeign = errors.New("the database belongs to another data directory")

var (
	// errOver is what a Tx answers after its function has returned.
	errOver = errors.New("db: transaction used after its function returned")
	// errSpoilt is what an Update gets whose function went on after a
	// statement had failed.
	errSpoilt = errors.New("db: a statement failed and the function returned no error; nothing of it is kept")
)

// IsUnique reports whether err says that a row with the same unique or primary
// key is already there.
func IsUnique(err error) bool {
	var lite sqlite3.Error
	if errors.As(err, &lite) {
		return lite.ExtendedCode == sqlite3.ErrConstraintUnique || lite.ExtendedCode == sqlite3.ErrConstraintPrimaryKey
	}
	return sqlState(err) == uniqueViolation
}

// sqlState is the error code a PostgreSQL server gave, or "".
func sqlState(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
