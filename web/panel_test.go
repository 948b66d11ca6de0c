package web_test

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/web/client"
)

// A judgement is contested in the browser, members are drawn, answer and step
// back in theirs, and the outcome is on the appellant's page.
func TestAJudgementGoesBeforeMembersDrawnByLot(t *testing.T) {
	h := openHouse(t)
	people := map[string]*client.Client{}
	for _, name := range []string{"ada", "bea", "cem", "dan", "eva", "finn", "guel"} {
		people[name], _ = h.member(name)
	}
	work, err := people["eva"].SubmitContribution(t.Context(), client.ContributionDraft{Kind: "document", Title: "Minutes", Text: "Everybody could follow them.", Evidence: "sha256"})
	ok(t, err)
	for _, name := range []string{"bea", "cem"} {
		_, err := people[name].Review(t.Context(), work.ID, client.ReviewBody{Accept: true, Size: 2})
		ok(t, err)
	}
	h.clock.Advance(time.Hour)
	_, err = people["bea"].ClosePeriod(t.Context(), "P0001")
	ok(t, err)
	eva := h.browse("eva")
	line := "work|" + work.ID
	eva.get("/money/P0001").says("A fact is wrong", "A steward checks facts.", "It was judged wrongly: Work: Minutes", "propose another")
	eva.post("/money/P0001", url.Values{"text": {"Look."}, "line": {"work|none"}}).is(http.StatusUnprocessableEntity).says("Name a line of your own statement")
	eva.post("/money/P0001", url.Values{"text": {"I wrote them."}, "line": {line}}).is(http.StatusOK).says("Members are drawn by lot", "Waiting for an answer")

	var seated []string
	h.until(func() bool {
		seated = nil
		for name, c := range people {
			for d, err := range c.PanelDuties(t.Context()) {
				ok(t, err)
				if d.State == "waiting" {
					seated = append(seated, name)
				}
			}
		}
		return len(seated) >= 3
	})
	for _, name := range seated {
		if strings.Contains("bea cem dan eva", name) {
			t.Fatalf("%s has an interest and was drawn", name)
		}
	}
	appeal := ""
	for d, err := range people[seated[0]].PanelDuties(t.Context()) {
		ok(t, err)
		appeal = d.Appeal
	}
	at := "/panels/" + appeal
	for _, name := range seated {
		b := h.browse(name)
		b.get("/").says("You were drawn into 1 panel")
		wellFormed(t, b.get("/panels").says("Minutes Everybody could follow them.", "Step back", "Size points").keepsQuiet("eva", "I wrote them."))
		b.post(at, url.Values{"yes": {"charm"}}).is(http.StatusUnprocessableEntity).says("questions")
		b.post(at, url.Values{"answer": {"yes"}, "yes": {"need", "result"}}).is(http.StatusOK).says("Your answers are in", "You answered")
		b.post(at, url.Values{"answer": {"back"}}).is(http.StatusConflict).says("does not wait for your answer")
		b.get("/").keepsQuiet("You were drawn into")
	}
	eva.post(at, url.Values{"yes": {"need"}}).is(http.StatusNotFound)
	wellFormed(t, eva.get("/money/P0001").says("3 answered", "before a panel drawn by lot"))
	h.browse("dan").get("/steward/appeals").says("I wrote them.")
	eva.get("/money/P0001/appeals").is(http.StatusNotFound) // before it is settled
}

// A steward mends a figure in a form, with its source; a no can be taken on.
func TestAStewardMendsAFigureOrTheMemberGoesOn(t *testing.T) {
	h := openHouse(t)
	people := map[string]*client.Client{}
	for _, name := range []string{"bea", "cem", "dan", "eva"} {
		people[name], _ = h.member(name)
	}
	work, err := people["eva"].SubmitContribution(t.Context(), client.ContributionDraft{Kind: "document", Title: "Minutes", Evidence: "sha256"})
	ok(t, err)
	for _, name := range []string{"bea", "cem"} {
		_, err := people[name].Review(t.Context(), work.ID, client.ReviewBody{Accept: true, Size: 2})
		ok(t, err)
	}
	h.clock.Advance(time.Hour)
	_, err = people["bea"].ClosePeriod(t.Context(), "P0001")
	ok(t, err)
	eva, dan := h.browse("eva"), h.browse("dan")
	eva.post("/money/P0001", url.Values{"text": {"It was size 5."}, "line": {""}}).is(http.StatusOK)
	page := dan.get("/steward/appeals")
	wellFormed(t, page.says("A figure to mend", "Size points"))
	answer := regexpAppeal(t, page.text)
	fix := url.Values{"decision": {"uphold"}, "answer": {"The minutes say so."}, "figure": {"work|" + work.ID + "|points"}, "value": {"many"}, "source": {"minutes, page 2"}}
	dan.post(answer, fix).is(http.StatusUnprocessableEntity).says("A correction names a figure")
	fix.Set("value", "8")
	dan.post(answer, fix).is(http.StatusOK).says("The appeal is upheld")
	eva.get("/money/P0001").says("Before the correction your amount was", "accepted with 8 size points")
	eva.post("/money/P0001", url.Values{"text": {"And it was later, too."}}).is(http.StatusOK) // an upheld appeal restores the free one
	answer = regexpAppeal(t, dan.get("/steward/appeals").text)
	dan.post(answer, url.Values{"decision": {"dismiss"}, "answer": {"It was not."}}).is(http.StatusOK).says("For three days")
	id := strings.TrimPrefix(answer, "/steward/appeals/")
	eva.get("/money/P0001").says("Take it to a panel")
	eva.post("/money/P0001/panel", url.Values{"appeal": {id}, "line": {"stipend|x"}}).is(http.StatusUnprocessableEntity)
	eva.post("/money/P0001/panel", url.Values{"appeal": {id}, "line": {"work|" + work.ID}}).is(http.StatusOK).says("A panel will look at it")
}

// kind is a judge that scores everything as high as can be.
type kind struct{}

func (kind) Weigh(_ context.Context, t appraisal.Task) (op appraisal.Opinion, err error) {
	for _, d := range t.Dossiers {
		op.Scores = append(op.Scores, appraisal.Score{Dossier: d.ID, Score: 1000})
	}
	return op, nil
}

// What a model made of a period is put to the members before it is settled.
func TestMembersVoteWhetherTheModelCounts(t *testing.T) {
	h := openHouse(t)
	h.web.Market.Judge = kind{}
	bea, _ := h.member("bea")
	eva, _ := h.member("eva")
	work, err := eva.SubmitContribution(t.Context(), client.ContributionDraft{Kind: "document", Title: "Minutes", Evidence: "sha256"})
	ok(t, err)
	_, err = bea.Review(t.Context(), work.ID, client.ReviewBody{Accept: true, Size: 2})
	ok(t, err)
	h.clock.Advance(time.Hour)
	_, err = bea.ClosePeriod(t.Context(), "P0001")
	ok(t, err)
	h.until(func() bool {
		v, err := eva.AdoptionVote(t.Context(), "P0001")
		return err == nil && v.State == "waiting"
	})
	b := h.browse("eva")
	wellFormed(t, b.get("/money/P0001").says("Does the model count?", "Opens when nobody contests it any more").keepsQuiet("Yes, the model counts"))
	b.post("/money/P0001/vote", url.Values{"choice": {"yes"}}).is(http.StatusConflict).says("Voting on this proposal has ended.")
	h.clock.Advance(241 * time.Hour)
	h.until(func() bool {
		v, err := eva.AdoptionVote(t.Context(), "P0001")
		return err == nil && v.State == "voting"
	})
	b.get("/").says("Does the model count for P0001?")
	wellFormed(t, b.get("/money/P0001").says("Yes, the model counts", "at least"))
	b.post("/money/P0001/vote", url.Values{"choice": {"perhaps"}}).is(http.StatusUnprocessableEntity)
	cast := b.post("/money/P0001/vote", url.Values{"choice": {"yes"}}).is(http.StatusOK).says("Your vote is cast", "Your receipt")
	receipt := regexp.MustCompile(`[A-Z2-7]{26}`).FindString(cast.text)
	if receipt == "" || cast.path != "/money/P0001/vote" || h.sessionsHold(receipt) {
		t.Errorf("a receipt %q stands beside its voter", receipt)
	}
	b.get("/money/P0001").says("You have voted.").keepsQuiet("Your receipt")
	b.post("/money/P0001/vote", url.Values{"choice": {"no"}}).is(http.StatusConflict).says("You have voted on this proposal already.")
	if _, err := bea.SettlePeriod(t.Context(), "P0001"); !client.IsStatus(err, http.StatusConflict) {
		t.Errorf("settled before members have decided: %v", err)
	}
	h.clock.Advance(169 * time.Hour)
	h.until(func() bool {
		v, err := eva.AdoptionVote(t.Context(), "P0001")
		return err == nil && v.State == "baseline"
	})
	b.get("/money/P0001").says("The formula alone counts", "1 yes, 0 no, 0 abstained")
	counted, err := eva.AdoptionBallots(t.Context(), "P0001")
	if err != nil || len(counted.Items) != 1 || counted.Items[0].Choice != "yes" {
		t.Errorf("%+v %v", counted, err)
	}
	_, err = bea.SettlePeriod(t.Context(), "P0001")
	ok(t, err)
}

// sessionsHold looks for a text in what is kept of everybody's sessions.
func (h *house) sessionsHold(text string) bool {
	h.t.Helper()
	var kept []byte
	ok(h.t, h.db.View(context.Background(), func(tx *db.Tx) error {
		list, err := db.Collect(tx, func(rows *db.Rows) (b []byte, err error) {
			err = rows.Scan(&b)
			return b, err
		}, `SELECT data FROM web_sessions`)
		kept = bytes.Join(list, nil)
		return err
	}))
	return bytes.Contains(kept, []byte(text))
}
