// Package journey reads the location history that Google keeps of a phone and
// counts what its owner did each day, without saying where.
//
// It reads every generation of the export: raw positions (Records.json,
// earlier called Location History.json), the months of Semantic Location
// History, and the timelines that Android phones and iPhones write themselves.
// A [Diary] takes them in by their format, in any number and order, and
// answers [Day] after day.
//
// It guarantees that no coordinate, address, place or device leaves it: a day
// is minutes, kilometres and counts. It finds the place of the nights, month
// by month, to say how long and how far away a day led, and forgets it. Where
// several generations tell of one day, the newest alone counts, so that no
// kilometre is driven twice. All arithmetic is in integers, so that the same
// history gives the same days on every machine.
//
// Days are local: by the offset that the newer exports write, else by the sun,
// an hour for each 15 degrees of longitude, because the older ones tell no
// time zone.
package journey

import (
	"slices"

	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// Formats of the export.
const (
	Records  = "google-records"      // raw positions
	Semantic = "google-semantic"     // one month of visits and journeys
	Android  = "google-timeline"     // the timeline of an Android phone
	IPhone   = "google-timeline-ios" // the timeline of an iPhone
)

// Modes of moving; what is none of them counts as other.
const (
	still = iota
	other
	Walk
	Cycle
	Drive // a car, a motorcycle or a taxi
	Ride  // a bus, a train, a tram, the underground, a ferry
	Fly
	modes
)

// Parts of a day: six hours each, from midnight.
const parts = 4

// Day is one local day. Times are in seconds, distances in metres.
type Day struct {
	Date    string // YYYY-MM-DD
	Covered int64  // of the day, told by the history
	Places  int64  // stayed at for ten minutes or more
	Home    bool   // the place of the nights is known, so that Away and Reach mean something
	Away    int64  // of Covered, farther than a walk from the place of the nights
	Reach   int64  // the farthest from it
	Moving  [parts]int64
	Metres  [modes]int64 // by mode
}

// Total is how far the day led, by whatever mode.
func (d Day) Total() (metres int64) {
	for _, m := range d.Metres {
		metres += m
	}
	return metres
}

// point is a place in ten-millionths of a degree.
type point struct{ lat, lng int32 }

// spell is a stay at a place or a journey to one, by the local clock.
type spell struct {
	from, to int64 // seconds
	rank     int   // of the generation that tells it; higher is newer
	mode     int   // still for a stay
	unseen   bool  // that the owner moved is known, not when
	metres   int64
	at       point // for a journey, where it ended
}

// Limits on a history. A year has at most 263,000 positions two minutes apart.
const (
	maxFixes  = 6_000_000
	maxSpells = 2_000_000
	maxSpell  = 31 * 86400 // seconds; nobody stays anywhere longer without a sign
)

// Diary collects a history. Its zero value is empty.
type Diary struct {
	fixes   []fix
	spells  []spell
	skipped int
}

func (d *Diary) add(s spell) error {
	if s.to < s.from || s.to-s.from > maxSpell || s.metres < 0 || s.metres > 50_000_000 {
		d.skipped++
		return nil
	}
	if d.spells = append(d.spells, s); len(d.spells) > maxSpells {
		return stream.ErrTooLarge
	}
	return nil
}

func (s spell) compare(t spell) int {
	for _, order := range [...]int64{s.from - t.from, s.to - t.to, int64(s.rank - t.rank), int64(s.mode - t.mode),
		s.metres - t.metres, int64(s.at.lat) - int64(t.at.lat), int64(s.at.lng) - int64(t.at.lng)} {
		if order < 0 {
			return -1
		}
		if order > 0 {
			return 1
		}
	}
	return 0
}

// Days counts the days of the history, in order, and the entries that could
// not be read.
func (d *Diary) Days() (days []Day, skipped int) {
	all := append(slices.Clone(d.spells), spellsOf(d.fixes)...)
	slices.SortFunc(all, spell.compare)
	all = slices.Compact(all)
	return newCount(all).days(), d.skipped
}
