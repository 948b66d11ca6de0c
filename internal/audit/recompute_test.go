package audit_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/testkit"
)

func TestAnyoneCanRecomputeThePublishedLog(t *testing.T) {
	d := testkit.DB(t)
	log := testkit.Audit(t, d)
	for n := range 300 { // more than one full tile
		err := d.Update(context.Background(), func(tx *db.Tx) error {
			_, err := log.Append(tx, audit.Event{Kind: "test.event", Verdict: "noted", Record: map[string]int{"n": n}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	checkpoint, err := log.Checkpoint(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	fetch := func(path string) ([]byte, error) { return log.Tile(context.Background(), path) }
	if n, err := audit.Recompute(checkpoint, log.VerifierKey(), fetch); err != nil || n != 300 {
		t.Fatalf("%d leaves, %v", n, err)
	}
	altered := func(path string) ([]byte, error) {
		data, err := fetch(path)
		data = append([]byte(nil), data...)
		if len(data) > 0 {
			data[len(data)-1] ^= 1
		}
		return data, err
	}
	if _, err := audit.Recompute(checkpoint, log.VerifierKey(), altered); !errors.Is(err, audit.ErrTampered) {
		t.Fatalf("an altered leaf: %v", err)
	}
	cut := func(path string) ([]byte, error) {
		data, err := fetch(path)
		return data[:len(data)-1], err
	}
	if _, err := audit.Recompute(checkpoint, log.VerifierKey(), cut); err == nil {
		t.Fatal("a tile that is cut off passed")
	}
	broken := func(string) ([]byte, error) { return nil, fmt.Errorf("no network") }
	if _, err := audit.Recompute(checkpoint, log.VerifierKey(), broken); err == nil {
		t.Fatal("nothing was fetched and it passed")
	}
	checkpoint[len(checkpoint)-5] ^= 1
	if _, err := audit.Recompute(checkpoint, log.VerifierKey(), fetch); err == nil {
		t.Fatal("a checkpoint nobody signed passed")
	}
}
