package db

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
)

// Rows is the result of Query. The caller closes it and checks Err; Collect
// does both.
type Rows = sql.Rows

// Tx is one transaction, valid until the function it was passed to returns.
// Statements use question marks as placeholders.
type Tx struct {
	ctx  context.Context // the caller's, marked with this transaction
	stmt context.Context // what statements run under
	on   runner
	conn *sql.Conn // the writer's connection; nil in a View
	over atomic.Bool
	dead error // why SQLite ended the transaction early
}

type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// mark is the context key under which a database finds its open transaction.
type mark struct{ d *DB }

func newTx(ctx context.Context, d *DB, on runner, conn *sql.Conn) *Tx {
	tx := &Tx{on: on, conn: conn, stmt: ctx}
	if conn != nil {
		// Interrupting one statement would make SQLite roll back the whole
		// batch; a cancelled context stops the function between statements.
		tx.stmt = context.WithoutCancel(ctx)
	}
	tx.ctx = context.WithValue(ctx, mark{d}, tx)
	return tx
}

// current returns the open transaction on d that ctx belongs to, if any.
func current(ctx context.Context, d *DB) *Tx {
	if tx, ok := ctx.Value(mark{d}).(*Tx); ok && !tx.over.Load() {
		return tx
	}
	return nil
}

// Context is the context Update or View was called with, marked with this
// transaction: View on it joins, Update on it is refused.
func (tx *Tx) Context() context.Context { return tx.ctx }

// Exec runs a statement and returns how many rows it changed.
func (tx *Tx) Exec(query string, args ...any) (rows int64, err error) {
	if err := tx.ready(); err != nil {
		return 0, err
	}
	res, err := tx.on.ExecContext(tx.stmt, query, args...)
	if err != nil {
		return 0, tx.failed(err)
	}
	return res.RowsAffected()
}

// ExecOne runs a statement that must change exactly one row, else it returns
// ErrNoRow; the caller then returns an error, so that nothing stays changed.
func (tx *Tx) ExecOne(query string, args ...any) error {
	n, err := tx.Exec(query, args...)
	if err == nil && n != 1 {
		return ErrNoRow
	}
	return err
}

// Query runs a query. Prefer Collect.
func (tx *Tx) Query(query string, args ...any) (*Rows, error) {
	if err := tx.ready(); err != nil {
		return nil, err
	}
	rows, err := tx.on.QueryContext(tx.stmt, query, args...)
	if err != nil {
		return nil, tx.failed(err)
	}
	return rows, nil
}

// QueryRow runs a query for one row; Scan on it returns ErrNoRow if there is
// none. Scan must be called.
func (tx *Tx) QueryRow(query string, args ...any) *sql.Row {
	if err := tx.ready(); err != nil {
		return tx.on.QueryRowContext(refused{tx.stmt, err}, query, args...)
	}
	return tx.on.QueryRowContext(tx.stmt, query, args...)
}

// ready says why no further statement may run.
func (tx *Tx) ready() error {
	if tx.over.Load() {
		return errOver
	}
	if tx.dead != nil {
		return tx.dead
	}
	return tx.ctx.Err()
}

// failed notes whether SQLite rolled the transaction back over err. What ran
// after that would be committed on its own.
func (tx *Tx) failed(err error) error {
	err = explain(err)
	if tx.conn != nil && tx.dead == nil && rolledBack(tx.conn) {
		tx.dead = fmt.Errorf("db: transaction ended early: %w", err)
	}
	return err
}

// refused is a context that has already ended for a reason of ours: the only
// way to make a sql.Row that carries an error.
type refused struct {
	context.Context
	why error
}

var ended = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func (r refused) Done() <-chan struct{} { return ended }
func (r refused) Err() error            { return r.why }

// Collect runs a query and scans every row with scan. The result is empty,
// never nil, when there are no rows.
func Collect[T any](tx *Tx, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below reports what Close would
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
