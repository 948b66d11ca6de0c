package codebook_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"distributed.ai/datacoop/marketplace/codebook"
)

func eachFile(t *testing.T, root string, visit func(path string, in codebook.Input)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			visit(path, codebook.Input{Size: info.Size(), Open: func() (io.ReadCloser, error) { return os.Open(path) }})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// cells writes the named cells of every row.
func cells(t testing.TB, table codebook.Table, names ...string) string {
	t.Helper()
	lines := make([]string, len(table.Rows))
	for _, name := range names {
		for i, cell := range column(t, table, name) {
			lines[i] += cell + " "
		}
	}
	return strings.TrimRight(strings.Join(lines, "\n"), " ")
}

func TestAppleFixtures(t *testing.T) {
	const want = "2024-01-01 74.5 13 1 1 0 \n2024-01-02     0"
	for _, rel := range []string{"01-apple-health/alxdrcirilo/export.xml", "01-apple-health/alxdrcirilo/export.zip"} {
		table, profile := reduce(t, "wearables", fixture(t, rel))
		got := cells(t, table, "date", "mean_heart_rate", "asleep_minutes", "in_bed_minutes", "exercise_minutes", "active_energy_kcal")
		if got != want {
			t.Errorf("%s:\n%q", rel, got)
		}
		if profile.Format != "apple-health" || profile.Skipped != 0 {
			t.Errorf("profile %+v", profile)
		}
	}
	table, _ := reduce(t, "wearables", fixture(t, "01-apple-health/dogsheep/export.xml"))
	got := cells(t, table, "date", "bmi", "mean_heart_rate", "active_energy_kcal", "exercise_minutes")
	if got != "2016-04-18 22.53    \n2016-11-15   590 68 \n2016-11-16   324 39 \n2018-09-10  72" {
		t.Errorf("%q", got)
	}
}

const appleDTD = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!-- HealthKit Export Version: 14, "quoted" and it's fine -->
<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation)*)>
<!ATTLIST HealthData locale CDATA #REQUIRED>
]>
`

func record(kind, source, unit, start, value string) string {
	return fmt.Sprintf("<Record type=%q sourceName=%q unit=%q startDate=%q endDate=%q value=%q/>\n", kind, source, unit, start, start, value)
}

func appleFile(records ...string) codebook.Input {
	return text(appleDTD + "<HealthData locale=\"nl_NL\">\n" + strings.Join(records, "") + "</HealthData>")
}

const (
	stepType = "HKQuantityTypeIdentifierStepCount"
	massType = "HKQuantityTypeIdentifierBodyMass"
)

func TestAppleDaysAreLocal(t *testing.T) {
	table, _ := reduce(t, "wearables", appleFile(
		record(stepType, "watch", "count", "2026-03-01 23:59:59 -0800", "10"),
		record(stepType, "watch", "count", "2026-03-02 00:00:01 +1300", "20")))
	if got := cells(t, table, "date", "steps"); got != "2026-03-01 10 \n2026-03-02 20" {
		t.Errorf("%q", got)
	}
}

func TestPhoneAndWatchAreNotAddedUp(t *testing.T) {
	table, _ := reduce(t, "wearables", appleFile(
		record(stepType, "watch", "count", "2026-03-01 10:00:00 +0100", "4000"),
		record(stepType, "watch", "count", "2026-03-01 18:00:00 +0100", "3000"),
		record(stepType, "phone", "count", "2026-03-01 10:00:00 +0100", "5500")))
	if got := cells(t, table, "steps"); got != "7000" {
		t.Errorf("steps %s", got)
	}
}

func TestAppleUnitsAreConverted(t *testing.T) {
	const day = "2026-03-01 10:00:00 +0100"
	table, _ := reduce(t, "wearables", appleFile(
		record(massType, "scale", "lb", day, "180.5"),
		record("HKQuantityTypeIdentifierDistanceWalkingRunning", "watch", "mi", day, "2"),
		record("HKQuantityTypeIdentifierActiveEnergyBurned", "watch", "kJ", day, "1000"),
		record("HKQuantityTypeIdentifierBodyFatPercentage", "scale", "%", day, "0.182")))
	if got := cells(t, table, "weight_kg", "distance_km", "active_energy_kcal", "body_fat_percent"); got != "81.87 3.219 239 18.2" {
		t.Error(got)
	}
}

func TestLastWeightOfTheDay(t *testing.T) {
	table, _ := reduce(t, "wearables", appleFile(
		record(massType, "scale", "kg", "2026-03-01 22:00:00 +0100", "70.5"),
		record(massType, "scale", "kg", "2026-03-01 07:00:00 +0100", "70.1")))
	if got := cells(t, table, "weight_kg"); got != "70.5" {
		t.Error(got)
	}
}

func TestSleepCountsForTheMorning(t *testing.T) {
	sleep := func(from, to, value string) string {
		return fmt.Sprintf("<Record type=\"HKCategoryTypeIdentifierSleepAnalysis\" sourceName=\"watch\" startDate=%q endDate=%q value=\"HKCategoryValueSleepAnalysis%s\"/>", from, to, value)
	}
	table, _ := reduce(t, "wearables", appleFile(
		sleep("2026-03-01 22:40:00 +0100", "2026-03-01 23:40:00 +0100", "AsleepCore"),
		sleep("2026-03-01 23:40:00 +0100", "2026-03-02 06:10:00 +0100", "AsleepDeep"),
		sleep("2026-03-02 06:10:00 +0100", "2026-03-02 06:40:00 +0100", "Awake"),
		sleep("2026-03-02 14:00:00 +0100", "2026-03-02 14:20:00 +0100", "AsleepUnspecified")))
	if got := cells(t, table, "date", "asleep_minutes"); got != "2026-03-02 470" {
		t.Error(got)
	}
}

func TestOddAppleRecordsAreLeftOutAndCounted(t *testing.T) {
	const day = "2026-03-01 10:00:00 +0100"
	table, profile := reduce(t, "wearables", appleFile(
		record(stepType, "watch", "count", day, "100"),
		record(stepType, "watch", "count", day, "Rosalind"),
		record(stepType, "watch", "furlong", day, "3"),
		record(stepType, "watch", "count", "yesterday", "3"),
		record(stepType, "watch", "count", day, "31705550142"),
		record("HKQuantityTypeIdentifierUVExposure", "watch", "count", day, "Rosalind"),
		"<Correlation>"+record(stepType, "watch", "count", day, "100")+"</Correlation>"))
	if got := cells(t, table, "steps"); got != "100" || profile.Skipped != 4 {
		t.Errorf("steps %s, skipped %d", got, profile.Skipped)
	}
}

func TestSleepDuplicatesCountOnce(t *testing.T) {
	table, _ := reduce(t, "wearables", fixture(t, "02-fitbit-cohort/sleepDay_merged.csv"))
	if len(table.Rows) != 410 {
		t.Errorf("%d rows", len(table.Rows))
	}
}

func TestFormatsOfOnePersonComplete(t *testing.T) {
	fitbit, apple := text("Id,SleepDay,TotalMinutesAsleep,TotalTimeInBed\n77,3/1/2026 12:00:00 AM,400,430\n"), appleFile(
		record(stepType, "watch", "count", "2026-03-01 10:00:00 +0100", "4000"))
	for _, order := range [][]codebook.Input{{fitbit, apple}, {apple, fitbit}} {
		table, profile := reduce(t, "wearables", order...)
		if got := cells(t, table, "person", "steps", "asleep_minutes"); got != "1 4000 400" {
			t.Error(got)
		}
		if profile.Format != "fitbit-sleep-day+apple-health" {
			t.Error(profile.Format)
		}
	}
}

func TestOverlappingExportsOfOneFormat(t *testing.T) {
	early := text("Id,ActivityDate,TotalSteps\n77,3/1/2026,4000\n77,3/2/2026,100\n")
	late := text("Id,ActivityDate,TotalSteps\n77,3/2/2026,9000\n77,3/3/2026,5000\n")
	forward, _ := reduce(t, "wearables", early, late)
	backward, _ := reduce(t, "wearables", late, early)
	if got := cells(t, forward, "date", "steps"); got != "2026-03-01 4000 \n2026-03-02 9000 \n2026-03-03 5000" {
		t.Error(got)
	}
	if csvOf(t, forward) != csvOf(t, backward) {
		t.Error("the order of files matters")
	}
}

func TestACohortAndAnUnnamedPersonDoNotMix(t *testing.T) {
	apple := appleFile(record(stepType, "watch", "count", "2026-03-01 10:00:00 +0100", "4000"))
	_, _, err := codebook.Reduce("wearables", fixture(t, "02-fitbit-cohort/dailyActivity_merged.csv"), apple)
	if !errors.Is(err, codebook.ErrMixedPersons) {
		t.Error(err)
	}
}

func TestArchiveEqualsItsFiles(t *testing.T) {
	_, day, _ := codebook.Synthesise("fitbit-daily-activity", 5, monday, 60)
	_, sleep, _ := codebook.Synthesise("fitbit-sleep-day", 5, monday, 60)
	apart, _ := reduce(t, "wearables", text(string(day)), text(string(sleep)))
	together, _ := reduce(t, "wearables", zipped(t, "b/sleep.csv", string(sleep), "a/day.csv", string(day), "readme.txt", "Dear all"))
	if csvOf(t, apart) != csvOf(t, together) {
		t.Error("the archive reduces to something else")
	}
}

func TestSeedsAreDifferentPeopleWithWeeks(t *testing.T) {
	first, _ := reduce(t, "wearables", export(t, "fitbit-daily-activity", 1))
	second, _ := reduce(t, "wearables", export(t, "fitbit-daily-activity", 2))
	again, _ := reduce(t, "wearables", export(t, "fitbit-daily-activity", 1))
	if csvOf(t, first) == csvOf(t, second) || csvOf(t, first) != csvOf(t, again) {
		t.Error("seeds do not decide")
	}
}

// A phone's export of 24 MB must not be held in memory.
func TestLargeExportIsStreamed(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 24 MB")
	}
	before := heap()
	peak := uint64(0)
	in := codebook.Input{Open: func() (io.ReadCloser, error) {
		return io.NopCloser(&endlessApple{left: 24 << 20, probe: func() { peak = max(peak, heap()) }}), nil
	}}
	table, _, err := codebook.Reduce("wearables", in)
	if err != nil || len(table.Rows) != 1 {
		t.Fatalf("%d rows, %v", len(table.Rows), err)
	}
	if peak > before+8<<20 {
		t.Errorf("%d MB held", (peak-before)>>20)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// endlessApple is an export of many equal heart rates.
type endlessApple struct {
	left    int
	rest    string
	started bool
	reads   int
	probe   func()
}

func (e *endlessApple) Read(p []byte) (int, error) {
	if e.reads++; e.reads%4000 == 0 {
		e.probe()
	}
	if e.rest == "" {
		switch {
		case !e.started:
			e.rest, e.started = appleDTD+"<HealthData>", true
		case e.left < 0:
			return 0, io.EOF
		default:
			e.rest = strings.Repeat(record("HKQuantityTypeIdentifierHeartRate", "watch of Rosalind", "count/min", "2026-03-01 10:00:00 +0100", "61.5"), 20)
		}
		if e.left -= len(e.rest); e.left < 0 {
			e.rest += "</HealthData>"
		}
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}
