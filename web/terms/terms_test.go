package terms

import (
	"errors"
	"reflect"
	"testing"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/web/client"
)

// filled has something in every field.
func filled[T any](t *testing.T) (out T) {
	t.Helper()
	v := reflect.ValueOf(&out).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString("2030-01-02")
		case reflect.Slice:
			f.Set(reflect.ValueOf([]string{v.Type().Field(i).Name}))
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int64:
			f.SetInt(int64(i) + 1)
		default:
			t.Fatalf("%s is a %s", v.Type().Field(i).Name, f.Kind())
		}
	}
	return out
}

func whole(t *testing.T, what any) {
	t.Helper()
	v := reflect.ValueOf(what)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("%T.%s is lost", what, v.Type().Field(i).Name)
		}
	}
}

func TestNothingAMemberSaysIsLost(t *testing.T) {
	said := filled[client.Terms](t)
	whole(t, Domain(said))
	if again := Wire(Domain(said)); !reflect.DeepEqual(again, said) {
		t.Errorf("%+v became %+v", said, again)
	}
	known := filled[consent.Terms](t)
	if again := Domain(Wire(known)); !reflect.DeepEqual(again, known) {
		t.Errorf("%+v became %+v", known, again)
	}
	if none := Wire(consent.Terms{}); none.Purposes == nil || none.Except == nil || none.DPV == nil || none.RequesterKinds == nil || none.Regions == nil {
		t.Errorf("a null in %+v", none)
	}
}

func TestNothingAResearcherSaysIsLost(t *testing.T) {
	study, err := Study(filled[client.Study](t))
	if err != nil || study.PublishFrom != 1893542400000 {
		t.Fatalf("%+v, %v", study, err)
	}
	whole(t, study)
	if again := WireStudy(study); !reflect.DeepEqual(again, filled[client.Study](t)) {
		t.Errorf("%+v", again)
	}
	if none, err := Study(client.Study{}); err != nil || !reflect.DeepEqual(none, policies.Study{}) {
		t.Errorf("%+v, %v", none, err)
	}
	for _, day := range []string{"tomorrow", "2030-1-2", "1960-01-01", "2030-02-30", "2030-01-02T00:00:00Z"} {
		if _, err := Study(client.Study{PublishFrom: day}); !errors.Is(err, ErrDay) {
			t.Errorf("%s: %v", day, err)
		}
	}
}
