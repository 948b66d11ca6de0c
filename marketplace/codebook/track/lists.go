package track

import (
	"encoding/json"
	"io"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// garmin is one element of summarizedActivitiesExport in the archive of a
// Garmin account (DI_CONNECT/DI-Connect-Fitness): milliseconds and
// centimetres. Speeds and calories are left out, because their units differ
// between years.
type garmin struct {
	ActivityType   string      `json:"activityType"`
	BeginTimestamp json.Number `json:"beginTimestamp"`
	Duration       json.Number `json:"elapsedDuration"`
	Timer          json.Number `json:"duration"`
	MovingDuration json.Number `json:"movingDuration"`
	Distance       json.Number `json:"distance"`
	ElevationGain  json.Number `json:"elevationGain"`
	AvgHr          json.Number `json:"avgHr"`
	MaxHr          json.Number `json:"maxHr"`
}

// Garmin reads a file of activity summaries. Skipped counts those without a
// beginning.
func Garmin(r io.Reader, found func(Activity)) (skipped int, err error) {
	err = stream.EachJSON(r, "summarizedActivitiesExport", func(value []byte) error {
		var g garmin
		if json.Unmarshal(value, &g) != nil {
			skipped++
			return nil
		}
		a := Activity{Sport: SportOf(g.ActivityType)}
		began, err := g.BeginTimestamp.Float64() // milliseconds, with an exponent or without
		ok := err == nil && began > 0 && began < 1e14
		if ok {
			a.Start, ok = unix(int64(began) / 1000)
		}
		if !ok {
			skipped++
			return nil
		}
		parse := func(n json.Number) decimal.Number {
			v, _ := decimal.Parse(n.String())
			return v
		}
		a.positive(Distance, parse(g.Distance), 10)
		a.positive(Climb, parse(g.ElevationGain), 10_000)
		a.positive(MeanHeart, parse(g.AvgHr), same)
		a.positive(MaxHeart, parse(g.MaxHr), same)
		whole := parse(g.Duration)
		if whole <= 0 {
			whole = parse(g.Timer)
		}
		if whole > 0 {
			a.minutes(Duration, whole.Per(1000))
		}
		if moving := parse(g.MovingDuration); moving > 0 {
			a.minutes(Moving, moving.Per(1000))
		}
		a.speed()
		found(a)
		return nil
	})
	return skipped, err
}

// Strava reads activities.csv of a Strava archive. The file names some columns
// twice: first as the website shows them, then in seconds and metres; the
// second counts, and a single "Distance" is in kilometres. Skipped counts the
// activities whose date is none.
func Strava(r io.Reader, found func(Activity)) (skipped int, err error) {
	f, err := stream.OpenCSV(r)
	if err != nil {
		return 0, err
	}
	kilometres := fromMetres
	if !f.Twice("Distance") {
		kilometres = same
	}
	for {
		more, err := f.Next()
		if err != nil || !more {
			return skipped, err
		}
		at, err := time.Parse("Jan 2, 2006, 3:04:05 PM", f.Text("Activity Date"))
		if err != nil || at.Year() < 1970 || at.Year() >= 2100 {
			skipped++
			continue
		}
		a := Activity{Start: at, Sport: SportOf(f.Text("Activity Type"))}
		parse := func(column string) decimal.Number {
			v, _ := decimal.Parse(f.Text(column))
			return v
		}
		a.positive(Distance, parse("Distance"), kilometres)
		a.positive(Climb, parse("Elevation Gain"), same)
		a.positive(MeanHeart, parse("Average Heart Rate"), same)
		a.positive(MaxHeart, parse("Max Heart Rate"), same)
		a.positive(MaxSpeed, parse("Max Speed"), fromPerSecond)
		a.positive(Energy, parse("Calories"), same)
		if v := parse("Elapsed Time"); v > 0 {
			a.minutes(Duration, v)
		}
		if v := parse("Moving Time"); v > 0 {
			a.minutes(Moving, v)
		}
		a.speed()
		found(a)
	}
}
