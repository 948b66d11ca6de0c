package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"distributed.ai/datacoop/web/client"
)

func TestWhatWaitsForAKeyIsShownAndDeclinedInThePortal(t *testing.T) {
	h, eva, s, req := kept(t)
	b := h.browse("eva")
	a := eva.waiting()[0]
	b.get("/").is(http.StatusOK).says("1 request waits for your key", "1 request waits")
	b.get("/data").is(http.StatusOK).says("1 request waits for your key", "You keep the only key")
	wellFormed(t, b.get("/data/"+eva.dataset.ID).is(http.StatusOK).says("Nobody here can open this dataset", "destroys this dataset’s file; your own key is yours to delete"))
	b.get("/data/" + eva.dataset.ID + "/revoke").says("Requests that wait for your key end").keepsQuiet("Its key and the encrypted file")
	page := b.get("/approvals").is(http.StatusOK).says("Example University (university) asked for your Wearables data for: How do people move?",
		"any kind of research; research at a university or public institute", client.Fingerprint(a.Recipient),
		"datacoop approve --server "+h.base, "If you lose your key, nobody can, ever.")
	wellFormed(t, page)
	form := url.Values{"key": {page.hidden("key")}}
	wellFormed(t, b.post("/approvals/"+a.ID+"/decline", form).is(http.StatusUnprocessableEntity).says("Tick that you are sure", "Example University"))
	form.Set("sure", "yes")
	h.browse("finn").post("/approvals/"+a.ID+"/decline", form).is(http.StatusNotFound)
	h.browse("finn").get("/approvals").is(http.StatusOK).says("Nothing waits for you.").keepsQuiet("Example University")
	for range 2 { // the same form twice
		wellFormed(t, b.post("/approvals/"+a.ID+"/decline", form).is(http.StatusOK).says("You declined this request", "Nothing waits for you."))
	}
	form.Set("key", strings.Repeat("A", 26))
	b.post("/approvals/"+a.ID+"/decline", form).is(http.StatusConflict).says("has its answer already")
	b.get("/uses").says("Example University (university, DE) was not given your Wearables data", "Your own answer says: The member has declined this request.")
	b.get("/").keepsQuiet("Your key is asked for")
	if m := s.fetch(req.ID, 2, 1); len(m.Waiting) != 0 {
		t.Errorf("%+v", m)
	}
}

func TestTheFeedTellsAnApprovalFromADelivery(t *testing.T) {
	h, eva, s, req := kept(t)
	b := h.browse("eva")
	b.get("/data").says("Nobody so far")
	ok(t, eva.approve(eva.waiting()[0]))
	b.get("/uses").says("Approved by you", "Example University (university, DE) may fetch, since you approved it, your Wearables data").keepsQuiet("Fetched")
	b.get("/data").says("Nobody so far") // approved is not read
	s.fetch(req.ID, 3, 0)
	b.get("/uses").says("Fetched", "Example University (university, DE) fetched your Wearables data")
	if page := b.get("/data"); strings.Contains(page.text, "Nobody so far") {
		t.Error("the reader is not named")
	}
}

func TestWhatWaitsNeedsTheMembersSession(t *testing.T) {
	h := openHouse(t)
	s := h.stranger()
	s.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s.get("/approvals").is(http.StatusSeeOther)
	s.post("/approvals/"+unknownID+"/decline", url.Values{"sure": {"yes"}}).is(http.StatusUnauthorized)
	b := h.browse("eva")
	wellFormed(t, b.get("/approvals").is(http.StatusOK).says("Nothing waits for you."))
	b.get("/approvals?before=x").is(http.StatusNotFound)
	b.post("/approvals/"+unknownID+"/decline", url.Values{"sure": {"yes"}}).is(http.StatusNotFound)
}
