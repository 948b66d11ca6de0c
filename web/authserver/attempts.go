package authserver

import (
	"sync"
	"time"
)

// Guessing is limited by counting failures in fixed windows: of one account,
// whoever guesses, of one address, whatever it guesses at, and of recovery
// codes from one address.
const (
	attemptWindow    = 5 * time.Minute
	failuresAccount  = 5
	failuresAddress  = 40
	failuresRecovery = 5
	attemptsCapacity = 4096
)

// attempts counts failed logins in memory. A restart forgets them, which costs
// a guesser more than it gives.
type attempts struct {
	now  func() time.Time
	mu   sync.Mutex
	seen map[string]window
}

type window struct {
	failures int
	opened   time.Time
}

// count is one thing that failures are counted of, and how many it may have.
type count struct {
	key   string
	limit int
}

func ofAccount(subject string) count  { return count{"account " + subject, failuresAccount} }
func ofAddress(address string) count  { return count{"address " + address, failuresAddress} }
func ofRecovery(address string) count { return count{"recovery " + address, failuresRecovery} }

func newAttempts(now func() time.Time) *attempts {
	return &attempts{now: now, seen: make(map[string]window)}
}

// take counts one failure in advance, so that guesses sent at once are all
// counted before the first is judged. It answers how long to wait, zero when
// the attempt may go on; an attempt that succeeds is given back.
func (a *attempts) take(counts ...count) (wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range counts {
		wait = max(wait, a.wait(c))
	}
	if wait == 0 {
		a.add(counts, 1)
	}
	return wait
}

// giveBack undoes one take.
func (a *attempts) giveBack(counts ...count) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.add(counts, -1)
}

func (a *attempts) wait(c count) time.Duration {
	now := a.now()
	w, known := a.seen[c.key]
	if !known && len(a.seen) >= attemptsCapacity {
		a.forget(now)
	}
	left := attemptWindow - now.Sub(w.opened)
	if !known || left <= 0 {
		a.seen[c.key] = window{opened: now}
		return 0
	}
	if w.failures >= c.limit {
		return left
	}
	return 0
}

func (a *attempts) add(counts []count, n int) {
	for _, c := range counts {
		if w, known := a.seen[c.key]; known {
			w.failures = max(0, w.failures+n)
			a.seen[c.key] = w
		}
	}
}

// forget makes room: what is over goes, else what is oldest. Whoever has
// thousands of addresses to guess from then gains guesses, which are hopeless
// against 80 bits and more; refusing newcomers would lock everybody out.
func (a *attempts) forget(now time.Time) {
	oldest, since := "", now
	for key, w := range a.seen {
		if now.Sub(w.opened) >= attemptWindow {
			delete(a.seen, key)
		} else if !w.opened.After(since) {
			oldest, since = key, w.opened
		}
	}
	if len(a.seen) >= attemptsCapacity {
		delete(a.seen, oldest)
	}
}
