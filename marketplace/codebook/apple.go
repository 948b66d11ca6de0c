package codebook

import (
	"encoding/xml"
	"io"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// Apple Health writes every record it ever received into one XML file, with
// the local time and offset of each (HealthKit, "Export Health Data"). Records
// inside a Correlation appear a second time at the top level, so only those at
// the top level count.
var appleHealth = format{
	Format: Format{ID: "apple-health", Title: "Apple Health", File: "export.zip",
		How: "On the iPhone: Health, your picture, Export All Health Data. The archive or the export.xml in it."},
	match: func(h head) bool { return h.root == "HealthData" },
}

// Daily sums, kept by source.
const (
	sumSteps = iota
	sumDistance
	sumActive
	sumBasal
	sumExercise
	sumAsleep // seconds
	sumInBed  // seconds
	sumCount
)

// Means and last values of a day.
const (
	meanHeart = iota
	meanResting
	meanCount
)

// quantity says what becomes of a record type: exactly one of the three kinds.
type quantity struct {
	kind  byte // 's' sum, 'm' mean, 'l' last
	slot  int  // sum or mean index, or column
	units map[string]decimal.Number
	fits  int // column that bounds one record
}

var (
	energyUnits   = map[string]decimal.Number{"kcal": decimal.One, "Cal": decimal.One, "kJ": 239_006}
	distanceUnits = map[string]decimal.Number{"km": decimal.One, "m": decimal.One / 1000, "mi": 1_609_344}
	perMinute     = map[string]decimal.Number{"count/min": decimal.One}
)

var appleQuantities = map[string]quantity{
	"HKQuantityTypeIdentifierStepCount":              {'s', sumSteps, map[string]decimal.Number{"count": decimal.One}, wSteps},
	"HKQuantityTypeIdentifierDistanceWalkingRunning": {'s', sumDistance, distanceUnits, wDistance},
	"HKQuantityTypeIdentifierActiveEnergyBurned":     {'s', sumActive, energyUnits, wActiveEnergy},
	"HKQuantityTypeIdentifierBasalEnergyBurned":      {'s', sumBasal, energyUnits, wEnergy},
	"HKQuantityTypeIdentifierAppleExerciseTime":      {'s', sumExercise, map[string]decimal.Number{"min": decimal.One}, wExercise},
	"HKQuantityTypeIdentifierHeartRate":              {'m', meanHeart, perMinute, wMeanHeart},
	"HKQuantityTypeIdentifierRestingHeartRate":       {'m', meanResting, perMinute, wRestingHeart},
	"HKQuantityTypeIdentifierBodyMass":               {'l', wWeight, map[string]decimal.Number{"kg": decimal.One, "g": decimal.One / 1000, "lb": 453_592, "st": 6_350_293}, wWeight},
	"HKQuantityTypeIdentifierBodyMassIndex":          {'l', wBMI, map[string]decimal.Number{"count": decimal.One}, wBMI},
	"HKQuantityTypeIdentifierBodyFatPercentage":      {'l', wBodyFat, map[string]decimal.Number{"%": 100 * decimal.One}, wBodyFat},
}

const sleepType = "HKCategoryTypeIdentifierSleepAnalysis"

var sleepSums = map[string]int{
	"HKCategoryValueSleepAnalysisInBed":             sumInBed,
	"HKCategoryValueSleepAnalysisAsleep":            sumAsleep,
	"HKCategoryValueSleepAnalysisAsleepUnspecified": sumAsleep,
	"HKCategoryValueSleepAnalysisAsleepCore":        sumAsleep,
	"HKCategoryValueSleepAnalysisAsleepDeep":        sumAsleep,
	"HKCategoryValueSleepAnalysisAsleepREM":         sumAsleep,
}

type mean struct {
	sum decimal.Number
	n   int64
}

type last struct {
	cell
	at time.Time
}

// appleDay gathers one day. Source names key the sums and go no further.
type appleDay struct {
	sources          map[string]*[sumCount]decimal.Number
	means            [meanCount]mean
	lasts            map[int]last
	active, exercise cell // from the day's ActivitySummary
}

type apple struct {
	days    map[string]*appleDay
	skipped int
}

// readApple leaves out records it cannot read and counts them: one odd entry
// of some app must not cost a member years of data.
func readApple(r io.Reader) (days, int, error) {
	a := &apple{days: map[string]*appleDay{}}
	x := stream.NewXML(r)
	x.Start = func(attrs []xml.Attr) error {
		if len(x.Path) != 2 {
			return nil
		}
		readable := true
		switch x.Path[1] {
		case "Record":
			readable = a.record(attrs)
		case "ActivitySummary":
			readable = a.summary(attrs)
		}
		if !readable {
			a.skipped++
		}
		if len(a.days) > maxRows {
			return ErrTooLarge
		}
		return nil
	}
	if err := x.Walk(); err != nil {
		return nil, 0, err
	}
	out := days{}
	for date, d := range a.days {
		*out.of(dayKey{date: date}) = d.cells()
	}
	return out, a.skipped, nil
}

func (a *apple) of(date string) *appleDay {
	if a.days[date] == nil {
		a.days[date] = &appleDay{sources: map[string]*[sumCount]decimal.Number{}, lasts: map[int]last{}}
	}
	return a.days[date]
}

// record reports false where a record of a known type cannot be read.
func (a *apple) record(attrs []xml.Attr) bool {
	kind := stream.Attr(attrs, "type")
	if kind == sleepType {
		return a.sleep(attrs)
	}
	q, ok := appleQuantities[kind]
	if !ok {
		return true
	}
	at, ok := appleTime(stream.Attr(attrs, "startDate"))
	factor, unit := q.units[stream.Attr(attrs, "unit")]
	v, number := decimal.Parse(stream.Attr(attrs, "value"))
	if !ok || !unit || !number {
		return false
	}
	v, ok = v.Times(factor)
	if !ok || !wearablesBook.Columns[q.fits].holds(v) {
		return false
	}
	a.of(at.Format(time.DateOnly)).add(q, stream.Attr(attrs, "sourceName"), v, at)
	return true
}

func (d *appleDay) add(q quantity, source string, v decimal.Number, at time.Time) {
	switch q.kind {
	case 's':
		d.source(source)[q.slot] += v
	case 'm':
		d.means[q.slot].sum += v
		d.means[q.slot].n++
	case 'l':
		before, ok := d.lasts[q.slot]
		if !ok || at.After(before.at) || at.Equal(before.at) && v > before.v {
			d.lasts[q.slot] = last{known(v), at}
		}
	}
}

func (d *appleDay) source(name string) *[sumCount]decimal.Number {
	if d.sources[name] == nil {
		d.sources[name] = new([sumCount]decimal.Number)
	}
	return d.sources[name]
}

// sleep counts a stretch for the day of waking up: HealthKit's own day for
// sleep runs from 18:00 to 18:00.
func (a *apple) sleep(attrs []xml.Attr) bool {
	value := stream.Attr(attrs, "value")
	slot, ok := sleepSums[value]
	if !ok {
		return value == "HKCategoryValueSleepAnalysisAwake"
	}
	from, ok := appleTime(stream.Attr(attrs, "startDate"))
	to, ok2 := appleTime(stream.Attr(attrs, "endDate"))
	length := to.Sub(from)
	if !ok || !ok2 || length < 0 || length > 24*time.Hour {
		return false
	}
	date := from.Add(6 * time.Hour).Format(time.DateOnly)
	a.of(date).source(stream.Attr(attrs, "sourceName"))[slot] += decimal.Whole(int64(length / time.Second))
	return true
}

// summary is Apple's own total of a day, already free of double counting. An
// empty one stands for a day without a watch.
func (a *apple) summary(attrs []xml.Attr) bool {
	at, err := time.Parse(time.DateOnly, stream.Attr(attrs, "dateComponents"))
	factor, unit := energyUnits[stream.Attr(attrs, "activeEnergyBurnedUnit")]
	active, ok := decimal.Parse(stream.Attr(attrs, "activeEnergyBurned"))
	if err != nil || !plausible(at) || !unit || !ok {
		return false
	}
	active, ok = active.Times(factor)
	if !ok || !wearablesBook.Columns[wActiveEnergy].holds(active) {
		return false
	}
	if active == 0 {
		return true
	}
	d := a.of(at.Format(time.DateOnly))
	d.active = d.active.larger(known(active))
	if minutes, ok := decimal.Parse(stream.Attr(attrs, "appleExerciseTime")); ok && wearablesBook.Columns[wExercise].holds(minutes) {
		d.exercise = d.exercise.larger(known(minutes))
	}
	return true
}

func (d *appleDay) cells() day {
	var out day
	out[wSteps] = d.most(func(s *[sumCount]decimal.Number) decimal.Number { return s[sumSteps] })
	out[wDistance] = d.most(func(s *[sumCount]decimal.Number) decimal.Number { return s[sumDistance] })
	out[wAsleep] = d.most(func(s *[sumCount]decimal.Number) decimal.Number { return s[sumAsleep].Per(60) })
	out[wInBed] = d.most(func(s *[sumCount]decimal.Number) decimal.Number { return s[sumInBed].Per(60) })
	out[wEnergy] = d.most(func(s *[sumCount]decimal.Number) decimal.Number {
		if s[sumActive] == 0 || s[sumBasal] == 0 {
			return 0
		}
		return s[sumActive] + s[sumBasal]
	})
	if out[wActiveEnergy] = d.active; !d.active.ok {
		out[wActiveEnergy] = d.most(func(s *[sumCount]decimal.Number) decimal.Number { return s[sumActive] })
	}
	if out[wExercise] = d.exercise; !d.exercise.ok {
		out[wExercise] = d.most(func(s *[sumCount]decimal.Number) decimal.Number { return s[sumExercise] })
	}
	for slot, column := range map[int]int{meanHeart: wMeanHeart, meanResting: wRestingHeart} {
		if m := d.means[slot]; m.n > 0 {
			out[column] = known(m.sum.Per(m.n))
		}
	}
	for column, l := range d.lasts {
		out[column] = l.cell
	}
	return out.bounded()
}

// most is the largest sum any single source has; without one it is missing.
func (d *appleDay) most(sum func(*[sumCount]decimal.Number) decimal.Number) cell {
	var out cell
	for _, s := range d.sources {
		if v := sum(s); v > 0 {
			out = out.larger(known(v))
		}
	}
	return out
}

// bounded drops sums that cannot be a day's, such as 30 hours in bed after two
// apps wrote the same night under one name.
func (d day) bounded() day {
	for i := wSteps; i < wColumns; i++ {
		if d[i].ok && !wearablesBook.Columns[i].holds(d[i].v) {
			d[i] = cell{}
		}
	}
	return d
}

// appleTime parses "2024-01-01 01:01:36 +0200"; the result shows local time.
func appleTime(text string) (time.Time, bool) {
	t, err := time.Parse("2006-01-02 15:04:05 -0700", text)
	return t, err == nil && plausible(t)
}
