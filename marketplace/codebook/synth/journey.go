package synth

import (
	"fmt"
	"time"
)

// spell is a stay at a place or, with a mode, a journey to one.
type spell struct {
	from, to time.Time
	at       spot
	mode     string // as Google's older exports call it
	metres   int
}

// spot is a place in ten-millionths of a degree.
type spot struct{ lat, lng int }

var (
	homeSpot = spot{520_247_130, 47_512_080}
	workSpot = spot{520_907_000, 51_214_000}
	farSpot  = spot{413_851_000, 21_734_000}
)

// spells draws the days of one person: work on weekdays, an errand and
// something farther at weekends, a flight once a month. Times are local, an
// hour ahead of UTC by the clock and none by the sun.
func (m *maker) spells() (out []spell) {
	m.reseed("journey")
	commute := []string{"IN_TRAIN", "IN_PASSENGER_VEHICLE", "CYCLING"}[m.IntN(3)]
	at, where := m.start, homeSpot
	move := func(to spot, leave time.Time, mode string, minutes, metres int) {
		out = append(out, spell{at, leave, where, "", 0}, spell{leave, leave.Add(time.Duration(minutes) * time.Minute), to, mode, metres})
		at, where = leave.Add(time.Duration(minutes)*time.Minute), to
	}
	for i := range m.days {
		clock := func(hour, spread int) time.Time {
			return m.day(i).Add(time.Duration(hour)*time.Hour + time.Duration(m.IntN(spread))*time.Minute)
		}
		switch {
		case i%30 == 11:
			move(farSpot, clock(7, 40), "FLYING", 130, 1_190_000)
			move(homeSpot, clock(18, 40), "FLYING", 130, 1_190_000)
		case weekend(m.day(i)):
			move(spot{homeSpot.lat + m.between(20_000, 90_000), homeSpot.lng}, clock(10, 50), "WALKING", 25, m.between(900, 2_100))
			move(homeSpot, clock(12, 50), "WALKING", 25, m.between(900, 2_100))
			move(spot{homeSpot.lat + m.between(200_000, 2_000_000), homeSpot.lng}, clock(14, 50), "IN_PASSENGER_VEHICLE", 40, m.between(3_000, 30_000))
			move(homeSpot, clock(19, 50), "IN_PASSENGER_VEHICLE", 40, m.between(3_000, 30_000))
		default:
			move(workSpot, clock(8, 20), commute, 45, m.around(27_000, 900))
			move(homeSpot, clock(17, 50), commute, 45, m.around(27_000, 900))
			if m.oneIn(2) {
				move(homeSpot, clock(20, 30), "CYCLING", 30, m.between(5_000, 9_000))
			}
		}
	}
	return append(out, spell{at, m.day(m.days), where, "", 0})
}

// degrees writes ten-millionths of a degree; places are north and east.
func (s spot) degrees(sign string) string {
	six := func(v int) string { return fmt.Sprintf("%d.%06d", v/10_000_000, v%10_000_000/10) }
	return six(s.lat) + sign + ", " + six(s.lng) + sign
}

// zoned is local time an hour ahead of UTC, with its offset.
func zoned(t time.Time) string { return t.Format("2006-01-02T15:04:05.000") + "+01:00" }

func (m *maker) list(n int, entry func(i int)) {
	for i := range n {
		if i > 0 {
			m.printf(",\n")
		}
		entry(i)
	}
}

func timelineAndroid(m *maker) {
	all := m.spells()
	m.printf("{\"semanticSegments\": [\n")
	m.list(len(all), func(i int) {
		s := all[i]
		m.printf(`{"startTime": %q, "endTime": %q, "startTimeTimezoneUtcOffsetMinutes": 60, `, zoned(s.from), zoned(s.to))
		if s.mode == "" {
			m.printf(`"visit": {"hierarchyLevel": 0, "probability": 0.8, "topCandidate": {"placeId": %q, "semanticType": "HOME", "placeLocation": {"latLng": %q}}}}`, placeID, s.at.degrees("°"))
			return
		}
		m.printf(`"activity": {"start": {"latLng": %q}, "end": {"latLng": %q}, "distanceMeters": %d.25, "topCandidate": {"type": %q, "probability": 0.7}}}`, all[i-1].at.degrees("°"), s.at.degrees("°"), s.metres, s.mode)
	})
	m.printf("\n], \"rawSignals\": [], \"userLocationProfile\": {\"frequentPlaces\": [{\"placeId\": %q, \"placeLocation\": %q, \"label\": \"HOME\"}]}}\n", placeID, homeSpot.degrees("°"))
}

func timelinePhone(m *maker) {
	all := m.spells()
	geo := func(s spot) string { return "geo:" + s.degrees("") }
	m.printf("[\n")
	m.list(len(all), func(i int) {
		s := all[i]
		m.printf(`{"startTime": %q, "endTime": %q, `, zoned(s.from), zoned(s.to))
		if s.mode == "" {
			m.printf(`"visit": {"hierarchyLevel": "0", "topCandidate": {"probability": "0.8", "semanticType": "Home", "placeID": %q, "placeLocation": %q}, "probability": "0.9"}}`, placeID, geo(s.at))
			return
		}
		m.printf(`"activity": {"start": %q, "end": %q, "distanceMeters": "%d.25", "topCandidate": {"type": %q, "probability": "0.7"}}}`, geo(all[i-1].at), geo(s.at), s.metres, s.mode)
	})
	m.printf("\n]\n")
}

func semanticHistory(m *maker) {
	all := m.spells()
	point := func(s spot) string { return fmt.Sprintf(`"latitudeE7": %d, "longitudeE7": %d`, s.lat, s.lng) }
	m.printf("{\"timelineObjects\": [\n")
	m.list(len(all), func(i int) {
		s := all[i]
		when := fmt.Sprintf(`"duration": {"startTimestamp": %q, "endTimestamp": %q}`, s.from.Format(time.RFC3339), s.to.Format(time.RFC3339))
		if s.mode == "" {
			m.printf(`{"placeVisit": {"location": {%s, "placeId": %q, "address": "%s, %s", "name": "%s"}, %s}}`, point(s.at), placeID, street, town, firstName, when)
			return
		}
		m.printf(`{"activitySegment": {"startLocation": {%s}, "endLocation": {%s}, %s, "distance": %d, "activityType": %q, "confidence": "HIGH"}}`, point(all[i-1].at), point(s.at), when, s.metres, s.mode)
	})
	m.printf("\n]}\n")
}

// rawModes are what a phone guesses of the modes.
var rawModes = map[string]string{"": "STILL", "WALKING": "WALKING", "CYCLING": "ON_BICYCLE", "IN_TRAIN": "IN_RAIL_VEHICLE", "IN_PASSENGER_VEHICLE": "IN_VEHICLE", "FLYING": "UNKNOWN"}

// locationRecords writes a position every half hour at a place and every ten
// minutes on the way.
func locationRecords(m *maker) {
	m.printf("{\"locations\": [\n")
	from, first := homeSpot, true
	for _, s := range m.spells() {
		step := 30 * time.Minute
		if s.mode != "" {
			step = 10 * time.Minute
		}
		for at := s.from; at.Before(s.to); at = at.Add(step) {
			done, whole := int(at.Sub(s.from)/time.Second), int(s.to.Sub(s.from)/time.Second)
			lat, lng := from.lat+(s.at.lat-from.lat)/whole*done, from.lng+(s.at.lng-from.lng)/whole*done
			if !first {
				m.printf(",\n")
			}
			first = false
			m.printf(`{"latitudeE7": %d, "longitudeE7": %d, "accuracy": %d, "activity": [{"activity": [{"type": %q, "confidence": 80}], "timestamp": %q}], "source": "WIFI", "deviceTag": %s, "timestamp": %q}`,
				lat, lng, m.between(8, 60), rawModes[s.mode], at.Format(time.RFC3339), accountID, at.Format(time.RFC3339))
		}
		from = s.at
	}
	m.printf("\n]}\n")
}
