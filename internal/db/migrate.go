package db

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/pressly/goose/v3"
)

var errNewer = errors.New("the database was made by a newer version of this program")

// Migrate brings a room's tables up to date. files holds a folder "schema"
// with goose migrations named 0001_init.sql and so on, forward only, in the
// words both databases know; which of them ran is kept in the table
// "<room>_schema". Each migration runs in a transaction of its own. It refuses
// a database whose schema is newer. Processes that start together migrate one
// after the other. What was done is among [DB.Migrated].
func (d *DB) Migrate(ctx context.Context, room string, files fs.FS) error {
	if current(ctx, d) != nil {
		return fmt.Errorf("db: migrate %s: %w", room, ErrNested)
	}
	schema, err := fs.Sub(files, "schema")
	if err != nil {
		return fmt.Errorf("db: migrate %s: %w", room, err)
	}
	provider, err := goose.NewProvider(d.dialect, d.write, translated{schema, d.schema},
		goose.WithTableName(room+"_schema"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("db: migrate %s: %w", room, err)
	}
	err = d.control(ctx, func() error {
		return d.migrate(ctx, d, func() error { return d.up(ctx, room, provider) })
	})
	if err != nil {
		return fmt.Errorf("db: migrate %s: %w", room, d.explain(err))
	}
	return nil
}

// Migrated is what became of a room's tables: the number of the last migration
// that had run before and the one that has now. From is 0 for new tables.
type Migrated struct {
	Room string `json:"room"`
	From int64  `json:"from"`
	To   int64  `json:"to"`
}

// Migrated lists what [DB.Migrate] did since the database was opened, in that order.
func (d *DB) Migrated() []Migrated {
	d.noting.Lock()
	defer d.noting.Unlock()
	return slices.Clone(d.migrated)
}

func (d *DB) up(ctx context.Context, room string, provider *goose.Provider) error {
	have, want, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if have > want {
		return errNewer
	}
	if _, err = provider.Up(ctx); err != nil {
		return err
	}
	d.noting.Lock()
	defer d.noting.Unlock()
	d.migrated = append(d.migrated, Migrated{room, have, want})
	return nil
}

// translated is a folder of migrations in another dialect.
type translated struct {
	fs.FS
	into func(text string) string
}

// Open reads a migration whole.
func (t translated) Open(name string) (fs.File, error) {
	f, err := t.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		return f, err
	}
	text, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return &migration{bytes.NewReader([]byte(t.into(string(text)))), info}, nil
}

// migration is a translated file. Its size is that of the original, which
// nobody relies on.
type migration struct {
	*bytes.Reader
	info fs.FileInfo
}

func (m *migration) Stat() (fs.FileInfo, error) { return m.info, nil }
func (m *migration) Close() error               { return nil }
