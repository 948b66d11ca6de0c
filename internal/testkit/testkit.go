// Package testkit is the one home of test support: real databases, a clock that
// tests move, and the paths of fixtures.
//
// It guarantees that what it opens is closed with the test, and that a missing
// fixture skips the test with a printed reason instead of failing it. Databases
// are SQLite files, or schemas of the PostgreSQL server that DATACOOP_POSTGRES
// names: the same tests run on either. It refuses to be imported outside tests,
// and it mocks none of our packages.
package testkit

import (
	"sync"
	"time"
)

// Clock is a clock that stands still until it is moved. Its method Now is a
// coop.Clock.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock makes a clock that shows noon UTC on 2 March 2026, a Monday.
func NewClock() *Clock {
	return &Clock{now: time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)}
}

// Now returns the time the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock by d, backwards if d is negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
