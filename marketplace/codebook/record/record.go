// Package record reads health records and measurements that are kept as JSON:
// FHIR R4 resources and Open mHealth data points.
//
// Both say the same in two ways: on a day something coded happened to
// somebody, perhaps with a value. An [Event] is that and nothing else; names,
// addresses, notes, devices and whoever wrote it down are never looked at. The
// package guarantees that a concept is one that package concept knows and that
// a value is a number. Ids of people key what belongs together and go no
// further.
//
// It refuses Open mHealth data that its schemas refuse, because a value in an
// unknown unit is worse than none. Of health records, which hold much that is
// no coded event, it leaves out what it cannot use and counts it.
package record

import (
	"encoding/json"
	"strings"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/concept"
	"distributed.ai/datacoop/marketplace/codebook/decimal"
)

// Event is one coded event.
type Event struct {
	Person    string // the source's own id; empty where it names nobody
	Date      time.Time
	End       time.Time // zero where it does not say
	Kind      string    // "observation", "condition" and so on
	Concept   string    // such as "LOINC:8480-6"
	Value     decimal.Number
	Measured  bool   // there is a value
	Unit      string // UCUM
	Answer    string // concept that was answered instead of a value
	Statistic string // what the value is of a stretch of time; empty if it was measured
	Per       string // the stretch that a statistic counts by
}

// Person is what is known of one.
type Person struct {
	Birth time.Time // zero where it is not a whole date
	Sex   string    // "F", "M" or empty
}

// Sink takes what a file holds.
type Sink struct {
	Event   func(Event)
	Person  func(id string, p Person)
	Skipped int // records of a known kind that could not be used
}

// Statistics and Pers are the values that those fields of an Event can have.
var (
	Statistics = []string{"average", "count", "lower-quartile", "maximum", "median", "minimum", "standard-deviation", "sum", "upper-quartile", "variance"}
	Pers       = []string{"d", "h", "min", "mo", "session", "wk"}
)

// day is the date that a text begins with; false for years and months alone.
func day(text string) (time.Time, bool) {
	if len(text) < len(time.DateOnly) {
		return time.Time{}, false
	}
	t, err := time.Parse(time.DateOnly, text[:len(time.DateOnly)])
	rest := text[len(time.DateOnly):]
	return t, err == nil && t.Year() >= 1900 && t.Year() < 2100 && (rest == "" || rest[0] == 'T')
}

// first is the first of several texts that is a day.
func first(texts ...string) (time.Time, bool) {
	for _, text := range texts {
		if t, ok := day(text); ok {
			return t, true
		}
	}
	return time.Time{}, false
}

var systems = map[string]string{
	"http://loinc.org": "LOINC", "http://snomed.info/sct": "SCT",
	"http://www.nlm.nih.gov/research/umls/rxnorm": "RXNORM", "http://hl7.org/fhir/sid/cvx": "CVX",
}

// codeable is FHIR's CodeableConcept.
type codeable struct {
	Coding []struct{ System, Code string }
}

// concept is the first code of a system that is known; empty without one.
func (c codeable) concept() string {
	for _, coding := range c.Coding {
		text := systems[coding.System] + ":" + coding.Code
		if concept.Valid(text) {
			return text
		}
	}
	return ""
}

// quantity is FHIR's Quantity.
type quantity struct {
	Value      json.Number
	Code       string
	Comparator string
}

// who is the id that a reference ends with: "Patient/1", "urn:uuid:1" and a
// whole address all mean "1".
func who(reference string) string {
	return reference[strings.LastIndexAny(reference, "/:")+1:]
}
