// Package fitbit reads the archive that Fitbit itself, and Google for it,
// gives to a member: hundreds of JSON files, one kind of measurement each.
//
// The files of several kinds look alike inside, so their kind is told by their
// name. What is read becomes sums, means and last values of days. The package
// guarantees that of two files which tell of the same time only one counts,
// and that names of devices and logs are never looked at.
//
// Weights are left out: the files do not say whether they are kilograms,
// pounds or stone.
package fitbit

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// Kinds of measurements.
const (
	Steps      = "steps"
	Distance   = "distance" // km
	Energy     = "calories" // kcal
	Heart      = "heart_rate"
	Resting    = "resting_heart_rate"
	Very       = "very_active_minutes"
	Fairly     = "moderately_active_minutes"
	Lightly    = "lightly_active_minutes"
	Sedentary  = "sedentary_minutes"
	Asleep     = "asleep"
	InBed      = "in_bed"
	BMI        = "bmi"
	Fat        = "fat"
	sleepFile  = "sleep"
	weightFile = "weight"
)

var kinds = []string{Steps, Distance, Energy, Heart, Resting, Very, Fairly, Lightly, Sedentary, sleepFile, weightFile}

// Kind is what a file holds by its name, such as "steps-2026-01-01.json" or
// "steps-2026-01-01 (2).json"; empty if it is none of these.
func Kind(file string) string {
	rest, ok := strings.CutSuffix(file, ".json")
	if i := strings.IndexByte(rest, '('); i > 0 && strings.HasSuffix(rest, ")") && decimal.Digits(rest[i+1:len(rest)-1]) {
		rest = strings.TrimSuffix(rest[:i], " ")
	}
	kind, date, _ := strings.Cut(rest, "-")
	if _, err := time.Parse(time.DateOnly, date); !ok || err != nil || !slices.Contains(kinds, kind) {
		return ""
	}
	return kind
}

// Is reports whether the first object of a file has the fields of its kind.
func Is(file string, fields map[string]string) bool {
	_, dated := fields["dateTime"]
	_, logged := fields["logId"]
	switch Kind(file) {
	case "":
		return false
	case sleepFile, weightFile:
		return logged
	}
	return dated
}

// Figure is what the files tell of a day.
type Figure struct {
	Day   string // YYYY-MM-DD
	Kind  string
	Value decimal.Number
}

// tally gathers one kind of one day within a file.
type tally struct {
	sum, n   decimal.Number
	from, to time.Time
}

type key struct{ day, kind string }

// Archive gathers the files of one member.
type Archive struct {
	days    map[key][]tally
	Skipped int
}

// Read takes one file in. A file whose name is no kind's is refused.
func (a *Archive) Read(file string, r io.Reader) error {
	here := map[key]*tally{}
	kind := Kind(file)
	n := 0
	err := stream.EachJSON(r, "", func(value []byte) error {
		n++
		var ok, valid bool
		switch kind {
		case "":
			return stream.ErrUnknownFormat
		case sleepFile:
			ok, valid = sleep(here, value)
		case weightFile:
			ok, valid = weighed(here, value)
		default:
			ok, valid = measured(here, kind, value)
		}
		switch {
		case !valid && !json.Valid(value):
			return stream.ErrMalformedFile
		case !valid:
			return stream.BadValue("Entry", n, "a field of another type")
		case !ok:
			a.Skipped++
		}
		return nil
	})
	if err != nil {
		return err
	}
	if a.days == nil {
		a.days = map[key][]tally{}
	}
	for k, t := range here {
		a.days[k] = append(a.days[k], *t)
	}
	return nil
}

// put counts a value. The time only tells which files overlap.
func put(here map[key]*tally, kind string, day string, at time.Time, v decimal.Number, last bool) {
	k := key{day, kind}
	t := here[k]
	if t == nil {
		t = &tally{from: at, to: at}
		here[k] = t
	}
	switch {
	case !last:
		t.sum += v
	case !at.Before(t.to):
		t.sum = v
	}
	t.n++
	if at.Before(t.from) {
		t.from = at
	}
	if at.After(t.to) {
		t.to = at
	}
}

func measured(here map[key]*tally, kind string, value []byte) (ok, valid bool) {
	var e struct {
		DateTime string
		Value    json.RawMessage
	}
	if json.Unmarshal(value, &e) != nil {
		return false, false
	}
	at, err := time.Parse("01/02/06 15:04:05", e.DateTime)
	if err != nil {
		return false, true
	}
	text := strings.Trim(string(e.Value), `"`)
	switch kind {
	case Heart:
		var beat struct{ BPM json.Number }
		if json.Unmarshal(e.Value, &beat) != nil {
			return false, false
		}
		text = beat.BPM.String()
	case Resting:
		var day struct{ Value json.Number }
		if json.Unmarshal(e.Value, &day) != nil {
			return false, false
		}
		if text = day.Value.String(); text == "0" || text == "0.0" {
			return true, true // a day without a watch
		}
	}
	v, ok := decimal.Parse(text)
	if !ok || v < 0 || v > decimal.Whole(1_000_000_000) {
		return false, true
	}
	put(here, kind, at.Format(time.DateOnly), at, v, false)
	return true, true
}

func sleep(here map[key]*tally, value []byte) (ok, valid bool) {
	var e struct {
		DateOfSleep, StartTime   string
		MinutesAsleep, TimeInBed json.Number
	}
	if json.Unmarshal(value, &e) != nil {
		return false, false
	}
	day, err := time.Parse(time.DateOnly, e.DateOfSleep)
	at, err2 := time.Parse("2006-01-02T15:04:05.999", e.StartTime)
	asleep, ok1 := decimal.Parse(e.MinutesAsleep.String())
	bed, ok2 := decimal.Parse(e.TimeInBed.String())
	if err != nil || err2 != nil || !ok1 || !ok2 || asleep < 0 || bed < 0 || bed > decimal.Whole(1440) {
		return false, true
	}
	put(here, Asleep, day.Format(time.DateOnly), at, asleep, false)
	put(here, InBed, day.Format(time.DateOnly), at, bed, false)
	return true, true
}

func weighed(here map[key]*tally, value []byte) (ok, valid bool) {
	var e struct {
		Date, Time string
		BMI, Fat   json.Number
	}
	if json.Unmarshal(value, &e) != nil {
		return false, false
	}
	at, err := time.Parse("01/02/06 15:04:05", e.Date+" "+e.Time)
	if err != nil {
		return false, true
	}
	for kind, text := range map[string]string{BMI: e.BMI.String(), Fat: e.Fat.String()} {
		if v, ok := decimal.Parse(text); ok && v > 0 {
			put(here, kind, at.Format(time.DateOnly), at, v, true)
		}
	}
	return true, true
}

// Each tells the figures of all days, in no order. Parts of a day that
// different files hold are added up; of parts that overlap the fullest counts.
func (a *Archive) Each(found func(Figure)) {
	for k, parts := range a.days {
		slices.SortFunc(parts, func(a, b tally) int {
			return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(b.sum, a.sum), a.from.Compare(b.from))
		})
		var kept []tally
		var sum, n decimal.Number
		for _, part := range parts {
			if slices.ContainsFunc(kept, part.overlaps) {
				continue
			}
			kept, sum, n = append(kept, part), sum+part.sum, n+part.n
		}
		found(Figure{k.day, k.kind, value(k.kind, sum, n, parts)})
	}
}

func (t tally) overlaps(other tally) bool { return !t.from.After(other.to) && !other.from.After(t.to) }

// value is the figure in its own unit: heart rates are means, of a day's
// weighings the last counts, distances come in centimetres.
func value(kind string, sum, n decimal.Number, parts []tally) decimal.Number {
	switch kind {
	case Heart, Resting:
		return sum.Per(int64(max(n, 1)))
	case BMI, Fat:
		newest := parts[0]
		for _, p := range parts {
			if p.to.After(newest.to) || p.to.Equal(newest.to) && p.sum > newest.sum {
				newest = p
			}
		}
		return newest.sum
	case Distance:
		return sum.Per(100_000)
	}
	return sum
}
