// Package cgm reads what glucose sensors and the loops built around them
// write: the CSV of Dexcom's Clarity and of LibreView, and the JSON of OpenAPS
// (oref0) and Nightscout.
//
// A [Reading] is one moment of a diary, in mg/dL, units and grams, at the time
// that the wearer's clock showed. The package guarantees that notes, names and
// serial numbers are never looked at. It refuses values that are no numbers;
// entries of other kinds, such as the basal rates of a pump, are left out.
package cgm

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/calendar"
	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// MgDLPerMmolL is how many mg/dL of glucose are one mmol/L, from its molar
// mass of 180.182 g/mol.
const MgDLPerMmolL decimal.Number = 18_018_200

// Local is the layout of Reading.Time.
const Local = "2006-01-02T15:04:05"

// Reading is one entry. Event is a code of the glucose table; Known tells
// whether Value, of the event's own unit, is known.
type Reading struct {
	Time  string // local
	Event string // reading, calibration, insulin, carbohydrates
	Limit string // high or low, where the sensor was beyond its range
	Value decimal.Number
	Known bool
}

// IsLibre reports whether a text begins as LibreView's CSV, which has a line
// about itself before the header row.
func IsLibre(start []byte) bool {
	head := start[:min(len(start), 4096)]
	return bytes.Contains(head, []byte("Device Timestamp")) && bytes.Contains(head, []byte("Record Type")) && bytes.Contains(head, []byte("Historic Glucose "))
}

// libreKinds are the record types that are read: where the value stands and
// what it is.
var libreKinds = map[string]struct{ event, column string }{
	"0": {"reading", "Historic Glucose "}, "1": {"reading", "Scan Glucose "}, "2": {"calibration", "Strip Glucose "},
	"4": {"insulin", "Rapid-Acting Insulin (units)"}, "5": {"carbohydrates", "Carbohydrates (grams)"},
}

// Libre reads LibreView's CSV (Abbott; record types 0 to 6). Values are in the
// unit that the header names.
func Libre(r io.Reader, found func(Reading)) error {
	f, err := openLibre(r)
	if err != nil {
		return err
	}
	unit, factor := "mg/dL", decimal.One
	if f.Has("Historic Glucose mmol/L") {
		unit, factor = "mmol/L", MgDLPerMmolL
	}
	var all []Reading
	var dates []calendar.Date
	for {
		more, err := f.Next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		kind, ok := libreKinds[f.Text("Record Type")]
		if !ok {
			continue
		}
		reading, date, err := libre(f, kind.event, kind.column, unit, factor)
		if err != nil {
			return err
		}
		if reading.Known || reading.Limit != "" {
			all, dates = append(all, reading), append(dates, date)
		}
	}
	days, err := calendar.Resolve(dates, calendar.OneDirection)
	for i, reading := range all {
		if err != nil {
			break
		}
		reading.Time = days[i] + reading.Time
		found(reading)
	}
	return err
}

// openLibre skips what stands before the header row.
func openLibre(r io.Reader) (*stream.CSV, error) {
	in := bufio.NewReader(stream.NewGuard(r))
	for range 4 {
		line, err := in.ReadString('\n')
		if strings.Contains(line, "Device Timestamp") {
			return stream.OpenCSV(io.MultiReader(strings.NewReader(line), in))
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, stream.Fault(err)
		}
	}
	return nil, stream.ErrMalformedFile
}

// libre reads a row. Time is that of the day alone until the dates of the file
// are understood.
func libre(f *stream.CSV, event, column, unit string, factor decimal.Number) (r Reading, date calendar.Date, err error) {
	day, clock, _ := strings.Cut(f.Text("Device Timestamp"), " ")
	date, ok := calendar.Parse(day)
	if !ok {
		return r, date, f.Bad("Device Timestamp")
	}
	at, err := time.Parse("15:04", clock)
	if err != nil {
		at, err = time.Parse("3:04 PM", clock)
	}
	if err != nil {
		return r, date, f.Bad("Device Timestamp")
	}
	r = Reading{Time: at.Format("T15:04:05"), Event: event}
	if strings.HasSuffix(column, "Glucose ") {
		column += unit
	} else {
		factor = decimal.One
	}
	switch text := f.Text(column); strings.ToUpper(text) {
	case "":
	case "LO":
		r.Limit = "low"
	case "HI":
		r.Limit = "high"
	default:
		v, ok := number(text)
		if ok {
			r.Value, r.Known = v.Times(factor)
		}
		if !r.Known {
			return r, date, f.Bad("value")
		}
	}
	return r, date, nil
}

// number allows a decimal comma.
func number(text string) (decimal.Number, bool) {
	if strings.Count(text, ",") == 1 && !strings.Contains(text, ".") {
		text = strings.Replace(text, ",", ".", 1)
	}
	return decimal.Parse(text)
}

// entry is one of OpenAPS' or Nightscout's: a sensor value, a finger prick, a
// meal or a dose.
type entry struct {
	Type       string      `json:"type"`
	Kind       string      `json:"_type"`
	DateString string      `json:"dateString"`
	Timestamp  string      `json:"timestamp"`
	CreatedAt  string      `json:"created_at"`
	SGV        json.Number `json:"sgv"`
	MBG        json.Number `json:"mbg"`
	Carbs      json.Number `json:"carbs"`
	Insulin    json.Number `json:"insulin"`
	Amount     json.Number `json:"amount"`
}

// IsLoop reports whether these fields of a first object are of an entry with a
// value and a time. Fields that are no text are empty.
func IsLoop(fields map[string]string) bool {
	has := func(name string) bool { _, ok := fields[name]; return ok }
	switch {
	case has("sgv") || has("mbg"):
		return has("dateString")
	case has("carbs"):
		return has("created_at")
	case has("_type"):
		return has("timestamp")
	}
	return false
}

// Loop reads a list of entries in mg/dL, grams and units. Skipped counts those
// of other kinds.
func Loop(r io.Reader, found func(Reading)) (skipped int, err error) {
	n := 0
	err = stream.EachJSON(r, "", func(value []byte) error {
		n++
		var e entry
		if json.Unmarshal(value, &e) != nil {
			if !json.Valid(value) {
				return stream.ErrMalformedFile
			}
			return stream.BadValue("Entry", n, "a field of another type")
		}
		at, ok := wearers(e.DateString, e.Timestamp, e.CreatedAt)
		if !ok {
			return stream.BadValue("Entry", n, "dateString, timestamp or created_at")
		}
		used := false
		put := func(event string, from json.Number) error {
			if from == "" || from == "0" {
				return nil
			}
			v, ok := decimal.Parse(from.String())
			if !ok {
				return stream.BadValue("Entry", n, event)
			}
			used = true
			found(Reading{Time: at, Event: event, Value: v, Known: true})
			return nil
		}
		err := errors.Join(put("reading", e.SGV), put("calibration", e.MBG), put("carbohydrates", e.Carbs), put("insulin", e.Insulin))
		if err == nil && e.Kind == "Bolus" {
			err = put("insulin", e.Amount)
		}
		if err != nil {
			return stream.BadValue("Entry", n, "value")
		}
		if !used {
			skipped++
		}
		return nil
	})
	return skipped, err
}

// wearers is the first of several times, as its own offset shows it.
func wearers(texts ...string) (string, bool) {
	for _, text := range texts {
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05.999-0700"} {
			if t, err := time.Parse(layout, text); err == nil && t.Year() >= 1900 && t.Year() < 2100 {
				return t.Format(Local), true
			}
		}
	}
	return "", false
}
