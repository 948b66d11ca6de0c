package journey

import (
	"encoding/json"
	"strings"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
)

// Generations, by which one counts where several tell of one day.
const (
	rawRank = iota
	semanticRank
	timelineRank
)

// object is an entry of Semantic Location History.
type object struct {
	ActivitySegment *struct {
		StartLocation, EndLocation place
		Duration                   duration
		Distance                   json.RawMessage
		ActivityType               string
	}
	PlaceVisit *struct {
		Location                 place
		CenterLatE7, CenterLngE7 *e7
		Duration                 duration
	}
}

type duration struct {
	StartTimestamp, EndTimestamp     string
	StartTimestampMs, EndTimestampMs string
}

func (d *Diary) object(text []byte) error {
	var o object
	if ok, err := d.parsed(text, &o); !ok || err != nil {
		return err
	}
	switch {
	case o.PlaceVisit != nil:
		v := o.PlaceVisit
		at, known := v.Location.point()
		if !known {
			at, known = place{LatE7: v.CenterLatE7, LngE7: v.CenterLngE7}.point()
		}
		return d.told(v.Duration, spell{rank: semanticRank, at: at}, at, known)
	case o.ActivitySegment != nil:
		a := o.ActivitySegment
		from, began := a.StartLocation.point()
		to, ended := a.EndLocation.point()
		s, known := trip(from, to, began && ended, a.Distance, a.ActivityType)
		s.rank = semanticRank
		return d.told(a.Duration, s, from, known)
	}
	d.skipped++
	return nil
}

// trip is a journey between two places. It reports false where neither the
// places nor the distance tell how far it was.
func trip(from, to point, placed bool, far json.RawMessage, kind string) (spell, bool) {
	s := spell{mode: max(modeOf(kind), other), at: to}
	length, ok := distance(far)
	switch {
	case ok:
		s.metres = length
	case placed:
		s.metres = metres(from, to)
	}
	return s, placed && s.mode < modes
}

// told adds a spell that begins somewhere and ends when a duration says.
func (d *Diary) told(when duration, s spell, where point, known bool) error {
	from, ahead, began := moment(when.StartTimestamp, when.StartTimestampMs)
	to, _, ended := moment(when.EndTimestamp, when.EndTimestampMs)
	if ahead == nil {
		sun := where.offset()
		ahead = &sun
	}
	return d.during(s, from, to, *ahead, known && began && ended)
}

// during adds a spell between two times, given how many seconds the clock was
// ahead.
func (d *Diary) during(s spell, from, to, ahead int64, known bool) error {
	if !known {
		d.skipped++
		return nil
	}
	s.from, s.to = from+ahead, to+ahead
	return d.add(s)
}

// segment is an entry of a phone's own timeline.
type segment struct {
	StartTime, EndTime                string
	StartTimeTimezoneUtcOffsetMinutes *int64
	Visit                             *visit
	Activity                          *activity
}

type visit struct {
	HierarchyLevel json.RawMessage
	TopCandidate   struct{ PlaceLocation spot }
}

type activity struct {
	Start, End     spot
	DistanceMeters json.RawMessage
	TopCandidate   struct{ Type string }
}

func (d *Diary) segment(text []byte) error {
	var g segment
	if ok, err := d.parsed(text, &g); !ok || err != nil {
		return err
	}
	var s spell
	var where point
	var known bool
	switch {
	case g.Visit != nil:
		if level := unquoted(g.Visit.HierarchyLevel); level != "" && level != "0" {
			return nil // a room in a house that is told of too
		}
		p := g.Visit.TopCandidate.PlaceLocation
		s, where, known = spell{at: p.point}, p.point, p.known
	case g.Activity != nil:
		a := g.Activity
		where = a.Start.point
		s, known = trip(where, a.End.point, a.Start.known && a.End.known, a.DistanceMeters, a.TopCandidate.Type)
	default:
		return nil // a path or a memory: how a journey went that is told of too
	}
	s.rank = timelineRank
	if minutes := g.StartTimeTimezoneUtcOffsetMinutes; minutes != nil && *minutes > -1440 && *minutes < 1440 {
		from, _, began := moment(g.StartTime, "")
		to, _, ended := moment(g.EndTime, "")
		return d.during(s, from, to, 60**minutes, known && began && ended)
	}
	return d.told(duration{StartTimestamp: g.StartTime, EndTimestamp: g.EndTime}, s, where, known)
}

// spot is a point as the phones write it: "geo:52.024713,4.751"
// or {"latLng": "52.024713°, 4.751°"}.
type spot struct {
	point point
	known bool
}

// UnmarshalJSON reads either spelling; any other is an unknown place.
func (s *spot) UnmarshalJSON(text []byte) error {
	var plain string
	var wrapped struct{ LatLng string }
	if json.Unmarshal(text, &plain) != nil && json.Unmarshal(text, &wrapped) == nil {
		plain = wrapped.LatLng
	}
	lat, lng, _ := strings.Cut(strings.TrimPrefix(plain, "geo:"), ",")
	y, ok := degrees(lat)
	x, too := degrees(lng)
	if ok && too {
		s.point, s.known = onEarth(y, x)
	}
	return nil
}

// degrees reads degrees as ten-millionths, of which it keeps six decimals.
func degrees(text string) (int64, bool) {
	v, ok := decimal.Parse(strings.TrimSuffix(strings.TrimSpace(text), "°"))
	return int64(v) * 10, ok && v < decimal.Whole(1000) && v > -decimal.Whole(1000)
}
