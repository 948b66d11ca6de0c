package calendar_test

import (
	"errors"
	"strings"
	"testing"

	"distributed.ai/datacoop/marketplace/codebook/calendar"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

func read(runs func([]string) bool, texts ...string) (string, error) {
	var dates []calendar.Date
	for _, text := range texts {
		d, ok := calendar.Parse(text)
		if !ok {
			return "", errors.New(text)
		}
		dates = append(dates, d)
	}
	days, err := calendar.Resolve(dates, runs)
	return strings.Join(days, " "), err
}

func TestAFileIsReadOneWay(t *testing.T) {
	for texts, want := range map[string]string{
		"13/01/26 02/03/26":                "2026-01-13 2026-03-02", // one that can only be day first decides
		"01/13/26 02/03/26":                "2026-01-13 2026-02-03",
		"02.03.2026 01.04.2026":            "2026-03-02 2026-04-01",
		"2026-03-02 2026/04/01":            "2026-03-02 2026-04-01",
		"01/02/2026 01/03/2026 02/01/2026": "2026-01-02 2026-01-03 2026-02-01", // forwards only month first
		"5-5-2026":                         "2026-05-05",
	} {
		if got, err := read(calendar.OneDirection, strings.Fields(texts)...); err != nil || got != want {
			t.Errorf("%s: %s, %v", texts, got, err)
		}
	}
	for texts, want := range map[string]error{"01/02/26": calendar.ErrAmbiguous, "31/02/26": stream.ErrBadValue, "13/01/26 01/13/26": stream.ErrBadValue} {
		if got, err := read(calendar.OneDirection, strings.Fields(texts)...); !errors.Is(err, want) {
			t.Errorf("%s: %s, %v", texts, got, err)
		}
	}
	if _, err := read(calendar.NewestFirst, "01/02/2026", "01/03/2026", "02/01/2026"); !errors.Is(err, calendar.ErrAmbiguous) {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("31/12/2025")
	f.Add("1.2.26")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := read(calendar.OneDirection, text, text); err == nil && len(got) != 21 {
			t.Fatalf("%q is %q", text, got)
		}
	})
}
