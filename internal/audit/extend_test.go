package audit_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/testkit"
)

func record(t *testing.T, d *db.DB, log *audit.Log, from, to int) {
	t.Helper()
	err := d.Update(context.Background(), func(tx *db.Tx) error {
		for n := from; n < to; n++ {
			if _, err := log.Append(tx, audit.Event{Kind: "test.event", Record: map[string]int{"n": n}, Erases: erases(n)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// erases names something with every third event.
func erases(n int) string {
	if n%3 > 0 {
		return ""
	}
	sum := sha256.Sum256(fmt.Append(nil, n))
	return hex.EncodeToString(sum[:])
}

func publish(t *testing.T, log *audit.Log) (*audit.Published, []byte) {
	t.Helper()
	note, err := log.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := audit.Read(note, log.VerifierKey(), func(path string) ([]byte, error) { return log.Tile(context.Background(), path) })
	if err != nil {
		t.Fatal(err)
	}
	return p, note
}

// restored is a log that holds the first n events of another's history: what
// comes out of a backup. Salts are random, so it is a copy of the file.
func restored(t *testing.T, path string) (*db.DB, *audit.Log) {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := db.Copy(t.Context(), path, copied); err != nil {
		t.Fatal(err)
	}
	out, err := db.Open(t.Context(), copied)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close() })
	return out, testkit.Audit(t, out)
}

func extend(t *testing.T, d *db.DB, log *audit.Log, p *audit.Published) (leaves []audit.Leaf, err error) {
	t.Helper()
	err = d.Update(t.Context(), func(tx *db.Tx) error {
		leaves, err = log.Extend(tx, p)
		return err
	})
	return leaves, err
}

func live(t *testing.T) (*db.DB, *audit.Log, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "live.db")
	d, err := db.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d, testkit.Audit(t, d), path
}

func TestARestoredLogTakesUpItsHistory(t *testing.T) {
	for _, had := range []int{0, 1, 255, 256, 300} {
		d, log, path := live(t)
		record(t, d, log, 0, had)
		old, oldLog := restored(t, path)
		record(t, d, log, had, 320)
		p, note := publish(t, log)

		if ahead, err := oldLog.Ahead(t.Context(), note); err != nil || ahead != int64(320-had) {
			t.Errorf("%d ahead, %v", ahead, err)
		}
		missing, err := extend(t, old, oldLog, p)
		if err != nil || len(missing) != 320-had {
			t.Fatalf("%d: %d leaves, %v", had, len(missing), err)
		}
		for i, l := range missing {
			if l.Index != int64(had+i) || l.Kind != "test.event" || l.Erases != erases(had+i) {
				t.Fatalf("%+v", l)
			}
		}
		if n, err := oldLog.Verify(t.Context()); err != nil || n != 320 {
			t.Errorf("%d leaves, %v", n, err)
		}
		if again, err := extend(t, old, oldLog, p); err != nil || len(again) != 0 {
			t.Errorf("a second time: %v, %v", again, err)
		}
		record(t, old, oldLog, 320, 330) // and goes on
		further, _ := publish(t, oldLog)
		if err := further.Reaches(note, log.VerifierKey()); err != nil {
			t.Error(err)
		}
		if err := p.Reaches(must(oldLog.Checkpoint(t.Context())), log.VerifierKey()); !errors.Is(err, audit.ErrBehind) {
			t.Errorf("%v", err)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestALogAdoptsNoOtherHistory(t *testing.T) {
	d, log, path := live(t)
	record(t, d, log, 0, 5)
	early, _ := publish(t, log)
	record(t, d, log, 5, 10)
	old, oldLog := restored(t, path)
	before := must(oldLog.Checkpoint(t.Context()))

	other := testkit.DB(t)
	otherLog := testkit.Audit(t, other) // the same name and key
	record(t, other, otherLog, 0, 20)
	forked, forkedNote := publish(t, otherLog)

	if _, err := extend(t, old, oldLog, forked); !errors.Is(err, audit.ErrFork) {
		t.Errorf("another history: %v", err)
	}
	if _, err := extend(t, old, oldLog, early); !errors.Is(err, audit.ErrBehind) {
		t.Errorf("an earlier end: %v", err)
	}
	if err := forked.Reaches(before, log.VerifierKey()); !errors.Is(err, audit.ErrFork) {
		t.Errorf("%v", err)
	}
	short := testkit.DB(t)
	shortLog := testkit.Audit(t, short)
	record(t, short, shortLog, 0, 3)
	if _, err := oldLog.Ahead(t.Context(), must(shortLog.Checkpoint(t.Context()))); !errors.Is(err, audit.ErrFork) {
		t.Errorf("%v", err)
	}
	if ahead, err := oldLog.Ahead(t.Context(), forkedNote); err != nil || ahead != 10 {
		t.Errorf("%d, %v", ahead, err) // more than this log can judge
	}
	forkedNote[len(forkedNote)-5] ^= 1
	if _, err := oldLog.Ahead(t.Context(), forkedNote); err == nil || errors.Is(err, audit.ErrFork) {
		t.Errorf("a note nobody signed: %v", err)
	}
	if after := must(oldLog.Checkpoint(t.Context())); string(after) != string(before) {
		t.Error("a refused log changed this one")
	}
}

func TestACheckpointOfACopyIsThatOfTheLog(t *testing.T) {
	d, log, path := live(t)
	record(t, d, log, 0, 7)
	want := must(log.Checkpoint(t.Context()))
	old, _ := restored(t, path)
	got, n, err := audit.SignCopy(t.Context(), old, "coop.test/log", testkit.Key())
	if err != nil || n != 7 || string(got) != string(want) {
		t.Errorf("%d, %v\n%s\n%s", n, err, got, want)
	}
	if head, err := audit.Look(t.Context(), old); err != nil || head.Leaves != 7 || head.Hour != testkit.NewClock().Now().Unix()/3600 {
		t.Errorf("%+v, %v", head, err)
	}
	// A copy that lost what was signed is none.
	if err := old.Update(t.Context(), func(tx *db.Tx) error { _, err := tx.Exec(`DELETE FROM audit_leaves WHERE idx = 6`); return err }); err != nil {
		t.Fatal(err)
	}
	if _, _, err := audit.SignCopy(t.Context(), old, "coop.test/log", testkit.Key()); err == nil {
		t.Error("a shorter history was signed")
	}
}

func TestWhatWasErasedIsNamedByAHashAlone(t *testing.T) {
	d := testkit.DB(t)
	log := testkit.Audit(t, d)
	for _, bad := range []string{"x", strings.Repeat("A", 64), strings.Repeat("a", 63), strings.Repeat("a", 65), "0195b1c2-1111-7222-8333-944445555666"} {
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			_, err := log.Append(tx, audit.Event{Kind: "test.event", Erases: bad})
			return err
		})
		if err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
