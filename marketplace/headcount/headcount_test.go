package headcount

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestFewAreCountedEachTimeAndManyAreRemembered(t *testing.T) {
	var c Counter
	n, asked, failed := 3, make(chan struct{}, 10), error(nil)
	of := func() (int, error) {
		return c.Of(t.Context(), "wearables", func(context.Context) (int, error) {
			asked <- struct{}{}
			return n, failed
		})
	}
	is := func(want int) {
		t.Helper()
		if got, err := of(); got != want || err != nil {
			t.Fatalf("%d, %v; want %d", got, err, want)
		}
	}
	failed = errors.New("away")
	if _, err := of(); !errors.Is(err, failed) {
		t.Fatal("a failure is not told")
	}
	failed = nil
	is(3)
	n = 1000
	is(1000)
	n = 1001
	is(1001)
	for len(asked) > 0 {
		<-asked
	}
	n = 5000
	is(1001) // remembered
	if len(asked) > 0 {
		t.Fatal("many are counted each time")
	}
	k := c.pools["wearables"]
	k.at = time.Now().Add(-2 * fresh)
	c.pools["wearables"] = k
	is(1001) // and counted anew behind the caller's back
	<-asked
	for { // until the count has been noted
		c.mu.Lock()
		done := !c.pools["wearables"].anew
		c.mu.Unlock()
		if done {
			break
		}
	}
	is(5000)
}
