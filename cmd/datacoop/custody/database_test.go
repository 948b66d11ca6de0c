package custody

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestEveryCommandFindsTheDatabaseWhereItWasPut(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, MainFile)
	wants := func(told, address string, refusal error) {
		t.Helper()
		if got, err := Database(dir, told); got != address || !errors.Is(err, refusal) {
			t.Errorf("told %q: %q, %v; want %q, %v", told, got, err, address, refusal)
		}
	}
	wants("", file, nil)
	wants("elsewhere.db", "", errAddress)
	const server, other = "postgres://coop@localhost/coop", "postgresql://coop@db.example/coop"
	wants(server, server, nil)
	wants("", file, nil) // an address that did not work is not remembered
	for _, address := range []string{server, server, other} {
		if err := KeepDatabase(dir, address); err != nil {
			t.Fatal(err)
		}
		wants("", address, nil)
	}
	if info, err := os.Stat(filepath.Join(dir, addressFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the address may hold a password: %v, %v", info.Mode(), err)
	}
	wants(server, server, nil) // the server has moved
}

func TestACoopWithAFileIsNotStartedAnewOnAServer(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, MainFile)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Database(dir, "postgres://localhost/coop"); !errors.Is(err, errMoved) {
		t.Errorf("got %v", err)
	}
	if err := KeepDatabase(dir, file); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, addressFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file in the directory was noted: %v", err)
	}
}
