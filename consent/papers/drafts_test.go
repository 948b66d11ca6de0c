package papers

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/consent/terms"
	"distributed.ai/datacoop/internal/testkit"
)

// carried says of every field of the consent-record drafts (dpv-consent-record)
// where a receipt of ours has it, or, after a "no", why it has none.
var carried = map[string]string{
	"record @type":                       "@type",
	"record dct:conformsTo":              "dct:conformsTo",
	"record dpv:hasIdentifier":           "dpv:hasIdentifier",
	"record dpv:hasDataSubject":          "dpv:hasDataSubject",
	"record dct:created":                 "dct:created",
	"record dct:creator":                 "receipt dct:creator",
	"record dct:language":                "dpv:hasNotice dct:language",
	"record dpv:hasProcess":              "dpv:hasProcess",
	"record dpv:hasConsentStatus":        "dpv:hasProcess dpv:hasConsentStatus",
	"record dpv:hasNNotice":              "dpv:hasNotice", // so spelt in the draft
	"record dpv:hasEntity":               "no: the only party besides the member is the co-op, which is written where it stands",
	"subject @type":                      "dpv:hasDataSubject @type",
	"subject dpv:hasIdentifier":          "dpv:hasDataSubject dpv:hasIdentifier",
	"process @type":                      "dpv:hasProcess @type",
	"process dpv:hasPurpose":             "dpv:hasProcess dpv:hasPurpose",
	"process dpv:hasPersonalData":        "dpv:hasProcess dpv:hasPersonalData",
	"process dpv:hasProcessing":          "dpv:hasProcess dpv:hasProcessing",
	"process dpv:hasRecipient":           "dpv:hasProcess dpv:hasRecipient",
	"process dpv:hasDataController":      "dpv:hasProcess dpv:hasDataController",
	"process dpv:hasJurisdiction":        "dpv:hasProcess dpv:hasJurisdiction",
	"process dpv:hasLegalBasis":          "dpv:hasProcess dpv:hasLegalBasis",
	"process dpv:hasStorageCondition":    "dpv:hasProcess dpv:hasStorageCondition",
	"process dpv:hasRight":               "dpv:hasProcess dpv:hasRight",
	"process dpv:hasConsentControl":      "dpv:hasProcess dpv:hasConsentControl",
	"process dpv:hasConsentStatus":       "dpv:hasProcess dpv:hasConsentStatus",
	"process dpv:hasDataProcessor":       "no: nobody processes on the co-op's behalf without being a recipient",
	"process dpv:hasDataSource":          "no: the source is always the member, who is the data subject of the record",
	"process dpv:hasProcessingCondition": "no: where and for how long data are processed is said of their storage; nothing else is agreed",
	"process dpv:hasProcess":             "no: an answer has one process; recipients that differ have answers of their own",
	"status @type":                       "dpv:hasProcess dpv:hasConsentStatus @type",
	"status dpv:isIndicatedAtTime":       "dpv:hasProcess dpv:hasConsentStatus dpv:isIndicatedAtTime",
	"status dpv:isIndicatedBy":           "dpv:hasProcess dpv:hasConsentStatus dpv:isIndicatedBy",
	"status dpv:hasDuration":             "dpv:hasProcess dpv:hasConsentStatus dpv:hasDuration",
	"status dpv:hasNotice":               "dpv:hasNotice",
	"status dpv:isExercisedAt":           "no: a receipt outlives addresses; the member withdraws where they are a member",
}

// fields counts the fields of a draft, each with the object it stands in.
func fields(draft map[string]any) (out map[string]int) {
	out = map[string]int{}
	note := func(level string, v any) {
		for _, object := range objects(v) {
			for key := range object {
				out[level+" "+key]++
			}
		}
	}
	note("record", draft)
	note("subject", draft["dpv:hasDataSubject"])
	note("status", draft["dpv:hasConsentStatus"])
	for _, process := range objects(draft["dpv:hasProcess"]) {
		note("process", process)
		note("status", process["dpv:hasConsentStatus"])
		for _, inner := range objects(process["dpv:hasProcess"]) {
			note("process", inner)
			note("status", inner["dpv:hasConsentStatus"])
		}
	}
	return out
}

// objects is an object or the objects of a list.
func objects(v any) (out []map[string]any) {
	switch v := v.(type) {
	case map[string]any:
		return []map[string]any{v}
	case []any:
		for _, one := range v {
			out = append(out, objects(one)...)
		}
	}
	return out
}

// at finds what stands at a path of a record, or of the receipt around it.
func at(receipt map[string]any, path string) any {
	v := receipt["dpv:hasRecordOfActivity"].([]any)[0]
	for key := range strings.FieldsSeq(path) {
		if key == "receipt" {
			v = receipt
			continue
		}
		object, _ := v.(map[string]any)
		v = object[key]
	}
	return v
}

func drafts(t *testing.T) map[string]map[string]any {
	t.Helper()
	out := map[string]map[string]any{}
	for _, name := range []string{"AUG22", "AUG23", "SEP-01a", "SEP-01b"} {
		var draft map[string]any
		if err := json.Unmarshal(testkit.FixtureBytes(t, filepath.Join("18-policy/consent-27560/drafts", name+".json")), &draft); err != nil {
			t.Fatal(err)
		}
		out[name] = draft
	}
	return out
}

// whole is a receipt of an answer that says something of everything.
func whole(t *testing.T) map[string]any {
	t.Helper()
	text, err := issuer().Receipt(answer(terms.Terms{Effect: terms.Given, Purposes: []string{"DUO:0000042"}, Except: []string{"DUO:0000011"}, DPV: []string{"AcademicResearch"},
		RequesterKinds: []string{"university"}, Regions: []string{"EU"}, Days: 365}))
	if err != nil {
		t.Fatal(err)
	}
	return read(t, text)
}

func read(t *testing.T, text []byte) (receipt map[string]any) {
	t.Helper()
	if err := json.Unmarshal(text, &receipt); err != nil {
		t.Fatal(err)
	}
	return receipt
}

// missing lists what a receipt does not have of what the drafts ask for.
func missing(receipt map[string]any) (out []string) {
	for field, path := range carried {
		if !strings.HasPrefix(path, "no: ") && empty(at(receipt, path)) {
			out = append(out, field)
		}
	}
	slices.Sort(out)
	return out
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// Every field of the drafts is in a receipt, or it is said why not.
func TestReceiptsCarryWhatTheDraftsAskFor(t *testing.T) {
	all := map[string]int{}
	for name, draft := range drafts(t) {
		for field, n := range fields(draft) {
			all[field] += n
			if _, known := carried[field]; !known {
				t.Errorf("%s has %s, and nothing is said about it", name, field)
			}
		}
	}
	for field := range carried {
		if all[field] == 0 {
			t.Errorf("no draft has %s", field)
		}
	}
	receipt := whole(t)
	if lacks := missing(receipt); lacks != nil {
		t.Errorf("a receipt has no %q", lacks)
	}
	text, err := json.Marshal(receipt)
	if err != nil {
		t.Fatal(err)
	}
	for field, path := range carried {
		if _, key, _ := strings.Cut(field, " "); strings.HasPrefix(path, "no: ") && key != "dpv:hasProcess" && strings.Contains(string(text), `"`+key+`"`) {
			t.Errorf("it is said that a receipt has no %s, and it has", key)
		}
	}
}

// A receipt from which a field was taken is not complete.
func TestReceiptsWithoutAFieldAreNotComplete(t *testing.T) {
	text, err := json.Marshal(whole(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range slices.Sorted(maps.Values(carried)) {
		if strings.HasPrefix(path, "no: ") {
			continue
		}
		keys := strings.Fields(path)
		last := keys[len(keys)-1]
		for name, instead := range map[string]any{"taken": nil, "emptied": ""} {
			receipt := read(t, text)
			object, ok := at(receipt, strings.Join(keys[:len(keys)-1], " ")).(map[string]any)
			if !ok {
				t.Fatalf("nothing at %s", path)
			}
			if object[last] = instead; instead == nil {
				delete(object, last)
			}
			if missing(receipt) == nil {
				t.Errorf("%s %s, and nobody notices", path, name)
			}
		}
	}
}

// The validator that came with the drafts is a JSON Schema, which this reads: a
// process says its status, or the process within it does. Its condition would
// hold of a process without another one in it, for JSON Schema lets a property
// that is not there pass; meant is that it is there, and so it is read.
func complies(schema, v any) bool {
	s, _ := schema.(map[string]any)
	object, isObject := v.(map[string]any)
	if s["type"] == "object" && !isObject {
		return false
	}
	for _, name := range texts(s["required"]) {
		if object[name] == nil {
			return false
		}
	}
	properties, _ := s["properties"].(map[string]any)
	for name, inner := range properties {
		if there := object[name]; there != nil && !complies(inner, there) {
			return false
		}
	}
	condition, conditional := s["if"]
	switch {
	case !conditional:
		return true
	case present(condition, object):
		return complies(s["then"], v)
	}
	return complies(s["else"], v)
}

func texts(v any) (out []string) {
	list, _ := v.([]any)
	for _, one := range list {
		name, _ := one.(string)
		out = append(out, name)
	}
	return out
}

func present(condition any, object map[string]any) bool {
	properties, _ := condition.(map[string]any)["properties"].(map[string]any)
	for name := range properties {
		if object[name] == nil {
			return false
		}
	}
	return complies(condition, object)
}

// bare writes names without their prefix, as the validator does.
func bare(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, value := range v {
			out[key[strings.LastIndex(key, ":")+1:]] = bare(value)
		}
		return out
	case []any:
		for i := range v {
			v[i] = bare(v[i])
		}
	}
	return v
}

func TestTheValidatorOfTheDraftsTakesReceipts(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(testkit.FixtureBytes(t, "18-policy/consent-27560/validator/validator_example.json"), &schema); err != nil {
		t.Fatal(err)
	}
	valid := func(record any) bool { return complies(schema, bare(record)) }
	receipt := whole(t)
	if record := at(receipt, ""); !valid(record) {
		t.Error("a receipt of ours is refused")
	}
	process := at(receipt, "dpv:hasProcess").(map[string]any)
	status := process["dpv:hasConsentStatus"]
	delete(process, "dpv:hasConsentStatus")
	if valid(at(receipt, "")) {
		t.Error("a process without a status is taken")
	}
	process["dpv:hasProcess"] = map[string]any{}
	if valid(at(receipt, "")) {
		t.Error("a process within a process, both without a status, is taken")
	}
	process["dpv:hasProcess"] = map[string]any{"dpv:hasConsentStatus": status}
	if !valid(at(receipt, "")) {
		t.Error("a status of the process within is refused")
	}
	at(receipt, "").(map[string]any)["dpv:hasProcess"] = "everything"
	if valid(at(receipt, "")) {
		t.Error("a text as a process is taken")
	}
	// The drafts themselves have lists of processes, which the validator does not
	// know: process by process, those with a status of their own pass.
	passed := 0
	for _, draft := range drafts(t) {
		for _, process := range objects(draft["dpv:hasProcess"]) {
			if valid(map[string]any{"dpv:hasProcess": process}) {
				passed++
			}
		}
	}
	if passed != 1 {
		t.Errorf("%d processes of the drafts pass", passed)
	}
}
