package terms

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
)

// agree is consent to health research by universities.
func agree() Terms {
	return Terms{Effect: Given, Purposes: []string{"DUO:0000006"}, RequesterKinds: []string{"university"}}
}

func canonical(t *testing.T, terms Terms) []byte {
	t.Helper()
	text, err := json.Marshal(terms.Normal())
	if err == nil {
		text, err = jcs.Transform(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestConditionsThatMakeNoSenseAreRefusedInWords(t *testing.T) {
	for sentence, change := range map[string]func(*Terms){
		"A purpose is not a known DUO code.": func(t *Terms) { t.Purposes = []string{"HMB"} },
		"DUO:0000005, general research use and clinical care, is obsolete: name DUO:0000042 and DUO:0000043.":       func(t *Terms) { t.Purposes = []string{"DUO:0000005"} },
		"DUO:0000014, research use only, is obsolete: name DUO:0000042 and leave DUO:0000043 out.":                  func(t *Terms) { t.Except = []string{"DUO:0000014"} },
		"DUO:0000002 is obsolete: it was a category of codes and never said what data may be used for.":             func(t *Terms) { t.Purposes = []string{"DUO:0000002"} },
		"DUO:0000001 and DUO:0000017 are headings of the ontology; name a term below them.":                         func(t *Terms) { t.Purposes = []string{"DUO:0000001"} },
		"DUO:0000004, no restriction, cannot be allowed: law restricts every use; DUO:0000042 allows any research.": func(t *Terms) { t.Purposes = []string{"DUO:0000004"} },
		"A DUO modifier is a condition, not a purpose.":                                                             func(t *Terms) { t.Purposes = []string{"DUO:0000021"} },
		"A condition is not a DUO modifier.":                                                                        func(t *Terms) { t.Conditions = []string{"DUO:0000042"} },
		"DUO:0000025 needs a value; say it with keep_months.":                                                       func(t *Terms) { t.Conditions = []string{"DUO:0000025"} },
		"DUO:0000022 needs a value; say it with regions.":                                                           func(t *Terms) { t.Conditions = []string{"DUO:0000022"} },
		"Say which diseases the research may be about.":                                                             func(t *Terms) { t.Purposes = []string{"DUO:0000007"} },
		"Diseases belong to disease-specific research, DUO:0000007; allow that.":                                    func(t *Terms) { t.Diseases = []string{"MONDO:0005015"} },
		"Another allowed purpose covers research about every disease, so naming diseases changes nothing.": func(t *Terms) {
			t.Purposes, t.Diseases = []string{"DUO:0000006", "DUO:0000007"}, []string{"MONDO:0005015"}
		},
		"A disease is not one of those the co-op knows.":                                func(t *Terms) { t.Purposes, t.Diseases = []string{"DUO:0000007"}, []string{"MONDO:9999999"} },
		"A kind of study is not known.":                                                 func(t *Terms) { t.Studies = []string{"magic"} },
		"A kind of personal data is not known.":                                         func(t *Terms) { t.Categories = []string{"Aura"} },
		"A researcher is named by an id.":                                               func(t *Terms) { t.Users = []string{"alice"} },
		"A project is named by 1 to 128 letters, digits and signs without spaces.":      func(t *Terms) { t.Projects = []string{"my project"} },
		"An institution is named by 1 to 128 letters, digits and signs without spaces.": func(t *Terms) { t.Institutions = []string{strings.Repeat("x", 129)} },
		"A region must be the code of a country, EU, EEA or WORLD.":                     func(t *Terms) { t.Regions = []string{"ZZ"} },
		"The number of months must be between 0 and 120.":                               func(t *Terms) { t.KeepMonths = 121 },
		"The day before which nothing is published must be written YYYY-MM-DD.":         func(t *Terms) { t.PublishFrom = "next year" },
		"The mode must be standing, ask or once.":                                       func(t *Terms) { t.Mode = "twice" },
		"Commercial use is allowed and refused at once.":                                func(t *Terms) { t.Commercial, t.Conditions = true, []string{"DUO:0000046"} },
		"Only companies may ask, but no organisation that works for profit may.":        func(t *Terms) { t.RequesterKinds, t.Conditions = []string{"company"}, []string{"DUO:0000045"} },
		"Research about origins is allowed and refused at once.":                        func(t *Terms) { t.Purposes, t.Conditions = []string{"DUO:0000011"}, []string{"DUO:0000044"} },
		"Only the development of methods is allowed, and refused at once.":              func(t *Terms) { t.Studies, t.Conditions = []string{"methods"}, []string{"DUO:0000015"} },
		"Only genetic studies are allowed, and none of the kinds of study is one.":      func(t *Terms) { t.Studies, t.Conditions = []string{"phenotype"}, []string{"DUO:0000016"} },
		"Only caring for patients is allowed, which is no study.":                       func(t *Terms) { t.Purposes, t.Conditions = []string{"DUO:0000043"}, []string{"DUO:0000016"} },
		"A list is too long.": func(t *Terms) { t.Projects = slices.Repeat([]string{"p"}, 33) },
		"A refusal covers everything and lasts until it is changed; to refuse only some purposes, give consent and except them.":  func(t *Terms) { *t = Terms{Effect: Refused, Mode: ModeOnce} },
		"A refusal covers everything and lasts until it is changed; to refuse only some purposes, give consent and except them. ": func(t *Terms) { *t = Terms{Effect: Refused, Conditions: []string{"DUO:0000021"}} },
	} {
		terms := agree()
		change(&terms)
		err := terms.Validate()
		if !errors.Is(err, ErrTerms) {
			t.Errorf("got %v", err)
		}
		var refusal *fault.Error
		if !errors.As(err, &refusal) || !slices.Equal(refusal.Detail, []string{strings.TrimSpace(sentence)}) {
			t.Errorf("%v instead of %q", err, sentence)
		}
	}
}

// wide are terms with a condition of every sort.
func wide() Terms {
	t := agree()
	t.Purposes, t.Diseases = []string{"DUO:0000007"}, []string{"MONDO:0005015", "MONDO:0004979"}
	t.Conditions = codes(coop.Conditions())
	t.Studies, t.Categories = []string{"genetic"}, []string{"MedicalHealth"}
	t.Users, t.Projects, t.Institutions = []string{coop.NewID()}, []string{"p1"}, []string{"https://ror.org/00"}
	t.KeepMonths, t.PublishFrom, t.Mode = 12, "2030-01-01", ModeAsk
	return t
}

func TestEveryConditionReachesTheLaw(t *testing.T) {
	terms := wide()
	if err := terms.Validate(); err != nil {
		t.Fatal(err)
	}
	limits := terms.Limits()
	once := agree()
	once.Mode = ModeOnce
	limits.Once = once.Limits().Once
	v := reflect.ValueOf(limits)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("%s is never said", v.Type().Field(i).Name)
		}
	}
	if limits.KeepDays != 365 || limits.PublishFrom != 1893456000000 {
		t.Errorf("%+v", limits)
	}
	if said := agree().Limits().Said(); said != 0 {
		t.Errorf("plain terms have %d limits", said)
	}
}

// Whatever can be said is said back in words, and no code is.
func TestEveryConditionHasASentence(t *testing.T) {
	whole := strings.Join(wide().Sentences("EUR"), " ")
	for _, words := range []string{
		"diabetes or asthma", "you are asked", "an ethics board has approved it", "does not develop methods", "is a genetic study",
		"neither the organisation nor the use is for profit", "published for everybody", "work together with the co-op",
		"comes back to the co-op", "does not study where populations come from", "does not work for profit", "the use is not commercial",
		"only studies of genes", "anything but data about health", "1 researcher", "the projects p1", "the institutions https://ror.org/00",
		"longer than 12 months", "publish before 1 January 2030", "nothing is released before you say yes",
	} {
		if !strings.Contains(whole, words) {
			t.Errorf("%q is not in: %s", words, whole)
		}
	}
	for _, code := range []string{"DUO:", "MONDO:", "MedicalHealth", "genetic-"} {
		if strings.Contains(whole, code) {
			t.Errorf("members read %s", code)
		}
	}
	once := agree()
	once.Mode = ModeOnce
	if !strings.Contains(strings.Join(once.Sentences("EUR"), " "), "Each dataset is released once") {
		t.Error("a one-time consent does not say so")
	}
	base := agree().Sentences("EUR")
	for i := range reflect.TypeFor[Terms]().NumField() {
		only := agree()
		full := reflect.ValueOf(wide()).Field(i)
		if reflect.ValueOf(&only).Elem().Field(i).IsZero() && !full.IsZero() {
			reflect.ValueOf(&only).Elem().Field(i).Set(full)
			if slices.Equal(only.Sentences("EUR"), base) {
				t.Errorf("%s has no sentence", reflect.TypeFor[Terms]().Field(i).Name)
			}
		}
	}
}

// A member reads why, never that somebody would pay for another answer.
func TestSentencesNeverNudgeWithMoney(t *testing.T) {
	terms := wide()
	terms.MinPrice = 500
	for _, s := range terms.Sentences("EUR") {
		for _, nudge := range []string{"earn", "more money", "income", "miss", "worth"} {
			if strings.Contains(strings.ToLower(s), nudge) {
				t.Errorf("%q", s)
			}
		}
	}
}

// What is stored and signed of terms without conditions is what it was before
// there were any.
func TestOlderTermsAreWrittenAsTheyWere(t *testing.T) {
	text := canonical(t, agree())
	want := `{"commercial":false,"days":0,"dpv":[],"effect":"given","except":[],"min_price":0,"purposes":["DUO:0000006"],"regions":[],"requester_kinds":["university"]}`
	if string(text) != want {
		t.Errorf("%s", text)
	}
	standing := agree()
	standing.Mode = ModeStanding
	if !reflect.DeepEqual(standing.Normal(), agree().Normal()) {
		t.Error("standing is written")
	}
}
