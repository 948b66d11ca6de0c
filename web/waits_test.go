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

// TestTheConsoleSaysWhatWaits follows two requests of a researcher, whom no
// letter reminds of anything.
func TestTheConsoleSaysWhatWaits(t *testing.T) {
	h := openHouse(t)
	ctx := context.Background()
	for i, who := range []string{"eva", "finn", "dan"} {
		api, _ := h.member(who)
		h.share(api, uint64(i+1))
	}
	b, r := h.desk()
	api, err := client.New(h.base, client.WithCredentials(r.ClientID, r.ClientSecret))
	ok(t, err)
	key, err := client.Keygen(true)
	ok(t, err)
	recipient, err := api.ProveRecipient(ctx, key)
	ok(t, err)
	ask := func(title string) string {
		req, err := api.SubmitRequest(ctx, client.RequestDraft{Pool: "wearables", Title: title, DUO: "DUO:0000042", DPV: "AcademicResearch", RetentionDays: 1, Recipient: recipient.ID})
		ok(t, err)
		return req.ID
	}
	later := func(days int) {
		h.clock.Advance(time.Duration(days) * 24 * time.Hour)
		b.post("/console", url.Values{"client_id": {r.ClientID}, "client_secret": {r.ClientSecret}}).is(http.StatusOK)
	}
	const waits, price, pay, late, remove = "What waits for you", "Look at the price", "Pay invoice", "It was due on", "Delete them and say so"
	here := func() visited { return b.get("/console").is(http.StatusOK) }

	here().says("Nothing waits for you now", "sends researchers no e-mail").keepsQuiet(waits)
	walk := ask("Who walks at noon?")
	here().says(waits, price).keepsQuiet(pay)
	inv, err := api.Accept(ctx, walk)
	ok(t, err)
	wellFormed(t, here().says(waits, pay, "Who walks at noon?", "It is due on").keepsQuiet(price, late))
	later(31)
	here().says(pay, late).keepsQuiet("It is due on")
	h.paid(inv)
	here().says("Nothing waits for you now").keepsQuiet(pay)
	_, err = api.Fetch(ctx, client.FetchOptions{Request: walk, Out: t.TempDir(), Identities: []client.Identity{key}})
	ok(t, err)
	here().says("Nothing waits for you now")
	later(2)
	here().says(waits, remove, "There is time until")

	sleep := ask("Who sleeps at noon?")
	_, err = api.Accept(ctx, sleep)
	ok(t, err)
	ask("Who rests at noon?")
	page := here().says(remove, pay, price)
	if said := page.said(); strings.Index(said, remove) > strings.Index(said, pay) || strings.Index(said, pay) > strings.Index(said, price) {
		t.Errorf("the most urgent is not first: %s", said)
	}
	later(30)
	here().says("you cannot ask for anything new")
	other, _ := h.desk()
	other.get("/console").says("Nothing waits for you now").keepsQuiet(pay, remove, "at noon")
}
