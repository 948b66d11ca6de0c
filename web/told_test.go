package web_test

import (
	"context"
	"encoding/json"
	"io"
	"mime/quotedprintable"
	"net/http"
	netmail "net/mail"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/governance/inbox"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/web/client"
)

// desk is a browser in which a researcher is signed in at the console, with the
// key they hold.
func (h *house) desk() (b *browser, r client.Researcher) {
	h.t.Helper()
	ada, _ := h.member("ada")
	r, err := ada.VetResearcher(context.Background(), client.ResearcherDraft{Name: "Example University", Kind: "university", Region: "DE"})
	ok(h.t, err)
	b = h.stranger()
	b.get("/console").is(http.StatusOK).says("Sign in as a researcher")
	if page := b.post("/console", url.Values{"client_id": {r.ClientID}, "client_secret": {r.ClientSecret}}).is(http.StatusOK); page.path != "/console" {
		h.t.Fatal(page.path)
	}
	return b, r
}

// eventually waits for what a job does.
func (h *house) eventually(what string, there func() bool) {
	h.t.Helper()
	for end := time.Now().Add(20 * time.Second); !there(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("%s does not happen", what)
		}
	}
}

const came = "People who walk at noon sleep eleven minutes longer than the others."

// TestAResearchersWayThroughTheConsole goes from the first key to the report, and
// the members read what came of it.
func TestAResearchersWayThroughTheConsole(t *testing.T) {
	h := openHouse(t)
	eva := h.browse("eva")
	members := map[string]*client.Client{}
	for i, who := range []string{"eva", "finn", "dan"} {
		members[who], _ = h.member(who)
		h.share(members[who], uint64(i+1))
	}
	b, r := h.desk()
	key, err := client.Keygen(true)
	ok(t, err)
	api, err := client.New(h.base, client.WithCredentials(r.ClientID, r.ClientSecret))
	ok(t, err)
	b.post("/console/keys", url.Values{"recipient": {"nonsense"}}).is(http.StatusUnprocessableEntity)
	b.post("/console/keys", url.Values{"recipient": {key.Recipient()}}).is(http.StatusOK).says("Not proven", "BEGIN AGE")
	recipient, err := api.ProveRecipient(context.Background(), key)
	ok(t, err)
	b.get("/console/keys").is(http.StatusOK).says("Proven")

	form := func(page visited, more ...string) url.Values {
		out := url.Values{"key": {page.hidden("key")}, "pool": {"wearables"}, "title": {"Do people who walk sleep longer?"}, "duo": {"DUO:0000042"}, "dpv": {"AcademicResearch"},
			"days": {"30"}, "recipient": {recipient.ID}, "says": {"returns"}}
		for i := 0; i+1 < len(more); i += 2 {
			out.Set(more[i], more[i+1])
		}
		return out
	}
	page := b.get("/console/ask").is(http.StatusOK)
	b.post("/console/ask", form(page, "step", "check")).is(http.StatusOK).says("What it would get", "3 datasets of 3 members")
	b.post("/console/ask", form(page, "step", "check", "duo", "DUO:0000007")).says("Why not more")
	b.post("/console/ask", form(page, "step", "submit", "days", "many")).is(http.StatusUnprocessableEntity).says("between 1 and 3650")
	b.post("/console/ask", form(page, "step", "submit", "recipient", "")).is(http.StatusUnprocessableEntity).says("that you have proven")
	made := b.post("/console/ask", form(page, "step", "submit")).is(http.StatusOK).says("Your request is made", "3 datasets at", "Accept the price")
	if again := b.post("/console/ask", form(page, "step", "submit")); again.path != made.path {
		t.Errorf("a form that is sent twice makes %s and %s", made.path, again.path)
	}
	id := regexp.MustCompile(`[0-9a-f-]{36}`).FindString(made.path)
	other, _ := h.desk()
	other.get("/console/requests/" + id).is(http.StatusNotFound)
	other.post("/console/requests/"+id+"/accept", url.Values{}).is(http.StatusNotFound)
	b.post("/console/requests/"+id+"/accept", url.Values{"key": {made.hidden("key")}}).is(http.StatusOK).says("You accepted the price", "Reference of the payment")
	invoice, err := first(api.Invoices(context.Background()))
	ok(t, err)
	h.paid(invoice)
	b.get("/console/requests/"+id).is(http.StatusOK).says("datacoop fetch --server "+h.base, r.ClientID, "3 datasets", "There is something to tell once")
	_, err = api.Fetch(context.Background(), client.FetchOptions{Request: id, Out: t.TempDir(), Identities: []client.Identity{key}})
	ok(t, err)

	report := func(summary, link string) url.Values {
		return url.Values{"summary": {summary}, "link": {link}, "deleted": {"yes"}}
	}
	at := "/console/requests/" + id + "/report"
	b.post(at, report("Short.", "")).is(http.StatusUnprocessableEntity).says("40 to 4000 characters")
	b.post(at, report(came, "http://example.org/")).is(http.StatusUnprocessableEntity).says("https://")
	other.post(at, report(came, "")).is(http.StatusNotFound)
	b.post(at, report(came+" <b>Bold</b>", "https://example.org/paper")).is(http.StatusOK).says("Thank you", "all copies are deleted")
	h.told(eva, came, id)
	b.post("/console/leave", url.Values{}).says("Sign in as a researcher")
	if page := b.get("/console/requests/" + id); page.path != "/console" {
		t.Errorf("after leaving: %s", page.path)
	}
}

// told looks where everybody and a member read what came of a request.
func (h *house) told(eva *browser, outcome, request string) {
	h.t.Helper()
	pool := h.stranger().get("/pools/wearables").is(http.StatusOK).says(outcome+" <b>Bold</b>", "Example University").keepsQuiet(request)
	if !strings.Contains(pool.text, `<a class="long" href="https://example.org/paper" rel="noopener noreferrer external">`) || strings.Contains(pool.text, "<b>Bold") {
		h.t.Error("the report is not shown as text")
	}
	dataset := regexp.MustCompile(`href="(/data/[0-9a-f-]{36})"`).FindStringSubmatch(eva.get("/data").text)
	eva.get(dataset[1]).says("What came of it", outcome)
	eva.get("/reports").says(outcome)
	h.stranger().get("/reports").keepsQuiet(outcome)
	h.eventually("the message", func() bool { return strings.Contains(eva.get("/inbox").said(), "what came of data of yours") })
	a := h.call("GET", "/v1/pools/wearables/reports", "", "")
	if a.status != http.StatusOK || !strings.Contains(string(a.body), outcome) || strings.Contains(string(a.body), request) {
		h.t.Errorf("%d %s", a.status, a.body)
	}
	var list struct{ Items []struct{ ID string } }
	ok(h.t, json.Unmarshal(a.body, &list))
	ada := h.browse("ada")
	ada.get("/steward/vetting/reports").is(http.StatusOK).says(outcome)
	ada.post("/steward/vetting/reports/"+list.Items[0].ID, url.Values{"reason": {""}}).is(http.StatusUnprocessableEntity).says("why the report is hidden")
	ada.post("/steward/vetting/reports/"+list.Items[0].ID, url.Values{"reason": {"It names a person."}}).is(http.StatusOK)
	h.stranger().get("/pools/wearables").says("A steward has hidden this report", "It names a person.").keepsQuiet(outcome, "example.org/paper")
}

func TestTheConsoleLetsNobodyElseIn(t *testing.T) {
	h := openHouse(t)
	_, r := h.desk()
	for _, wrong := range [][2]string{{"", ""}, {r.ClientID, "wrong"}, {"researcher-none", r.ClientSecret}, {"portal", r.ClientSecret}, {strings.Repeat("a", 300), "b"}, {"a:b", "c d"}} {
		b := h.stranger()
		b.post("/console", url.Values{"client_id": {wrong[0]}, "client_secret": {wrong[1]}}).is(http.StatusUnprocessableEntity).says("do not belong together").keepsQuiet(r.ClientSecret)
		if page := b.get("/console/ask"); page.path != "/console" {
			t.Errorf("%v: %s", wrong, page.path)
		}
	}
	member := h.browse("eva")
	if page := member.get("/console/ask"); page.path != "/console" {
		t.Errorf("a member: %s", page.path)
	}
	b, r := h.desk()
	b.post("/console/ask", url.Values{"days": {"1"}}, "Sec-Fetch-Site", "cross-site").is(http.StatusForbidden)
	if a := b.get("/v1/requests"); a.status != http.StatusUnauthorized {
		t.Errorf("the console's cookie opens the API: %d", a.status)
	}
	_, _, err := h.auth.RotateResearcher(context.Background(), strings.TrimPrefix(r.ClientID, "researcher-"))
	ok(t, err)
	if page := b.get("/console/ask"); page.path != "/console" {
		t.Errorf("after the credentials were replaced: %s", page.path)
	}
}

// TestAMemberHearsByMail confirms an address, reads a letter, and ends them as a
// mail program does.
func TestAMemberHearsByMail(t *testing.T) {
	post := testkit.Mail(t)
	h := openHouse(t, func(h *house) {
		h.mail = &inbox.Server{Address: post.Addr, Roots: post.Roots, From: netmail.Address{Address: "post@coop.example"}}
	})
	eva := h.browse("eva")
	eva.get("/inbox").is(http.StatusOK).says("There are no messages yet")
	eva.post("/inbox/email", url.Values{"address": {"eva"}, "cadence": {"daily"}, "topic": {"security"}}).is(http.StatusUnprocessableEntity).says("not an e-mail address")
	eva.post("/inbox/email", url.Values{"address": {"eva@home.example"}, "cadence": {"daily"}, "topic": {"security"}}).is(http.StatusOK).says("Look into your mailbox", "Not confirmed")
	letters := func(n int) string {
		t.Helper()
		h.eventually("the letter", func() bool { return len(post.Letters()) >= n })
		text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(post.Letters()[n-1].Text)))
		ok(t, err)
		return string(text)
	}
	link := regexp.MustCompile(`/email/confirm/\S+`).FindString(letters(1))
	anywhere := h.stranger()
	anywhere.get(link).is(http.StatusOK).says("Press the button")
	anywhere.get(link).is(http.StatusOK)
	eva.get("/inbox/email").says("Not confirmed")
	anywhere.post(link, url.Values{}).is(http.StatusOK).says("Your address is confirmed")
	anywhere.post(link, url.Values{}).is(http.StatusNotFound).says("not good")
	eva.get("/inbox/email").says("Confirmed")

	eva.post("/tokens", url.Values{"label": {"laptop"}, "hours": {"24"}}).is(http.StatusOK)
	h.eventually("the message", func() bool { return strings.Contains(eva.get("/inbox").said(), "A token was made") })
	if page := eva.get("/data"); !strings.Contains(page.text, `Messages <span class="tag wait">1`) {
		t.Error("the menu does not say that there is a message")
	}
	h.clock.Advance(24 * time.Hour)
	text := letters(2)
	if !strings.Contains(text, "1 about your account") || strings.Contains(text, "laptop") || strings.Contains(text, "Eva") {
		t.Errorf("the letter says %s", text)
	}
	page := eva.get("/inbox").says("New", "Mark all as read")
	eva.post("/inbox/read", url.Values{"through": {page.hidden("through")}}).is(http.StatusOK).keepsQuiet("New", "Mark all as read")
	eva.post("/inbox/read", url.Values{"id": {"none"}}).is(http.StatusNotFound)

	stop := regexp.MustCompile(`(?m)^List-Unsubscribe: <http://[^/]+(/email/stop/\S+)>`).FindStringSubmatch(post.Letters()[1].Text)
	if stop == nil {
		t.Fatalf("no way out in %s", post.Letters()[1].Text)
	}
	anywhere.get(stop[1]).is(http.StatusOK).says("No more letters?")
	eva.get("/inbox/email").says("eva@home.example")
	a := h.call("POST", stop[1], "", "List-Unsubscribe=One-Click", "Content-Type", formType) // no cookie, no origin
	if a.status != http.StatusOK {
		t.Fatalf("one click: %d %s", a.status, a.body)
	}
	eva.get("/inbox/email").keepsQuiet("eva@home.example")
	if strings.Contains(h.logs.String(), "eva@home.example") {
		t.Error("the address is in the log")
	}
}
