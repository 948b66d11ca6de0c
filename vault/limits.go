package vault

import (
	"fmt"
	"sync"

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
	held    map[coop.UploadID]bool
	members map[coop.MemberID]int
}

func (c *claims) take(id coop.UploadID, m coop.MemberID, most int) (release func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.held[id]:
		return nil, ErrUploadBusy
	case c.members[m] >= most:
		return nil, ErrTooManyParts
	}
	if c.held == nil {
		c.held, c.members = map[coop.UploadID]bool{}, map[coop.MemberID]int{}
	}
	c.held[id] = true
	c.members[m]++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.held, id)
		if c.members[m]--; c.members[m] == 0 {
			delete(c.members, m)
		}
	}, nil
}
