package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Rows is the result of Query. The caller closes it and checks Err; Collect
// does both.
type Rows = sql.Rows

// Tx is one transaction, valid until the function it was passed to returns.
// Statements use question marks as placeholders. A statement that failed is
// the last of its transaction: the function returns its error.
type Tx struct {
	ctx   context.Context // the caller's, marked with this transaction
	stmt  context.Context // what statements run under
	on    runner
	d     *DB
	conn  *sql.Conn // the writer's connection; nil in a View
	watch *watch
	over  atomic.Bool
	spent error // of the statement that failed
	dead  error // why the database ended the transaction early
}

type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// mark is the context key under which a database finds its open transaction.
type mark struct{ d *DB }

func newTx(ctx context.Context, d *DB, on runner, conn *sql.Conn) *Tx {
	tx := &Tx{on: on, d: d, conn: conn, stmt: ctx}
	patience := d.reading
	if conn != nil {
		// Interrupting one statement would end the whole batch; a cancelled
		// context stops the function between statements.
		tx.stmt, patience = context.WithoutCancel(ctx), d.patience
	}
	if patience > 0 {
		tx.stmt, tx.watch = watched(tx.stmt, patience)
	}
	tx.ctx = context.WithValue(ctx, mark{d}, tx)
	return tx
}

// finish makes the transaction useless to whoever has kept it.
func (tx *Tx) finish() {
	tx.over.Store(true)
	if tx.watch != nil {
		tx.watch.end()
	}
}

// watch cancels the statements of a transaction when none has begun for too
// long: then the server hangs or the way to it does.
type watch struct {
	timer    *time.Timer
	patience time.Duration
	cancel   context.CancelCauseFunc
}

func watched(ctx context.Context, patience time.Duration) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	return ctx, &watch{time.AfterFunc(patience, func() { cancel(errAway) }), patience, cancel}
}

func (w *watch) end() {
	w.timer.Stop()
	w.cancel(nil)
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
		return noRow(err)
	}
	row := tx.on.QueryRowContext(tx.stmt, query, args...)
	if err := row.Err(); err != nil {
		return noRow(tx.failed(err))
	}
	return row
}

// ready says why no further statement may run.
func (tx *Tx) ready() error {
	switch {
	case tx.over.Load():
		return errOver
	case tx.dead != nil:
		return tx.dead
	case tx.spent != nil:
		return tx.spent
	}
	if tx.watch != nil {
		tx.watch.timer.Reset(tx.watch.patience)
	}
	return tx.ctx.Err()
}

// failed notes that a statement failed, and whether the database rolled the
// transaction back over it: what ran after that would be committed on its own.
func (tx *Tx) failed(err error) error {
	if errors.Is(context.Cause(tx.stmt), errAway) {
		err = errors.Join(errAway, err)
	}
	err = tx.d.explain(err)
	tx.spent = err
	if tx.conn != nil && tx.dead == nil && tx.d.ended(tx.conn) {
		tx.dead = fmt.Errorf("db: transaction ended early: %w", err)
	}
	return err
}

// noRow is a row that carries an error of ours. Package sql has no other way to
// make one than to be refused a connection.
func noRow(err error) *sql.Row {
	return refusing().QueryRowContext(context.WithValue(context.Background(), refusal{}, err), "")
}

type refusal struct{}

var refusing = sync.OnceValue(func() *sql.DB { return sql.OpenDB(refusal{}) })

// Connect answers the error it is told to.
func (refusal) Connect(ctx context.Context) (driver.Conn, error) {
	err, _ := ctx.Value(refusal{}).(error)
	return nil, err
}

// Driver is never asked for.
func (refusal) Driver() driver.Driver { return nil }

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
