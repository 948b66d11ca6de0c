package coop

import (
	"strings"
	"testing"
)

// withDefault is the test charter with lines before its pools, and under the
// only pool.
func withDefault(t *testing.T, whole, pool string) (Charter, error) {
	t.Helper()
	text := strings.Replace(charter, "[[pools]]", whole+"\n[[pools]]", 1)
	return ParseCharter([]byte(strings.Replace(text, "[waterfall]", pool+"\n[waterfall]", 1)))
}

func TestSilenceAllowsNothingWhateverTheDefault(t *testing.T) {
	c, err := withDefault(t, "", "")
	if err != nil {
		t.Fatal(err)
	}
	if d := c.Default("wearables"); d.Answer != DefaultRefuse || len(d.Sentences()) != 1 {
		t.Errorf("a charter that says nothing of consent: %+v", d)
	}
	c, err = withDefault(t, "[consent]\nanswer = \"ask\"\ndays = 1\nkeep_months = 12\nconditions = [\"DUO:0000021\"]", "")
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Join(c.Default("wearables").Sentences(), " ")
	for _, want := range []string{"every request is refused", "you are told", "asked about each request", "holds for 1 day;", "12 months at most", "an ethics board"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said: %s", want, said)
		}
	}
	if strings.Contains(strings.ToLower(said), "you allow") {
		t.Errorf("a default allows something: %s", said)
	}
}

func TestAPoolsDefaultTakesThePlaceOfTheWholeCoops(t *testing.T) {
	c, err := withDefault(t, "[consent]\nanswer = \"ask\"\ndays = 90", "[pools.consent]\nkeep_months = 6")
	if err != nil {
		t.Fatal(err)
	}
	if d := c.Default("wearables"); d.Answer != DefaultRefuse || d.Days != 0 || d.KeepMonths != 6 {
		t.Errorf("%+v", d)
	}
	if d := c.Default("elsewhere"); d.Answer != DefaultAsk || d.Days != 90 {
		t.Errorf("%+v", d)
	}
}

func TestADefaultThatWouldAllowIsRefused(t *testing.T) {
	for line, says := range map[string]string{
		`answer = "given"`:                           "nobody is taken to have allowed",
		`answer = "allow"`:                           "refuse or ask",
		`effect = "given"`:                           "silence is no consent",
		`purposes = ["DUO:0000042"]`:                 "silence is no consent",
		`requester_kinds = ["company"]`:              "silence is no consent",
		`dpv = ["CommercialResearch"]`:               "silence is no consent",
		`commercial = true`:                          "silence is no consent",
		`price = 5`:                                  "unknown key",
		`days = -1`:                                  "days",
		`days = 3661`:                                "days",
		`days = "ninety"`:                            "days",
		`keep_months = 121`:                          "keep_months",
		`conditions = ["DUO:0000042"]`:               "not a DUO modifier",
		`conditions = ["DUO:0000025"]`:               "keep_months",
		`conditions = ["DUO:0000014"]`:               "obsolete",
		`conditions = ["DUO:21"]`:                    "not a DUO modifier",
		`conditions = ["DUO:0000021","DUO:0000021"]`: "twice",
	} {
		for _, place := range []string{"the co-op", "a pool"} {
			var err error
			if place == "a pool" {
				_, err = withDefault(t, "", "[pools.consent]\n"+line)
			} else {
				_, err = withDefault(t, "[consent]\n"+line, "")
			}
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s in %s: %v", line, place, err)
			}
		}
	}
}
