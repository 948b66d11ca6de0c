package demo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

const clockFile = "demo.clock"

// Clock is the machine's clock, set forward. How far is kept in the demo's
// data directory and never decreases, so that a later run does not fall
// before what is already recorded.
type Clock struct {
	path   string
	mu     sync.RWMutex
	offset time.Duration
}

// OpenClock reads the offset of a demo's data directory, or starts at none.
func OpenClock(dir string) (*Clock, error) {
	c := &Clock{path: filepath.Join(dir, clockFile)}
	text, err := os.ReadFile(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, c.keep()
	}
	if err != nil {
		return nil, fmt.Errorf("demo: clock: %w", err)
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || seconds < 0 {
		return nil, fmt.Errorf("demo: %s is damaged", clockFile)
	}
	c.offset = time.Duration(seconds) * time.Second
	return c, nil
}

// Now is the demo's time, in UTC.
func (c *Clock) Now() time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return time.Now().UTC().Add(c.offset)
}

// Advance sets the clock forward by d, rounded up to a second, and keeps the
// new offset before anybody sees it.
func (c *Clock) Advance(d time.Duration) error {
	if d < 0 {
		return errors.New("demo: the clock never goes back")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	former := c.offset
	c.offset += (d + time.Second - 1).Truncate(time.Second)
	if err := c.keep(); err != nil {
		c.offset = former
		return err
	}
	return nil
}

// AdvanceTo sets the clock forward to just after at, if it is not there yet.
func (c *Clock) AdvanceTo(at time.Time) error {
	return c.Advance(max(0, at.Sub(c.Now())+time.Second))
}

func (c *Clock) keep() error {
	text := strconv.FormatInt(int64(c.offset/time.Second), 10) + "\n"
	next := c.path + ".new"
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		return fmt.Errorf("demo: clock: %w", err)
	}
	if err := os.Rename(next, c.path); err != nil {
		return fmt.Errorf("demo: clock: %w", err)
	}
	return nil
}

// RefuseData refuses a data directory that a demo has lived in: its clock ran
// ahead, so a real server would meet records from the future.
func RefuseData(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, clockFile)); err == nil {
		return errors.New("this directory holds a demo's data, whose clock ran ahead; choose another one")
	}
	return nil
}
