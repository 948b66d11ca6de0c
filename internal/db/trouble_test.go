package db_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
)

// traces says which of the database's files hold the bytes.
func traces(t *testing.T, path string, secret []byte) (found []string) {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		data, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, secret) {
			found = append(found, "file"+suffix)
		}
	}
	return found
}

// planted stores a secret and returns it.
func planted(t *testing.T, d *db.DB) []byte {
	t.Helper()
	secret := make([]byte, 300)
	_, _ = rand.Read(secret)
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		return tx.ExecOne("INSERT INTO t_rows (id, n, body) VALUES (?, 0, ?)", "key", secret)
	})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestDeletedKeyIsInNoFileAfterTruncate(t *testing.T) {
	testkit.SQLiteOnly(t, "PostgreSQL does not promise it")
	for name, forget := range map[string]string{
		"delete": "DELETE FROM t_rows WHERE id = ?",
		"update": "UPDATE t_rows SET body = x'' WHERE id = ?",
	} {
		d, path := fresh(t)
		secret := planted(t, d)
		if err := d.Truncate(t.Context()); err != nil { // so that the key is in the database itself
			t.Fatal(err)
		}
		if len(traces(t, path, secret)) == 0 {
			t.Fatal("the search does not find a key that is there")
		}
		if err := d.Update(t.Context(), func(tx *db.Tx) error { return tx.ExecOne(forget, "key") }); err != nil {
			t.Fatal(err)
		}
		if len(traces(t, path, secret)) == 0 {
			t.Fatal("the key was gone before the log was truncated: the test proves nothing")
		}
		if err := d.Truncate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if found := traces(t, path, secret); len(found) > 0 {
			t.Errorf("%s: the key is still in %v", name, found)
		}
	}
}

func TestTruncateWaitsForAReader(t *testing.T) {
	testkit.SQLiteOnly(t, "it looks into the database's files")
	d, path := fresh(t)
	secret := planted(t, d)
	reading, leave := make(chan struct{}), make(chan struct{})
	left := make(chan error, 1)
	go func() {
		left <- d.View(context.Background(), func(tx *db.Tx) error {
			err := tx.QueryRow("SELECT id FROM t_rows").Scan(new(string))
			close(reading)
			<-leave
			return err
		})
	}()
	<-reading
	if err := d.Update(t.Context(), func(tx *db.Tx) error {
		return tx.ExecOne("DELETE FROM t_rows WHERE id = ?", "key")
	}); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := d.Truncate(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("truncate beside a reader: %v", err)
	}
	if len(traces(t, path, secret)) == 0 {
		t.Fatal("the key is gone although truncate did not say so")
	}
	done := make(chan error, 1)
	go func() { done <- d.Truncate(context.Background()) }()
	time.Sleep(100 * time.Millisecond) // it has tried and found the reader
	mustInsert(t, d, "writers go on meanwhile")
	close(leave)
	if err := errors.Join(<-left, <-done); err != nil {
		t.Fatal(err)
	}
	if found := traces(t, path, secret); len(found) > 0 {
		t.Errorf("the key is still in %v", found)
	}
}

func TestFullDiskChangesNothingAndPasses(t *testing.T) {
	testkit.SQLiteOnly(t, "a pragma makes the disk full")
	d, _ := fresh(t)
	mustInsert(t, d, "before")
	limit := func(pragma string) {
		t.Helper()
		err := d.Update(t.Context(), func(tx *db.Tx) error { return tx.QueryRow(pragma).Scan(new(int)) })
		if err != nil {
			t.Fatal(err)
		}
	}
	limit("PRAGMA max_page_count = 12")
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		if err := insert(tx, "beside", 0); err != nil {
			return err
		}
		_, err := tx.Exec("UPDATE t_rows SET body = ?", make([]byte, 1<<20))
		return err
	})
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != "storage-full" {
		t.Errorf("full disk: %v", err)
	}
	if got := ids(t, d); len(got) != 1 {
		t.Errorf("rows %v", got)
	}
	limit("PRAGMA max_page_count = 100000")
	mustInsert(t, d, "after")
}

func TestMigrationsRunOncePerRoom(t *testing.T) {
	d, _ := fresh(t)
	ctx := t.Context()
	mustInsert(t, d, "kept")
	second := "-- +goose Up\nALTER TABLE t_rows ADD COLUMN extra TEXT NOT NULL DEFAULT '';\n"
	for range 2 {
		if err := d.Migrate(ctx, "t", files(schema, second)); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Migrate(ctx, "other", files("-- +goose Up\nCREATE TABLE other_rows (id TEXT NOT NULL);\n")); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, d); len(got) != 1 {
		t.Errorf("rows %v", got)
	}
	if err := d.Migrate(ctx, "t", files(schema)); err == nil {
		t.Error("an older program opened a newer schema")
	}
	want := []db.Migrated{{Room: "t", From: 0, To: 1}, {Room: "t", From: 1, To: 2}, {Room: "t", From: 2, To: 2}, {Room: "other", From: 0, To: 1}}
	if got := d.Migrated(); !slices.Equal(got, want) {
		t.Errorf("migrated: %+v", got)
	}
}

func TestBrokenMigrationChangesNothing(t *testing.T) {
	d, _ := fresh(t)
	broken := "-- +goose Up\nCREATE TABLE t_new (id TEXT NOT NULL);\nCREATE TABLE t_rows (id TEXT NOT NULL);\n"
	if err := d.Migrate(t.Context(), "t", files(schema, broken)); err == nil {
		t.Fatal("a broken migration passed")
	}
	err := d.View(t.Context(), func(tx *db.Tx) error { return tx.QueryRow("SELECT count(*) FROM t_new").Scan(new(int)) })
	if err == nil {
		t.Error("half a migration stayed")
	}
	if err := d.Migrate(t.Context(), "t", files()); err == nil {
		t.Error("a room without migrations passed")
	}
}

// TestLostTransactionFailsItsWholeBatch uses the conflict clause that makes
// SQLite roll back on its own, as it also may after an I/O error.
func TestLostTransactionFailsItsWholeBatch(t *testing.T) {
	testkit.SQLiteOnly(t, "PostgreSQL has no INSERT OR ROLLBACK")
	d, _ := fresh(t)
	mustInsert(t, d, "before")
	entered, gate, answers := make(chan struct{}), make(chan struct{}), make(chan error, 2)
	go func() {
		answers <- d.Update(context.Background(), func(tx *db.Tx) error {
			close(entered)
			<-gate
			return insert(tx, "neighbour", 0)
		})
	}()
	<-entered
	go func() {
		answers <- d.Update(context.Background(), func(tx *db.Tx) error {
			_, _ = tx.Exec("INSERT OR ROLLBACK INTO t_rows (id, n, body) VALUES ('before', 0, x'')")
			if _, err := tx.Exec("DELETE FROM t_rows"); err == nil {
				t.Error("a statement ran outside any transaction")
			}
			return nil // a function that swallows errors
		})
	}()
	queued(t, 1)
	close(gate)
	for range 2 {
		if err := <-answers; err == nil {
			t.Error("an update of the lost batch was acknowledged")
		}
	}
	if got := ids(t, d); len(got) != 1 || got[0] != "before" {
		t.Errorf("rows %v", got)
	}
	mustInsert(t, d, "later")
}
