package track_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/codebook/track"
)

// said writes an activity down: what is unknown is a dash.
func said(a track.Activity) string {
	out := []string{a.Start.Format(time.RFC3339), a.Sport}
	for _, f := range a.Figures {
		if !f.Known {
			out = append(out, "-")
			continue
		}
		out = append(out, f.Value.Text(3))
	}
	return strings.Join(out, " ")
}

func gpxOf(points string) string {
	return `<gpx version="1.1"><trk><name>From home</name><type>running</type><trkseg>` + points + `</trkseg></trk></gpx>`
}

func point(lat, lon, ele, at string) string {
	return `<trkpt lat="` + lat + `" lon="` + lon + `"><ele>` + ele + `</ele><time>` + at + `</time></trkpt>`
}

func read(t testing.TB, text string) (all []string, planned int) {
	t.Helper()
	planned, err := track.GPX(strings.NewReader(text), func(a track.Activity) { all = append(all, said(a)) })
	if err != nil {
		t.Fatal(err)
	}
	return all, planned
}

// A degree of a meridian is 111.195 km on a sphere of 6371.0088 km; at 60
// degrees north one of a parallel is half of that.
func TestDistancesAreThoseOfTheSphere(t *testing.T) {
	for name, c := range map[string]struct{ points, want string }{
		"north":              {point("50.0", "8", "0", "2026-01-01T10:00:00Z") + point("50.1", "8", "0", "2026-01-01T11:00:00Z"), "11.12"},
		"east at 60 north":   {point("60", "8.0", "0", "2026-01-01T10:00:00Z") + point("60", "8.1", "0", "2026-01-01T11:00:00Z"), "5.56"},
		"over the date line": {point("0", "179.95", "0", "2026-01-01T10:00:00Z") + point("0", "-179.95", "0", "2026-01-01T11:00:00Z"), "11.12"},
		"nowhere":            {point("95", "8", "0", "2026-01-01T10:00:00Z") + point("50", "8", "0", "2026-01-01T11:00:00Z"), ""},
	} {
		var got string
		_, err := track.GPX(strings.NewReader(gpxOf(c.points)), func(a track.Activity) {
			if a.Figures[track.Distance].Known {
				got = a.Figures[track.Distance].Value.Text(2)
			}
		})
		if err != nil || got != c.want {
			t.Errorf("%s: %s km, want %s, %v", name, got, c.want, err)
		}
	}
}

func TestSegmentsAreNotJoined(t *testing.T) {
	two := point("50.0", "8", "0", "2026-01-01T10:00:00Z") + `</trkseg><trkseg>` + point("51", "8", "0", "2026-01-01T10:30:00Z") + point("51.01", "8", "0", "2026-01-01T11:00:00Z")
	got, _ := read(t, gpxOf(two))
	if want := "2026-01-01T10:00:00Z running 1.112 60 - 0 - - 1.112 - -"; len(got) != 1 || got[0] != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNoiseIsNoClimb(t *testing.T) {
	var points strings.Builder
	for i, height := range []int{100, 102, 101, 102, 99, 104, 110, 108, 111, 90} {
		points.WriteString(point("50", "8", fmt.Sprint(height), fmt.Sprintf("2026-01-01T10:00:%02dZ", i)))
	}
	got, _ := read(t, gpxOf(points.String()))
	if fields := strings.Fields(got[0]); fields[5] != "14" { // 99 to 110, and 108 to 111
		t.Errorf("%q", got)
	}
}

func TestAPlanIsNoActivity(t *testing.T) {
	got, planned := read(t, `<gpx><trk><trkseg><trkpt lat="1" lon="1"/><trkpt lat="2" lon="2"/></trkseg></trk><wpt lat="1" lon="1"><time>2026-01-01T10:00:00Z</time></wpt></gpx>`)
	if len(got) != 0 || planned != 1 {
		t.Errorf("%q, %d planned", got, planned)
	}
}

// The laps of this recording say 1000 m in 966.796 s and 157.51 m in 145.539 s.
func TestLapsAreAddedUp(t *testing.T) {
	var got []string
	err := track.TCX(bytes.NewReader(testkit.FixtureBytes(t, "03-activity-files/tcx/sup_activity_1.tcx")), func(a track.Activity) { got = append(got, said(a)) })
	if err != nil || len(got) != 1 || !strings.HasPrefix(got[0], "2022-07-16T16:08:25Z other 1.158 18.539") || !strings.HasSuffix(got[0], " 5.08 92") {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSessionsOfRealWatches(t *testing.T) {
	for name, want := range map[string]string{
		"Activity.fit":                       "2012-04-09T21:22:26Z running 0.006 0.229 0.229 - - - 1.501 1.325 -",
		"garmin-fenix-5-run.fit":             "2017-06-11T14:34:09Z running 0.158 0.948 0.948 2 90 112 9.972 13.169 5",
		"sample-activity-indoor-trainer.fit": "2011-11-02T12:54:19Z cycling - 37.698 37.698 4 148 176 - - 379",
	} {
		var got []string
		err := track.FIT(bytes.NewReader(testkit.FixtureBytes(t, "03-activity-files/fit/"+name)), func(a track.Activity) { got = append(got, said(a)) })
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q, %v", name, got, want, err)
		}
	}
}

func TestWeighingsOfTwoPeople(t *testing.T) {
	var got []string
	err := track.Scale(bytes.NewReader(testkit.FixtureBytes(t, "03-activity-files/fit/WeightScaleMultiUser.fit")), func(w track.Weighing) {
		got = append(got, fmt.Sprintf("%d %s %s", w.Person, w.Kg.Value.Text(2), w.Fat.Value.Text(1)))
	})
	if err != nil || strings.Join(got, ", ") != "1 75.8 22.3, 2 58.2 25.1" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestListsOfAccounts(t *testing.T) {
	var got []string
	found := func(a track.Activity) { got = append(got, said(a)) }
	skipped, err := track.Garmin(strings.NewReader(`[{"other":[1],"summarizedActivitiesExport":[
		{"name":"Oudewater Running","activityType":"trail_running","beginTimestamp":1.7E12,"duration":1800000.0,"distance":500000,"elevationGain":12345.6,"avgHr":140,"calories":1700},
		{"name":"none"}]}]`), found)
	if err != nil || skipped != 1 {
		t.Errorf("%d, %v", skipped, err)
	}
	const header = "Activity ID,Activity Date,Activity Name,Activity Type,Elapsed Time,Distance"
	for _, text := range []string{
		header + "\n1,\"Mar 3, 2021, 5:12:07 PM\",Home,Ride,600,4.2\n2,yesterday,Home,Ride,600,4.2\n",
		header + ",Elapsed Time,Distance\n1,\"Mar 3, 2021, 5:12:07 PM\",Home,Ride,600,4.2,600,4200\n2,,,,,,,\n",
	} {
		if skipped, err := track.Strava(strings.NewReader(text), found); err != nil || skipped != 1 {
			t.Errorf("%d, %v", skipped, err)
		}
	}
	ride := "2021-03-03T17:12:07Z cycling 4.2 10 - - - - 25.2 - -"
	if want := []string{"2023-11-14T22:13:20Z running 5 30 - 123.456 140 - 10 - -", ride, ride}; strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q", got)
	}
}

func TestSportsOfAllProviders(t *testing.T) {
	for word, want := range map[string]string{
		"Biking": "cycling", "Virtual Ride": "cycling", "e_bike_fitness": "cycling", "Trail Run": "running", "treadmill_running": "running", "Hike": "hiking", "speed_walking": "walking",
		"lap_swimming": "swimming", "Nordic Ski": "skiing", "Weight Training": "strength", "Yoga": "other", "Other": "other", "": "", "indoor_rowing": "rowing",
	} {
		if got := track.SportOf(word); got != want {
			t.Errorf("%q is %q, want %q", word, got, want)
		}
	}
}

func FuzzTrack(f *testing.F) {
	f.Add(byte(0), []byte(gpxOf(point("50.0", "8", "0", "2026-01-01T10:00:00Z"))))
	f.Add(byte(1), []byte(`<TrainingCenterDatabase><Activities><Activity Sport="Running"><Lap StartTime="2022-07-16T16:08:25.000Z"><TotalTimeSeconds>9e11</TotalTimeSeconds></Lap></Activity></Activities></TrainingCenterDatabase>`))
	f.Add(byte(3), []byte(`[{"summarizedActivitiesExport":[{"beginTimestamp":1.7E12,"distance":-1e300}]}]`))
	f.Add(byte(4), []byte("Activity Date,Distance\n\"Mar 3, 2021, 5:12:07 PM\",1\n"))
	f.Fuzz(func(t *testing.T, kind byte, data []byte) {
		in, found := bytes.NewReader(data), func(a track.Activity) {
			if a.Start.Year() < 1900 || a.Start.Year() >= 2100 {
				t.Fatal(a.Start)
			}
			for _, f := range a.Figures {
				if f.Value < 0 {
					t.Fatal(said(a))
				}
			}
		}
		var err error
		switch kind % 6 {
		case 0:
			_, err = track.GPX(in, found)
		case 1:
			err = track.TCX(in, found)
		case 2:
			err = track.FIT(in, found)
		case 3:
			_, err = track.Garmin(in, found)
		case 4:
			_, err = track.Strava(in, found)
		case 5:
			err = track.Scale(in, func(track.Weighing) {})
		}
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Fatal(err)
		}
	})
}
