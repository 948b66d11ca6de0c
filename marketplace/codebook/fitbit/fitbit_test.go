package fitbit_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/codebook/fitbit"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// told reads files, given as name and text in turn, and says what of each day.
func told(files ...string) (out []string, skipped int, err error) {
	var a fitbit.Archive
	for i := 0; i < len(files); i += 2 {
		if err := a.Read(files[i], strings.NewReader(files[i+1])); err != nil {
			return nil, 0, err
		}
	}
	a.Each(func(f fitbit.Figure) { out = append(out, f.Day+" "+f.Kind+" "+f.Value.Text(3)) })
	slices.Sort(out)
	return out, a.Skipped, nil
}

func minute(at, value string) string { return `{"dateTime":"` + at + `","value":` + value + `}` }

func TestMinutesBecomeDays(t *testing.T) {
	got, skipped, err := told(
		"steps-2026-01-01.json", "["+minute("01/01/26 23:59:00", `"7"`)+","+minute("01/02/26 00:00:00", `"5"`)+","+minute("01/02/26 00:01:00", `"6"`)+","+minute("soon", `"6"`)+"]",
		"distance-2026-01-01.json", "["+minute("01/02/26 00:00:00", `"123456"`)+"]",
		"heart_rate-2026-01-02.json", "["+minute("01/02/26 00:00:00", `{"bpm":60,"confidence":2}`)+","+minute("01/02/26 00:00:05", `{"bpm":65,"confidence":2}`)+"]",
		"resting_heart_rate-2026-01-02.json", "["+minute("01/02/26 00:00:00", `{"date":"01/02/26","value":57.25}`)+","+minute("01/03/26 00:00:00", `{"value":0.0}`)+"]",
		"sleep-2026-01-02.json", `[{"logId":1,"dateOfSleep":"2026-01-02","startTime":"2026-01-01T23:10:30.000","minutesAsleep":400,"timeInBed":450},{"logId":2,"dateOfSleep":"2026-01-02","startTime":"2026-01-02T14:00:00.000","minutesAsleep":30,"timeInBed":31}]`,
		"weight-2026-01-02.json", `[{"logId":1,"weight":160.1,"bmi":23.1,"date":"01/02/26","time":"07:00:00"},{"logId":2,"weight":160.1,"bmi":23.2,"fat":20.5,"date":"01/02/26","time":"08:00:00"}]`)
	want := []string{"2026-01-01 steps 7", "2026-01-02 asleep 430", "2026-01-02 bmi 23.2", "2026-01-02 distance 1.235", "2026-01-02 fat 20.5",
		"2026-01-02 heart_rate 62.5", "2026-01-02 in_bed 481", "2026-01-02 resting_heart_rate 57.25", "2026-01-02 steps 11"}
	if err != nil || skipped != 1 || !slices.Equal(got, want) {
		t.Errorf("%q, %d skipped, %v", got, skipped, err)
	}
}

// A day that two files share is whole; a file that comes twice counts once.
func TestFilesOverlap(t *testing.T) {
	morning := "[" + minute("01/01/26 08:00:00", `"7"`) + "," + minute("01/01/26 09:00:00", `"7"`) + "]"
	evening := "[" + minute("01/01/26 20:00:00", `"5"`) + "]"
	for _, files := range [][]string{
		{"steps-2026-01-01.json", morning, "steps-2026-02-01.json", evening, "steps-2026-01-01 (1).json", morning},
		{"steps-2026-02-01.json", evening, "steps-2026-01-01.json", morning, "steps-2026-02-01.json", evening},
	} {
		if got, _, err := told(files...); err != nil || !slices.Equal(got, []string{"2026-01-01 steps 19"}) {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestOnlyNamesOfItsOwnAreRead(t *testing.T) {
	fields := map[string]string{"dateTime": "", "value": ""}
	for name, want := range map[string]bool{"steps-2026-01-01.json": true, "steps-2026-01-01(2).json": true, "steps.json": false, "altitude-2026-01-01.json": false,
		"my steps-2026-01-01.json": false, "sleep-2026-01-01.json": false, "": false} {
		if got := fitbit.Is(name, fields); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
	if fitbit.Is("steps-2026-01-01.json", nil) {
		t.Error("a file without fields is recognised")
	}
}

func TestRefusals(t *testing.T) {
	for text, want := range map[string]error{
		"[" + minute("01/01/26 08:00:00", `"7"`): stream.ErrMalformedFile,
		`["Rosalind"]`:                           stream.ErrBadValue,
		`[{"dateTime":7}]`:                       stream.ErrBadValue,
	} {
		if _, _, err := told("steps-2026-01-01.json", text); !errors.Is(err, want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, _, err := told("diary.json", "[1]"); !errors.Is(err, stream.ErrUnknownFormat) {
		t.Error(err)
	}
}

func FuzzArchive(f *testing.F) {
	f.Add("steps-2026-01-01.json", "["+minute("01/01/26 08:00:00", `"7"`)+"]")
	f.Add("heart_rate-2026-01-01.json", "["+minute("01/01/26 08:00:00", `{"bpm":60}`)+"]")
	f.Add("sleep-2026-01-01.json", `[{"logId":1,"dateOfSleep":"2026-01-02","startTime":"2026-01-01T23:10:30.000","minutesAsleep":400,"timeInBed":450}]`)
	f.Add("weight-2026-01-01.json", `[{"logId":1,"bmi":23.1,"date":"01/02/26","time":"07:00:00"}]`)
	f.Fuzz(func(t *testing.T, name, text string) {
		got, _, err := told(name, text)
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Fatal(err)
		}
		again, _, _ := told(name, text, name, text)
		if !slices.Equal(got, again) {
			t.Fatalf("%q once, %q twice", got, again)
		}
	})
}
