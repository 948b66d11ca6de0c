package audit_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/testkit"
)

// TestOneHistoryIsShownFromCheckpointToCheckpoint: and another that the same key
// signed is not taken for it.
func TestOneHistoryIsShownFromCheckpointToCheckpoint(t *testing.T) {
	d := testkit.DB(t)
	log := testkit.Audit(t, d)
	var heads [][]byte
	for n := range 6 {
		record(t, d, log, 3*n, 3*n+3)
		text, err := log.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		heads = append(heads, text)
	}
	last := heads[len(heads)-1]
	for n, head := range heads {
		proof, err := log.Consistency(t.Context(), head, last)
		if err != nil {
			t.Fatal(err)
		}
		if leaves, err := audit.CheckConsistency(proof, head, last, log.VerifierKey()); err != nil || leaves != int64(3*n+3) {
			t.Errorf("checkpoint %d: %d leaves, %v", n, leaves, err)
		}
		if _, err := audit.CheckConsistency(proof, forged(t, log, head, "11"), last, log.VerifierKey()); err == nil {
			t.Errorf("checkpoint %d: another root of that size is taken", n)
		}
		if _, err := audit.CheckConsistency(proof, last, head, log.VerifierKey()); err == nil && n < len(heads)-1 {
			t.Errorf("checkpoint %d: the later is taken for the earlier", n)
		}
	}
	proof, err := log.Consistency(t.Context(), heads[0], last)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.CheckConsistency(proof, heads[0], last, "coop.other/log"+strings.TrimPrefix(log.VerifierKey(), "coop.test/log")); err == nil {
		t.Error("the key is taken under another log's name")
	}
	lines := strings.Split(string(last), "\n")
	vast := forged(t, log, []byte(lines[0]+"\n4611686018427387905\n"+lines[2]+"\n\n"), "")
	if _, err := audit.CheckConsistency(proof, heads[0], vast, log.VerifierKey()); err == nil {
		t.Error("a tree of more leaves than there are is taken")
	}
}

// forged is a checkpoint signed by the log's own key, with a root of its own where
// one is given.
func forged(t *testing.T, log *audit.Log, head []byte, root string) []byte {
	t.Helper()
	lines, key := strings.Split(string(head), "\n"), strings.Split(log.VerifierKey(), "+")
	if root != "" {
		lines[2] = base64.StdEncoding.EncodeToString([]byte(strings.Repeat(root, 16)))
	}
	by, err := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%s+%s", key[0], key[1], base64.StdEncoding.EncodeToString(append([]byte{1}, testkit.Key().Seed()...))))
	if err != nil {
		t.Fatal(err)
	}
	out, err := note.Sign(&note.Note{Text: strings.Join(lines[:3], "\n") + "\n"}, by)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
