//go:build unix

package custody

import (
	"errors"
	"testing"
)

func TestADataDirectoryHasOneHolder(t *testing.T) {
	dir := t.TempDir()
	release, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir); !errors.Is(err, errHeld) {
		t.Fatalf("a second holder: %v", err)
	}
	if err := (&SplitCmd{Data: dir}).Run(); !errors.Is(err, errHeld) {
		t.Errorf("keys were split under a running server: %v", err)
	}
	if _, err := Lock(t.TempDir()); err != nil {
		t.Errorf("another directory: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if release, err = Lock(dir); err != nil {
		t.Fatalf("after the first has gone: %v", err)
	}
	_ = release()
}
