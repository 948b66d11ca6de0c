//go:build unix

package db_test

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
)

// TestFailedCommitSealsTheDatabase makes the log's next write fail with a
// limit on file sizes, which SQLite cannot tell from a failing disk.
func TestFailedCommitSealsTheDatabase(t *testing.T) {
	testkit.SQLiteOnly(t, "it limits the size of the database's file")
	d, path := fresh(t)
	mustInsert(t, d, "before")
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	limited := was
	limited.Cur = uint64(info.Size()) //nolint:unconvert // the type differs between systems
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limited); err != nil {
		t.Skipf("cannot limit file sizes: %v", err)
	}
	failed := d.Update(t.Context(), func(tx *db.Tx) error { return insert(tx, "lost", 0) })
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if failed == nil {
		t.Fatal("an update that could not be written was acknowledged")
	}
	err = d.Update(t.Context(), func(*db.Tx) error { t.Error("ran on a sealed database"); return nil })
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != "storage-sealed" || d.Err() == nil {
		t.Errorf("after a failed commit: %v; Err %v", err, d.Err())
	}
	if err := d.Close(); err != nil {
		t.Log(err)
	}
	if got := ids(t, reopen(t, path)); len(got) != 1 || got[0] != "before" {
		t.Errorf("after reopening: %v", got)
	}
}
