// Package sites reads the history of web browsers and counts visits by day and
// kind of site, without saying which sites they were.
//
// It reads the databases of Chrome and its relatives, Firefox, Safari and
// qutebrowser, the JSON that browserexport writes, and what Google Takeout
// holds of Chrome and of activity. A [Log] takes them in, in any number and
// order, and answers a [Count] for each kind of site on each quarter of a day.
//
// It guarantees that no address, domain, title or search leaves it, not even
// hashed: domains are few enough to try them all. A kind is told for a few
// hundred widely used sites that [kinds] lists; every other site counts as
// other. The list leaves out on purpose what would tell about health, faith,
// politics, love or money. A visit that several files repeat counts once.
package sites

import (
	"hash/fnv"
	"slices"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// maxVisits bounds a history; browsers keep months, collectors decades.
const maxVisits = 6_000_000

// Parts of a day: quarters of it, in universal time, because browsers write
// down no time zone.
func Parts() []string { return []string{"00-06", "06-12", "12-18", "18-24"} }

// Count is what was visited in one quarter of one day of one kind of site.
type Count struct {
	Date    string // YYYY-MM-DD
	Part    string // one of Parts
	Kind    string // one of Kinds
	Visits  int
	Sites   int   // different ones among them
	Seconds int64 // they were open; 0 if the browser does not say
}

type visit struct {
	at       int64  // microseconds since 1970
	page     uint64 // tells pages apart
	site     uint64 // tells sites apart
	kind     uint8
	duration int64 // microseconds
}

// page is an address that was visited.
type page struct {
	hash, site uint64
	kind       uint8
}

// Log collects a history. Its zero value is empty.
type Log struct {
	visits  []visit
	skipped int
}

const (
	aSecond  = 1_000_000
	aDay     = 86400 * aSecond
	quarter  = aDay / 4
	tooLong  = 4 * 3600 * aSecond // nobody looks at one page longer, a forgotten tab does
	earliest = 631_152_000 * aSecond
	latest   = 4_000_000_000 * aSecond
)

func hashed(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	return h.Sum64()
}

// add notes a visit; duration is in microseconds.
func (l *Log) add(at int64, p page, duration int64) error {
	if at < earliest || at > latest {
		l.skipped++
		return nil
	}
	l.visits = append(l.visits, visit{at, p.hash, p.site, p.kind, min(max(duration, 0), tooLong)})
	if len(l.visits) > maxVisits {
		return stream.ErrTooLarge
	}
	return nil
}

func (v visit) compare(w visit) int {
	switch {
	case v.at != w.at:
		return sign(v.at < w.at)
	case v.page != w.page:
		return sign(v.page < w.page)
	case v.duration != w.duration:
		return sign(v.duration > w.duration)
	}
	return 0
}

func sign(less bool) int {
	if less {
		return -1
	}
	return 1
}

// Counts adds the visits up, and answers how many entries could not be read.
func (l *Log) Counts() (out []Count, skipped int) {
	type place struct {
		quarter int64
		kind    uint8
	}
	slices.SortFunc(l.visits, visit.compare)
	l.visits = slices.CompactFunc(l.visits, func(v, w visit) bool { return v.at == w.at && v.page == w.page })
	counts, seen := map[place]*Count{}, map[place]map[uint64]bool{}
	var order []place
	for _, v := range l.visits {
		at := place{v.at / quarter, v.kind}
		c := counts[at]
		if c == nil {
			c = &Count{Date: time.UnixMicro(v.at).UTC().Format(time.DateOnly), Part: Parts()[at.quarter%4], Kind: Kinds()[v.kind]}
			counts[at], seen[at], order = c, map[uint64]bool{}, append(order, at)
		}
		c.Visits++
		c.Seconds += v.duration / aSecond
		if !seen[at][v.site] {
			seen[at][v.site] = true
			c.Sites++
		}
	}
	for _, at := range order {
		out = append(out, *counts[at])
	}
	return out, l.skipped
}
