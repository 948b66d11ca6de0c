package vault

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// Limits bound what one member can take of a storage that all share. A zero
// stands for the default.
type Limits struct {
	Bytes   int64 // of sealed payloads and open uploads together; 64 times the largest file
	Uploads int   // not sealed yet; 32
	Parts   int   // received at the same moment, each of which holds a connection; 8
}

func (l Limits) orDefaults(maxBytes int64) Limits {
	if l.Bytes == 0 {
		l.Bytes = 64 * maxBytes
	}
	if l.Uploads == 0 {
		l.Uploads = 32
	}
	if l.Parts == 0 {
		l.Parts = 8
	}
	return l
}

// room refuses an upload of total bytes that would exceed the member's part.
func (s *Service) room(tx *db.Tx, m coop.MemberID, total int64) error {
	uploads, bytes, err := holdings(tx, m)
	switch {
	case err != nil:
		return fmt.Errorf("vault: quota: %w", err)
	case uploads >= s.cfg.Limits.Uploads:
		return ErrTooManyUploads
	case bytes > s.cfg.Limits.Bytes-total:
		return ErrQuota
	}
	return nil
}

// claims lets one caller at a time write to an upload, and each member no more
// than some callers.
type claims struct {
	mu      sync.Mutex
	held    map[coop.UploadID]claim
	members map[coop.MemberID]int
}

// claim is one caller's, until it is over.
type claim struct {
	stop func() // nil if it cannot be asked to come to an end
	over chan struct{}
}

// Interrupter is a part of an upload that can be ended from outside: a Read
// that waits, and every one after it, fails.
type Interrupter interface{ Interrupt() }

// succession is how long a caller waits for the one before to come to its end.
const succession = 5 * time.Second

// succeed has the one who writes to an upload come to an end, if they can be
// interrupted, and waits for it. Whoever comes back to an upload has lost the
// connection of the time before; the server may not have noticed yet.
func (c *claims) succeed(ctx context.Context, id coop.UploadID) {
	c.mu.Lock()
	held, busy := c.held[id]
	c.mu.Unlock()
	if !busy || held.stop == nil {
		return
	}
	held.stop()
	ctx, cancel := context.WithTimeout(ctx, succession)
	defer cancel()
	select {
	case <-held.over:
	case <-ctx.Done():
	}
}

func (c *claims) take(id coop.UploadID, m coop.MemberID, most int, part io.Reader) (release func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, busy := c.held[id]
	switch {
	case busy:
		return nil, ErrUploadBusy
	case c.members[m] >= most:
		return nil, ErrTooManyParts
	}
	if c.held == nil {
		c.held, c.members = map[coop.UploadID]claim{}, map[coop.MemberID]int{}
	}
	mine := claim{over: make(chan struct{})}
	if i, ok := part.(Interrupter); ok {
		mine.stop = i.Interrupt
	}
	c.held[id] = mine
	c.members[m]++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		close(mine.over)
		delete(c.held, id)
		if c.members[m]--; c.members[m] == 0 {
			delete(c.members, m)
		}
	}, nil
}
