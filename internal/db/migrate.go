package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

var errNewer = errors.New("the database was made by a newer version of this program")

// Migrate brings a room's tables up to date. files holds a folder "schema"
// with goose migrations named 0001_init.sql and so on, forward only; which of
// them ran is kept in the table "<room>_schema". Each migration runs in a
// transaction of its own. It refuses a database whose schema is newer.
func (d *DB) Migrate(ctx context.Context, room string, files fs.FS) error {
	if current(ctx, d) != nil {
		return fmt.Errorf("db: migrate %s: %w", room, ErrNested)
	}
	schema, err := fs.Sub(files, "schema")
	if err != nil {
		return fmt.Errorf("db: migrate %s: %w", room, err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, d.write, schema,
		goose.WithTableName(room+"_schema"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("db: migrate %s: %w", room, err)
	}
	err = d.control(ctx, func() error {
		have, want, err := provider.GetVersions(ctx)
		if err != nil {
			return err
		}
		if have > want {
			return errNewer
		}
		_, err = provider.Up(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("db: migrate %s: %w", room, err)
	}
	return nil
}
