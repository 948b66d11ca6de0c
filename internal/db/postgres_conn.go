package db

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"distributed.ai/datacoop/internal/fault"
)

// wrapped makes connections that number placeholders and let a statement begin
// while an earlier one's rows are still being read.
type wrapped struct{ driver.Connector }

func (w wrapped) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := w.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := c.(*stdlib.Conn)
	if !ok {
		return nil, errors.New("db: not a connection to PostgreSQL")
	}
	return &pgConn{Conn: inner}, nil
}

type pgConn struct {
	*stdlib.Conn
	open *pgRows // the rows the server is sending
}

func (c *pgConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.settle()
	return c.Conn.ExecContext(ctx, rebind(query), args)
}

func (c *pgConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.settle()
	rows, err := c.Conn.QueryContext(ctx, rebind(query), args)
	if err != nil {
		return nil, err
	}
	c.open = &pgRows{Rows: rows, conn: c, columns: rows.Columns()}
	return c.open, nil
}

// settle takes what the server is still sending into memory, because a
// connection carries one answer at a time. Whoever walks through large tables
// side by side reads them in pages.
func (c *pgConn) settle() {
	if c.open != nil {
		c.open.take()
	}
}

// pgRows are rows that come from the server, or from memory once it was needed
// for something else.
type pgRows struct {
	driver.Rows
	conn    *pgConn
	columns []string
	kept    [][]driver.Value
	end     error // how the answer ended, once it has
}

func (r *pgRows) Columns() []string { return r.columns }

func (r *pgRows) Next(row []driver.Value) error {
	if len(r.kept) > 0 {
		copy(row, r.kept[0])
		r.kept = r.kept[1:]
		return nil
	}
	if r.end == nil {
		r.end = r.Rows.Next(row)
	}
	if r.end != nil {
		r.leave()
	}
	return r.end
}

func (r *pgRows) take() {
	for r.end == nil {
		row := make([]driver.Value, len(r.columns))
		if r.end = r.Rows.Next(row); r.end != nil {
			break
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = bytes.Clone(b)
			}
		}
		r.kept = append(r.kept, row)
	}
	_ = r.Rows.Close() // end says how it ended
	r.leave()
}

func (r *pgRows) Close() error {
	r.kept = nil
	if r.end == nil {
		r.end = io.EOF
	}
	r.leave()
	return r.Rows.Close()
}

func (r *pgRows) leave() {
	if r.conn.open == r {
		r.conn.open = nil
	}
}

// SQLSTATE codes and classes, as the appendix of PostgreSQL's manual lists
// them.
const (
	uniqueViolation = "23505"
	inFailedBatch   = "25P02"
)

// temporary are the troubles of a server that pass by themselves.
var temporary = map[string]error{
	"53100": errFull,
	"0A000": errBusy, // a plan that another process' migration made stale
	"40001": errBusy, "40P01": errBusy, "55P03": errBusy, "57014": errBusy,
	"25P03": errAway, "53200": errAway, "53300": errAway, "53400": errAway,
	"57P01": errAway, "57P02": errAway, "57P03": errAway, "57P04": errAway, "57P05": errAway,
	"22021": errText, "22P05": errText,
}

func (p *postgres) explain(err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	state := sqlState(err)
	if trouble, ok := temporary[state]; ok {
		return fmt.Errorf("%w (%w)", trouble, err)
	}
	if strings.HasPrefix(state, "08") || state == "" && unreachable(err) {
		return fmt.Errorf("%w (%w)", errAway, err)
	}
	return err
}

// unreachable reports whether err says that the connection is not there. A
// caller that went away says nothing about it.
func unreachable(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.As(err, &connect):
		return !errors.Is(err, context.Canceled)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	}
	return errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, pgconn.ErrConnClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
