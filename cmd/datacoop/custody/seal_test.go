package custody_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"distributed.ai/datacoop/cmd/datacoop/custody"
)

// TestAPersonsPassphraseIsStretchedAsAgeDoesIt: other tests make it cheaper, so
// that this one alone sees what is really written.
func TestAPersonsPassphraseIsStretchedAsAgeDoesIt(t *testing.T) {
	dir := t.TempDir()
	if err := custody.SealMaster(dir, "correct horse battery staple", custody.HumanLogN); err != nil {
		t.Fatal(err)
	}
	sealed, err := os.ReadFile(filepath.Join(dir, custody.MasterFile))
	if err != nil {
		t.Fatal(err)
	}
	_, stanza, _ := strings.Cut(string(sealed), "-> scrypt ")
	line, _, _ := strings.Cut(stanza, "\n")
	if args := strings.Fields(line); len(args) != 2 || args[1] != "18" {
		t.Errorf("the passphrase is stretched by %q", args)
	}
}
