package track

import (
	"encoding/xml"
	"io"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// GPX reads a GPX file (topografix.com/GPX/1/0 and 1/1): each track is an
// activity, its segments are not joined. Heart rates come from Garmin's
// extension of track points. Way points and routes are places without an
// activity. Planned counts the tracks without times.
func GPX(r io.Reader, found func(Activity)) (planned int, err error) {
	g := &gpxFile{x: stream.NewXML(r), found: found}
	g.x.Start, g.x.End = g.start, g.end
	return g.planned, g.x.Walk()
}

type gpxFile struct {
	x       *stream.XML
	found   func(Activity)
	points  points
	now     Activity
	planned int
}

func (g *gpxFile) start(attrs []xml.Attr) error {
	switch {
	case g.x.At("gpx", "trk"):
		g.points, g.now = points{}, Activity{}
	case g.x.At("trk", "trkseg"):
		g.points.segment()
	case g.x.At("trkseg", "trkpt"):
		north, ok := decimal.Parse(stream.Attr(attrs, "lat"))
		east, ok2 := decimal.Parse(stream.Attr(attrs, "lon"))
		if ok && ok2 {
			g.points.at(north, east)
		}
	}
	return nil
}

func (g *gpxFile) end(text string) error {
	x := g.x
	switch {
	case x.At("trkpt", "time"):
		if at, ok := moment(text); ok {
			g.points.time(at)
		}
	case x.At("trkpt", "ele"):
		if v, ok := decimal.Parse(text); ok {
			g.points.height(v)
		}
	case x.At("TrackPointExtension", "hr"):
		if v, ok := decimal.Parse(text); ok {
			g.points.heart(v)
		}
	case x.At("gpx", "trk", "type"):
		g.now.Sport = SportOf(text)
	case x.At("gpx", "trk"):
		g.track()
	}
	return nil
}

func (g *gpxFile) track() {
	g.points.sum(&g.now)
	if g.now.Start.IsZero() {
		g.planned++
		return
	}
	g.now.speed()
	g.found(g.now)
}

// TCX reads a file of Garmin's Training Center (TrainingCenterDatabase v2):
// totals are those of the laps, the climb that of the track points.
func TCX(r io.Reader, found func(Activity)) error {
	t := &tcxFile{x: stream.NewXML(r), found: found}
	t.x.Start, t.x.End = t.start, t.end
	return t.x.Walk()
}

type tcxFile struct {
	x                      *stream.XML
	found                  func(Activity)
	points                 points
	now                    Activity
	seconds, metres, fast  decimal.Number
	energy, beats, beating decimal.Number // of the laps that tell a heart rate
	lap, most              decimal.Number // seconds of the lap that is read
}

func (t *tcxFile) start(attrs []xml.Attr) error {
	switch {
	case t.x.At("Activities", "Activity"):
		*t = tcxFile{x: t.x, found: t.found, now: Activity{Sport: SportOf(stream.Attr(attrs, "Sport"))}}
	case t.x.At("Activity", "Lap"):
		if at, ok := moment(stream.Attr(attrs, "StartTime")); ok {
			t.points.time(at)
		}
		t.lap = 0
	}
	return nil
}

func (t *tcxFile) end(text string) error {
	x := t.x
	if x.At("Activities", "Activity") {
		t.activity()
		return nil
	}
	if x.At("Trackpoint", "Time") {
		if at, ok := moment(text); ok {
			t.points.time(at)
		}
		return nil
	}
	v, ok := decimal.Parse(text)
	if !ok || v < 0 && !x.At("Trackpoint", "AltitudeMeters") || v > decimal.Whole(1_000_000_000) {
		return nil
	}
	switch {
	case x.At("Activity", "Lap", "TotalTimeSeconds"):
		t.seconds, t.lap = t.seconds+v, v
	case x.At("Activity", "Lap", "DistanceMeters"):
		t.metres += v
	case x.At("Activity", "Lap", "MaximumSpeed"):
		t.fast = max(t.fast, v)
	case x.At("Activity", "Lap", "Calories"):
		t.energy += v
	case x.At("Lap", "AverageHeartRateBpm", "Value"):
		if weighted, ok := v.Times(t.lap); ok {
			t.beats, t.beating = t.beats+weighted, t.beating+t.lap
		}
	case x.At("Lap", "MaximumHeartRateBpm", "Value"):
		t.most = max(t.most, v)
	case x.At("Trackpoint", "AltitudeMeters"):
		t.points.height(v)
	case x.At("Trackpoint", "HeartRateBpm", "Value"):
		t.points.heart(v)
	}
	return nil
}

func (t *tcxFile) activity() {
	a := &t.now
	t.points.sum(a)
	if a.Start.IsZero() {
		return
	}
	a.positive(Distance, t.metres, fromMetres)
	if t.seconds > 0 {
		a.minutes(Duration, t.seconds)
	}
	a.positive(MaxSpeed, t.fast, fromPerSecond)
	a.positive(Energy, t.energy, same)
	a.positive(MaxHeart, t.most, same)
	if seconds := int64(t.beating / decimal.One); seconds > 0 {
		a.positive(MeanHeart, t.beats.Per(seconds), same)
	}
	a.speed()
	t.found(*a)
}

// unix is a moment in UTC; false where it is none of a living person's.
func unix(seconds int64) (time.Time, bool) {
	t := time.Unix(seconds, 0).UTC()
	return t, t.Year() >= 1970 && t.Year() < 2100
}
