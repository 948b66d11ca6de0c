package document

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/policies"
)

// visa is a visa as the passport broker of the GA4GH Starter Kit keeps it: what
// an administrator sends and gets back, not what a researcher shows.
type visa struct {
	ID          string `json:"id"`
	Name        string `json:"visaName"`
	Issuer      string `json:"visaIssuer"`
	Description string `json:"visaDescription"`
	Secret      string `json:"visaSecret"` // signs the visas of this kind, and never leaves the broker
	Assertions  []struct {
		Status     string `json:"status"`
		AssertedAt int64  `json:"assertedAt"` // Unix seconds
		User       struct {
			ID string `json:"id"`
		} `json:"passportUser"`
	} `json:"passportVisaAssertions"`
}

// claims are what a visa needs to be evidence: it is a signed token with a
// ga4gh_visa_v1 object of these (GA4GH Passport 1.2).
var claims = []string{"ga4gh_visa_v1", "type", "value", "source", "by", "asserted", "exp", "sub"}

// Visas have no place in the house yet, and this is why. The payloads are read,
// whole and strictly, and
//
//   - none is evidence: they carry no signature and none of the claims of a visa,
//     but the broker's secret;
//   - what they say is who may have the data of other holders (a
//     ControlledAccessGrants); who may have a member's is the member's to say, and
//     no law can give it (a vote only narrows);
//   - nothing law reads of a request is in them: not the kind, the country or the
//     vetting of who asks. A visa that says it, an AffiliationAndRole, would be
//     something for the steward who vets; none of the payloads is one.
func TestVisasHaveNoPlaceInLawYet(t *testing.T) {
	root := testkit.Fixture(t, "18-policy/ga4gh-passport/payloads/visas/create/00.json")
	files, err := filepath.Glob(filepath.Join(filepath.Dir(root), "../../../*/visas/*/*.json"))
	if err != nil || len(files) != 7 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	read := 0
	for _, file := range files {
		text := testkit.FixtureBytes(t, file[strings.Index(file, "18-policy"):])
		for _, v := range visas(t, text) {
			read++
			if v.ID == "" || v.Name == "" || strings.Contains(v.Name, "AffiliationAndRole") || strings.Contains(v.Name, "ResearcherStatus") {
				t.Errorf("%s: %+v", file, v)
			}
			for _, a := range v.Assertions {
				if a.User.ID == "" || a.Status != "active" && a.Status != "inactive" {
					t.Errorf("%s: %+v", file, a)
				}
			}
		}
		for _, name := range names(t, text) {
			if slices.Contains(claims, name) {
				t.Errorf("%s has the claim %s: it may be evidence after all", file, name)
			}
			for _, leaf := range policies.Vocabulary() {
				if strings.HasSuffix(leaf.Path, "."+name) {
					t.Errorf("%s says %s, which law reads", file, leaf.Path)
				}
			}
		}
	}
	if read != 10 {
		t.Errorf("%d visas were read", read)
	}
}

// visas are one, or a list of them.
func visas(t *testing.T, text []byte) (out []visa) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		if err := dec.Decode(&out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	var one visa
	if err := dec.Decode(&one); err != nil {
		t.Fatal(err)
	}
	return []visa{one}
}

// names are all names of objects in a text.
func names(t *testing.T, text []byte) (out []string) {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, inner := range v {
				out = append(out, name)
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	walk(v)
	return out
}
