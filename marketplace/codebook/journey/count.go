package journey

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

const (
	aDay     = 86400
	aPart    = aDay / parts
	longStay = 600     // seconds that make a place of a cell
	cellSize = 100_000 // ten-millionths of a degree, about a kilometre
	walkAway = 1_500   // metres from the middle of a cell that are still at it
)

// cell is a square of a hundredth of a degree.
type cell struct{ lat, lng int32 }

func (p point) cell() cell { return cell{floor(p.lat), floor(p.lng)} }

func floor(e7 int32) int32 {
	if e7 < 0 {
		return (e7+1)/cellSize - 1
	}
	return e7 / cellSize
}

func (c cell) middle() point {
	return point{c.lat*cellSize + cellSize/2, c.lng*cellSize + cellSize/2}
}

// piece is what of a spell falls into one part of one day.
type piece struct {
	spell
	day     int64 // since 1970
	part    int
	seconds int64
	metres  int64
}

// pieces cuts a spell at the parts of the days. A journey that nobody saw is
// one piece, on the day it ended.
func (s spell) pieces(visit func(piece)) {
	if s.unseen || s.from == s.to {
		visit(piece{s, div(s.to, aDay), int(mod(s.to, aDay) / aPart), 0, s.metres})
		return
	}
	for at := s.from; at < s.to; {
		next := min((div(at, aPart)+1)*aPart, s.to)
		share := s.metres*(next-s.from)/(s.to-s.from) - s.metres*(at-s.from)/(s.to-s.from)
		visit(piece{s, div(at, aDay), int(mod(at, aDay) / aPart), next - at, share})
		at = next
	}
}

// div and mod round down, also before 1970.
func div(a, b int64) int64 { return (a - mod(a, b)) / b }

func mod(a, b int64) int64 { return ((a % b) + b) % b }

// count adds up spells by day.
type count struct {
	spells []spell
	newest map[int64]int // generation that tells of a day
	tally  map[int64]*tally
	nights map[int64]map[cell]int64 // seconds by month; the whole history at -1
}

type tally struct {
	Day
	stays map[cell]int64
}

const wholeHistory = -1

func newCount(spells []spell) *count {
	c := &count{spells: spells, newest: map[int64]int{}, tally: map[int64]*tally{}, nights: map[int64]map[cell]int64{}}
	for _, s := range spells {
		s.pieces(func(p piece) { c.newest[p.day] = max(c.newest[p.day], p.rank) })
	}
	c.each(c.add)
	homes := map[int64]cell{}
	for month, cells := range c.nights {
		homes[month] = longest(cells)
	}
	if len(homes) > 0 {
		c.each(func(p piece) { c.compare(p, homes) })
	}
	return c
}

// each visits what the newest generation says of each day.
func (c *count) each(visit func(piece)) {
	for _, s := range c.spells {
		s.pieces(func(p piece) {
			if p.rank == c.newest[p.day] {
				visit(p)
			}
		})
	}
}

func (c *count) add(p piece) {
	t := c.tally[p.day]
	if t == nil {
		t = &tally{Day: Day{Date: date(p.day).Format(time.DateOnly)}, stays: map[cell]int64{}}
		c.tally[p.day] = t
	}
	t.Covered += p.seconds
	if p.mode != still {
		t.Moving[p.part] += p.seconds
		t.Metres[p.mode] += p.metres
		return
	}
	t.stays[p.at.cell()] += p.seconds
	if p.part != 0 || p.seconds == 0 {
		return
	}
	for _, month := range []int64{monthOf(p.day), wholeHistory} {
		if c.nights[month] == nil {
			c.nights[month] = map[cell]int64{}
		}
		c.nights[month][p.at.cell()] += p.seconds
	}
}

// compare holds a piece against the place where the nights of its month were
// spent, or those of the whole history.
func (c *count) compare(p piece, homes map[int64]cell) {
	home, ok := homes[monthOf(p.day)]
	if !ok {
		home = homes[wholeHistory]
	}
	t, far := c.tally[p.day], metres(p.at, home.middle())
	t.Home, t.Reach = true, max(t.Reach, far)
	if p.mode != still || far > walkAway {
		t.Away += p.seconds
	}
}

func (c *count) days() []Day {
	var out []Day
	for _, day := range slices.Sorted(maps.Keys(c.tally)) {
		t := c.tally[day]
		for _, seconds := range t.stays {
			if seconds >= longStay {
				t.Places++
			}
		}
		out = append(out, t.Day)
	}
	return out
}

// longest is the cell with the most seconds.
func longest(cells map[cell]int64) (best cell) {
	most := int64(-1)
	for c, seconds := range cells {
		before := cmp.Or(cmp.Compare(c.lat, best.lat), cmp.Compare(c.lng, best.lng)) < 0
		if seconds > most || seconds == most && before {
			best, most = c, seconds
		}
	}
	return best
}

func date(day int64) time.Time { return time.Unix(day*aDay, 0).UTC() }

func monthOf(day int64) int64 {
	on := date(day)
	return int64(on.Year())*12 + int64(on.Month())
}
