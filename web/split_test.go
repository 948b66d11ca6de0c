package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/share"
)

// Members divide their part with a form and over the API; the next statement is
// divided so, and nobody reads who said what.
func TestMembersDivideTheirPart(t *testing.T) {
	h := openHouse(t)
	for _, name := range []string{"ada", "bea", "cem", "dan", "eva", "finn"} {
		h.member(name)
	}
	eva := h.browse("eva")
	eva.get("/votes").says("how the members’ part is divided")
	wellFormed(t, eva.get("/votes/split").says("No period has closed yet", "You have not said anything yet", "Too few members have said", "70", "Between 40 and 90").keepsQuiet("Withdraw what I said"))
	for typed, reason := range map[string]string{
		"70 20 20": "must add up to the whole", "95 5 0": "outside the bounds", "70 20 ten": "in per cent", "70 20 9.99": "in per cent", "70 20 -10": "in per cent", "70 20 ": "in per cent",
	} {
		part := strings.Split(typed, " ")
		page := eva.post("/votes/split", url.Values{"data": part[:1], "work": part[1:2], "governance": part[2:]}).is(http.StatusUnprocessableEntity).says(reason, "You have not said anything yet")
		if !strings.Contains(page.text, `value="`+part[0]+`"`) {
			t.Errorf("what was typed is lost: %s", typed)
		}
	}
	eva.post("/votes/split", url.Values{"data": {"52,5"}, "work": {"37.5"}, "governance": {"10"}}).is(http.StatusOK).says("Your say is kept", "Withdraw what I said")
	if page := eva.get("/votes/split"); !strings.Contains(page.text, `value="52.5"`) || !strings.Contains(page.text, `value="37.5"`) {
		t.Error("the form does not begin with what was said")
	}
	var mine, none share.Split
	h.read("eva", "GET", "/v1/me/split", "", http.StatusOK, &mine)
	if mine.Said == nil || *mine.Said != (share.Parts{Data: 525, Work: 375, Governance: 100}) || mine.Ballots != 0 || mine.InForce != mine.Charter {
		t.Errorf("%+v", mine)
	}
	for _, body := range []string{`{"data":700,"work":200,"governance":101}`, `{"data":950,"work":50,"governance":0}`, `{"data":-1,"work":901,"governance":100}`} {
		h.read("finn", "PUT", "/v1/me/split", body, http.StatusUnprocessableEntity, nil)
	}
	for _, name := range []string{"finn", "dan", "cem"} {
		h.read(name, "PUT", "/v1/me/split", `{"data":600,"work":300,"governance":100}`, http.StatusOK, nil)
	}
	h.read("cem", "DELETE", "/v1/me/split", "", http.StatusNoContent, nil)
	h.read("cem", "GET", "/v1/me/split", "", http.StatusOK, &none)
	if none.Said != nil || none.Ballots != 3 {
		t.Errorf("%+v", none)
	}
	bea, _ := h.member("bea")
	h.clock.Advance(time.Hour)
	_, err := bea.ClosePeriod(t.Context(), "P0001")
	ok(t, err)
	var st client.StatementView
	h.read("cem", "GET", "/v1/periods/P0001/statement", "", http.StatusOK, &st)
	ok(t, appraisal.Verify(st.Bundle))
	b, err := appraisal.ParseBundle(st.Bundle)
	ok(t, err)
	if b.Params.Data != 600 || b.Params.Work != 300 || b.Params.Governance != 100 || len(b.Params.Ballots.Said) != 3 {
		t.Errorf("%+v", b.Params)
	}
	wellFormed(t, eva.get("/votes/split").says("They were counted when period P0001 closed", "3 members have said"))
	eva.get("/money/P0001").says("3 members had said how to divide the members")
	_, token := h.member("eva")
	var held share.Split
	ok(t, json.Unmarshal([]byte(h.takeaway(token)["split.json"]), &held))
	if held.Said == nil || held.Said.Work != 375 {
		t.Errorf("the export has %+v", held)
	}
	eva.post("/votes/split/withdraw", url.Values{}).is(http.StatusOK).says("Your say is withdrawn", "You have not said anything yet")
	for _, secret := range []string{"525", "52.5", "52,5"} {
		if strings.Contains(h.logs.String(), secret) {
			t.Errorf("the server's log has %s", secret)
		}
	}
}

// Who closes their account has said nothing.
func TestTheBallotOfWhoLeavesIsForgotten(t *testing.T) {
	h := openHouse(t)
	eva, token := h.member("eva")
	me, err := eva.Me(t.Context())
	ok(t, err)
	h.read("eva", "PUT", "/v1/me/split", `{"data":600,"work":300,"governance":100}`, http.StatusOK, nil)
	if a := h.call("DELETE", "/v1/me", token, ""); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	v, err := h.web.Market.Split(t.Context(), coop.MemberID(me.ID))
	ok(t, err)
	if v.Said != nil {
		t.Errorf("still there: %+v", v.Said)
	}
}
