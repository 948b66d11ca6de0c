package portal

import (
	"bytes"
	"io/fs"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/vault"
)

const hour = int64(3_600_000)

func TestTimeLeftIsNeverOverstated(t *testing.T) {
	for _, c := range []struct {
		to   int64
		want string
	}{
		{-1, "now"}, {0, "now"}, {1, "in less than an hour"}, {hour - 1, "in less than an hour"}, {hour, "in 1 hour"},
		{47 * hour, "in 47 hours"}, {48 * hour, "in 2 days"}, {72*hour - 1, "in 2 days"},
	} {
		if got := left(5, 5+c.to); got != c.want {
			t.Errorf("%d ms: %q, want %q", c.to, got, c.want)
		}
	}
}

func TestFiguresAreWrittenForPeople(t *testing.T) {
	for got, want := range map[string]string{
		count(0, "dataset", "datasets"):  "no datasets",
		count(1, "dataset", "datasets"):  "1 dataset",
		count(12, "dataset", "datasets"): "12 datasets",
		bytesize(999):                    "999 bytes",
		bytesize(1000):                   "1.0 kB",
		bytesize(2_500_000):              "2.5 MB",
		percent(850):                     "85\u00a0%",
		percent(875):                     "87.5\u00a0%",
		month("2026-03"):                 "March 2026",
		month("sometime"):                "sometime",
		contactURI("mailto:a@b.example"): "mailto:a@b.example",
		contactURI("a@b.example"):        "mailto:a@b.example",
		contactURI("coop.example/help"):  "https://coop.example/help",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestEveryStateHasWords(t *testing.T) {
	for _, s := range []string{vault.StateOpen, vault.StateUploading, vault.StateReceived, vault.StateAvailable, vault.StateShredding, vault.StateShredded} {
		if _, ok := datasetStates[s]; !ok {
			t.Errorf("dataset %s", s)
		}
	}
	for _, s := range []string{consent.StateGiven, consent.StateRefused, consent.StateWithdrawn, consent.StateExpired} {
		if _, ok := consentStates[s]; !ok {
			t.Errorf("consent %s", s)
		}
	}
	for _, k := range governance.WorkKinds() {
		if workKinds[string(k)] == "" {
			t.Errorf("work %s", k)
		}
	}
	for _, o := range coop.Offices() {
		if offices[o] == "" {
			t.Errorf("office %s", o)
		}
	}
	for _, name := range []string{appraisal.StepCommission, appraisal.StepReserve, appraisal.StepPurpose, appraisal.StepMembers,
		appraisal.StepUnclaimed, appraisal.StepInvestors} {
		if lines[name] == "" {
			t.Errorf("step %s", name)
		}
	}
}

func TestPresetsCanBeSavedAndAreRecognised(t *testing.T) {
	for _, p := range presets() {
		if err := p.terms.Validate(); err != nil {
			t.Errorf("%s: %v", p.ID, err)
		}
		if got := presetOf(p.terms); got != p.ID {
			t.Errorf("%s is taken for %s", p.ID, got)
		}
		own := p.terms
		own.Days = 30
		if got := presetOf(own); got != ownRules {
			t.Errorf("%s for thirty days is taken for %s", p.ID, got)
		}
	}
}

func TestRegionsAreReadHoweverTheyAreSeparated(t *testing.T) {
	for _, typed := range []string{"DE,FR", " de , fr ", "De;fR", "de fr"} {
		if got := strings.Join(regions(typed), "+"); got != "DE+FR" {
			t.Errorf("%q: %s", typed, got)
		}
	}
	if got := regions(" "); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// What a content policy would refuse in the browser is refused here first.
var forbidden = regexp.MustCompile(`(?i)<script|<style|\sstyle=|\son[a-z]+=|javascript:|//[a-z0-9.-]+\.[a-z]+/|href="http|src="http`)

func TestTemplatesCarryNothingThePolicyRefuses(t *testing.T) {
	names, err := fs.Glob(templates, "templates/*.html")
	if err != nil || len(names) < 20 {
		t.Fatalf("%d templates, %v", len(names), err)
	}
	for _, name := range names {
		text, err := templates.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "templates/add.html" {
			text = bytes.Replace(text, []byte(`<script src="{{.Data.Folder}}/add.js" defer></script>`), nil, 1)
		}
		if found := forbidden.Find(text); found != nil {
			t.Errorf("%s holds %s", name, found)
		}
	}
}

func TestEveryFieldAtFaultHasAPlace(t *testing.T) {
	all := ""
	names, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := templates.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all += string(text)
	}
	for code, field := range fields {
		if !strings.Contains(all, `id="`+field+`"`) {
			t.Errorf("%s points at %s, which no page has", code, field)
		}
	}
}

// What a member has set elsewhere, the form shows or hands on, and saving it
// changes nothing.
func TestAnAnswerSetElsewhereSurvivesTheForm(t *testing.T) {
	p := &Portal{Config: Config{Charter: coop.Charter{Currency: "EUR"}}}
	said := consent.Terms{Effect: consent.Given, Purposes: []string{"DUO:0000007"}, Diseases: []string{"MONDO:0005015"}, RequesterKinds: []string{"university"},
		Except: []string{"DUO:0000011"}, DPV: []string{"AcademicResearch"}, Regions: []string{"EU"}, MinPrice: 950, Days: 30,
		Conditions: []string{"DUO:0000021", "DUO:0000029"}, Studies: []string{"genetic"}, Users: []string{coop.NewID()}, Projects: []string{"p1"},
		Institutions: []string{"https://ror.org/1"}, KeepMonths: 18, PublishFrom: "2031-05-06", Categories: []string{"DNACode"}, Mode: consent.ModeAsk}
	if err := said.Validate(); err != nil {
		t.Fatal(err)
	}
	typed := p.typed(standing{Found: true, Record: consent.Record{Terms: said}})
	again, err := p.terms(&visit{form: typed})
	if err != nil || !reflect.DeepEqual(again.Normal(), said.Normal()) {
		t.Errorf("%+v became %+v (%v)", said, again, err)
	}
	page, err := fs.ReadFile(templates, "templates/_answers.html")
	if err != nil {
		t.Fatal(err)
	}
	for name := range typed {
		kept := slices.Contains(choicesWith("", "").Kept, name)
		if !kept && !bytes.Contains(page, []byte(`name="`+name+`"`)) {
			t.Errorf("the form loses %s", name)
		}
	}
	if choices := choicesWith("", "18").Keep; choices[len(choices)-1].Value != "18" {
		t.Error("an unusual number of months is not on offer")
	}
}
