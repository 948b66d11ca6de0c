package record

import (
	"encoding/json"
	"io"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// Bundle reads a FHIR Bundle, whatever its type: a transaction, a search
// result, a document.
func Bundle(r io.Reader, s *Sink) error {
	return stream.EachJSON(r, "entry", func(value []byte) error {
		var entry struct {
			FullURL  string `json:"fullUrl"`
			Resource json.RawMessage
		}
		if json.Unmarshal(value, &entry) != nil {
			return stream.ErrMalformedFile
		}
		if len(entry.Resource) == 0 {
			return nil
		}
		return s.resource(entry.Resource, entry.FullURL)
	})
}

// Lines reads resources one by one, as a bulk export writes them in NDJSON.
func Lines(r io.Reader, s *Sink) error {
	return stream.EachJSON(r, "", func(value []byte) error { return s.resource(value, "") })
}

type period struct{ Start, End string }

type reference struct{ Reference string }

// resource is what is read of any resource; each type uses some of it.
type resource struct {
	ResourceType, ID, Status     string
	Subject, Patient             reference
	Gender, BirthDate            string
	Code, VaccineCode            codeable
	MedicationCodeableConcept    codeable
	Type                         json.RawMessage
	EffectiveDateTime            string
	EffectiveInstant, Issued     string
	EffectivePeriod, Period      period
	OnsetDateTime, RecordedDate  string
	AbatementDateTime            string
	OnsetPeriod, PerformedPeriod period
	PerformedDateTime            string
	OccurrenceDateTime           string
	AuthoredOn                   string
	VerificationStatus           struct{ Coding []struct{ Code string } }
	measured
	Component []struct {
		Code codeable
		measured
	}
}

// measured is what an observation or a part of it found.
type measured struct {
	ValueQuantity        *quantity
	ValueInteger         json.Number
	ValueCodeableConcept *codeable
}

// void are the states of what did not happen.
var void = map[string]bool{"entered-in-error": true, "cancelled": true, "not-done": true, "refuted": true, "not-taken": true}

func (s *Sink) resource(value []byte, url string) error {
	var r resource
	if err := json.Unmarshal(value, &r); err != nil {
		if !json.Valid(value) {
			return stream.ErrMalformedFile
		}
		s.Skipped++ // a field of another type than FHIR R4 gives it
		return nil
	}
	for _, c := range r.VerificationStatus.Coding {
		if void[c.Code] {
			return nil
		}
	}
	if void[r.Status] {
		return nil
	}
	e := Event{Person: who(r.Subject.Reference)}
	if e.Person == "" {
		e.Person = who(r.Patient.Reference)
	}
	switch r.ResourceType {
	case "Patient":
		s.patient(r, url)
	case "Observation":
		s.observation(r, e)
	case "Condition":
		s.event(e, "condition", r.Code, r.AbatementDateTime, r.OnsetDateTime, r.OnsetPeriod.Start, r.RecordedDate)
	case "AllergyIntolerance":
		s.event(e, "allergy", r.Code, "", r.OnsetDateTime, r.OnsetPeriod.Start, r.RecordedDate)
	case "Procedure":
		s.event(e, "procedure", r.Code, r.PerformedPeriod.End, r.PerformedDateTime, r.PerformedPeriod.Start)
	case "Immunization":
		s.event(e, "immunization", r.VaccineCode, "", r.OccurrenceDateTime)
	case "MedicationRequest", "MedicationStatement":
		s.event(e, "medication", r.MedicationCodeableConcept, r.EffectivePeriod.End, r.AuthoredOn, r.EffectiveDateTime, r.EffectivePeriod.Start)
	case "Encounter":
		var kinds []codeable
		_ = json.Unmarshal(r.Type, &kinds) // without a type there is no code
		s.event(e, "encounter", joined(kinds), r.Period.End, r.Period.Start)
	}
	return nil
}

func joined(all []codeable) (out codeable) {
	for _, c := range all {
		out.Coding = append(out.Coding, c.Coding...)
	}
	return out
}

func (s *Sink) patient(r resource, url string) {
	p := Person{Sex: map[string]string{"female": "F", "male": "M"}[r.Gender]}
	if birth, err := time.Parse(time.DateOnly, r.BirthDate); err == nil && birth.Year() >= 1850 {
		p.Birth = birth
	}
	for _, id := range []string{r.ID, who(url)} {
		if id != "" {
			s.Person(id, p)
		}
	}
}

// event completes and hands over an event; end and the candidates for its
// date are texts.
func (s *Sink) event(e Event, kind string, code codeable, end string, dates ...string) {
	var ok bool
	e.Kind, e.Concept = kind, code.concept()
	if e.Date, ok = first(dates...); !ok || e.Concept == "" {
		s.Skipped++
		return
	}
	if e.End, ok = day(end); !ok || e.End.Before(e.Date) {
		e.End = time.Time{}
	}
	s.Event(e)
}

// observation hands over its value, and that of each of its parts.
func (s *Sink) observation(r resource, e Event) {
	dates := []string{r.EffectiveDateTime, r.EffectivePeriod.Start, r.EffectiveInstant, r.Issued}
	put := func(code codeable, m measured) {
		if e := e; m.into(&e) {
			s.event(e, "observation", code, r.EffectivePeriod.End, dates...)
		}
	}
	put(r.Code, r.measured)
	for _, c := range r.Component {
		put(c.Code, c.measured)
	}
}

// into reports false for an answer in words or none at all, and for a value
// that is only known to be more or less than a number.
func (m measured) into(e *Event) bool {
	switch {
	case m.ValueCodeableConcept != nil:
		e.Answer = m.ValueCodeableConcept.concept()
		return e.Answer != ""
	case m.ValueQuantity != nil && m.ValueQuantity.Comparator == "":
		e.Value, e.Measured = decimal.Parse(m.ValueQuantity.Value.String())
		e.Unit = m.ValueQuantity.Code
	case m.ValueInteger != "":
		e.Value, e.Measured = decimal.Parse(m.ValueInteger.String())
	}
	return e.Measured
}
