package codebook

import (
	"io"
	"strings"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// Fitbit data as Fitabase exports them (Fitabase data dictionary): one file
// per kind, one or more people in each, told apart by Id. Distances are in
// kilometres; dates are month first.
var (
	fitbitActivity = format{
		Format: Format{ID: "fitbit-daily-activity", Title: "Fitbit daily activity (Fitabase)", File: "dailyActivity_merged.csv",
			How: "Ask for the daily activity export of your Fitabase study."},
		match: func(h head) bool { return h.has("Id", "ActivityDate", "TotalSteps") },
	}
	fitbitSleep = format{
		Format: Format{ID: "fitbit-sleep-day", Title: "Fitbit sleep by day (Fitabase)", File: "sleepDay_merged.csv",
			How: "Ask for the sleep export of your Fitabase study."},
		match: func(h head) bool { return h.has("Id", "SleepDay", "TotalMinutesAsleep") },
	}
	fitbitWeight = format{
		Format: Format{ID: "fitbit-weight", Title: "Fitbit weight log (Fitabase)", File: "weightLogInfo_merged.csv",
			How: "Ask for the weight export of your Fitabase study."},
		match: func(h head) bool { return h.has("Id", "Date", "WeightKg") },
	}
)

// field joins a column of an export to one of the table.
type field struct {
	from string
	to   int
}

// fitbitFile says where a format keeps its date and its values.
type fitbitFile struct {
	date   string
	fields []field
}

var fitbitFiles = map[string]fitbitFile{
	fitbitActivity.ID: {"ActivityDate", []field{
		{"TotalSteps", wSteps}, {"TotalDistance", wDistance}, {"VeryActiveMinutes", wVeryActive},
		{"FairlyActiveMinutes", wFairlyActive}, {"LightlyActiveMinutes", wLightlyActive},
		{"SedentaryMinutes", wSedentary}, {"Calories", wEnergy},
	}},
	fitbitSleep.ID:  {"SleepDay", []field{{"TotalMinutesAsleep", wAsleep}, {"TotalTimeInBed", wInBed}}},
	fitbitWeight.ID: {"Date", []field{{"WeightKg", wWeight}, {"BMI", wBMI}, {"Fat", wBodyFat}}},
}

// read keeps the last entry of each day; of two for the same moment, such as
// the exact duplicates in the sleep export, the larger values.
func (file fitbitFile) read(r io.Reader) (all days, skipped int, err error) {
	f, err := stream.OpenCSV(r)
	if err != nil {
		return nil, 0, err
	}
	all = days{}
	last := map[dayKey]time.Time{}
	for {
		more, err := f.Next()
		if err != nil || !more {
			return all, 0, err
		}
		key, at, err := fitbitKey(f, file.date)
		if err != nil {
			return nil, 0, err
		}
		d, err := file.day(f)
		if err != nil {
			return nil, 0, err
		}
		if at.After(last[key]) {
			last[key], all[key] = at, &d
		} else if at.Equal(last[key]) {
			all.merge(days{key: &d})
		}
		if len(all) > maxRows {
			return nil, 0, ErrTooLarge
		}
	}
}

func (file fitbitFile) day(f *stream.CSV) (d day, err error) {
	for _, field := range file.fields {
		if d[field.to], err = number(f, field.from, wearablesBook.Columns[field.to]); err != nil {
			return d, err
		}
	}
	return d, nil
}

func fitbitKey(f *stream.CSV, dateColumn string) (dayKey, time.Time, error) {
	id := f.Text("Id")
	if id == "" || !decimal.Digits(id) || len(id) > 20 {
		return dayKey{}, time.Time{}, f.Bad("Id")
	}
	text := f.Text(dateColumn)
	layout := "1/2/2006"
	if strings.Contains(text, " ") {
		layout = "1/2/2006 3:04:05 PM"
	}
	at, err := time.Parse(layout, text)
	if err != nil || !plausible(at) {
		return dayKey{}, time.Time{}, f.Bad(dateColumn)
	}
	return dayKey{id, at.Format(time.DateOnly)}, at, nil
}
