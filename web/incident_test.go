package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"distributed.ai/datacoop/web/incident"
)

const because = "A researcher’s password may be <b>stolen</b>."

// A steward stops everything; each member reads why, nobody gets anything, and
// only two stewards together let it go on.
func TestStewardsStopEveryDeliveryAndTwoOfThemLetItGoOn(t *testing.T) {
	h := openHouse(t)
	ctx := context.Background()
	for i, name := range []string{"eva", "finn", "guel"} {
		api, _ := h.member(name)
		h.share(api, uint64(i)+1)
	}
	s, token := h.asker()
	request := s.ask()
	s.pay(request.ID)
	s.fetch(request.ID, 3, 0)
	file, err := first(s.api.Files(ctx, request.ID))
	ok(t, err)

	ada, bea, eva := h.browse("ada"), h.browse("bea"), h.browse("eva")
	wellFormed(t, ada.get("/steward/incidents").is(http.StatusOK).says("Deliveries have never been stopped"))
	wellFormed(t, ada.post("/steward/incidents", url.Values{"reason": {"why"}}).is(http.StatusUnprocessableEntity).says("10 to 300 characters"))
	wellFormed(t, ada.post("/steward/incidents", url.Values{"reason": {because}}).is(http.StatusOK).says("Every delivery is stopped", "Reference"))
	page := eva.get("/uses").is(http.StatusOK)
	if !strings.Contains(page.text, "Stewards have stopped every delivery") || !strings.Contains(page.text, "may be &lt;b&gt;stolen") {
		t.Error("a member does not read that deliveries are stopped, or reads markup")
	}
	wellFormed(t, page)
	if page := h.stranger().get("/"); strings.Contains(page.text, "stopped every delivery") {
		t.Error("a stranger reads the co-op's incidents")
	}
	got := h.call(http.MethodGet, "/v1/files/"+file.ID, token, "")
	if p := got.problem(t); got.status != http.StatusConflict || p.Type != "urn:datacoop:problem:frozen" || got.header.Get("Retry-After") == "" {
		t.Fatalf("a frozen co-op answers %d: %s", got.status, got.body)
	}

	ada.post("/steward/incidents/lift", nil).is(http.StatusOK).says("You have asked to lift the stop", "until a second steward agrees")
	ada.post("/steward/incidents/lift", nil).is(http.StatusConflict).says("A second steward has to agree")
	if got := h.call(http.MethodGet, "/v1/files/"+file.ID, token, ""); got.status != http.StatusConflict {
		t.Fatalf("one steward has lifted it: %d", got.status)
	}
	wellFormed(t, bea.get("/steward/incidents").says("Ada asked to lift it"))
	bea.post("/steward/incidents/lift", nil).is(http.StatusOK).says("Deliveries go on", "Stopped by Ada, lifted by Ada and Bea")
	if got := h.call(http.MethodGet, "/v1/files/"+file.ID, token, ""); got.status != http.StatusOK {
		t.Fatalf("after it was lifted: %d %s", got.status, got.body)
	}
	if strings.Contains(eva.get("/").text, "stopped every delivery") {
		t.Error("the banner stays")
	}
	wellFormed(t, eva.get("/minutes").is(http.StatusOK).says("Stewards stopped every delivery.", "Deliveries went on."))
}

func TestTheAPIStopsAndLetsGoOnToo(t *testing.T) {
	h := openHouse(t)
	_, ada := h.member("ada")
	_, dan := h.member("dan")
	_, eva := h.member("eva")
	state := func(a answer, status int) (s incident.State) {
		t.Helper()
		if a.status != status {
			t.Fatalf("%d: %s", a.status, a.body)
		}
		ok(t, json.Unmarshal(a.body, &s))
		return s
	}
	order := `{"reason":"Something is wrong with the log."}`
	if p := h.call(http.MethodPost, "/v1/freeze", eva, order); p.status != http.StatusForbidden {
		t.Errorf("a member without an office answers %d", p.status)
	}
	key := []string{"Idempotency-Key", "the-one-and-only"}
	one := state(h.call(http.MethodPost, "/v1/freeze", ada, order, key...), http.StatusCreated)
	if again := state(h.call(http.MethodPost, "/v1/freeze", ada, order, key...), http.StatusCreated); !one.Frozen || again.Incident != one.Incident {
		t.Errorf("%+v and then %+v", one, again)
	}
	if s := state(h.call(http.MethodGet, "/v1/freeze", eva, ""), http.StatusOK); !s.Frozen || s.Reason != "Something is wrong with the log." || s.Asked {
		t.Errorf("a member reads %+v", s)
	}
	for _, c := range []struct {
		who, code string
		status    int
	}{{eva, "office-needed", 403}, {ada, "", 200}, {ada, "second-steward-needed", 409}, {dan, "", 200}, {dan, "not-frozen", 409}} {
		got := h.call(http.MethodPost, "/v1/unfreeze", c.who, "")
		if got.status != c.status || c.code != "" && got.problem(t).Type != "urn:datacoop:problem:"+c.code {
			t.Errorf("%s: %d %s", c.code, got.status, got.body)
		}
	}
	if s := state(h.call(http.MethodGet, "/v1/freeze", eva, ""), http.StatusOK); s.Frozen {
		t.Errorf("after two stewards: %+v", s)
	}
}
