package web_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"distributed.ai/datacoop/web/client"
)

// TestAStewardSaysThatAMemberStandsBehindAResearcher: on the page and over the
// API; of anybody else nothing of the kind is said.
func TestAStewardSaysThatAMemberStandsBehindAResearcher(t *testing.T) {
	const said = "A member stands behind them. The data they read earn nothing by it."
	h := openHouse(t)
	b := h.browse("ada")
	enter := func(name string, more url.Values) {
		t.Helper()
		form := url.Values{"key": {b.get("/steward/vetting").is(http.StatusOK).hidden("key")}, "name": {name}, "kind": {"company"}, "region": {"DE"}}
		for field, values := range more {
			form[field] = values
		}
		b.post("/steward/vetting", form).is(http.StatusOK)
	}
	enter("Far GmbH", nil)
	b.get("/steward/vetting").is(http.StatusOK).says("Far GmbH").keepsQuiet(said)
	enter("Near GmbH", url.Values{"related": {"yes"}})
	wellFormed(t, b.get("/steward/vetting").is(http.StatusOK).says("Near GmbH", said))

	ada, _ := h.member("ada")
	for _, related := range []bool{false, true} {
		r, err := ada.VetResearcher(context.Background(), client.ResearcherDraft{Name: "Lab", Kind: "company", Region: "DE", Related: related})
		if ok(t, err); r.Related != related {
			t.Errorf("%v became %v", related, r.Related)
		}
	}
}

// TestAStewardLearnsLaterWhoStandsBehindAResearcher: on the page and over the API,
// and that it is over; who holds no such office is refused.
func TestAStewardLearnsLaterWhoStandsBehindAResearcher(t *testing.T) {
	const said = "A member stands behind them. The data they read earn nothing by it."
	h := openHouse(t)
	b := h.browse("ada")
	ada, _ := h.member("ada")
	eva, _ := h.member("eva")
	r, err := ada.VetResearcher(context.Background(), client.ResearcherDraft{Name: "Lab", Kind: "company", Region: "DE"})
	ok(t, err)
	at := "/steward/vetting/researchers/" + r.ID + "/related"
	say := func(word string) {
		t.Helper()
		b.post(at, url.Values{"key": {b.get("/steward/vetting").is(http.StatusOK).hidden("key")}, "related": {word}}).is(http.StatusOK)
	}
	say("yes")
	wellFormed(t, b.get("/steward/vetting").is(http.StatusOK).says(said, "No member stands behind Lab"))
	say("no")
	wellFormed(t, b.get("/steward/vetting").is(http.StatusOK).says("A member stands behind Lab").keepsQuiet(said))
	_, err = ada.Relate(context.Background(), r.ID, client.Related{Related: true})
	ok(t, err)
	b.get("/steward/vetting").says(said)
	_, err = eva.Relate(context.Background(), r.ID, client.Related{})
	if p := refusal(t, err); p.Status != http.StatusForbidden {
		t.Errorf("without the office: %+v", p)
	}
	_, err = ada.Relate(context.Background(), "nobody", client.Related{})
	if p := refusal(t, err); p.Status != http.StatusNotFound {
		t.Errorf("nobody: %+v", p)
	}
	b.get("/steward/vetting").says(said)
}
