package record_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/codebook/concept"
	"distributed.ai/datacoop/marketplace/codebook/record"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// collect gathers what a text holds, in lines.
func collect(read func(s *record.Sink) error) (lines []string, skipped int, err error) {
	s := &record.Sink{
		Person: func(id string, p record.Person) {
			lines = append(lines, fmt.Sprintf("person %s %s %s", id, p.Birth.Format(time.DateOnly), p.Sex))
		},
		Event: func(e record.Event) {
			value := ""
			if e.Measured {
				value = e.Value.Text(4)
			}
			end := ""
			if !e.End.IsZero() {
				end = e.End.Format(time.DateOnly)
			}
			lines = append(lines, strings.Join([]string{e.Person, e.Date.Format(time.DateOnly), e.Kind, e.Concept, value, e.Unit, end, e.Answer, e.Statistic, e.Per}, "|"))
		},
	}
	err = read(s)
	return lines, s.Skipped, err
}

func fhir(resources string) ([]string, int, error) {
	return collect(func(s *record.Sink) error { return record.Lines(strings.NewReader(resources), s) })
}

const bmi = `"code":{"coding":[{"system":"http://example.org","code":"x"},{"system":"http://loinc.org","code":"39156-5"}]},"subject":{"reference":"Patient/7","display":"Rosalind"}`

func TestResourcesBecomeEvents(t *testing.T) {
	for in, want := range map[string]string{
		`{"resourceType":"Observation",` + bmi + `,"effectiveDateTime":"2026-01-05T08:00:00+01:00","valueQuantity":{"value":27.50,"code":"kg/m2"}}`:                                         "7|2026-01-05|observation|LOINC:39156-5|27.5|kg/m2||||",
		`{"resourceType":"Observation",` + bmi + `,"effectivePeriod":{"start":"2026-01-05","end":"2026-01-06"},"valueInteger":3}`:                                                           "7|2026-01-05|observation|LOINC:39156-5|3||2026-01-06|||",
		`{"resourceType":"Observation",` + bmi + `,"effectiveDateTime":"2026-01-05","valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"266919005"}]}}`:            "7|2026-01-05|observation|LOINC:39156-5||||SCT:266919005||",
		`{"resourceType":"AllergyIntolerance","code":{"coding":[{"system":"http://snomed.info/sct","code":"111088007"}]},"patient":{"reference":"urn:uuid:7"},"recordedDate":"2026-01-05"}`: "7|2026-01-05|allergy|SCT:111088007||||||",
		`{"resourceType":"Patient","id":"7","gender":"other","birthDate":"1979"}`:                                                                                                           "person 7 0001-01-01 ",
		`{"resourceType":"Patient","id":"7","gender":"female","birthDate":"1979-03-14"}` + "\n":                                                                                             "person 7 1979-03-14 F",
	} {
		if got, skipped, err := fhir(in); err != nil || skipped != 0 || strings.Join(got, "\n") != want {
			t.Errorf("%s:\n%q, want %q, %d skipped, %v", in, got, want, skipped, err)
		}
	}
}

func TestWhatDidNotHappenOrHasNoCodeIsNoEvent(t *testing.T) {
	for in, skipped := range map[string]int{
		`{"resourceType":"Observation","status":"entered-in-error",` + bmi + `,"effectiveDateTime":"2026-01-05","valueInteger":3}`:                            0,
		`{"resourceType":"Observation",` + bmi + `,"effectiveDateTime":"2026-01-05","valueString":"Rosalind feels well"}`:                                     0,
		`{"resourceType":"Observation",` + bmi + `,"effectiveDateTime":"2026-01-05","valueQuantity":{"value":5,"comparator":"<","code":"kg/m2"}}`:             0,
		`{"resourceType":"Observation",` + bmi + `,"effectiveDateTime":"2026-01","valueInteger":3}`:                                                           1,
		`{"resourceType":"Observation","code":{"coding":[{"system":"http://loinc.org","code":"39156-6"}]},"effectiveDateTime":"2026-01-05","valueInteger":3}`: 1,
		`{"resourceType":"Condition","verificationStatus":{"coding":[{"code":"refuted"}]},` + bmi + `,"onsetDateTime":"2026-01-05"}`:                          0,
		`{"resourceType":"Observation","code":"39156-5"}`:                                                                                                     1,
		`{"resourceType":"Practitioner","name":[{"family":"Achterberg"}]}`:                                                                                    0,
		`{"resourceType":"Encounter","type":"a text","period":{"start":"2026"}}`:                                                                              1,
	} {
		if got, n, err := fhir(in); err != nil || n != skipped || len(got) != 0 {
			t.Errorf("%s: %q, %d skipped, %v", in, got, n, err)
		}
	}
}

func TestBundlesOfEveryOrder(t *testing.T) {
	entry := `{"fullUrl":"urn:uuid:9","resource":{"resourceType":"Patient","id":"7","gender":"male"}}`
	for _, in := range []string{
		`{"resourceType":"Bundle","entry":[` + entry + `]}`,
		`{"entry":[` + entry + `,{"request":{"method":"GET"}}],"link":[{"entry":[1]}],"total":1,"resourceType":"Bundle"}`,
	} {
		got, _, err := collect(func(s *record.Sink) error { return record.Bundle(strings.NewReader(in), s) })
		if err != nil || strings.Join(got, ",") != "person 7 0001-01-01 M,person 9 0001-01-01 M" {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{`{"resourceType":"Bundle","entry":[` + entry, `{"entry":[1]}`, `{"entry":[{"resource":{"a":}}]}`, `{"entry":[` + entry + `,]}`, `{"entry" [1]}`} {
		_, _, err := collect(func(s *record.Sink) error { return record.Bundle(strings.NewReader(in), s) })
		if !errors.Is(err, stream.ErrMalformedFile) {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func omh(text string) ([]string, int, error) {
	return collect(func(s *record.Sink) error { return record.OpenMHealth(strings.NewReader(text), s) })
}

func TestDataPoints(t *testing.T) {
	const frame = `"effective_time_frame":{"date_time":"2026-01-05T23:30:00-08:00"}`
	for in, want := range map[string]string{
		`{"body_weight":{"value":160,"unit":"lb"},` + frame + `}`: "|2026-01-05|observation|LOINC:29463-7|72.5747|kg||||",
		`{"sleep_duration":{"value":450,"unit":"min"},"effective_time_frame":{"time_interval":{"end_date_time":"2026-01-06T07:00:00Z","duration":{"value":450,"unit":"min"}}}}`: "|2026-01-06|observation|LOINC:93832-4|7.5|h||||",
		`{"heart_rate":{"value":60,"unit":"beats/min"},"effective_time_frame":{"time_interval":{"date":"2026-01-05","part_of_day":"morning"}}}`:                                 "|2026-01-05|observation|LOINC:8867-4|60|/min||||",
		`[{"header":{"user_id":"rosalind"},"body":{"heart_rate":{"value":60,"unit":"beats/min"},` + frame + `}}]`:                                                               "|2026-01-05|observation|LOINC:8867-4|60|/min||||",
		`{"header":{},"body":{"blood_glucose":{"value":5,"unit":"mmol/L"}}}`:                                                                                                    "",
	} {
		if got, _, err := omh(in); err != nil || strings.Join(got, "\n") != want {
			t.Errorf("%s: %q, want %q, %v", in, got, want, err)
		}
	}
	for _, in := range []string{
		`{"systolic_blood_pressure":{"value":120,"unit":"mmHg"},` + frame + `}`,
		`{"heart_rate":{"value":60,"unit":"beats/min"},"effective_time_frame":{"date_time":"2026-01-05"}}`,
		`{"heart_rate":{"value":60,"unit":"beats/min"},` + frame + `,"descriptive_statistic":7}`,
		`{"heart_rate":{"value":60,"unit":"beats/min"},"effective_time_frame":{"date_time":"2026-01-05T10:00:00Z","time_interval":{}}}`,
		`{"heart_rate":"Rosalind",` + frame + `}`,
	} {
		if _, _, err := omh(in); !errors.Is(err, stream.ErrBadValue) || strings.Contains(err.Error(), "Rosalind") {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(byte(0), `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation",`+bmi+`,"effectiveDateTime":"2026-01-05","valueQuantity":{"value":1e2,"code":"kg"}}}]}`)
	f.Add(byte(1), `{"resourceType":"Patient","id":"7"}`+"\n"+`{"resourceType":"Encounter","type":[{"coding":[]}]}`)
	f.Add(byte(2), `[{"body":{"step_count":{"value":10600,"unit":"steps"},"effective_time_frame":{"time_interval":{"start_date_time":"2016-02-05T06:25:00Z","end_date_time":"2016-02-05T07:25:00Z"}}}}]`)
	f.Fuzz(func(t *testing.T, kind byte, text string) {
		s := &record.Sink{Person: func(string, record.Person) {}, Event: func(e record.Event) {
			if !concept.Valid(e.Concept) || e.Date.Year() < 1900 || !e.End.IsZero() && e.End.Before(e.Date) {
				t.Fatalf("%+v", e)
			}
		}}
		read := []func() error{
			func() error { return record.Bundle(strings.NewReader(text), s) },
			func() error { return record.Lines(strings.NewReader(text), s) },
			func() error { return record.OpenMHealth(strings.NewReader(text), s) },
		}[kind%3]
		if err := read(); err != nil && fault.KindOf(err) != fault.Invalid {
			t.Fatal(err)
		}
	})
}
