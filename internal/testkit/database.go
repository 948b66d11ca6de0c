package testkit

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"distributed.ai/datacoop/internal/db"
)

// PostgresEnv is the variable that moves the tests from SQLite to PostgreSQL:
// the URL of a database in which its role may make schemas. A server that it
// names and that does not answer fails the tests; none is skipped for it.
const PostgresEnv = "DATACOOP_POSTGRES"

// Postgres reports whether tests run on PostgreSQL.
func Postgres() bool { return os.Getenv(PostgresEnv) != "" }

// DB opens a new database, on PostgreSQL if PostgresEnv is set and else in t's
// temporary directory, and closes it with the test. Two calls give two
// databases.
func DB(t testing.TB) *db.DB {
	t.Helper()
	return Open(t, Address(t))
}

// File opens a new SQLite database whatever the environment says: the vault's
// keystore is one everywhere.
func File(t testing.TB) *db.DB {
	t.Helper()
	return Open(t, filepath.Join(t.TempDir(), "coop.db"))
}

// Open opens the database at an address and closes it with the test.
func Open(t testing.TB, address string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), address)
	if err != nil {
		t.Fatalf("open database: %v", err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close database: %v", err)
		}
	})
	return d
}

// SQLiteOnly skips a test that looks into SQLite's files, or tests what only
// SQLite does, when the tests run on PostgreSQL. It says why.
func SQLiteOnly(t testing.TB, why string) {
	t.Helper()
	if Postgres() {
		t.Skip("SQLite only: " + why)
	}
}

// PostgresOnly skips a test that needs a PostgreSQL server where none is named.
func PostgresOnly(t testing.TB) {
	t.Helper()
	if !Postgres() {
		t.Skip("needs a PostgreSQL server: " + PostgresEnv + " names none")
	}
}

// Address is where a new, empty database can be opened, several times if need
// be. What is there goes with the test.
func Address(t testing.TB) string {
	t.Helper()
	return AddressAt(t, filepath.Join(t.TempDir(), "coop.db"))
}

// AddressAt is Address for tests that say where the file is to be, if there is
// one.
func AddressAt(t testing.TB, path string) string {
	t.Helper()
	if !Postgres() {
		return path
	}
	admin, err := server()
	if err != nil {
		t.Fatalf("%s: %v", PostgresEnv, err)
	}
	schema := "t_" + strings.ToLower(rand.Text())
	if _, err := admin.ExecContext(t.Context(), `CREATE SCHEMA `+schema); err != nil {
		t.Fatalf("%s: %v", PostgresEnv, err)
	}
	t.Cleanup(func() {
		if _, err := admin.ExecContext(context.WithoutCancel(t.Context()), `DROP SCHEMA `+schema+` CASCADE`); err != nil {
			t.Errorf("drop schema: %v", err)
		}
	})
	return with(os.Getenv(PostgresEnv), "search_path", schema)
}

// server is a connection that makes and drops schemas. It gives up on one that
// a test still uses.
var server = sync.OnceValues(func() (*sql.DB, error) {
	d, err := sql.Open("pgx", with(with(os.Getenv(PostgresEnv), "fsync", ""), "lock_timeout", "20s"))
	if err != nil {
		return nil, err
	}
	d.SetMaxOpenConns(2)
	return d, d.Ping()
})

// with is a URL with one parameter set; empty removes it.
func with(address, name, value string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // opening it says what is wrong
	}
	q := u.Query()
	if q.Del(name); value != "" {
		q.Set(name, value)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// Tamper changes the bytes of a column in the rows that a condition names, as
// SQL alone cannot in both databases, and returns how many it changed.
func Tamper(tx *db.Tx, table, column, condition string, change func([]byte) []byte) (changed int64, err error) {
	values, err := db.Collect(tx, func(rows *sql.Rows) (b []byte, err error) {
		err = rows.Scan(&b)
		return b, err
	}, `SELECT DISTINCT `+column+` FROM `+table+` WHERE `+condition)
	for _, old := range values {
		if err != nil {
			break
		}
		var n int64
		n, err = tx.Exec(`UPDATE `+table+` SET `+column+` = ? WHERE `+column+` = ? AND (`+condition+`)`, change(old), old)
		changed += n
	}
	return changed, err
}

// Tables names the tables of a database.
func Tables(tx *db.Tx) ([]string, error) {
	query := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if Postgres() {
		query = `SELECT tablename FROM pg_tables WHERE schemaname = current_schema()`
	}
	return db.Collect(tx, func(rows *sql.Rows) (name string, err error) {
		err = rows.Scan(&name)
		return name, err
	}, query)
}

// Dump is every cell of every row a query finds, one to a line.
func Dump(tx *db.Tx, query string) (string, error) {
	var out strings.Builder
	_, err := db.Collect(tx, func(rows *sql.Rows) (struct{}, error) {
		columns, err := rows.Columns()
		if err != nil {
			return struct{}{}, err
		}
		cells, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range cells {
			targets[i] = &cells[i]
		}
		err = rows.Scan(targets...)
		for _, cell := range cells {
			if b, ok := cell.([]byte); ok {
				cell = string(b)
			}
			fmt.Fprintln(&out, cell)
		}
		return struct{}{}, err
	}, query)
	return out.String(), err
}
