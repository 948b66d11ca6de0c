package feed

import (
	"encoding/csv"
	"net/url"
	"strings"
	"testing"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/policies"
)

func TestATableHoldsNoFormulasOfOthers(t *testing.T) {
	for typed, want := range map[string]string{"=cmd()": "'=cmd()", "+1": "'+1", "-1": "'-1", "@a": "'@a", "\tx": "'\tx", "Sleep": "Sleep", "": ""} {
		if got := inert(typed); got != want {
			t.Errorf("%q became %q", typed, got)
		}
	}
	u := Use{Decision: consent.Decision{Reasons: []policies.Reason{{Sentence: "No."}, {Sentence: "Never."}}}}
	u.Ask.Title, u.Ask.Who.Name = "=HYPERLINK(1)", `Lab, "one"`
	rows, err := csv.NewReader(strings.NewReader(string(Table([]Use{u})))).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][1] != "refused" || rows[1][5] != `Lab, "one"` || rows[1][8] != "'=HYPERLINK(1)" || rows[1][10] != "No. Never." {
		t.Errorf("%q, %v", rows, err)
	}
}

func TestAnAddressLeadsToTheSameChoiceAgain(t *testing.T) {
	for _, c := range []Chosen{{}, {"d1", "", ""}, {"", "refused", ""}, {"d1", "allowed", "x&y"}} {
		again, err := url.ParseQuery(strings.TrimPrefix(c.Query(c.Before), "?"))
		if err != nil || Read(again) != c {
			t.Errorf("%+v became %+v (%v)", c, Read(again), err)
		}
		if c.Some() != (c.Dataset+c.Outcome != "") {
			t.Errorf("%+v", c)
		}
	}
}
