package track

import (
	"math"
	"strings"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
)

// rise is how far a track must go up before that counts, in m: less is the
// noise of the receiver.
const rise = 3

// points sums up a track as it is read.
type points struct {
	last        place
	open        bool // last belongs to the segment that is read
	metres      float64
	located     int
	first, end  time.Time
	floor       decimal.Number // height from which the next climb is measured
	high        bool
	climb       decimal.Number
	beats, most decimal.Number
	hearts      int64
}

// place is a point in millionths of a degree.
type place struct{ north, east int64 }

// segment begins a part that is not joined to the one before.
func (p *points) segment() { p.open = false }

// at goes to a place. One that is none is passed over.
func (p *points) at(north, east decimal.Number) {
	to := place{int64(north), int64(east)}
	if to.north < -90e6 || to.north > 90e6 || to.east < -180e6 || to.east > 180e6 {
		return
	}
	if p.open {
		p.metres += between(p.last, to)
	}
	p.last, p.open = to, true
	p.located++
}

// between is the way from one place to another near it, in m: on a sphere of
// the Earth's mean radius, taken as flat. Every step is rounded by itself, so
// that no processor joins two and gets another result.
func between(a, b place) float64 {
	const metres = 0.111195080 // for a millionth of a degree
	east := b.east - a.east
	if east > 180e6 {
		east -= 360e6
	} else if east < -180e6 {
		east += 360e6
	}
	north := float64(float64(b.north-a.north) * metres)
	across := float64(float64(float64(east)*metres) * cosine(a.north+b.north))
	return math.Sqrt(float64(north*north) + float64(across*across))
}

// cosine of half an angle in millionths of a degree, by its series.
func cosine(twice int64) float64 {
	x := float64(float64(twice) * (math.Pi / 360e6))
	square := float64(x * x)
	sum, term := 1.0, 1.0
	for i := 1; i < 16; i += 2 {
		term = float64(float64(term*square) / float64(i*(i+1)))
		if i%4 == 1 {
			sum = float64(sum - term)
		} else {
			sum = float64(sum + term)
		}
	}
	return sum
}

// height goes up or down.
func (p *points) height(metres decimal.Number) {
	switch {
	case !p.high || metres < p.floor:
		p.floor, p.high = metres, true
	case metres-p.floor >= decimal.Whole(rise):
		p.climb += metres - p.floor
		p.floor = metres
	}
}

// heart counts one reading.
func (p *points) heart(perMinute decimal.Number) {
	if perMinute < decimal.Whole(20) || perMinute > decimal.Whole(250) {
		return
	}
	p.beats, p.most, p.hearts = p.beats+perMinute, max(p.most, perMinute), p.hearts+1
}

func (p *points) time(at time.Time) {
	if p.first.IsZero() || at.Before(p.first) {
		p.first = at
	}
	if at.After(p.end) {
		p.end = at
	}
}

// sum puts what the points tell into an activity.
func (p *points) sum(a *Activity) {
	if a.Start.IsZero() {
		a.Start = p.first
	}
	if p.located > 1 {
		a.Figures[Distance] = Figure{decimal.Number(math.Round(p.metres * 1000)), true} // millimetres are millionths of a km
	}
	if p.end.After(p.first) {
		a.minutes(Duration, decimal.Number(p.end.Sub(p.first).Microseconds()))
	}
	if p.high {
		a.set(Climb, p.climb, same)
	}
	if p.hearts > 0 {
		a.set(MeanHeart, p.beats.Per(p.hearts), same)
		a.set(MaxHeart, p.most, same)
	}
}

// moment reads a time as XML Schema writes it; without a zone it is UTC, as
// GPX and TCX have it.
func moment(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			t = t.UTC()
			return t, t.Year() >= 1900 && t.Year() < 2100
		}
	}
	return time.Time{}, false
}
