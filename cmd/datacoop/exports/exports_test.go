package exports_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/cmd/datacoop/exports"
	"distributed.ai/datacoop/marketplace/codebook"
)

func TestFoldersSayWhatTheyHold(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"export/a.csv": "Id,ActivityDate,TotalSteps\n1,4/12/2016,5\n", "export/deep/holiday.jpg": "\xff\xd8", "export/deep/party.jpg": "\xff\xd8", "export/empty.txt": "",
		"export/statement.csv": "Date,Amount,Currency\n2026-01-01,5,EUR\n", "export/notes.txt": "dear diary", "export/.DS_Store": "x", "export/.git/config": "x", "nothing/notes.txt": "dear diary",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, left, err := exports.Open("wearables", []string{filepath.Join(dir, "export")})
	if err != nil || len(found) != 1 || found[0].Name != "a.csv" {
		t.Fatalf("%v, %v", found, err)
	}
	if said := exports.Said(left); said != "Not read: 2 pictures, 1 empty file, 1 file for another pool, 1 other file." {
		t.Error(said)
	}
	for path, want := range map[string]string{"nothing": "holds no export that belongs to the pool wearables", "missing": "is not there"} {
		if _, _, err := exports.Open("wearables", []string{filepath.Join(dir, path)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if exports.Said(nil) != "" || exports.Said([]codebook.Left{{Kind: codebook.LeftOtherPool, Count: 3}, {Kind: "sound or film", Count: 2}}) != "Not read: 3 files for another pool, 2 sounds or films." {
		t.Error("the sentence is wrong")
	}
}

// A browser that runs keeps its newest visits in a file beside its database.
func TestALogBesideADatabaseIsTold(t *testing.T) {
	dir := t.TempDir()
	_, history, err := codebook.Synthesise("chrome-history", 3, time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), 5)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "History")
	for name, text := range map[string]string{path: string(history), path + "-wal": "\x37\x7f\x06\x82 and more", filepath.Join(dir, "old.xz"): "\xfd7zXZ\x00"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const told = " A database log holds what a running program has not moved into its database yet: close the program, then do this again."
	for opened, want := range map[string]string{path: "Not read: 1 database log." + told, dir: "Not read: 1 archive, 1 database log." + told} {
		found, left, err := exports.Open("browsing", []string{opened})
		if said := exports.Said(left); err != nil || len(found) != 1 || said != want {
			t.Errorf("%s: %q, %v", opened, said, err)
		}
	}
	if err := os.Truncate(path+"-wal", 0); err != nil {
		t.Fatal(err)
	}
	if _, left, err := exports.Open("browsing", []string{path}); err != nil || len(left) != 0 {
		t.Errorf("an empty log: %v, %v", left, err)
	}
}
