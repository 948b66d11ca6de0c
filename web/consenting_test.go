package web_test

import (
	"context"
	"crypto/ed25519"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/web/client"
)

func TestMembersSeeWhatHoldsBeforeTheyAnswer(t *testing.T) {
	h, ctx := openHouse(t), context.Background()
	eva, token := h.member("eva")
	for pool, want := range map[string]client.ConsentDefault{"wearables": {Answer: "ask", Conditions: []string{}},
		"clinical": {Answer: "refuse", Days: 730, Conditions: []string{"DUO:0000021"}}} {
		r, err := eva.Consent(ctx, client.PoolScope(pool))
		ok(t, err)
		said, _ := json.Marshal(r.Default)
		wanted, _ := json.Marshal(want)
		if r.State != client.Unanswered || r.ID != "" || r.Terms.Effect != "refused" || string(said) != string(wanted) {
			t.Errorf("%s: %+v, default %s", pool, r, said)
		}
	}
	refused(t, h.call("GET", "/v1/me/consents/pools/wearables/receipt", token, ""), http.StatusNotFound, "consent-not-found")
	b := h.browse("eva")
	b.get("/consent").says("You have given no answer, so every request is refused. When somebody asks for these data you are told")
	form := b.get("/consent/clinical").says("your answer holds for 730 days", "only if an ethics board has approved it")
	for _, field := range []string{`value="DUO:0000021" checked`, `value="730" selected`} {
		if !strings.Contains(form.text, field) {
			t.Errorf("the form does not start with %s", field)
		}
	}
	if chosen := regexp.MustCompile(`name="(preset|purpose|kind|commercial)"[^>]* checked`).FindString(form.text); chosen != "" {
		t.Errorf("something is chosen in the member's place: %s", chosen)
	}
	if asking := b.get("/consent/wearables"); !strings.Contains(asking.text, `value="ask" checked`) {
		t.Error("the form does not start from being asked")
	}
	b.post("/consent/clinical", url.Values{"preset": {"own"}, "days": {"730"}, "condition": {"DUO:0000021"}}).is(http.StatusUnprocessableEntity).
		says("Say which purposes are allowed.")
}

func TestAnAnswerIsLookedAtThroughTheAPI(t *testing.T) {
	h, ctx := openHouse(t), context.Background()
	eva, token := h.member("eva")
	terms := *agree()
	terms.MinPrice = 1_000_000
	p, err := eva.PreviewConsent(ctx, client.ConsentDraft{Pool: "wearables", Terms: terms})
	ok(t, err)
	if len(p.Allows)+len(p.Refuses) != len(p.Sentences) || len(p.Warnings) != 1 || p.Allows[0] != "You allow any kind of research." || p.Refuses[0] != "You refuse commercial use." {
		t.Errorf("%+v", p)
	}
	terms.MinPrice = 0
	if p, err = eva.PreviewConsent(ctx, client.ConsentDraft{Terms: terms}); err != nil || len(p.Warnings) != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	if r, err := eva.Consent(ctx, client.PoolScope("wearables")); err != nil || r.State != client.Unanswered {
		t.Errorf("a preview was saved: %+v, %v", r, err)
	}
	const nothing = `"terms":{"effect":"given","purposes":[],"dpv":[],"requester_kinds":[],"regions":[],"commercial":false,"min_price":0,"days":0}}`
	refused(t, h.call("POST", "/v1/me/consents/preview", token, `{`+nothing), http.StatusUnprocessableEntity, "consent-invalid")
	refused(t, h.call("POST", "/v1/me/consents/preview", token, `{"pool":"nowhere",`+nothing), http.StatusNotFound, "not-found")
	refused(t, h.call("POST", "/v1/me/consents/preview", token, `{"dataset":"`+unknownID+`",`+nothing), http.StatusNotFound, "dataset-not-found")
}

func TestADatasetFollowsItsPoolAgain(t *testing.T) {
	h, ctx := openHouse(t), context.Background()
	eva, token := h.member("eva")
	d := h.share(eva, 1)
	b := h.browse("eva")
	b.get("/data/"+d.ID).says("Change the answer for this dataset", "Follow the pool’s answer again")
	wellFormed(t, b.get("/data/"+d.ID+"/as-pool").is(http.StatusOK).says("You allow any kind of research", "What would hold instead", "You have given no answer"))
	b.post("/data/"+d.ID+"/as-pool", nil).is(http.StatusOK).says("This dataset follows the pool again", "No answer yet").keepsQuiet("Follow the pool’s answer again")
	b.post("/data/"+d.ID+"/as-pool", nil).is(http.StatusOK) // sent twice
	b.get("/data/" + d.ID + "/as-pool").is(http.StatusConflict)
	refused(t, h.call("POST", "/v1/me/consents/datasets/"+d.ID+"/as-pool", token, ""), http.StatusConflict, "consent-as-pool")
	_, err := eva.SetConsent(ctx, client.DatasetScope(d.ID), *agree())
	ok(t, err)
	r, err := eva.FollowPool(ctx, d.ID)
	ok(t, err)
	if r.State != "as-pool" || !strings.Contains(r.Sentences[0], "your answer for the whole pool counts") {
		t.Errorf("%+v", r)
	}
	all, err := eva.ConsentRecords(ctx)
	ok(t, err)
	if len(all.Items) != 4 || all.Items[0].ID != r.ID {
		t.Fatalf("%+v", all)
	}
	key := testkit.Key().Public().(ed25519.PublicKey)
	for _, one := range all.Items {
		receipt, err := eva.RecordReceipt(ctx, one.ID)
		ok(t, err)
		ok(t, consent.VerifyReceipt(receipt, key))
	}
	_, finn := h.member("finn")
	refused(t, h.call("GET", "/v1/me/consents/records/"+r.ID+"/receipt", finn, ""), http.StatusNotFound, "consent-not-found")
	b.get("/data/"+d.ID+"/consent").says("What you answered before", "Follows the pool", "Download its receipt")
}

func TestMembersSeeWhoAskedWhyAndUnderWhichLaw(t *testing.T) {
	h, d := shared(t)
	b := h.browse("eva")
	feed := b.get("/uses").is(http.StatusOK)
	wellFormed(t, feed.says("Example University (university, DE)", "What they have accepted to do", "Sleep & steps"))
	link := regexp.MustCompile(`/uses/[0-9a-f-]{36}`).FindString(feed.text)
	one := b.get(link).is(http.StatusOK)
	wellFormed(t, one.says("Asked and allowed", "Delete the data when", "What the members had voted then", "30 days at most"))
	law := regexp.MustCompile(`/law/[0-9a-f]{64}`).FindString(one.text)
	wellFormed(t, b.get(law).is(http.StatusOK).says("In force", "package coop.access"))
	b.get("/law/" + strings.Repeat("0", 64)).is(http.StatusNotFound)
	h.browse("bea").get(link).is(http.StatusNotFound)

	b.get("/uses?outcome=allowed").says("Asked and allowed")
	b.get("/uses?outcome=refused").is(http.StatusOK).says("Nothing fits what you chose.")
	b.get("/uses?dataset=" + d.ID).says("Asked and allowed")
	b.get("/uses?dataset=" + unknownID).says("Nothing fits what you chose.")
	b.get("/uses?outcome=maybe").is(http.StatusUnprocessableEntity)
	table := b.get("/uses.csv?outcome=allowed").is(http.StatusOK)
	rows, err := csv.NewReader(strings.NewReader(table.text)).ReadAll()
	ok(t, err)
	if len(rows) != 2 || rows[0][1] != "outcome" || rows[1][1] != "allowed" || rows[1][8] != "Sleep & steps" {
		t.Errorf("%q", rows)
	}
	if got := table.header.Get("Content-Type"); got != "text/csv; charset=utf-8" {
		t.Errorf("content type %s", got)
	}
}

func TestTheFeedIsFilteredThroughTheAPI(t *testing.T) {
	h, d := shared(t)
	_, token := h.member("eva")
	ask := func(query string) (p client.Page[client.Use]) {
		t.Helper()
		a := h.call("GET", "/v1/me/uses"+query, token, "")
		if a.status != http.StatusOK {
			t.Fatalf("%s: %d %s", query, a.status, a.body)
		}
		ok(t, json.Unmarshal(a.body, &p))
		return p
	}
	all := ask("").Items
	if len(all) != 1 || all[0].Kind != "university" || all[0].Region != "DE" || len(all[0].Obligations) == 0 || all[0].Dataset != d.ID {
		t.Fatalf("%+v", all)
	}
	for query, want := range map[string]int{"?outcome=allowed": 1, "?outcome=refused": 0, "?dataset=" + d.ID: 1, "?dataset=" + unknownID: 0} {
		if got := len(ask(query).Items); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	researcher, recipient, _ := h.researcher()
	for range 2 {
		_, err := researcher.SubmitRequest(context.Background(), client.RequestDraft{Pool: "wearables", Title: "Walks", DUO: "DUO:0000042",
			DPV: "AcademicResearch", RetentionDays: 30, Recipient: recipient.ID})
		ok(t, err)
	}
	for next, pages := "?limit=1&outcome=allowed", 1; ; pages++ {
		page := ask(next)
		if len(page.Items) != 1 || pages > 3 {
			t.Fatalf("page %d: %+v", pages, page)
		}
		if page.Next == "" {
			if pages != 3 {
				t.Errorf("%d pages of three decisions", pages)
			}
			break
		}
		next = "?limit=1&outcome=allowed&cursor=" + page.Next
	}
	if a := h.call("GET", "/v1/me/uses?outcome=maybe", token, ""); a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d %s", a.status, a.body)
	}
	law := h.call("GET", "/v1/policies/"+all[0].Revision, token, "")
	if law.status != http.StatusOK || !strings.Contains(string(law.body), "package coop.access") {
		t.Errorf("%d %s", law.status, law.body)
	}
	refused(t, h.call("GET", "/v1/policies/none", token, ""), http.StatusNotFound, "law-not-found")
}

func TestAStewardReviewsOnAPageInTwoSteps(t *testing.T) {
	h, ctx := openHouse(t), context.Background()
	for i, subject := range []string{"eva", "finn", "guel"} {
		c, _ := h.member(subject)
		d := h.share(c, uint64(i+1))
		terms := *agree()
		terms.Conditions = []string{"DUO:0000021"}
		_, err := c.SetConsent(ctx, client.DatasetScope(d.ID), terms)
		ok(t, err)
	}
	researcher, recipient, _ := h.researcher()
	req, err := researcher.SubmitRequest(ctx, client.RequestDraft{Pool: "wearables", Title: "Walks <b>now</b>", DUO: "DUO:0000042", DPV: "AcademicResearch",
		RetentionDays: 30, Recipient: recipient.ID, Study: client.Study{Ethics: true}})
	ok(t, err)
	ada := h.browse("ada")
	at := "/steward/vetting/requests/" + req.ID
	ada.get("/").says("1 request waits for a steward’s review")
	ada.get("/steward/vetting").says("1 request waits for a review")
	wellFormed(t, ada.get("/steward/vetting/requests").says("Walks <b>now</b>", "counts as no in 14 days"))
	wellFormed(t, ada.get(at).says("A steward reads the ethics approval", "3 datasets", "letter of the ethics board", "an ethics board has approved it"))
	for _, who := range []string{"eva", "bea"} {
		h.browse(who).get(at).is(http.StatusNotFound)
		h.browse(who).post(at, url.Values{"finding": {"yes"}, "reason": {"x"}, "step": {"save"}}).is(http.StatusNotFound)
	}
	say := url.Values{"reason": {"I have <i>read</i> it."}}
	ada.post(at, say).is(http.StatusUnprocessableEntity).says("Say whether it is as the request states")
	say.Set("finding", "yes")
	ada.post(at, url.Values{"finding": {"yes"}}).is(http.StatusUnprocessableEntity).says("Write what you found")
	wellFormed(t, ada.post(at, say).is(http.StatusOK).says("Check your finding", "I have <i>read</i> it.", "cannot be changed afterwards"))
	if r, err := researcher.Request(ctx, req.ID); err != nil || r.State != "in_review" || r.Reviewed != "" {
		t.Fatalf("the first step counts already: %+v, %v", r, err)
	}
	say.Set("step", "change")
	if page := ada.post(at, say).is(http.StatusOK); !strings.Contains(page.text, "I have &lt;i&gt;read&lt;/i&gt; it.") {
		t.Error("what was typed is gone")
	}
	say.Set("step", "save")
	ada.post(at, say).is(http.StatusOK).says("You have said that it is so", "No request waits for a review")
	ada.get(at).says("Found to be so", "I have <i>read</i> it.").keepsQuiet("What did you find?")
	ada.post(at, say).is(http.StatusConflict)
	r, err := researcher.Request(ctx, req.ID)
	if err != nil || r.State != "decided" || r.Granted != 3 || r.Reviewed != "yes" || r.Review != "I have <i>read</i> it." {
		t.Errorf("%+v, %v", r, err)
	}
	c, _ := h.member("ada")
	found, err := c.ReviewCase(ctx, req.ID)
	if err != nil || found.Open || found.Reviewed != "yes" || found.Researcher != "Example University" {
		t.Errorf("%+v, %v", found, err)
	}
}
