package journey_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/codebook/journey"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// file is one file of an export.
type file struct{ format, text string }

func days(t testing.TB, files ...file) ([]journey.Day, int) {
	t.Helper()
	var d journey.Diary
	for _, f := range files {
		if err := d.Read(f.format, strings.NewReader(f.text)); err != nil {
			t.Fatalf("%s: %v", f.format, err)
		}
	}
	return d.Days()
}

// told spells out a day: date, covered, places, away, reach in km, minutes of
// moving by part, kilometres by mode.
func told(d journey.Day) string {
	away := "-"
	if d.Home {
		away = fmt.Sprintf("%d %dkm", d.Away/60, d.Reach/1000)
	}
	var moving []string
	for _, m := range d.Moving {
		moving = append(moving, fmt.Sprint(m/60))
	}
	return fmt.Sprintf("%s %d/%d %s [%s] walk %d cycle %d drive %d ride %d fly %d of %d", d.Date, d.Covered/60, d.Places, away, strings.Join(moving, " "),
		d.Metres[journey.Walk], d.Metres[journey.Cycle], d.Metres[journey.Drive], d.Metres[journey.Ride], d.Metres[journey.Fly], d.Total())
}

func check(t *testing.T, got []journey.Day, want ...string) {
	t.Helper()
	var lines []string
	for _, d := range got {
		lines = append(lines, told(d))
	}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

// The same two days as each generation writes them: a night at home, a bus to
// work at eight, work, a walk to a café and back, the bus home, and a flight
// the next day.
const semantic = `{"timelineObjects": [
 {"placeVisit": {"location": {"latitudeE7": 520247130, "longitudeE7": 47510000, "address": "17 Fernhill Lane", "name": "Home", "placeId": "x"}, "duration": {"startTimestamp": "2022-03-02T23:00:00Z", "endTimestamp": "2022-03-03T07:00:00.5Z"}}},
 {"activitySegment": {"startLocation": {"latitudeE7": 520247130, "longitudeE7": 47510000}, "endLocation": {"latitudeE7": 521647130, "longitudeE7": 48510000}, "duration": {"startTimestamp": "2022-03-03T07:00:00Z", "endTimestamp": "2022-03-03T07:30:00Z"}, "distance": 19000, "activityType": "IN_BUS", "activities": [{"activityType": "IN_BUS", "probability": 85.6}]}},
 {"placeVisit": {"centerLatE7": 521647130, "centerLngE7": 48510000, "location": {"placeId": "y"}, "duration": {"startTimestampMs": "1646292600000", "endTimestampMs": "1646316000000"}}},
 {"activitySegment": {"startLocation": {"latitudeE7": 521647130, "longitudeE7": 48510000}, "endLocation": {"latitudeE7": 520247130, "longitudeE7": 47510000}, "duration": {"startTimestamp": "2022-03-03T16:30:00Z", "endTimestamp": "2022-03-03T17:30:00Z"}, "activityType": "CYCLING"}},
 {"placeVisit": {"location": {"latitudeE7": 520247130, "longitudeE7": 47510000}, "duration": {"startTimestamp": "2022-03-03T17:30:00Z", "endTimestamp": "2022-03-04T12:00:00Z"}}},
 {"activitySegment": {"startLocation": {"latitudeE7": 520247130, "longitudeE7": 47510000}, "endLocation": {"latitudeE7": 405800000, "longitudeE7": -740000000}, "duration": {"startTimestamp": "2022-03-04T12:00:00Z", "endTimestamp": "2022-03-04T20:00:00Z"}, "distance": 5850000, "activityType": "FLYING"}}
]}`

const android = `{"semanticSegments": [
 {"startTime": "2022-03-02T23:00:00.000Z", "endTime": "2022-03-03T07:00:00.500Z", "visit": {"hierarchyLevel": 0, "probability": 0.9, "topCandidate": {"placeId": "x", "semanticType": "HOME", "placeLocation": {"latLng": "52.0247130°, 4.7510000°"}}}},
 {"startTime": "2022-03-02T23:00:00.000Z", "endTime": "2022-03-03T07:00:00.500Z", "visit": {"hierarchyLevel": 1, "topCandidate": {"placeLocation": {"latLng": "52.0247130°, 4.7510000°"}}}},
 {"startTime": "2022-03-03T07:00:00.000Z", "endTime": "2022-03-03T07:30:00.000Z", "activity": {"start": {"latLng": "52.0247130°, 4.7510000°"}, "end": {"latLng": "52.1647130°, 4.8510000°"}, "distanceMeters": 19000.25, "topCandidate": {"type": "IN_BUS", "probability": 0.8}}},
 {"startTime": "2022-03-03T07:00:00.000Z", "endTime": "2022-03-03T08:00:00.000Z", "timelinePath": [{"point": "52.1°, 4.8°", "time": "2022-03-03T07:10:00.000Z"}]},
 {"startTime": "2022-03-03T09:30:00.000+02:00", "endTime": "2022-03-03T16:00:00.000+02:00", "startTimeTimezoneUtcOffsetMinutes": 0, "visit": {"hierarchyLevel": 0, "topCandidate": {"placeLocation": {"latLng": "52.1647130°, 4.8510000°"}}}},
 {"startTime": "2022-03-03T16:30:00.000Z", "endTime": "2022-03-03T17:30:00.000Z", "activity": {"start": {"latLng": "52.0247130°, 4.7510000°"}, "end": {"latLng": "52.1647130°, 4.8510000°"}, "topCandidate": {"type": "CYCLING"}}},
 {"startTime": "2022-03-03T17:30:00.000Z", "endTime": "2022-03-04T12:00:00.000Z", "visit": {"hierarchyLevel": 0, "topCandidate": {"placeLocation": {"latLng": "52.0247130°, 4.7510000°"}}}},
 {"startTime": "2022-03-04T12:00:00.000Z", "endTime": "2022-03-04T20:00:00.000Z", "activity": {"start": {"latLng": "52.0247130°, 4.7510000°"}, "end": {"latLng": "40.58°, -74.0°"}, "distanceMeters": 5850000, "topCandidate": {"type": "FLYING"}}}
], "rawSignals": [{"position": {"LatLng": "52.0247130°, 4.7510000°", "timestamp": "2022-03-03T07:00:00Z"}}], "userLocationProfile": {"frequentPlaces": [{"placeLocation": "52.0247130°, 4.7510000°", "label": "HOME"}]}}`

// phone turns the Android text into what an iPhone writes.
func phone() string {
	_, list, _ := strings.Cut(android, ":")
	list, _, _ = strings.Cut(list, ", \"rawSignals\"")
	list = regexp.MustCompile(`\{"latLng": "([-0-9.]+)°, ([-0-9.]+)°"\}`).ReplaceAllString(list, `"geo:$1,$2"`)
	list = regexp.MustCompile(`("hierarchyLevel"|"distanceMeters"): ([0-9.]+)`).ReplaceAllString(list, `$1: "$2"`)
	return strings.NewReplacer("IN_BUS", "in bus", "FLYING", "flying", "CYCLING", "cycling").Replace(list)
}

var week = []string{
	"2022-03-02 60/1 0 0km [0 0 0 0] walk 0 cycle 0 drive 0 ride 0 fly 0 of 0",
	"2022-03-03 1290/2 480 16km [0 30 60 0] walk 0 cycle 17000 drive 0 ride 19000 fly 0 of 36000",
	"2022-03-04 1200/1 480 5876km [0 0 360 120] walk 0 cycle 0 drive 0 ride 0 fly 5850000 of 5850000",
}

func TestEveryGenerationTellsTheSameDays(t *testing.T) {
	for _, f := range []file{{journey.Semantic, semantic}, {journey.Android, android}, {journey.IPhone, phone()}} {
		got, skipped := days(t, f)
		if skipped != 0 {
			t.Errorf("%s: %d skipped", f.format, skipped)
		}
		t.Run(f.format, func(t *testing.T) { check(t, got, week...) })
	}
}

// raw writes positions as Records.json: minutes from noon on the first of June
// 2021 at a meridian, in hundred-thousandths of a degree north of 10° N.
func raw(meridian int, what string, at ...[2]int) file {
	var out []string
	for _, p := range at {
		out = append(out, fmt.Sprintf(`{"latitudeE7": %d, "longitudeE7": %d, "accuracy": 20, "timestamp": %q, "deviceTag": 1, "activity": [{"activity": [{"type": "UNKNOWN", "confidence": 99}, {"type": %q, "confidence": 70}, {"type": "TILTING", "confidence": 90}], "timestamp": "x"}]}`,
			100_000_000+p[1]*100, meridian*10_000_000, time.Date(2021, 6, 1, 12, p[0], 0, 0, time.UTC).Format(time.RFC3339), what))
	}
	return file{journey.Records, `{"locations": [` + strings.Join(out, ",\n") + `]}`}
}

func TestRawPositions(t *testing.T) {
	// noon in Greenwich is one in the night at 165° W: at home till two, then
	// ten kilometres by bicycle in an hour, an hour there, and silence until
	// the next day at home
	f := raw(-165, "ON_BICYCLE", [2]int{0, 0}, [2]int{30, 20}, [2]int{60, 0}, [2]int{90, 4500}, [2]int{120, 9000}, [2]int{180, 9010}, [2]int{1500, 0}, [2]int{1560, 10})
	want := []string{
		"2021-06-01 180/2 120 9km [60 0 0 0] walk 0 cycle 10006 drive 0 ride 0 fly 0 of 10006",
		"2021-06-02 60/1 0 0km [0 0 0 0] walk 0 cycle 0 drive 0 ride 0 fly 0 of 10018",
	}
	got, _ := days(t, f)
	check(t, got, want...)
	got, _ = days(t, f, f)
	check(t, got, want...)
}

func TestOlderSpellings(t *testing.T) {
	got, skipped := days(t, file{journey.Records, `{"locations": [
		{"timestampMs": "1622548800000", "latitudeE7": 100000000, "longitudeE7": 2644967296, "accuracy": 20, "activitys": [{"timestampMs": "1", "activities": [{"type": "inVehicle", "confidence": 75}, {"type": "still", "confidence": 5}]}]},
		{"timestampMs": "1622550600000", "latitudeE7": 101000000, "longitudeE7": -1650000000},
		{"timestampMs": "1622552400000", "latitudeE7": 99999999999, "longitudeE7": 0},
		{"timestampMs": "yesterday", "latitudeE7": 1, "longitudeE7": 0},
		{"timestampMs": "1622552400000"},
		{"timestampMs": "1622552400000", "latitudeE7": "Rosalind", "longitudeE7": 0},
		{"timestampMs": "1622552460000", "latitudeE7": 150000000, "longitudeE7": -1650000000, "accuracy": 5000},
		{"timestampMs": "1622552460000", "latitudeE7": 450000000, "longitudeE7": -1650000000}]}`})
	check(t, got, "2021-06-01 30/0 - [30 0 0 0] walk 0 cycle 0 drive 11119 ride 0 fly 0 of 11119")
	if skipped != 4 {
		t.Errorf("%d skipped", skipped)
	}
}

func TestFixture(t *testing.T) {
	text := string(testkit.FixtureBytes(t, "09-takeout/dogsheep/Takeout/Location History/Location History.json"))
	got, skipped := days(t, file{journey.Records, text})
	check(t, got, "2015-07-18 0/0 - [0 0 0 0] walk 0 cycle 0 drive 0 ride 0 fly 0 of 0")
	if skipped != 0 {
		t.Errorf("%d skipped", skipped)
	}
}

// A takeout holds raw positions, the months made of them and perhaps the
// phone's own timeline: a day is told once, by the newest.
func TestADayIsToldByOneGeneration(t *testing.T) {
	positions := file{journey.Records, `{"locations": [{"latitudeE7": 520247130, "longitudeE7": 47510000, "timestamp": "2022-03-03T07:00:00Z"},
		{"latitudeE7": 520347130, "longitudeE7": 47510000, "timestamp": "2022-03-03T08:00:00Z"}, {"latitudeE7": 520347130, "longitudeE7": 47510000, "timestamp": "2022-03-05T08:00:00Z"},
		{"latitudeE7": 520347130, "longitudeE7": 47510000, "timestamp": "2022-03-05T09:00:00Z"}]}`}
	later := strings.Replace(semantic, `"distance": 19000`, `"distance": 1`, 1)
	fifth := "2022-03-05 540/1 0 1km [0 0 0 0] walk 0 cycle 0 drive 0 ride 0 fly 0 of 0"
	for _, files := range [][]file{
		{{journey.Semantic, semantic}, positions}, {positions, {journey.Semantic, semantic}, {journey.Semantic, semantic}},
		{{journey.Android, android}, positions, {journey.Semantic, later}},
	} {
		got, _ := days(t, files...)
		check(t, got, append(week[:3:3], fifth)...)
	}
}

func TestWhatSaysNothingIsSkipped(t *testing.T) {
	got, skipped := days(t,
		file{journey.Semantic, `{"timelineObjects": [{}, {"placeVisit": {"location": {"latitudeE7": 1, "longitudeE7": 1}, "duration": {}}}, {"placeVisit": {"duration": {"startTimestamp": "2022-03-03T07:00:00Z", "endTimestamp": "2022-03-03T08:00:00Z"}}},
			{"activitySegment": {"duration": {"startTimestamp": "2022-03-03T07:00:00Z", "endTimestamp": "2022-03-03T08:00:00Z"}, "distance": 5}}, {"placeVisit": 7},
			{"placeVisit": {"location": {"latitudeE7": 1, "longitudeE7": 1}, "duration": {"startTimestamp": "2022-03-03T07:00:00Z", "endTimestamp": "2022-03-03T06:00:00Z"}}},
			{"placeVisit": {"location": {"latitudeE7": 1, "longitudeE7": 1}, "duration": {"startTimestamp": "2022-03-03T07:00:00Z", "endTimestamp": "2023-03-03T06:00:00Z"}}}]}`},
		file{journey.IPhone, `[{"startTime": "2022-03-03T07:00:00+01:00", "endTime": "2022-03-03T08:00:00+01:00", "visit": {"topCandidate": {"placeLocation": "geo:91.5,0"}}}, {"startTime": "x", "endTime": "y", "visit": {"topCandidate": {"placeLocation": "geo:1,0"}}},
			{"startTime": "2022-03-03T07:00:00+01:00", "endTime": "2022-03-03T08:00:00+01:00", "visit": {"topCandidate": {"placeLocation": [17]}}}, {"timelineMemory": {"trip": {}}}]`})
	if len(got) != 0 || skipped != 10 {
		t.Errorf("%d days, %d skipped", len(got), skipped)
	}
}

func TestRefusals(t *testing.T) {
	for name, f := range map[string]file{
		"cut short":  {journey.Semantic, semantic[:len(semantic)/2]},
		"not JSON":   {journey.Records, `{"locations": [{"latitudeE7": }]}`},
		"very deep":  {journey.Records, `{"locations": [` + strings.Repeat(`{"a":[`, 20_000) + strings.Repeat(`]}`, 20_000) + `]}`},
		"never ends": {journey.Records, `{"locations": ["` + strings.Repeat("a", 17<<20) + `"]}`},
	} {
		var d journey.Diary
		if err := d.Read(f.format, strings.NewReader(f.text)); !errors.Is(err, stream.ErrMalformedFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzRead holds that days are made of numbers within a day, whatever a text is.
func FuzzRead(f *testing.F) {
	f.Add(0, raw(4, "WALKING", [2]int{0, 0}, [2]int{30, 20}, [2]int{600, 9000}).text)
	f.Add(1, semantic[:900]+`}]}`)
	f.Add(2, android)
	f.Add(3, phone())
	f.Fuzz(func(t *testing.T, format int, text string) {
		formats := []string{journey.Records, journey.Semantic, journey.Android, journey.IPhone}
		var d journey.Diary
		if err := d.Read(formats[uint(format)%4], strings.NewReader(text)); err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatal(err)
			}
			return
		}
		got, _ := d.Days()
		for i, day := range got {
			if _, err := time.Parse(time.DateOnly, day.Date); err != nil || i > 0 && got[i-1].Date >= day.Date {
				t.Fatalf("date %s", day.Date)
			}
			if day.Covered < 0 || day.Away < 0 || day.Away > day.Covered || day.Reach < 0 || day.Reach > 20_100_000 || day.Total() < 0 || day.Places < 0 {
				t.Fatalf("%+v", day)
			}
		}
	})
}
