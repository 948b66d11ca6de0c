package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/web/client"
)

// complained is a paid request that a researcher disputes one file of: whose it
// is, and the dispute.
func (h *house) complained() (s *study, who string, d client.Dispute) {
	h.t.Helper()
	ctx := context.Background()
	for i, name := range []string{"eva", "finn", "guel"} {
		api, _ := h.member(name)
		h.share(api, uint64(i)+1)
	}
	s = h.study(30)
	request := s.ask()
	s.pay(request.ID)
	s.fetch(request.ID, 3, 0)
	file, err := first(s.api.Files(ctx, request.ID))
	ok(h.t, err)
	d, err = s.api.OpenDispute(ctx, file.ID, client.DisputeDraft{Kind: "undecryptable", Text: "<b>The header</b> opens nothing."})
	ok(h.t, err)
	for _, name := range []string{"eva", "finn", "guel"} {
		api, _ := h.member(name)
		for range api.MyDisputes(ctx) {
			who = name
		}
	}
	return s, who, d
}

func TestADisputeGoesFromTheResearcherToAStewardAndBack(t *testing.T) {
	h := openHouse(t)
	ctx := context.Background()
	s, who, d := h.complained()
	member, dan := h.browse(who), h.browse("dan")
	member.get("/").says("1 researcher says that something is wrong with your data")
	page := member.get("/disputes").is(http.StatusOK).says("it cannot be decrypted", "<b>The header</b> opens nothing.", "A steward will look at it")
	wellFormed(t, page)
	if strings.Contains(page.text, "<b>The header") {
		t.Error("markup of a researcher is on the page")
	}
	wellFormed(t, member.post("/disputes/"+d.ID, nil).is(http.StatusUnprocessableEntity).says("Say it in words"))
	dan.get("/").says("1 dispute waits for a steward")
	wellFormed(t, dan.get("/steward/disputes").is(http.StatusOK).says("Has not answered yet", "Take this case"))
	dan.post("/steward/disputes/"+d.ID, nil).is(http.StatusUnprocessableEntity).says("Say whether you take, uphold or dismiss it.")
	dan.post("/steward/disputes/"+d.ID, url.Values{"decision": {"take"}}).is(http.StatusOK).says("You have taken the dispute")
	early := url.Values{"decision": {"uphold"}, "reason": {"It does not open."}}
	dan.post("/steward/disputes/"+d.ID, early).is(http.StatusConflict).says("The member has seven days to answer first.")
	wellFormed(t, member.post("/disputes/"+d.ID, url.Values{"text": {"It opens for me."}}).is(http.StatusOK).says("Your answer is saved", "It opens for me."))
	dan.post("/steward/disputes/"+d.ID, url.Values{"decision": {"uphold"}}).is(http.StatusUnprocessableEntity).says("Say it in words")
	wellFormed(t, dan.post("/steward/disputes/"+d.ID, early).is(http.StatusOK).says("The dispute is upheld", "Credit note 1"))
	wellFormed(t, member.get("/disputes").says("Upheld", "It does not open.").keepsQuiet("Send the answer"))

	told, err := first(s.api.Disputes(ctx))
	ok(t, err)
	note, err := first(s.api.CreditNotes(ctx))
	ok(t, err)
	if told.State != "upheld" || told.Reason != "It does not open." || told.CreditNote != note.Number || note.Amount != told.Credited || note.Amount == 0 || note.File != d.File {
		t.Errorf("dispute %+v, note %+v", told, note)
	}
	for _, path := range []string{"/v1/disputes", "/v1/credit-notes"} {
		_, token := h.asker()
		if a := h.call("GET", path, token, ""); a.status != http.StatusOK || strings.Contains(string(a.body), d.ID) {
			t.Errorf("another researcher reads %s", a.body)
		}
	}
	_, token := h.member("dan")
	if a := h.call("GET", "/v1/dispute-cases", token, ""); strings.Contains(string(a.body), `"dataset"`) {
		t.Errorf("a steward reads whose dataset it is: %s", a.body)
	}
}

func TestTheMoneyPageTellsAccountsPatronageAndGifts(t *testing.T) {
	h := openHouse(t)
	ctx := context.Background()
	_, who, _ := h.complained()
	h.clock.Advance(time.Hour)
	bea, _ := h.member("bea")
	_, err := bea.ClosePeriod(ctx, "P0001")
	ok(t, err)
	h.clock.Advance(300 * time.Hour)
	_, err = bea.SettlePeriod(ctx, "P0001")
	ok(t, err)
	b := h.browse(who)
	wellFormed(t, b.get("/money").is(http.StatusOK).says("Owed to you now", "not a security, not an investment", "Give to the common purpose"))
	wellFormed(t, b.post("/money/gift", url.Values{"amount": {"many"}}).is(http.StatusUnprocessableEntity).says("Write an amount"))
	b.post("/money/gift", url.Values{"amount": {"1"}}).is(http.StatusUnprocessableEntity)
	b.post("/money/gift", url.Values{"amount": {"100000"}, "sure": {"yes"}}).is(http.StatusConflict).says("You cannot give more than you are owed.")
	b.post("/money/gift", url.Values{"amount": {"1.50"}, "sure": {"yes"}}).is(http.StatusOK).says("Thank you")
	year := h.clock.Now().UTC().Format("2006")
	wellFormed(t, b.get("/years/"+year).is(http.StatusOK).says("Your share of", "Given to the common purpose", "-1.50"))
	b.get("/years/1815").is(http.StatusNotFound)
	b.get("/years/x").is(http.StatusNotFound)

	api, token := h.member(who)
	y, err := api.Year(ctx, h.clock.Now().UTC().Year())
	ok(t, err)
	p, err := api.Patronage(ctx)
	ok(t, err)
	if y.Given != 150 || y.Closing != y.Earned-150 || p.Units != y.Earned || !strings.Contains(p.Text, "give no right to a payment") {
		t.Errorf("year %+v, patronage %+v", y, p)
	}
	table, err := api.YearCSV(ctx, y.Year)
	if ok(t, err); !strings.Contains(string(table), "gift") {
		t.Errorf("table %s", table)
	}
	if a := h.call("POST", "/v1/me/gifts", token, `{"amount":0}`); a.status != http.StatusUnprocessableEntity && a.status != http.StatusBadRequest {
		t.Errorf("a gift of nothing: %d", a.status)
	}
	journal, err := bea.Journal(ctx, false)
	ok(t, err)
	units, err := bea.Journal(ctx, true)
	ok(t, err)
	if !strings.Contains(string(journal), "gift:") || !strings.Contains(string(units), "memorandum:patronage:issued") {
		t.Errorf("journals\n%s\n%s", journal, units)
	}
	a := h.call("GET", "/v1/ledger/journal", h.bearer("bea"), "")
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "text/plain; charset=utf-8" || string(a.body) != string(journal) {
		t.Errorf("%d %v", a.status, a.header)
	}
	if a := h.call("GET", "/v1/ledger/journal", h.bearer("ada"), ""); a.status != http.StatusForbidden || a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v %s", a.status, a.header, a.body)
	}
}

// bearer is a member's token.
func (h *house) bearer(name string) string {
	h.t.Helper()
	_, token := h.member(name)
	return token
}
