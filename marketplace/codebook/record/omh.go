package record

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// measure is one kind of Open mHealth data (openmhealth.org, schemas omh
// heart-rate 2.0, step-count 3.0, blood-pressure 4.0, body-weight 2.0 and
// sleep-duration 2.0) and what it becomes.
type measure struct {
	concept, unit string
	units         map[string]decimal.Number // to that unit, in millionths
	interval      bool                      // it belongs to a stretch of time, not to a moment
	ieee          bool                      // its time frame is that of IEEE 1752, which knows no parts of a day
}

var measures = map[string]measure{
	"heart_rate":               {"LOINC:8867-4", "/min", map[string]decimal.Number{"beats/min": decimal.One}, false, false},
	"step_count":               {"LOINC:55423-8", "{steps}", map[string]decimal.Number{"steps": decimal.One}, true, false},
	"systolic_blood_pressure":  {"LOINC:8480-6", "mm[Hg]", map[string]decimal.Number{"mmHg": decimal.One}, false, true},
	"diastolic_blood_pressure": {"LOINC:8462-4", "mm[Hg]", map[string]decimal.Number{"mmHg": decimal.One}, false, true},
	"body_weight": {"LOINC:29463-7", "kg", map[string]decimal.Number{
		"kg": decimal.One, "g": 1_000, "mg": 1, "lb": 453_592, "oz": 28_350, "Metric Ton": 1_000 * decimal.One}, false, false},
	"sleep_duration": {"LOINC:93832-4", "h", map[string]decimal.Number{
		"h": decimal.One, "min": 16_667, "sec": 278, "d": 24 * decimal.One, "wk": 168 * decimal.One}, true, false},
}

// Measures are the fields that an Open mHealth document is known by.
func Measures() []string {
	return []string{"heart_rate", "step_count", "systolic_blood_pressure", "diastolic_blood_pressure", "body_weight", "sleep_duration"}
}

// allowed are the words of fields that the schemas bound.
var allowed = map[string][]string{
	"temporal_relationship_to_physical_activity": {"at rest", "active", "before exercise", "after exercise", "during exercise"},
	"temporal_relationship_to_sleep":             {"before sleeping", "during sleep", "on waking"},
	"body_posture":                               {"sitting", "lying down", "standing", "semi-recumbent"},
}

// OpenMHealth reads data points, or bodies of them, alone, in a list or one a
// line. Data points of other kinds are left out and counted.
func OpenMHealth(r io.Reader, s *Sink) error {
	n := 0
	return stream.EachJSON(r, "", func(value []byte) error {
		n++
		fields := map[string]json.RawMessage{}
		if json.Unmarshal(value, &fields) != nil {
			return stream.ErrMalformedFile
		}
		if body, ok := fields["body"]; ok {
			clear(fields)
			if json.Unmarshal(body, &fields) != nil {
				return stream.ErrMalformedFile
			}
		}
		return s.body(n, fields)
	})
}

func (s *Sink) body(n int, fields map[string]json.RawMessage) error {
	known := false
	for _, name := range Measures() {
		raw, ok := fields[name]
		if !ok {
			continue
		}
		known = true
		bad := func(field string) error { return stream.BadValue("Data point", n, field) }
		m := measures[name]
		e := Event{Kind: "observation", Concept: m.concept, Unit: m.unit}
		if !m.value(raw, &e) {
			return bad(name)
		}
		if !m.frame(fields["effective_time_frame"], &e) {
			return bad("effective_time_frame")
		}
		if field := qualify(fields, &e); field != "" {
			return bad(field)
		}
		s.Event(e)
	}
	_, systolic := fields["systolic_blood_pressure"]
	_, diastolic := fields["diastolic_blood_pressure"]
	if systolic != diastolic {
		return stream.BadValue("Data point", n, "systolic_blood_pressure and diastolic_blood_pressure")
	}
	if !known {
		s.Skipped++
	}
	return nil
}

func (m measure) value(raw json.RawMessage, e *Event) bool {
	var v struct {
		Value json.RawMessage
		Unit  string
	}
	if json.Unmarshal(raw, &v) != nil || bytes.HasPrefix(v.Value, []byte(`"`)) {
		return false
	}
	number, ok := decimal.Parse(string(v.Value))
	factor, known := m.units[v.Unit]
	if !ok || !known {
		return false
	}
	switch { // these are no whole millionths
	case v.Unit == "min":
		e.Value = number.Per(60)
	case v.Unit == "sec":
		e.Value = number.Per(3600)
	default:
		e.Value, ok = number.Times(factor)
	}
	e.Measured = true
	return ok
}

type frame struct {
	DateTime     *string `json:"date_time"`
	TimeInterval *struct {
		StartDateTime string `json:"start_date_time"`
		EndDateTime   string `json:"end_date_time"`
		Date          string
		PartOfDay     string `json:"part_of_day"`
		Duration      *struct {
			Value json.Number
			Unit  string
		}
	} `json:"time_interval"`
}

// frame reads when it was: the local day, as the text itself writes it.
func (m measure) frame(raw json.RawMessage, e *Event) bool {
	var f frame
	if json.Unmarshal(raw, &f) != nil || (f.DateTime == nil) == (f.TimeInterval == nil) {
		return false
	}
	if f.DateTime != nil {
		var ok bool
		e.Date, ok = instant(*f.DateTime)
		return ok && !m.interval
	}
	i := f.TimeInterval
	start, ok := instant(i.StartDateTime)
	end, ok2 := instant(i.EndDateTime)
	switch {
	case ok && ok2:
		e.Date = start
		if !end.Before(start) {
			e.End = end
		}
	case ok && i.Duration != nil:
		e.Date = start
	case ok2 && i.Duration != nil:
		e.Date = end
	case i.Date != "" && i.PartOfDay != "" && !m.ieee:
		e.Date, ok = day(i.Date)
		return ok
	default:
		return false
	}
	return true
}

func instant(text string) (time.Time, bool) {
	if _, err := time.Parse(time.RFC3339, text); err != nil {
		return time.Time{}, false
	}
	return day(text)
}

// qualify reads what the value is, and names the field that says nonsense.
func qualify(fields map[string]json.RawMessage, e *Event) (wrong string) {
	word := func(name string) string {
		var text string
		if raw, ok := fields[name]; ok && (json.Unmarshal(raw, &text) != nil || text == "") {
			wrong = name
		}
		return text
	}
	for name, words := range allowed {
		if text := word(name); text != "" && !slices.Contains(words, text) {
			return name
		}
	}
	statistic := strings.ReplaceAll(word("descriptive_statistic"), " ", "-")
	if statistic != "" && !slices.Contains(Statistics, statistic) {
		return "descriptive_statistic"
	}
	per := map[string]string{"Mo": "mo"}[word("descriptive_statistic_denominator")]
	if per == "" {
		per = word("descriptive_statistic_denominator")
	}
	if per != "" && !slices.Contains(Pers, per) {
		return "descriptive_statistic_denominator"
	}
	e.Statistic, e.Per = statistic, per
	return wrong
}
