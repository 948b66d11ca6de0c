package blobs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func open(t *testing.T) (*Store, string) {
	t.Helper()
	dir := t.TempDir()
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b, dir
}

// grow writes acknowledged bytes.
func grow(t *testing.T, b *Store, name string, at int64, data string) {
	t.Helper()
	f, err := b.Append(name, at)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(data)
	if err := errors.Join(err, b.Sync(f), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, b *Store, name string) string {
	t.Helper()
	f, err := b.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestAPayloadGrowsAndMovesWhenItIsWhole(t *testing.T) {
	b, _ := open(t)
	name := NewName()
	grow(t, b, name, 0, "acknowledged and a tail that never was")
	grow(t, b, name, 12, ", whole")
	if _, err := b.Open(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a growing payload was opened: %v", err)
	}
	if err := b.Finish(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if got := read(t, b, name); got != "acknowledged, whole" {
		t.Errorf("%q", got)
	}
	partials, _ := b.Partials()
	names, _ := b.Names(t.Context())
	if len(partials) != 0 || len(names) != 1 || names[0] != name {
		t.Errorf("%v, %v", partials, names)
	}
	grow(t, b, name, 12, ", undone") // killed before the row was written
	if err := b.Finish(t.Context(), name); err != nil || read(t, b, name) != "acknowledged, undone" {
		t.Errorf("%q, %v", read(t, b, name), err)
	}
	for range 2 {
		if err := b.Remove(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
	if names, _ := b.Names(t.Context()); len(names) != 0 {
		t.Errorf("%v", names)
	}
}

func TestAcknowledgedBytesThatAreMissingAreNotPassedOver(t *testing.T) {
	b, dir := open(t)
	name := NewName()
	grow(t, b, name, 0, "0123456789")
	if err := os.Truncate(filepath.Join(dir, "partial", name), 5); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Append(name, 10); err == nil {
		t.Error("five bytes are gone and nobody noticed")
	}
	if _, err := b.Append(NewName(), 10); err == nil {
		t.Error("a whole file is gone and nobody noticed")
	}
}

func TestNoNameLeadsOutside(t *testing.T) {
	b, dir := open(t)
	outside := filepath.Join(filepath.Dir(dir), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", ".", "..", "../secret", "../../secret", outside, "secret", NewName() + "/..", NewName()[:31],
		"0123456789ABCDEF0123456789ABCDEF", NewName() + "\x00"} {
		if _, err := b.Open(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", name, err)
		}
		if err := b.Remove(t.Context(), name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(dir, "payload", "00", "00000000000000000000000000000000")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Open(t.Context(), "00000000000000000000000000000000"); err == nil {
		t.Error("a link led outside")
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error(err)
	}
}

func TestAfterAFailedSyncNothingIsTaken(t *testing.T) {
	b, _ := open(t)
	name := NewName()
	grow(t, b, name, 0, "x")
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if err := b.Sync(f); !errors.Is(err, ErrStorage) {
		t.Fatal(err)
	}
	if _, err := b.Append(name, 1); !errors.Is(err, ErrStorage) {
		t.Errorf("it took more: %v", err)
	}
}
