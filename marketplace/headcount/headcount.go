// Package headcount answers how many members share in a pool without counting a
// whole nation for every page.
//
// It is an annex of the market.
//
// # What it guarantees
//
// Up to a thousand members the answer is counted each time and exact; so is every
// figure that a smallest group is compared with. Above that it may be a minute old,
// in machine time: whoever asks after that gets what is known and has it counted
// anew behind their back, once.
//
// # What it refuses
//
// To remember a failure: it is answered, and the next caller counts again.
package headcount

import (
	"context"
	"sync"
	"time"

	"distributed.ai/datacoop/internal/coop"
)

const (
	many  = 1000
	fresh = time.Minute
)

type known struct {
	members int
	at      time.Time
	anew    bool // it is being counted
}

// Counter remembers. Its zero value knows nothing. It is safe for concurrent use.
type Counter struct {
	mu    sync.Mutex
	pools map[coop.PoolID]known
}

// Of answers how many members share in a pool; count counts them.
func (c *Counter) Of(ctx context.Context, p coop.PoolID, count func(context.Context) (int, error)) (int, error) {
	c.mu.Lock()
	k := c.pools[p]
	late := k.members > many && !k.anew && time.Since(k.at) > fresh
	if late {
		k.anew = true
		c.pools[p] = k
	}
	c.mu.Unlock()
	switch {
	case late:
		go func() { _, _ = c.count(context.WithoutCancel(ctx), p, count) }() // what fails is counted again
		return k.members, nil
	case k.members > many:
		return k.members, nil
	}
	return c.count(ctx, p, count)
}

func (c *Counter) count(ctx context.Context, p coop.PoolID, count func(context.Context) (int, error)) (int, error) {
	n, err := count(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pools == nil {
		c.pools = map[coop.PoolID]known{}
	}
	k := c.pools[p]
	k.anew = false
	if err == nil {
		k.members, k.at = n, time.Now()
	}
	c.pools[p] = k
	return n, err
}
