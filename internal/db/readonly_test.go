package db_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"distributed.ai/datacoop/internal/db"
)

func notes(t *testing.T, path string, n int) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	put(t, d, `CREATE TABLE notes (text TEXT NOT NULL)`)
	for i := range n {
		put(t, d, `INSERT INTO notes (text) VALUES (?)`, fmt.Sprintf("note %d: a line that takes some room on its page", i))
	}
	return d
}

func put(t *testing.T, d *db.DB, query string, args ...any) {
	t.Helper()
	if err := d.Update(context.Background(), func(tx *db.Tx) error { _, err := tx.Exec(query, args...); return err }); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, d *db.DB) (n int) {
	t.Helper()
	if err := d.View(context.Background(), func(tx *db.Tx) error { return tx.QueryRow(`SELECT COUNT(*) FROM notes`).Scan(&n) }); err != nil {
		t.Fatal(err)
	}
	return n
}

func beside(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestAReaderSeesALiveDatabaseAndChangesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "coop.db")
	d := notes(t, path, 3)
	r, err := db.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	put(t, d, `INSERT INTO notes (text) VALUES ('later')`)
	if n := count(t, r); n != 4 {
		t.Errorf("%d notes", n)
	}
	for what, err := range map[string]error{
		"update":   r.Update(t.Context(), func(*db.Tx) error { return nil }),
		"truncate": r.Truncate(t.Context()),
		"migrate":  r.Migrate(t.Context(), "room", os.DirFS(dir)),
		"a write in a view": r.View(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(`DELETE FROM notes`)
			return err
		}),
	} {
		if err == nil {
			t.Errorf("%s was let through", what)
		}
	}
	if found, err := r.Check(t.Context()); err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if n := count(t, d); n != 4 {
		t.Errorf("%d notes", n)
	}
}

func TestAReaderLeavesNothingBesideAClosedDatabase(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "coop.db")
	if err := notes(t, path, 3).Close(); err != nil {
		t.Fatal(err)
	}
	r, err := db.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, r); n != 3 {
		t.Errorf("%d notes", n)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if names := beside(t, dir); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
	if _, err := db.OpenReadOnly(t.Context(), path+".none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a database that is not there: %v", err)
	}
	if names := beside(t, dir); len(names) != 1 {
		t.Errorf("made: %v", names)
	}
}

func TestACheckFindsADamagedPage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "coop.db")
	if err := notes(t, path, 2000).Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096 * 3; i < 4096*6; i++ {
		data[i] ^= 0x5a
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := db.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if found, err := r.Check(t.Context()); err != nil || len(found) == 0 {
		t.Errorf("three pages are noise: %v, %v", found, err)
	}
}

func TestACopyIsWholeWhileOthersWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "coop.db")
	d := notes(t, path, 500)
	stop, done := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for ; ; n++ {
			select {
			case <-stop:
				done <- n
				return
			default:
			}
			if err := d.Update(context.Background(), func(tx *db.Tx) error {
				_, err := tx.Exec(`INSERT INTO notes (text) VALUES ('while it was copied')`)
				return err
			}); err != nil {
				t.Error(err)
			}
		}
	}()
	to := filepath.Join(dir, "copy.db")
	err := db.Copy(t.Context(), path, to)
	close(stop)
	wrote := <-done
	if err != nil {
		t.Fatal(err)
	}
	r, err := db.OpenReadOnly(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n := count(t, r); n < 500 || n > 500+wrote {
		t.Errorf("%d notes in the copy, between 500 and %d were there", n, 500+wrote)
	}
	if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := db.Copy(t.Context(), path, to); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over an earlier copy: %v", err)
	}
	if err := db.Copy(t.Context(), path+".none", to+".2"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
}
