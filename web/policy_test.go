package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/policies/document"
	"distributed.ai/datacoop/web/client"
)

// byHand is law that no rule document expresses.
var byHand = narrow() + "\n# Written by hand.\n"

// The law in force is one document, given in the form that is asked for.
func TestTheLawIsGivenInTheFormThatIsAskedFor(t *testing.T) {
	h := openHouse(t)
	const current, linked = "/v1/policies/current", "application/ld+json"
	a := h.call("GET", current, "", "", "Accept", linked)
	if a.status != http.StatusOK || a.header.Get("Content-Type") != linked || a.header.Get("Vary") == "" || !strings.Contains(string(a.body), h.governance.Engine.Current().Hash()) {
		t.Fatalf("%d %v %.300s", a.status, a.header, a.body)
	}
	_, err := document.ReadPublished(a.body, "EUR")
	ok(t, err)
	var law client.Policy
	a = h.call("GET", current, "", "", "Accept", "application/json, application/ld+json;q=0.5")
	ok(t, json.Unmarshal(a.body, &law))
	if law.Form != client.FormDocument || document.DigestOf([]byte(law.Access), "EUR") != law.DocumentSHA256 || law.Sentences[0] != "A request is refused if the co-op has not vetted who asks." || len(law.Base) == 0 {
		t.Errorf("%+v", law)
	}
	a = h.call("GET", "/v1/policies/profile", "", "")
	if a.status != http.StatusOK || a.header.Get("Content-Type") != linked || string(a.body) != string(document.Profile()) {
		t.Errorf("%d %.100s", a.status, a.body)
	}

	// Rego that no document expresses is shown as it is, and in no other form.
	outside, err := policies.Compile(context.Background(), []byte(byHand))
	ok(t, err)
	h.governance.Engine.Swap(outside)
	if p := h.call("GET", current, "", "", "Accept", linked).problem(t); p.Status != http.StatusNotAcceptable || !strings.Contains(p.Title, "no rule document expresses") {
		t.Errorf("%+v", p)
	}
	a = h.call("GET", current, "", "")
	law = client.Policy{}
	ok(t, json.Unmarshal(a.body, &law))
	if law.Form != client.FormRego || law.FormNote == "" || len(law.Document) > 0 || law.Access != byHand {
		t.Errorf("%+v", law)
	}
	h.governance.Engine.Seal()
	if p := h.call("GET", current, "", "", "Accept", linked).problem(t); p.Status != http.StatusServiceUnavailable {
		t.Errorf("%+v", p)
	}
}

func TestADocumentIsProposedAsTheRegoItMeans(t *testing.T) {
	h := openHouse(t)
	ctx := context.Background()
	eva, _ := h.member("eva")
	text := `{"rules": [{"code": "only-vetted", "effect": "forbid", "title": "Only vetted requesters", "when": [{"about": "requester-vetted", "is": "no"}]},
		{"code": "fair-price", "effect": "forbid", "title": "A fair price", "when": [{"about": "price", "is": "below", "number": 500}]}]}`
	d, err := document.Parse([]byte(text), "EUR")
	ok(t, err)

	for name, draft := range map[string]client.ProposalDraft{
		"both":     {Title: "A price", Text: "Because.", Policy: narrow(), Document: json.RawMessage(text)},
		"broken":   {Title: "A price", Text: "Because.", Document: json.RawMessage(`{"rules": []}`)},
		"a list":   {Title: "A price", Text: "Because.", Document: json.RawMessage(`[]`)},
		"nothing":  {Title: "A price", Text: "Because.", Document: json.RawMessage(`null`)},
		"a number": {Title: "A price", Text: "Because.", Document: json.RawMessage(`1`)},
	} {
		if p, err := eva.Propose(ctx, draft); err == nil {
			t.Errorf("%s: proposed as %+v", name, p)
		}
	}
	p, err := eva.Propose(ctx, client.ProposalDraft{Title: "A price", Text: "Because.", Document: json.RawMessage(text)})
	ok(t, err)
	if p.Policy != string(d.Rego()) || p.Form != client.FormDocument || p.DocumentSHA256 != d.Digest() || len(p.PolicySHA256) != 64 ||
		len(p.Sentences) != 2 || p.Sentences[1] != "A request is refused if the price offered for a dataset is below 5.00 EUR." {
		t.Errorf("%+v", p)
	}
	page := h.browse("eva").get("/votes/" + p.ID)
	english, rego, odrl := strings.Index(page.text, "is below 5.00 EUR"), strings.Index(page.text, "package coop.access"), strings.Index(page.text, "odrl:prohibition")
	if english < 0 || rego < english || odrl < rego {
		t.Errorf("English at %d, Rego at %d, ODRL at %d", english, rego, odrl)
	}
	raw, err := eva.Propose(ctx, client.ProposalDraft{Title: "Universities only", Text: "Others may wait.", Policy: byHand})
	ok(t, err)
	if raw.Form != client.FormRego || raw.FormNote == "" || raw.DocumentSHA256 != "" {
		t.Errorf("%+v", raw)
	}
	if page := h.browse("eva").get("/votes/" + raw.ID); !strings.Contains(page.text, "no rule document expresses") || strings.Contains(page.text, "odrl:prohibition") {
		t.Error("Rego outside of documents is not said to be")
	}
}
