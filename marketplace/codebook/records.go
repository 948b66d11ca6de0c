package codebook

import (
	"io"
	"slices"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/record"
)

// recordFormats are the health records that are kept as JSON.
var recordFormats = []format{
	{Format: Format{ID: "fhir-bundle", Title: "Health record (FHIR R4 bundle)", File: "bundle.json",
		How: "In your hospital's or insurer's patient portal: download your record as FHIR."},
		match: func(h head) bool { return h.fields["resourceType"] == "Bundle" }},
	{Format: Format{ID: "fhir-ndjson", Title: "Health record (FHIR bulk export)", File: "Observation.ndjson",
		How: "From a FHIR server's bulk export: all of its files together."},
		match: func(h head) bool { return h.fields["resourceType"] != "" && h.fields["resourceType"] != "Bundle" }},
	{Format: Format{ID: "open-mhealth", Title: "Open mHealth data points", File: "datapoints.json",
		How: "From an app that exports Open mHealth data: heart rate, steps, blood pressure, weight or sleep."},
		match: func(h head) bool {
			return h.holds("header", "body") || slices.ContainsFunc(record.Measures(), func(name string) bool { return h.holds(name) })
		}},
}

var recordReaders = map[string]func(io.Reader, *record.Sink) error{
	"fhir-bundle": record.Bundle, "fhir-ndjson": record.Lines, "open-mhealth": record.OpenMHealth,
}

// record reads one file. Values and units that the table has no place for are
// counted as skipped.
func (c *clinical) record(r io.Reader, read func(io.Reader, *record.Sink) error) error {
	full := false
	s := &record.Sink{Person: func(id string, p record.Person) { c.patients[id] = patient{p.Birth, p.Sex} }}
	s.Event = func(e record.Event) {
		row := clinicalRow(e)
		if !clinicalBook.Columns[5].valid(row[5]) || e.Measured && !clinicalBook.Columns[4].holds(e.Value) {
			s.Skipped++
			return
		}
		if full = len(c.events) >= maxRows; !full {
			c.events = append(c.events, clinicalEvent{e.Person, e.Date, row})
		}
	}
	if err := read(r, s); err != nil {
		return err
	}
	if full {
		return ErrTooLarge
	}
	c.skipped += s.Skipped
	return nil
}

func clinicalRow(e record.Event) []string {
	row := make([]string, len(clinicalBook.Columns))
	row[1], row[2], row[3] = e.Date.Format(time.DateOnly), e.Kind, e.Concept
	if e.Measured {
		row[4], row[5] = e.Value.Text(4), e.Unit
	}
	if !e.End.IsZero() {
		row[6] = e.End.Format(time.DateOnly)
	}
	row[9], row[10], row[11] = e.Answer, e.Statistic, e.Per
	return row
}
