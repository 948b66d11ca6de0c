package journey

import (
	"slices"

	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// fix is one raw position.
type fix struct {
	at       int64 // seconds, UTC
	where    point
	accuracy int32 // metres; 0 is unknown
	mode     uint8 // what the phone guessed it was doing; still for nothing it could tell
}

const (
	every      = 120   // seconds; positions in between tell nothing that is kept
	tooVague   = 1_000 // metres of accuracy
	trembling  = 100   // metres that a phone lying still seems to move
	silence    = 3 * 3600
	nearby     = 500         // metres; who is found there again after a silence has stayed
	farFlown   = 100_000     // metres
	flying     = 70          // metres a second
	impossible = 350         // metres a second
	solarHour  = 150_000_000 // ten-millionths of a degree
)

func (d *Diary) fix(f fix) error {
	if f.accuracy > tooVague {
		return nil
	}
	if n := len(d.fixes); n > 0 && d.fixes[n-1].at/every == f.at/every {
		d.fixes[n-1] = d.fixes[n-1].better(f)
		return nil
	}
	if d.fixes = append(d.fixes, f); len(d.fixes) > maxFixes {
		return stream.ErrTooLarge
	}
	return nil
}

// better keeps the sharper of two positions that are minutes apart, with what
// either knows of moving.
func (f fix) better(g fix) fix {
	if g.accuracy < f.accuracy || g.accuracy == f.accuracy && g.compare(f) < 0 {
		f, g = g, f
	}
	f.mode = max(f.mode, g.mode)
	return f
}

func (f fix) compare(g fix) int {
	for _, order := range [...]int64{f.at - g.at, int64(f.where.lat) - int64(g.where.lat), int64(f.where.lng) - int64(g.where.lng), int64(f.mode) - int64(g.mode)} {
		if order < 0 {
			return -1
		}
		if order > 0 {
			return 1
		}
	}
	return 0
}

// offset is how many seconds the sun is ahead of Greenwich at a place, in
// whole hours.
func (p point) offset() int64 {
	half := int64(solarHour / 2)
	if p.lng < 0 {
		half = -half
	}
	return (int64(p.lng) + half) / solarHour * 3600
}

// spellsOf makes stays and journeys of positions.
func spellsOf(fixes []fix) (out []spell) {
	slices.SortFunc(fixes, fix.compare)
	var thin []fix
	for _, f := range fixes {
		if n := len(thin); n > 0 && thin[n-1].at/every == f.at/every {
			thin[n-1] = thin[n-1].better(f)
			continue
		}
		thin = append(thin, f)
	}
	for i := 1; i < len(thin); i++ {
		if s, ok := between(thin[i-1], thin[i]); ok {
			out = append(out, s)
		}
	}
	return out
}

// between is what happened from one position to the next; false if that
// cannot be told.
func between(p, q fix) (spell, bool) {
	seconds, far := q.at-p.at, metres(p.where, q.where)
	offset := p.where.offset()
	s := spell{from: p.at + offset, to: q.at + offset, at: q.where, metres: far}
	fast := far / max(seconds, 1)
	switch {
	case seconds <= 0, fast > impossible, seconds > maxSpell:
		return spell{}, false
	case seconds > silence && far > nearby:
		s.unseen, s.mode = true, other
		if fast > flying && far > farFlown {
			s.mode = Fly
		}
	case far < trembling, 5*far < 2*seconds:
		s.mode, s.at, s.metres = still, p.where, 0
	default:
		s.mode = moving(p, q, fast, far)
	}
	return s, true
}

// moving is how: as the phone guessed at either end, by its speed in the air,
// else unknown.
func moving(p, q fix, fast, far int64) int {
	switch {
	case fast > flying && far > farFlown:
		return Fly
	case q.mode != still:
		return int(q.mode)
	case p.mode != still:
		return int(p.mode)
	}
	return other
}
