package codebook_test

import (
	"errors"
	"fmt"
	"testing"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/codebook"
)

const (
	run = `<gpx><trk><name>Home</name><trkseg><trkpt lat="50" lon="8"><time>2026-01-05T07:00:00Z</time></trkpt><trkpt lat="50.01" lon="8"><time>2026-01-05T07:10:00Z</time></trkpt></trkseg></trk></gpx>`
	cut = `<gpx><trk><name>Home</name><trkseg><trkpt lat="50" lon="8"><time>2026-01-06T07:00:00Z</time>`
)

func leftOf(p codebook.Profile) string { return fmt.Sprint(p.Left) }

// One broken recording among hundreds must not cost a member the others, and
// nobody may believe that it was shared.
func TestADamagedRecordingIsLeftOutAndTold(t *testing.T) {
	fit := string(testkit.FixtureBytes(t, "03-activity-files/fit/activity-unexpected-eof.fit"))
	table, profile := reduce(t, "activities", zipped(t, "1.gpx", run, "2.gpx", cut, "3.fit", fit, "export.csv", fitbitRow, "me.jpg", "\xff\xd8", "empty.csv", ""))
	if len(table.Rows) != 1 || leftOf(profile) != "[{damaged file 2} {empty file 1} {file for another pool 1} {picture 1}]" {
		t.Errorf("%d rows, %s", len(table.Rows), leftOf(profile))
	}
	table, profile = reduce(t, "activities", text(run), text(cut), text(fit))
	if len(table.Rows) != 1 || leftOf(profile) != "[{damaged file 2}]" {
		t.Errorf("%d rows, %s", len(table.Rows), leftOf(profile))
	}
	for name, in := range map[string][]codebook.Input{"alone": {text(cut)}, "all of them": {text(cut), text(fit)}, "all of an archive": {zipped(t, "2.gpx", cut, "3.fit", fit)}} {
		if _, _, err := codebook.Reduce("activities", in...); !errors.Is(err, codebook.ErrMalformedFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// a statement is no recording: money that is missing would be a lie
	if _, _, err := codebook.Reduce("bank", zipped(t, "a.csv", "Date,Amount,Currency\n2026-01-05,5,EUR\n", "b.csv", "Date,Amount,Currency\n2026-01-05,x,EUR\n")); !errors.Is(err, codebook.ErrBadValue) {
		t.Error(err)
	}
}

// The watch's file, the track and the lists of two accounts tell of the same
// runs: each is one row, and the first format is believed.
func TestAnActivityOfManyAccountsIsOne(t *testing.T) {
	alone, _ := reduce(t, "activities", export(t, "fit-activity", 3))
	all := []codebook.Input{export(t, "strava-activities", 3), export(t, "gpx", 3), export(t, "garmin-activities", 3), export(t, "tcx", 3), export(t, "fit-activity", 3)}
	together, profile := reduce(t, "activities", all...)
	if len(together.Rows) != len(alone.Rows) || csvOf(t, together) == "" || profile.Format != "fit-activity+tcx+gpx+garmin-activities+strava-activities" {
		t.Errorf("%d rows together, %d alone, %s", len(together.Rows), len(alone.Rows), profile.Format)
	}
	for _, name := range []string{"distance_km", "duration_min", "climb_m", "mean_heart_rate"} {
		a, b := column(t, alone, name), column(t, together, name)
		for i := range a {
			if a[i] != b[i] && a[i] != "" {
				t.Errorf("%s: %s together, %s by the watch", name, b[i], a[i])
			}
		}
	}
}

func TestFilesOfAFolderAreGathered(t *testing.T) {
	named := func(name string, in codebook.Input) codebook.Input { in.Name = name; return in }
	files := []codebook.Input{
		named("z.csv", text("Date,Amount,Currency\n2026-01-05,5,EUR\n")), named("b.gpx", text(run)), named("a.gpx", text(cut)),
		named("photo.png", text("\x89PNG")), named("no.txt", text("")), named(".hidden", text("x")), named("locked.xml", text("<a><!DOCTYPE [<!ENTITY")),
	}
	kept, left, err := codebook.Gather("", files)
	if err != nil || len(kept) != 2 || kept[0].Name != "a.gpx" || fmt.Sprint(left) != "[{empty file 1} {file for another pool 1} {other file 1} {picture 1}]" {
		t.Errorf("%v, %v, %v", kept, left, err)
	}
	if kept, _, err := codebook.Gather("bank", files); err != nil || len(kept) != 1 || kept[0].Name != "z.csv" {
		t.Errorf("%v, %v", kept, err)
	}
	if _, _, err := codebook.Gather("genotype", files); !errors.Is(err, codebook.ErrUnknownFormat) {
		t.Error(err)
	}
}

// What Fitbit itself tells is what its study export tells, day by day.
func TestFitbitsOwnArchiveIsTheSameLife(t *testing.T) {
	study, _ := reduce(t, "wearables", export(t, "fitbit-daily-activity", 3))
	own, profile := reduce(t, "wearables", export(t, "fitbit-archive", 3))
	if len(own.Rows) != 60 || profile.Format != "fitbit-archive" {
		t.Fatalf("%d rows, %+v", len(own.Rows), profile)
	}
	worn := map[string]string{}
	for i, day := range column(t, study, "date") {
		worn[day] = column(t, study, "steps")[i]
	}
	same := 0
	for i, day := range column(t, own, "date") {
		if worn[day] == column(t, own, "steps")[i] {
			same++
		}
	}
	if same < 50 {
		t.Errorf("%d days of 60 have the same steps", same)
	}
	if _, _, err := codebook.Recognise(codebook.Bytes("diary.json", []byte(`[{"dateTime":"01/05/26 00:00:00","value":"7"}]`))); !errors.Is(err, codebook.ErrUnknownFormat) {
		t.Errorf("a file without a kind's name: %v", err)
	}
}
