package testkit

import (
	"bytes"
	"crypto/ed25519"
	"log/slog"
	"testing"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/jobs"
)

// Key returns the Ed25519 key of the test co-op, the same every time.
func Key() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte("co"), ed25519.SeedSize/2))
}

// Audit opens the audit log in d under the origin "coop.test/log", signed with
// Key, with a clock that stands still.
func Audit(t testing.TB, d *db.DB) *audit.Log {
	t.Helper()
	log, err := audit.New(t.Context(), d, "coop.test/log", Key(), NewClock().Now)
	if err != nil {
		t.Fatalf("open audit log: %v", err)
	}
	return log
}

// Queue opens the job queue in d; its log goes to t's output. Tests drive it
// with RunDue.
func Queue(t testing.TB, d *db.DB, clock coop.Clock) *jobs.Queue {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	q, err := jobs.New(t.Context(), d, clock, logger)
	if err != nil {
		t.Fatalf("open job queue: %v", err)
	}
	return q
}
