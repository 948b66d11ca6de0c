package consenting

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
)

func TestPresetsCanBeSavedAndAreRecognised(t *testing.T) {
	for _, p := range Presets() {
		if err := p.Terms.Validate(); err != nil {
			t.Errorf("%s: %v", p.ID, err)
		}
		if got := presetOf(p.Terms); got != p.ID {
			t.Errorf("%s is taken for %s", p.ID, got)
		}
		mine := p.Terms
		mine.Days = 30
		if got := presetOf(mine); got != own {
			t.Errorf("%s for thirty days is taken for %s", p.ID, got)
		}
	}
}

func TestNamesAreReadHoweverTheyAreSeparated(t *testing.T) {
	for _, typed := range []string{"DE,FR", " DE , FR ", "DE;FR", "DE FR", "DE\r\nFR\n"} {
		if got := strings.Join(Words(typed), "+"); got != "DE+FR" {
			t.Errorf("%q: %s", typed, got)
		}
	}
	if got := Words(" "); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// everything has something in every field that an answer has.
func everything() consent.Terms {
	return consent.Terms{Effect: consent.Given, Purposes: []string{"DUO:0000007"}, Diseases: []string{"MONDO:0005015"}, RequesterKinds: []string{"university"},
		Except: []string{"DUO:0000011"}, DPV: []string{"AcademicResearch"}, Regions: []string{"EU"}, MinPrice: 950, Days: 30,
		Conditions: []string{"DUO:0000021", "DUO:0000029"}, Studies: []string{"genetic"}, Users: []string{coop.NewID()}, Projects: []string{"p1", "p2"},
		Institutions: []string{"https://ror.org/1"}, KeepMonths: 18, PublishFrom: "2031-05-06", Categories: []string{"DNACode"}, Mode: consent.ModeAsk}
}

func TestEveryFieldOfAnAnswerGoesThroughTheForm(t *testing.T) {
	said := everything()
	if err := said.Validate(); err != nil {
		t.Fatal(err)
	}
	v := reflect.ValueOf(said)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; v.Field(i).IsZero() && name != "Commercial" {
			t.Errorf("%s is not tried", name)
		}
	}
	f := Fill(said, "EUR")
	again, err := Read(f, "EUR")
	if err != nil || !reflect.DeepEqual(again.Normal(), said.Normal()) {
		t.Errorf("%+v became %+v (%v)", said, again, err)
	}
	offer := Offer(f, nil)
	if last := offer.Keep[len(offer.Keep)-1].Value; last != "18" {
		t.Errorf("an unusual number of months is not on offer: %s", last)
	}
	if last := offer.Days[len(offer.Days)-1].Value; last != "30" {
		t.Errorf("an unusual number of days is not on offer: %s", last)
	}
	if want := []Choice{{said.Users[0], "user"}}; !reflect.DeepEqual(offer.Kept, want) {
		t.Errorf("a researcher who is not offered is lost: %+v", offer.Kept)
	}
	if kept := Offer(f, []coop.Term{{Code: said.Users[0], Plain: "Lab"}}).Kept; len(kept) != 0 {
		t.Errorf("a researcher who is offered is sent twice: %+v", kept)
	}
}

// The form before an answer allows nothing: sent as it is, it is refused, or it
// asks about every request.
func TestTheFormStartsFromTheDefaultAndAllowsNothing(t *testing.T) {
	refuse := coop.Default{Answer: coop.DefaultRefuse, Days: 90, KeepMonths: 12, Conditions: []string{"DUO:0000021"}}
	f := Start(refuse)
	if _, err := Read(f, "EUR"); !errors.Is(err, ErrPreset) {
		t.Errorf("an answer nobody chose: %v", err)
	}
	f.Set("preset", own)
	started, err := Read(f, "EUR")
	if err != nil || started.Days != 90 || started.KeepMonths != 12 || !reflect.DeepEqual(started.Conditions, refuse.Conditions) {
		t.Errorf("%+v, %v", started, err)
	}
	if len(started.Purposes) > 0 || len(started.RequesterKinds) > 0 || started.Commercial || started.Validate() == nil {
		t.Errorf("a default allows something: %+v", started)
	}
	asking, err := Read(Start(coop.Default{Answer: coop.DefaultAsk}), "EUR")
	if err != nil || asking.Mode != consent.ModeAsk {
		t.Errorf("a default that asks: %+v, %v", asking, err)
	}
}

func TestFiguresThatAreNoneAreRefused(t *testing.T) {
	for field, want := range map[string]error{"price": ErrPrice, "days": ErrDays, "keep": ErrDays} {
		f := Fill(everything(), "EUR")
		f.Set(field, "many")
		if _, err := Read(f, "EUR"); !errors.Is(err, want) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := Read(url.Values{"preset": {"everything"}}, "EUR"); !errors.Is(err, ErrPreset) {
		t.Error(err)
	}
}
