package codebook

import (
	"cmp"
	"io"
	"maps"
	"slices"
	"strconv"

	"distributed.ai/datacoop/marketplace/codebook/fitbit"
)

// Columns of the wearables table, in order.
const (
	wPerson = iota
	wDate
	wSteps
	wDistance
	wVeryActive
	wFairlyActive
	wLightlyActive
	wSedentary
	wExercise
	wEnergy
	wActiveEnergy
	wAsleep
	wInBed
	wRestingHeart
	wMeanHeart
	wWeight
	wBMI
	wBodyFat
	wColumns
)

var wearablesBook = Codebook{
	Pool:  "wearables",
	Title: "Activity, sleep and body by day",
	Row:   "one person and one calendar day",
	Columns: []Column{
		{Name: "person", Type: TypeInteger, Min: 1, Max: 100_000, Source: "numbered by the reducer; Fitabase: Id, which is dropped",
			Description: "Number of the person within this export, from 1. It means nothing outside it."},
		{Name: "date", Type: TypeDate, Source: "Fitabase: ActivityDate, SleepDay, Date; Fitbit: dateTime, dateOfSleep; Apple: startDate, dateComponents; FIT: timestamp",
			Description: "Local calendar day, as the record itself writes it; in Fitbit's archive, except for sleep, and in FIT the day in universal time. Sleep counts for the day of waking up: Apple records that begin at 18:00 or later belong to the next day."},
		{Name: "steps", Type: TypeInteger, Unit: "steps", Max: 200_000, Source: "Fitabase: TotalSteps; Fitbit: steps; Apple: StepCount",
			Description: "Steps of the day. 0 on a Fitbit usually means that it was not worn. Of several Apple sources, such as a phone and a watch, the one that counted most is taken, because adding them would count steps twice; so for every daily sum below."},
		{Name: "distance_km", Type: TypeDecimal, Unit: "km", Decimals: 3, Max: 1_000, Source: "Fitabase: TotalDistance; Fitbit: distance; Apple: DistanceWalkingRunning",
			Description: "Distance walked and run."},
		{Name: "very_active_minutes", Type: TypeInteger, Unit: "min", Max: 1_440, Source: "Fitabase: VeryActiveMinutes; Fitbit: very_active_minutes",
			Description: "Minutes of vigorous activity by Fitbit's own classification."},
		{Name: "fairly_active_minutes", Type: TypeInteger, Unit: "min", Max: 1_440, Source: "Fitabase: FairlyActiveMinutes; Fitbit: moderately_active_minutes",
			Description: "Minutes of moderate activity by Fitbit's own classification."},
		{Name: "lightly_active_minutes", Type: TypeInteger, Unit: "min", Max: 1_440, Source: "Fitabase: LightlyActiveMinutes; Fitbit: lightly_active_minutes",
			Description: "Minutes of light activity by Fitbit's own classification."},
		{Name: "sedentary_minutes", Type: TypeInteger, Unit: "min", Max: 1_440, Source: "Fitabase: SedentaryMinutes; Fitbit: sedentary_minutes",
			Description: "Minutes without activity; it may include sleep and time not worn."},
		{Name: "exercise_minutes", Type: TypeInteger, Unit: "min", Max: 1_440, Source: "Apple: ActivitySummary appleExerciseTime, else AppleExerciseTime",
			Description: "Minutes at the level of a brisk walk or above, by Apple's own classification; not comparable with Fitbit's classes."},
		{Name: "energy_kcal", Type: TypeInteger, Unit: "kcal", Max: 30_000, Source: "Fitabase: Calories; Fitbit: calories; Apple: ActiveEnergyBurned + BasalEnergyBurned of one source",
			Description: "Energy used in the whole day, at rest and in motion."},
		{Name: "active_energy_kcal", Type: TypeInteger, Unit: "kcal", Max: 30_000, Source: "Apple: ActivitySummary activeEnergyBurned, else ActiveEnergyBurned",
			Description: "Energy used in motion only."},
		{Name: "asleep_minutes", Type: TypeInteger, Unit: "min", Max: 1_440, Source: "Fitabase: TotalMinutesAsleep; Fitbit: minutesAsleep; Apple: SleepAnalysis Asleep, AsleepCore, AsleepDeep, AsleepREM, AsleepUnspecified",
			Description: "Minutes asleep. Exact duplicates in Fitabase's sleep export are counted once."},
		{Name: "in_bed_minutes", Type: TypeInteger, Unit: "min", Max: 1_440, Source: "Fitabase: TotalTimeInBed; Fitbit: timeInBed; Apple: SleepAnalysis InBed",
			Description: "Minutes in bed, asleep or awake."},
		{Name: "resting_heart_rate", Type: TypeDecimal, Unit: "1/min", Decimals: 1, Min: 20, Max: 250, Source: "Fitbit: resting_heart_rate; Apple: RestingHeartRate",
			Description: "Mean of the day's resting heart rates."},
		{Name: "mean_heart_rate", Type: TypeDecimal, Unit: "1/min", Decimals: 1, Min: 20, Max: 250, Source: "Fitbit: heart_rate bpm; Apple: HeartRate",
			Description: "Mean of the day's heart-rate records, each counted once; watches record more often during exercise."},
		{Name: "weight_kg", Type: TypeDecimal, Unit: "kg", Decimals: 2, Min: 1, Max: 500, Source: "Fitabase: WeightKg; Apple: BodyMass; FIT: weight",
			Description: "Last weight of the day."},
		{Name: "bmi", Type: TypeDecimal, Unit: "kg/m2", Decimals: 2, Min: 5, Max: 150, Source: "Fitabase: BMI; Fitbit: bmi; Apple: BodyMassIndex",
			Description: "Last body mass index of the day, as the app computed it."},
		{Name: "body_fat_percent", Type: TypeDecimal, Unit: "%", Decimals: 1, Min: 1, Max: 90, Source: "Fitabase: Fat; Fitbit: fat; Apple: BodyFatPercentage times 100; FIT: percent_fat",
			Description: "Last body fat of the day."},
	},
}

func wearablesPool() pool {
	return pool{book: wearablesBook, formats: []format{fitbitActivity, fitbitSleep, fitbitWeight, fitbitArchive, appleHealth, fitWeight},
		reducer: func() reducer { return &wearables{formats: map[string]days{}} }}
}

// dayKey is one person's day; person is the export's own id, or empty where
// the export is one person's.
type dayKey struct{ person, date string }

type day [wColumns]cell

// days is what one format says.
type days map[dayKey]*day

func (d days) of(k dayKey) *day {
	if d[k] == nil {
		d[k] = new(day)
	}
	return d[k]
}

// merge takes the larger of two values for the same cell. Overlapping exports
// of one provider tell of the same day, and a later one only knows more of it.
func (d days) merge(other days) {
	for k, theirs := range other {
		ours := d.of(k)
		for i := range ours {
			ours[i] = ours[i].larger(theirs[i])
		}
	}
}

// complete fills cells that are missing here.
func (d days) complete(other days) {
	for k, theirs := range other {
		ours := d.of(k)
		for i := range ours {
			if !ours[i].ok {
				ours[i] = theirs[i]
			}
		}
	}
}

// wearables collects days by format. Where two formats know the same cell, the
// one listed first in the codebook is taken.
type wearables struct {
	formats map[string]days
	archive fitbit.Archive
	skipped int
}

func (w *wearables) read(formatID string, r io.Reader) error {
	read := readApple
	if formatID == fitWeight.ID {
		read = readScale
	}
	if file, ok := fitbitFiles[formatID]; ok {
		read = file.read
	}
	found, skipped, err := read(r)
	if err != nil {
		return err
	}
	if w.formats[formatID] == nil {
		w.formats[formatID] = days{}
	}
	w.formats[formatID].merge(found)
	w.skipped += skipped
	return nil
}

func (w *wearables) rows() (result, error) {
	all := days{}
	w.formats[fitbitArchive.ID] = archived(&w.archive)
	for _, f := range wearablesPool().formats {
		all.complete(w.formats[f.ID])
	}
	persons := persons(all)
	if len(persons) > 1 && persons[0] == "" {
		if len(persons) > 2 {
			return result{}, ErrMixedPersons
		}
		all, persons = w.asOne(persons[1]), persons[1:]
	}
	res := result{persons: len(persons), skipped: w.skipped + w.archive.Skipped}
	for k, d := range all {
		if *d == (day{}) {
			continue
		}
		number, _ := slices.BinarySearchFunc(persons, k.person, byNumber)
		row := make([]string, wColumns)
		row[wPerson], row[wDate] = strconv.Itoa(number+1), k.date
		for i := wSteps; i < wColumns; i++ {
			row[i] = d[i].text(wearablesBook.Columns[i])
		}
		res.rows = append(res.rows, row)
	}
	return res, nil
}

// asOne reads exports without ids as those of the only person there is.
func (w *wearables) asOne(person string) days {
	all := days{}
	for _, f := range wearablesPool().formats {
		for k, d := range w.formats[f.ID] {
			all.complete(days{{person, k.date}: d})
		}
	}
	return all
}

func persons(all days) []string {
	ids := map[string]bool{}
	for k := range all {
		ids[k.person] = true
	}
	return slices.SortedFunc(maps.Keys(ids), byNumber)
}

// byNumber orders ids made of digits by their value, and puts "" first.
func byNumber(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}
