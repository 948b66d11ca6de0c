package marketplace

import (
	"database/sql"
	"errors"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
)

type scanner = desk.Row

// failed names the operation of an error.
func failed(op string, err error) error { return desk.Failed(op, err) }

// found turns a missing row into ErrNotFound and names the operation otherwise.
func found(err error, op string) error { return desk.Found(err, op) }

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }

// collect is db.Collect with an error that names the operation.
func collect[T any](tx *db.Tx, op string, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	return desk.Collect(tx, op, scan, query, args...)
}

// number reads one number.
func number[T ~int | ~int64](tx *db.Tx, op, query string, args ...any) (n T, err error) {
	return desk.Number[T](tx, op, query, args...)
}
