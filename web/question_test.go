package web_test

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"distributed.ai/datacoop/web/client"
)

// What a member says through the API comes back whole, in words as well.
func TestEveryTermOfConsentGoesThroughTheAPI(t *testing.T) {
	h, ctx := openHouse(t), context.Background()
	eva, token := h.member("eva")
	said := client.Terms{Effect: "given", Purposes: []string{"DUO:0000007"}, DPV: []string{}, RequesterKinds: []string{"university"},
		Regions: []string{"EEA"}, Diseases: []string{"MONDO:0005015"}, Conditions: []string{"DUO:0000021", "DUO:0000046"}, Studies: []string{"genetic"},
		Projects: []string{"p1"}, Institutions: []string{"https://ror.org/1"}, KeepMonths: 24, PublishFrom: "2040-01-01", Categories: []string{"PhysicalHealth"}, Mode: "ask"}
	record, err := eva.SetConsent(ctx, client.PoolScope("wearables"), said)
	ok(t, err)
	if !reflect.DeepEqual(record.Terms, said) {
		t.Errorf("%+v became %+v", said, record.Terms)
	}
	words := strings.Join(record.Sentences, " ")
	for _, want := range []string{"diabetes", "ethics board", "24 months", "1 January 2040", "You are asked about each request"} {
		if !strings.Contains(words, want) {
			t.Errorf("%q is not said: %s", want, words)
		}
	}
	b := h.browse("eva")
	b.get("/consent").says("You are asked about each request")
	form := b.get("/consent/wearables").keepsQuiet("researchers who are not on the co-op’s list")
	for _, field := range []string{`value="MONDO:0005015" checked`, `value="DUO:0000021" checked`, `value="genetic" checked`, `value="PhysicalHealth" checked`,
		`value="2040-01-01"`, `value="24" selected`, `value="ask" selected`, "\np1</textarea>", "https://ror.org/1</textarea>", `value="EEA"`} {
		if !strings.Contains(form.text, field) {
			t.Errorf("the form does not show %s", field)
		}
	}
	for terms, want := range map[string]string{
		`"purposes":["DUO:0000005"]`: "is obsolete", `"purposes":["DUO:0000017"]`: "headings", `"purposes":["DUO:0000007"]`: "Say which diseases",
		`"purposes":["DUO:0000042"],"conditions":["DUO:0000025"]`: "keep_months", `"purposes":["DUO:0000042"],"publish_from":"2001-01-01"`: "is over",
	} {
		a := h.call("PUT", "/v1/me/consents/pools/wearables", token,
			`{"effect":"given",`+terms+`,"dpv":[],"requester_kinds":["university"],"regions":[],"commercial":false,"min_price":0,"days":0}`)
		refused(t, a, http.StatusUnprocessableEntity, "consent-invalid")
		if !strings.Contains(string(a.body), want) {
			t.Errorf("%s: %s", terms, a.body)
		}
	}
	a := h.call("PUT", "/v1/me/consents/pools/wearables", token,
		`{"effect":"given","purposes":["DUO:0000042"],"dpv":[],"requester_kinds":["university"],"regions":[],"commercial":false,"min_price":"500","days":0}`)
	if a.status != http.StatusUnprocessableEntity {
		t.Errorf("a price as text: %d %s", a.status, a.body)
	}
}

func TestAMemberIsAskedAndAStewardReviews(t *testing.T) {
	h, ctx := openHouse(t), context.Background()
	subjects := []string{"eva", "finn", "bea"}
	members, tokens := map[string]*client.Client{}, map[string]string{}
	datasets := map[string]client.Dataset{}
	for i, subject := range subjects {
		members[subject], tokens[subject] = h.member(subject)
		datasets[subject] = h.share(members[subject], uint64(i+1))
		terms := *agree()
		terms.Conditions = []string{"DUO:0000021"}
		if subject == "eva" {
			terms.Mode = "ask"
		}
		_, err := members[subject].SetConsent(ctx, client.DatasetScope(datasets[subject].ID), terms)
		ok(t, err)
	}
	researcher, recipient, _ := h.researcher()
	req, err := researcher.SubmitRequest(ctx, client.RequestDraft{Pool: "wearables", Title: "Do people sleep after walks?", DUO: "DUO:0000042", DPV: "AcademicResearch",
		RetentionDays: 30, Recipient: recipient.ID, Study: client.Study{Ethics: true}})
	ok(t, err)
	if req.State != "in_review" || !req.Study.Ethics || req.Granted != 0 {
		t.Fatalf("%+v", req)
	}
	asked, err := members["eva"].Questions(ctx)
	ok(t, err)
	if len(asked.Items) != 1 || asked.Items[0].Request != req.ID || asked.Items[0].Title != req.Title || asked.Items[0].Researcher == "" {
		t.Fatalf("%+v", asked)
	}
	refused(t, h.call("POST", "/v1/me/questions/"+req.ID, tokens["finn"], `{"dataset":"`+datasets["eva"].ID+`","answer":"yes"}`), http.StatusNotFound, "question-not-found")
	refused(t, h.call("GET", "/v1/reviews", tokens["finn"], ""), http.StatusForbidden, "office-needed")
	b := h.browse("eva")
	wellFormed(t, b.get("/questions").is(http.StatusOK).says("Example University (university, DE) asks for", req.Title, "no answer counts as no", "Waiting for you"))
	b.get("/").says("Example University asks for your Wearables data", "Without an answer it counts as no in 14 days")
	b.post("/questions/"+req.ID, url.Values{"dataset": {datasets["finn"].ID}, "answer": {"yes"}}).is(http.StatusNotFound)
	b.post("/questions/"+req.ID, url.Values{"dataset": {datasets["eva"].ID}, "answer": {"no"}}).says("Your answer is saved", "You said no.")
	_, err = members["eva"].AnswerQuestion(ctx, req.ID, client.QuestionAnswer{Dataset: datasets["eva"].ID, Answer: client.AnswerYes})
	ok(t, err)
	if req, err = researcher.Request(ctx, req.ID); err != nil || req.State != "in_review" {
		t.Fatalf("%+v %v", req, err)
	}
	ada, token := h.member("ada")
	waiting, err := ada.Reviews(ctx)
	ok(t, err)
	if len(waiting.Items) != 1 || waiting.Items[0].ID != req.ID {
		t.Fatalf("%+v", waiting)
	}
	ok(t, ada.ReviewRequest(ctx, req.ID, client.RequestReview{Approve: true}))
	refused(t, h.call("POST", "/v1/reviews/"+req.ID, token, `{"approve":true}`), http.StatusConflict, "review-not-asked")
	if req, err = researcher.Request(ctx, req.ID); err != nil || req.State != "decided" || req.Granted != 3 {
		t.Errorf("%+v %v", req, err)
	}
}

func TestStudiesThatMakeNoSenseAreRefused(t *testing.T) {
	h, ctx := openHouse(t), context.Background()
	researcher, recipient, _ := h.researcher()
	for name, study := range map[string]client.Study{
		"a day by name":     {PublishFrom: "tomorrow"},
		"a disease by name": {Disease: "diabetes"},
		"a project in two":  {Project: "two words"},
	} {
		_, err := researcher.SubmitRequest(ctx, client.RequestDraft{Pool: "wearables", Title: "Walks", DUO: "DUO:0000042", DPV: "AcademicResearch",
			RetentionDays: 30, Recipient: recipient.ID, Study: study})
		if !client.IsStatus(err, http.StatusUnprocessableEntity) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
