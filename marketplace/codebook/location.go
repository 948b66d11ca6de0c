package codebook

import (
	"io"
	"strconv"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/journey"
)

const fromSegments = "; Records: computed between the positions"

var locationBook = Codebook{
	Pool:  "location",
	Title: "Days on the move",
	Row:   "one day",
	Columns: []Column{
		{Name: "date", Type: TypeDate, Source: "Timeline: startTime with its offset; Semantic and Records: timestamp, by the sun's time at the place, because they name no time zone",
			Description: "Local day."},
		minutes("covered_min", 1440, "all entries of the day", "How much of the day the history tells about. A day with little of it looks quieter than it was."),
		{Name: "places", Type: TypeInteger, Max: 1_000, Source: "Timeline: visit; Semantic: placeVisit; Records: positions that keep still",
			Description: "Number of places stayed at for ten minutes or more. Places closer than about a kilometre may count as one."},
		minutes("away_min", 1440, "stays away from the place where most nights of the month were spent, and journeys", "Time not at home, as far as covered. Which place that is stays on the device. Empty where no night is covered."),
		{Name: "reach", Type: TypeCode, Unit: "km", Codes: reaches, Source: "the farthest point from the place of the nights, as the crow flies",
			Description: "How far from home the day led, in six steps. The exact distance is left out, because it could tell where to."},
		minutes("moving_night_min", 360, "journeys from 0 to 6 o'clock", "Time spent moving at night."),
		minutes("moving_morning_min", 360, "journeys from 6 to 12 o'clock", "Time spent moving in the morning."),
		minutes("moving_afternoon_min", 360, "journeys from 12 to 18 o'clock", "Time spent moving in the afternoon."),
		minutes("moving_evening_min", 360, "journeys from 18 to 24 o'clock", "Time spent moving in the evening."),
		{Name: "distance_km", Type: TypeInteger, Unit: "km", Max: 50_000, Source: "Timeline: distanceMeters; Semantic: distance" + fromSegments,
			Description: "Way covered by any means but flying, those below included."},
		{Name: "walk_km", Type: TypeDecimal, Unit: "km", Decimals: 1, Max: 500, Source: "activity walking, running and on foot", Description: "On foot."},
		{Name: "cycle_km", Type: TypeDecimal, Unit: "km", Decimals: 1, Max: 2_000, Source: "activity cycling", Description: "By bicycle."},
		{Name: "drive_km", Type: TypeInteger, Unit: "km", Max: 10_000, Source: "activity in a car or another vehicle, motorcycling, taxi", Description: "By car or motorcycle."},
		{Name: "ride_km", Type: TypeInteger, Unit: "km", Max: 10_000, Source: "activity bus, train, underground, tram, ferry, cable car", Description: "By public transport."},
		{Name: "fly_km", Type: TypeInteger, Unit: "km", Max: 50_000, Source: "activity flying; Records: faster than 250 km/h over 100 km",
			Description: "By plane, rounded to hundreds, because the exact length of a flight tells where it went."},
	},
	Also: "All places are left out. Four places with their times would pick one person out of a large crowd, and the place of the nights is a home. What is left still tells about habits, also of the people you live and travel with: when a home stands empty, when a family is away.",
}

// reaches are steps of distance in kilometres, with the metres they begin at.
var (
	reaches = []string{"0-2", "2-5", "5-20", "20-100", "100-500", "500+"}
	begins  = []int64{0, 2_000, 5_000, 20_000, 100_000, 500_000}
)

func minutes(name string, most int64, source, description string) Column {
	return Column{Name: name, Type: TypeInteger, Unit: "min", Max: most, Source: source, Description: description}
}

func locationPool() pool {
	return pool{book: locationBook, apart: true, reducer: func() reducer { return &location{} }, formats: []format{
		{Format: Format{ID: journey.Android, Title: "Google timeline (Android)", File: "Timeline.json",
			How: "On the phone: Settings, Location, Timeline, Export."},
			match: func(h head) bool { return h.holds("semanticSegments") }},
		{Format: Format{ID: journey.IPhone, Title: "Google timeline (iPhone)", File: "location-history.json",
			How: "In the Google Maps app: Settings, then Export Timeline."},
			match: func(h head) bool {
				return h.holds("startTime", "endTime") && (h.holds("visit") || h.holds("activity") || h.holds("timelinePath") || h.holds("timelineMemory"))
			}},
		{Format: Format{ID: journey.Semantic, Title: "Google semantic location history", File: "2022_MARCH.json",
			How: "From an older Google Takeout: add the whole archive."},
			match: func(h head) bool { return h.holds("timelineObjects") }},
		{Format: Format{ID: journey.Records, Title: "Google location records", File: "Records.json",
			How: "From an older Google Takeout: this file, or the whole archive."},
			match: func(h head) bool { return h.holds("locations") && h.contains("latitudeE7") }},
	}}
}

type location struct{ diary journey.Diary }

func (l *location) read(formatID string, r io.Reader) error { return l.diary.Read(formatID, r) }

func (l *location) rows() (result, error) {
	days, skipped := l.diary.Days()
	res := result{persons: 1, skipped: skipped}
	for _, d := range days {
		row := []string{d.Date, whole(d.Covered/60, 1440), whole(d.Places, 1_000), "", ""}
		if d.Home {
			row[3], row[4] = whole(d.Away/60, 1440), reach(d.Reach)
		}
		for _, seconds := range d.Moving {
			row = append(row, whole(seconds/60, 360))
		}
		flown := d.Metres[journey.Fly]
		row = append(row, whole((d.Total()-flown+500)/1000, 50_000))
		for i, mode := range []int{journey.Walk, journey.Cycle, journey.Drive, journey.Ride} {
			column := locationBook.Columns[10+i]
			km := min(decimal.Number(d.Metres[mode])*decimal.One/1000, decimal.Whole(column.Max))
			row = append(row, km.Text(column.Decimals))
		}
		row = append(row, whole((flown+50_000)/100_000*100, 50_000))
		res.rows = append(res.rows, row)
	}
	return res, nil
}

// whole writes a number, at most the one given: entries that overlap can add
// up to more than a day has.
func whole(n, most int64) string { return strconv.FormatInt(min(n, most), 10) }

func reach(metres int64) (step string) {
	for i, from := range begins {
		if metres >= from {
			step = reaches[i]
		}
	}
	return step
}
