package marketplace

import (
	"database/sql"
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/db"
)

type scanner interface{ Scan(dest ...any) error }

// failed names the operation of an error.
func failed(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("marketplace: %s: %w", op, err)
}

// found turns a missing row into ErrNotFound and names the operation otherwise.
func found(err error, op string) error {
	if errors.Is(err, db.ErrNoRow) {
		return ErrNotFound
	}
	return failed(op, err)
}

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }

// collect is db.Collect with an error that names the operation.
func collect[T any](tx *db.Tx, op string, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	out, err := db.Collect(tx, scan, query, args...)
	return out, failed(op, err)
}

// number reads one number.
func number[T ~int | ~int64](tx *db.Tx, op, query string, args ...any) (n T, err error) {
	err = tx.QueryRow(query, args...).Scan(&n)
	return n, failed(op, err)
}
