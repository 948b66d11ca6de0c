package codebook

import (
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/record"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

var clinicalUnits = []string{
	"%", "/a", "/min", "10*3/uL", "10*6/uL", "Cel", "U/L", "a", "cm", "fL", "g/L", "g/dL", "h", "kU/L", "kg", "kg/m2", "mL/min",
	"mL/min/{1.73_m2}", "mg/L", "mg/dL", "mm", "mm[Hg]", "mmol/L", "ng/mL", "pg", "pg/mL", "uIU/mL", "umol/L", "{#}", "{score}", "{steps}",
}

var clinicalBook = Codebook{
	Pool:  "clinical",
	Title: "Health record events",
	Row:   "one coded event of one person on one day",
	Columns: []Column{
		{Name: "person", Type: TypeInteger, Min: 1, Max: 100_000, Source: "numbered by the reducer; Synthea: PATIENT, FHIR: subject, which are dropped",
			Description: "Number of the person within this export, from 1."},
		{Name: "date", Type: TypeDate, Source: "Synthea: DATE or START; FHIR: effective, onset, performed, occurrence, period, authoredOn; Open mHealth: effective_time_frame", Description: "Day of the event, or its first day."},
		{Name: "kind", Type: TypeCode, Codes: []string{"allergy", "condition", "encounter", "immunization", "medication", "observation", "procedure"},
			Source: "the file it comes from; FHIR: resourceType", Description: "What sort of event it is."},
		{Name: "concept", Type: TypeCode, Scheme: "clinical", Source: "Synthea: CODE; FHIR: code, vaccineCode, medicationCodeableConcept or type; Open mHealth: the schema, as LOINC",
			Description: "LOINC, SCT (SNOMED CT), RXNORM or CVX, a colon, and the code. LOINC and SNOMED CT codes whose check digit is wrong are left out; descriptions are dropped, look them up by code."},
		{Name: "value", Type: TypeDecimal, Decimals: 4, Min: -1_000_000, Max: 1_000_000, Source: "Synthea: VALUE where TYPE is numeric; FHIR: valueQuantity, valueInteger; Open mHealth: value",
			Description: "Measured value. Observations answered in words are left out, and values of which only a bound is known."},
		{Name: "unit", Type: TypeCode, Codes: clinicalUnits, Source: "Synthea: UNITS; FHIR: valueQuantity code; Open mHealth: unit, converted", Description: "UCUM unit of the value."},
		{Name: "end_date", Type: TypeDate, Source: "Synthea: STOP; FHIR: abatement, period end; Open mHealth: end_date_time", Description: "Last day; empty while it lasts and for single moments."},
		{Name: "age", Type: TypeInteger, Unit: "a", Max: 90, Source: "Synthea: BIRTHDATE, FHIR: birthDate, which are dropped",
			Description: "Age in whole years on the date; 90 means 90 or more. Empty where the export does not say when the person was born."},
		{Name: "sex", Type: TypeCode, Codes: []string{"F", "M"}, Source: "Synthea: GENDER; FHIR: gender", Description: "Administrative sex. Empty where the export does not say."},
		{Name: "answer", Type: TypeCode, Scheme: "clinical", Source: "FHIR: valueCodeableConcept", Description: "Coded answer of an observation that has no value, such as whether somebody smokes."},
		{Name: "statistic", Type: TypeCode, Codes: record.Statistics, Source: "Open mHealth: descriptive_statistic", Description: "What the value is of the days from date to end_date; empty for a value that was measured."},
		{Name: "per", Type: TypeCode, Codes: record.Pers, Source: "Open mHealth: descriptive_statistic_denominator", Description: "What a statistic counts by: day, hour, minute, month, session or week."},
	},
	Also: "Diagnoses can tell about relatives too, where they run in families.",
}

// syntheaFile describes one file of Synthea's CSV export (Synthea wiki, "CSV
// File Data Dictionary"): columns that tell it apart, where its date and end
// are, and the code system of CODE.
type syntheaFile struct {
	name, title  string
	kind         string
	has, lacks   []string
	date, end    string
	system       string
	measurements bool
}

var syntheaFiles = []syntheaFile{
	{name: "patients", title: "Synthea patients", has: []string{"Id", "BIRTHDATE", "GENDER"}},
	{name: "observations", title: "Synthea observations", kind: "observation", has: []string{"DATE", "PATIENT", "CODE", "VALUE", "UNITS", "TYPE"}, date: "DATE", system: "LOINC", measurements: true},
	{name: "conditions", title: "Synthea conditions", kind: "condition", has: []string{"START", "STOP", "PATIENT", "CODE"}, lacks: []string{"Id", "BASE_COST", "CATEGORY"}, date: "START", end: "STOP", system: "SCT"},
	{name: "medications", title: "Synthea medications", kind: "medication", has: []string{"START", "STOP", "PATIENT", "CODE", "DISPENSES"}, date: "START", end: "STOP", system: "RXNORM"},
	{name: "procedures", title: "Synthea procedures", kind: "procedure", has: []string{"START", "PATIENT", "CODE", "BASE_COST", "REASONCODE"}, lacks: []string{"Id", "DISPENSES"}, date: "START", end: "STOP", system: "SCT"},
	{name: "immunizations", title: "Synthea immunizations", kind: "immunization", has: []string{"DATE", "PATIENT", "CODE", "BASE_COST"}, lacks: []string{"REASONCODE"}, date: "DATE", system: "CVX"},
	{name: "allergies", title: "Synthea allergies", kind: "allergy", has: []string{"START", "PATIENT", "CODE", "SYSTEM", "REACTION1"}, date: "START", end: "STOP", system: "SCT"},
	{name: "encounters", title: "Synthea encounters", kind: "encounter", has: []string{"Id", "START", "PATIENT", "ENCOUNTERCLASS", "CODE"}, date: "START", end: "STOP", system: "SCT"},
}

func clinicalPool() pool {
	p := pool{book: clinicalBook, reducer: func() reducer { return &clinical{patients: map[string]patient{}} }}
	for _, s := range syntheaFiles {
		p.formats = append(p.formats, format{
			Format: Format{ID: "synthea-" + s.name, Title: s.title, File: s.name + ".csv",
				How: "From a health record exported in Synthea's CSV layout."},
			match: s.match,
		})
	}
	p.formats = append(p.formats, recordFormats...)
	return p
}

func (s syntheaFile) match(h head) bool {
	return h.has(s.has...) && !slices.ContainsFunc(s.lacks, func(c string) bool { return h.has(c) })
}

type patient struct {
	birth time.Time
	sex   string
}

// clinicalEvent is a row whose person is still the export's own id.
type clinicalEvent struct {
	person string
	date   time.Time
	row    []string
}

type clinical struct {
	patients map[string]patient
	events   []clinicalEvent
	skipped  int
}

func (c *clinical) read(formatID string, r io.Reader) error {
	if read := recordReaders[formatID]; read != nil {
		return c.record(r, read)
	}
	f, err := stream.OpenCSV(r)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(syntheaFiles, func(s syntheaFile) bool { return "synthea-"+s.name == formatID })
	for {
		more, err := f.Next()
		if err != nil || !more {
			return err
		}
		if syntheaFiles[i].kind == "" {
			err = c.patient(f)
		} else {
			err = c.event(f, syntheaFiles[i])
		}
		if err != nil {
			return err
		}
		if len(c.events) > maxRows {
			return ErrTooLarge
		}
	}
}

func (c *clinical) patient(f *stream.CSV) error {
	birth, err := time.Parse(time.DateOnly, f.Text("BIRTHDATE"))
	if err != nil || birth.Year() < 1850 {
		return f.Bad("BIRTHDATE")
	}
	sex := f.Text("GENDER")
	if sex != "F" && sex != "M" {
		sex = ""
	}
	c.patients[f.Text("Id")] = patient{birth, sex}
	return nil
}

// event leaves out answers in words, and counts codes and units it does not
// know as skipped.
func (c *clinical) event(f *stream.CSV, s syntheaFile) error {
	if s.measurements && f.Text("TYPE") != "numeric" {
		return nil
	}
	date, ok := syntheaDay(f.Text(s.date))
	if !ok {
		return f.Bad(s.date)
	}
	row := make([]string, len(clinicalBook.Columns))
	row[1], row[2], row[3] = date.Format(time.DateOnly), s.kind, conceptOf(f, s.system)
	if s.measurements {
		value, err := number(f, "VALUE", clinicalBook.Columns[4])
		if err != nil {
			return err
		}
		row[4], row[5] = value.text(clinicalBook.Columns[4]), f.Text("UNITS")
	}
	if end, ok := syntheaDay(f.Text(s.end)); ok {
		row[6] = end.Format(time.DateOnly)
	}
	if row[3] == "" || !clinicalBook.Columns[3].valid(row[3]) || !clinicalBook.Columns[5].valid(row[5]) {
		c.skipped++
		return nil
	}
	c.events = append(c.events, clinicalEvent{f.Text("PATIENT"), date, row})
	return nil
}

// conceptOf prefixes the code; allergies name the system in a column.
func conceptOf(f *stream.CSV, system string) string {
	if f.Text("SYSTEM") == "RxNorm" {
		system = "RXNORM"
	}
	code := f.Text("CODE")
	if code == "" {
		return ""
	}
	return system + ":" + code
}

func syntheaDay(text string) (time.Time, bool) {
	day, rest, _ := strings.Cut(text, "T")
	t, err := time.Parse(time.DateOnly, day)
	return t, err == nil && plausible(t) && len(rest) < 16
}

func (c *clinical) rows() (result, error) {
	ids := map[string]bool{}
	for _, e := range c.events {
		ids[e.person] = true
	}
	order := slices.Sorted(maps.Keys(ids))
	if len(order) > 1 && order[0] == "" { // measurements of nobody in particular are those of the only person there is
		if len(order) > 2 {
			return result{}, ErrMixedPersons
		}
		order = order[1:]
	}
	res := result{persons: len(order), skipped: c.skipped}
	for _, e := range c.events {
		if e.person == "" {
			e.person = order[0]
		}
		n, _ := slices.BinarySearch(order, e.person)
		e.row[0] = strconv.Itoa(n + 1)
		if p, ok := c.patients[e.person]; ok {
			e.row[7], e.row[8] = age(p.birth, e.date), p.sex
		}
		res.rows = append(res.rows, e.row)
	}
	return res, nil
}

// age in whole years, at most 90, so that the very old do not stand out.
func age(birth, on time.Time) string {
	if birth.IsZero() {
		return ""
	}
	years := on.Year() - birth.Year()
	if on.Month() < birth.Month() || on.Month() == birth.Month() && on.Day() < birth.Day() {
		years--
	}
	if years < 0 {
		return ""
	}
	return strconv.Itoa(min(years, 90))
}
