package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/web/client"
)

// What may be uncomfortable is said where somebody is about to decide, and not
// only on a page that nobody opens.
func TestHonestSentencesStandWhereTheyMatter(t *testing.T) {
	h, d := shared(t)
	b := h.browse("eva")
	for path, said := range map[string][]string{
		"/consent/wearables": {
			"People can sometimes be recognised from them",
			"copies they fetched cannot be called back",
			"Saying no costs you nothing on what you share elsewhere",
			"We do not know yet what Wearables data bring",
		},
		"/data/" + d.ID + "/consent": {"People can sometimes be recognised", "cannot be called back", "Saying no costs you nothing"},
		"/data/" + d.ID + "/revoke":  {"Copies that researchers have already fetched cannot be called back."},
		"/money":                     {"Maybe nothing.", "no promise", "We do not know yet what data of any pool bring"},
		"/work":                      {"Membership is a vote and not an investment"},
		"/votes":                     {"not an ethics approval"},
		"/about": {
			"could open", "self-custody", "not an ethics approval", "not an investment",
		},
		"/privacy": {
			"Riverside Data Cooperative", "members@riverside.example", "No model is asked about anything", "complain", "recognised from such a table",
			"While the vault is open it holds keys that could open datasets", "a vote and not an investment", "not an ethics approval",
		},
		"/researchers": {"not an ethics approval"},
	} {
		page := b.get(path).is(http.StatusOK)
		wellFormed(t, page)
		page.says(said...)
	}
	add := b.get("/data/add").is(http.StatusOK)
	add.says("People can sometimes be recognised", "cannot be called back", "could open", "Saying no costs you nothing")
	h.stranger().get("/").is(http.StatusOK).says("It is a vote, not an investment", "cannot be called back")
	h.stranger().get("/privacy").is(http.StatusOK).says("Sign in and choose")
}

// Every page leads to help.
func TestHelpIsOnEveryPage(t *testing.T) {
	h, d := shared(t)
	b := h.browse("eva")
	for _, path := range append(pagesOf(d.ID), "/help", "/privacy", "/minutes") {
		if page := b.get(path); !strings.Contains(page.text, `href="/help"`) || !strings.Contains(page.text, "mailto:members@riverside.example") {
			t.Errorf("%s leads to no help", path)
		}
	}
	b.get("/help").says("Dataset", "Pool", "Period", "Statement", "Steward", "Self-custody", "A person who helps")
}

// What others got is told before somebody agrees, once there is a past.
func TestWhatOthersGotIsSaidBeforeConsent(t *testing.T) {
	h, _ := settledStory(t)
	page := h.browse("eva").get("/consent/wearables").is(http.StatusOK)
	page.says("Last year half of the 3 members who share Wearables data got", "or less for them")
	page.keepsQuiet("We do not know yet what")
	h.browse("eva").get("/money").says("Last year half of the 3 members")
}

// A statement explains every line: what it weighs, of how much, and the bounds.
func TestAStatementExplainsEveryLine(t *testing.T) {
	h, _ := settledStory(t)
	page := h.browse("eva").get("/money/P0001").is(http.StatusOK)
	wellFormed(t, page)
	page.says("Data that was read : Wearables", "Data kept available : Wearables", "Weight of this line 1 day All weights in the pot 3 days",
		"By 10\u00a0% of its weight, up or down", "Not at all", "A formula set", "coverage")
}

// settledStory is a period in which three members earned, past its settlement.
func settledStory(t *testing.T) (h *house, period client.Period) {
	h = openHouse(t)
	ctx := context.Background()
	for i, name := range []string{"eva", "finn", "guel"} {
		api, _ := h.member(name)
		h.share(api, uint64(i)+1)
	}
	s := h.study(30)
	request := s.ask()
	s.pay(request.ID)
	s.fetch(request.ID, 3, 0)
	h.clock.Advance(25 * time.Hour)
	bea, _ := h.member("bea")
	_, err := bea.ClosePeriod(ctx, "P0001")
	ok(t, err)
	h.clock.Advance(241 * time.Hour)
	period, err = bea.SettlePeriod(ctx, "P0001")
	ok(t, err)
	return h, period
}
