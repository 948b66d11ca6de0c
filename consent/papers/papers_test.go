package papers

import (
	"crypto/ed25519"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"distributed.ai/datacoop/consent/proof"
	"distributed.ai/datacoop/consent/terms"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/policies"
)

const (
	recordID = "019a2b3c-0000-7000-8000-000000000001"
	memberID = "019a2b3c-0000-7000-8000-000000000002"
	dayMilli = int64(24 * time.Hour / time.Millisecond)
	noon     = int64(1_900_000_000_000)
)

func public() ed25519.PublicKey { return testkit.Key().Public().(ed25519.PublicKey) }

func issuer() Issuer {
	return Issuer{Name: "Test Co-op", Contact: "https://coop.test", Currency: "EUR", Key: testkit.Key()}
}

func answer(t terms.Terms) Answer {
	a := Answer{ID: recordID, Member: memberID, Pool: "wearables", Terms: t.Normal(), Effect: t.Effect, CreatedAt: noon, Expires: coop.Forever}
	if t.Days > 0 {
		a.Expires = noon + t.Days*dayMilli
	}
	return a
}

// record is the one record of a receipt that verifies.
func record(t interface{ Fatal(...any) }, a Answer) map[string]any {
	text, err := issuer().Receipt(a)
	if err == nil {
		err = proof.Verify(text, public())
	}
	var receipt map[string]any
	if err == nil {
		err = json.Unmarshal(text, &receipt)
	}
	if err != nil {
		t.Fatal(err)
	}
	return receipt["dpv:hasRecordOfActivity"].([]any)[0].(map[string]any)
}

func someOf(t *rapid.T, known []coop.Term, label string) (out []string) {
	for _, k := range known {
		if rapid.Bool().Draw(t, label) {
			out = append(out, k.Code)
		}
	}
	return out
}

func someTerms(t *rapid.T) terms.Terms {
	some := func(list ...string) []string {
		return rapid.SliceOfDistinct(rapid.SampledFrom(list), rapid.ID[string]).Draw(t, "names")
	}
	return terms.Terms{Effect: terms.Given, Purposes: someOf(t, coop.DUOPurposes(), "purposes"), Except: someOf(t, coop.DUOPurposes(), "except"),
		DPV: someOf(t, coop.DPVPurposes(), "dpv"), RequesterKinds: someOf(t, coop.RequesterKinds(), "kinds"), Regions: some("DE", "FR", "EU"),
		Commercial: rapid.Bool().Draw(t, "commercial"), MinPrice: coop.Money(rapid.Int64Range(0, 5000).Draw(t, "price")), Days: rapid.Int64Range(0, 700).Draw(t, "days"),
		Diseases: someOf(t, coop.Diseases()[:5], "diseases"), Conditions: someOf(t, coop.Conditions(), "conditions"), Studies: someOf(t, coop.Studies(), "studies"),
		Users: some(recordID, memberID), Projects: some("p1", "p2"), Institutions: some("https://ror.org/1", "https://ror.org/2"),
		KeepMonths: rapid.Int64Range(0, 120).Draw(t, "months"), PublishFrom: rapid.SampledFrom([]string{"", "2031-05-06"}).Draw(t, "publish"),
		Categories: someOf(t, coop.Categories(), "categories"), Mode: rapid.SampledFrom([]string{"", terms.ModeAsk, terms.ModeOnce}).Draw(t, "mode")}.Normal()
}

// What a member said can be read back, whole, from the policy in the receipt:
// nothing is in its sentences alone.
func TestAProgramReadsEveryConditionOfAnAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		said := someTerms(t)
		policy := record(t, answer(said))["odrl:hasPolicy"].(map[string]any)
		if read := understood(policy); !reflect.DeepEqual(read, said) {
			t.Fatalf("said\n%+v\nread\n%+v", said, read)
		}
	})
}

// understood is what a program that knows the vocabularies makes of a policy.
func understood(policy map[string]any) terms.Terms {
	t := terms.Terms{Effect: terms.Given, Commercial: true}
	for _, rule := range policy["odrl:permission"].([]any) {
		rule := rule.(map[string]any)
		if rule["odrl:duty"] != nil {
			t.Mode = terms.ModeAsk
		}
		for _, c := range rule["odrl:constraint"].([]any) {
			t = constrained(t, c.(map[string]any))
		}
	}
	prohibitions, _ := policy["odrl:prohibition"].([]any)
	for _, rule := range prohibitions {
		c := rule.(map[string]any)["odrl:constraint"].([]any)[0].(map[string]any)
		if c["odrl:leftOperand"] == "odrl:purpose" {
			t.Except = codes(c)
		} else {
			t.PublishFrom = c["odrl:rightOperand"].(map[string]any)["@value"].(string)
		}
	}
	return t.Normal()
}

func constrained(t terms.Terms, c map[string]any) terms.Terms {
	lists := map[any]*[]string{"coop:requesterKind": &t.RequesterKinds, "odrl:spatial": &t.Regions, "coop:disease": &t.Diseases, "coop:condition": &t.Conditions,
		"coop:study": &t.Studies, "coop:researcher": &t.Users, "coop:project": &t.Projects, "coop:institution": &t.Institutions, "coop:dataCategory": &t.Categories}
	left, right := c["odrl:leftOperand"], c["odrl:rightOperand"]
	number, _ := right.(float64)
	switch list := lists[left]; {
	case list != nil:
		*list = codes(c)
	case left == "odrl:purpose":
		for _, code := range codes(c) {
			if strings.HasPrefix(code, "DUO:") {
				t.Purposes = append(t.Purposes, code)
			} else {
				t.DPV = append(t.DPV, code)
			}
		}
	case left == "coop:commercialUse":
		t.Commercial = right != "false"
	case left == "coop:minPrice" && c["odrl:unit"] == "EUR":
		t.MinPrice = coop.Money(number)
	case left == "odrl:count":
		t.Mode = terms.ModeOnce
	case left == "odrl:dateTime":
		at, _ := time.Parse(time.RFC3339, right.(map[string]any)["@value"].(string))
		t.Days = (at.UnixMilli() - noon) / dayMilli
	case left == "odrl:elapsedTime":
		length := right.(map[string]any)["@value"].(string)
		_ = json.Unmarshal([]byte(strings.Trim(length, "PM")), &t.KeepMonths)
	}
	return t
}

// codes reads a list of names or texts, without what our vocabularies put first.
func codes(c map[string]any) (out []string) {
	for _, one := range c["odrl:rightOperand"].([]any) {
		word, ok := one.(string)
		if !ok {
			word = one.(map[string]any)["@id"].(string)
		}
		for _, prefix := range []string{"obo:", "dpv:", "loc:", "pd:", "urn:uuid:", "coop:study-"} {
			word = strings.TrimPrefix(word, prefix)
		}
		for _, ontology := range []string{"DUO", "MONDO"} {
			word = strings.Replace(word, ontology+"_", ontology+":", 1)
		}
		out = append(out, word)
	}
	return out
}

func TestNothingIsPermittedWhereNothingWasGiven(t *testing.T) {
	given := terms.Terms{Effect: terms.Given, Purposes: []string{"DUO:0000042"}, RequesterKinds: []string{"company"}, Commercial: true}
	for effect, status := range map[string]string{policies.Refused: "dpv:ConsentRefused", policies.Withdrawn: "dpv:ConsentWithdrawn", AsPool: "dpv:ConsentWithdrawn"} {
		a := answer(given)
		a.Effect, a.Dataset = effect, recordID
		r := record(t, a)
		policy := r["odrl:hasPolicy"].(map[string]any)
		if policy["odrl:permission"] != nil {
			t.Errorf("%s permits something", effect)
		}
		if _, prohibits := policy["odrl:prohibition"]; prohibits == (effect == AsPool) {
			t.Errorf("%s: %v", effect, policy)
		}
		if effect == AsPool && policy["odrl:inheritFrom"] != "urn:datacoop:consent:pool:wearables" {
			t.Errorf("the pool is not named: %v", policy)
		}
		said := r["dpv:hasProcess"].(map[string]any)["dpv:hasConsentStatus"].(map[string]any)["@type"].([]any)
		if said[0] != status {
			t.Errorf("%s is %v", effect, said)
		}
	}
}

func TestAShorterKeepingIsStatedAsStorage(t *testing.T) {
	for months, want := range map[int64]int64{0: policies.MaxRetentionDays(), 12: 365, 120: policies.MaxRetentionDays()} {
		if got := kept(terms.Terms{KeepMonths: months}); got != want {
			t.Errorf("%d months: %d days, want %d", months, got, want)
		}
	}
}

// A receipt of the time before there was a policy in it is checked as it was.
func TestReceiptsOfBeforeStillVerify(t *testing.T) {
	text, err := os.ReadFile("testdata/receipt-before-terms.json")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "odrl") {
		t.Fatal("this is not a receipt of before")
	}
	if err := proof.Verify(text, public()); err != nil {
		t.Error(err)
	}
	if err := proof.Verify([]byte(strings.Replace(string(text), "P30D", "P90D", 1)), public()); err == nil {
		t.Error("a receipt that was changed verifies")
	}
}
