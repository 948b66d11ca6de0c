package testkit_test

import (
	"context"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/testkit"
)

func TestClockStandsStillUntilMoved(t *testing.T) {
	c := testkit.NewClock()
	var clock coop.Clock = c.Now
	start := clock()
	if !clock().Equal(start) || start.Weekday() != time.Monday {
		t.Errorf("clock shows %v, then %v", start, clock())
	}
	c.Advance(time.Hour)
	c.Advance(-time.Minute)
	if got := clock().Sub(start); got != 59*time.Minute {
		t.Errorf("moved by %v", got)
	}
}

func TestRoomsShareOneDatabase(t *testing.T) {
	d, other := testkit.DB(t), testkit.DB(t)
	log, queue := testkit.Audit(t, d), testkit.Queue(t, d, testkit.NewClock().Now)
	ran := false
	queue.Handle("test", func(context.Context, []byte) error { ran = true; return nil })
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		if _, err := log.Append(tx, audit.Event{Kind: "test"}); err != nil {
			return err
		}
		return queue.Enqueue(tx, "test", "once", nil, time.Time{})
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := queue.RunDue(t.Context()); n != 1 || err != nil || !ran {
		t.Errorf("ran %d, %v", n, err)
	}
	if n, err := log.Verify(t.Context()); n != 1 || err != nil {
		t.Errorf("%d leaves, %v", n, err)
	}
	if n, err := testkit.Audit(t, other).Verify(t.Context()); n != 0 || err != nil {
		t.Errorf("the other database has %d leaves, %v", n, err)
	}
}

func TestMissingFixtureSkips(t *testing.T) {
	t.Setenv(testkit.FixturesEnv, t.TempDir())
	skipped := t.Run("missing", func(t *testing.T) {
		t.Cleanup(func() {
			if !t.Skipped() {
				t.Error("not skipped")
			}
		})
		testkit.FixtureBytes(t, "nowhere/nothing.csv")
	})
	if !skipped {
		t.Error("a missing fixture failed its test")
	}
}

func TestFixtureIsRead(t *testing.T) {
	if len(testkit.FixtureBytes(t, "README.md")) == 0 {
		t.Error("empty")
	}
}
