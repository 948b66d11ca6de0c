package web_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/web/client"
)

// TestAStewardVetsAndTwoStopAndLetGoOnInTheBrowser: what a steward is shown of a
// researcher is enough to ask for data, and what two of them stop stands still.
func TestAStewardVetsAndTwoStopAndLetGoOnInTheBrowser(t *testing.T) {
	chromium(t)
	h := openHouse(t)
	h.member("eva")
	const reason = "A laptop of a research group was stolen."
	var at seen
	stopped := func(want bool) func(seen) {
		return func(seen) {
			got, err := h.web.Config.Market.Frozen(context.Background())
			if ok(t, err); got.Standing() != want {
				t.Errorf("deliveries are stopped: %v", got.Standing())
			}
		}
	}
	at = h.play("steward", told{"name": "Example University", "reason": reason}, map[string]func(seen){"stopped": stopped(true), "asked": stopped(true)})
	stopped(false)(at)
	at.says(t, map[string]string{"vetted": "Example University is vetted", "once": "Vetted researchers", "stopped": "Every delivery is stopped", "banner": reason,
		"asked": "until a second steward agrees", "alone": "0", "toAgree": "Ada asked to lift it", "lifted": "lifted by Ada and Bea"})
	secret := fmt.Sprint(at.Told["secret"])
	for name, text := range map[string]any{"the page that follows": at.Told["once"], "the log": h.logs.String()} {
		if strings.Contains(fmt.Sprint(text), secret) {
			t.Errorf("%s holds the secret", name)
		}
	}
	if strings.Contains(fmt.Sprint(at.Told["noBanner"]), reason) {
		t.Error("a member still reads that deliveries are stopped")
	}
	api, err := client.New(h.base, client.WithCredentials(fmt.Sprint(at.Told["client"]), secret))
	ok(t, err)
	for _, err := range api.Requests(context.Background()) {
		ok(t, err)
	}
}

// TestTwoTreasurersPayInTheBrowser: one alone moves no money, however often they
// try, and what two release is in the bank's file and on the member's page.
func TestTwoTreasurersPayInTheBrowser(t *testing.T) {
	chromium(t)
	h := openHouse(t)
	ctx := context.Background()
	for i, who := range []string{"eva", "finn", "guel"} {
		c, _ := h.member(who)
		h.share(c, uint64(i+1))
	}
	s := h.study(30)
	request := s.ask()
	s.pay(request.ID)
	s.fetch(request.ID, 3, 0)
	h.clock.Advance(time.Hour)
	bea, _ := h.member("bea")
	const iban = "DE89370400440532013000"
	released := func(want bool) func(seen) {
		return func(seen) {
			for p, err := range bea.Periods(ctx) {
				if ok(t, err); p.ID == "P0001" && (p.State == "released") != want {
					t.Errorf("the period is %s", p.State)
				}
			}
		}
	}
	last := h.play("treasury", told{"iban": iban, "period": "P0001"}, map[string]func(seen){
		"closed": func(seen) { h.clock.Advance(300 * time.Hour) },
		"once":   released(false),
	})
	released(true)(last)
	last.says(t, map[string]string{"account": "Ends in 3000", "unticked": "1", "closed": "The period is closed", "statement": "Why this amount", "settled": "The period is settled",
		"once": "Your release is noted", "twice": "money needs a second person", "released": "Two treasurers have released it", "file": iban, "paid": "P0001"})
	if strings.Contains(fmt.Sprint(last.Told["once"]), "payment file") {
		t.Error("one treasurer alone gets the payment file")
	}
}

// TestAResearcherWorksInTheBrowser: from the first sign-in to the report, with the
// reasons before anything is asked.
func TestAResearcherWorksInTheBrowser(t *testing.T) {
	chromium(t)
	h := openHouse(t)
	ctx := context.Background()
	for i, who := range []string{"eva", "finn", "dan"} {
		c, _ := h.member(who)
		h.share(c, uint64(i+1))
	}
	ada, _ := h.member("ada")
	r, err := ada.VetResearcher(ctx, client.ResearcherDraft{Name: "Example University", Kind: "university", Region: "DE"})
	ok(t, err)
	api, err := client.New(h.base, client.WithCredentials(r.ClientID, r.ClientSecret))
	ok(t, err)
	key, err := client.Keygen(true)
	ok(t, err)
	s := &study{h: h, api: api, key: key}
	o := told{"client": r.ClientID, "secret": r.ClientSecret, "recipient": key.Recipient(), "title": "Do people who walk sleep longer?", "report": came}
	last := h.play("researcher", o, map[string]func(seen){
		"challenged": func(seen) {
			_, err := api.ProveRecipient(ctx, key)
			ok(t, err)
		},
		"tried": func(seen) {
			for req, err := range api.Requests(ctx) {
				ok(t, err)
				t.Errorf("trying made the request %s", req.ID)
			}
		},
		"accepted": func(at seen) {
			invoice, err := first(api.Invoices(ctx))
			ok(t, err)
			h.paid(invoice)
			s.fetch(at.Said, 3, 0)
		},
	})
	last.says(t, map[string]string{"wrong": "That did not work", "empty": "You have asked for nothing yet", "challenge": "BEGIN AGE", "refused": "Why not more", "tried": "3 datasets of 3 members",
		"made": "Your request is made", "accepted": "Reference of the payment", "waits": "Pay invoice", "paid": "Paid", "short": "40 to 4000 characters", "reported": "all copies are deleted", "left": "Sign in as a researcher"})
	if page := h.stranger().get("/pools/wearables"); !strings.Contains(page.said(), came) {
		t.Error("nobody reads what came of it")
	}
}
