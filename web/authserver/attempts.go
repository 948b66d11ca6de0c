package authserver

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// Guessing is limited by counting failures in fixed windows: of one account,
// whoever guesses, and of one address, whatever it guesses at.
const (
	attemptWindow    = 5 * time.Minute
	failuresAccount  = 5
	failuresAddress  = 40
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

func newAttempts(now func() time.Time) *attempts {
	return &attempts{now: now, seen: make(map[string]window)}
}

// take counts one failure in advance, so that guesses sent at once are all
// counted before the first is judged. It answers how long to wait, zero when
// the attempt may go on; an attempt that succeeds is given back.
func (a *attempts) take(account, address string) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	wait := max(a.wait("account "+account, failuresAccount), a.wait("address "+address, failuresAddress))
	if wait > 0 {
		return wait
	}
	a.add("account "+account, 1)
	a.add("address "+address, 1)
	return 0
}

// giveBack undoes one take.
func (a *attempts) giveBack(account, address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.add("account "+account, -1)
	a.add("address "+address, -1)
}

func (a *attempts) wait(key string, limit int) time.Duration {
	now := a.now()
	w, known := a.seen[key]
	if !known && len(a.seen) >= attemptsCapacity {
		a.forget(now)
		if len(a.seen) >= attemptsCapacity {
			return attemptWindow
		}
	}
	left := attemptWindow - now.Sub(w.opened)
	if !known || left <= 0 {
		a.seen[key] = window{opened: now}
		return 0
	}
	if w.failures >= limit {
		return left
	}
	return 0
}

func (a *attempts) add(key string, n int) {
	if w, known := a.seen[key]; known {
		w.failures = max(0, w.failures+n)
		a.seen[key] = w
	}
}

func (a *attempts) forget(now time.Time) {
	for key, w := range a.seen {
		if now.Sub(w.opened) >= attemptWindow {
			delete(a.seen, key)
		}
	}
}

// network names the peer for counting: an IPv4 address, or the /64 an IPv6
// peer can choose its address from.
func network(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return "unknown"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, err := ip.Prefix(64)
	if err != nil {
		return "unknown"
	}
	return prefix.String()
}
