package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/llm"
	"distributed.ai/datacoop/marketplace/appraisal/spotcheck"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/lessons"
)

// Members compare pairs in the browser, a steward has other models run in shadow,
// and what is not proven better is not put to the vote.
func TestMembersMeasureTheModels(t *testing.T) {
	h := openHouse(t)
	h.web.Market.Judge = kind{}
	people := map[string]*client.Client{}
	for _, name := range []string{"ada", "bea", "cem", "dan", "eva", "finn", "guel"} {
		people[name], _ = h.member(name)
	}
	for _, author := range []string{"eva", "finn"} {
		work, err := people[author].SubmitContribution(t.Context(), client.ContributionDraft{Kind: "document", Title: "Minutes of " + author, Text: "Everybody could follow them.", Evidence: "sha256"})
		ok(t, err)
		for _, name := range []string{"bea", "cem"} {
			_, err := people[name].Review(t.Context(), work.ID, client.ReviewBody{Accept: true, Size: 2})
			ok(t, err)
		}
	}
	bea := h.browse("bea")
	wellFormed(t, bea.get("/steward/judges").says("runs in shadow"))
	bea.post("/steward/judges", url.Values{"title": {"Care"}, "why": {"People say so."}, "form": {"commission_permille = 1"}}).is(http.StatusUnprocessableEntity).says("unknown key", "People say so.")
	eva := h.browse("eva")
	eva.get("/steward/judges").is(http.StatusNotFound)
	h.clock.Advance(time.Hour)
	_, err := people["bea"].ClosePeriod(t.Context(), "P0001")
	ok(t, err)
	var asked []string
	h.until(func() bool {
		asked = nil
		for name := range people {
			list, err := h.web.Market.SpotChecks(context.Background(), h.memberID(name))
			ok(t, err)
			if len(list) > 0 {
				asked = append(asked, name)
			}
		}
		return len(asked) >= 3
	})
	for _, name := range asked {
		if strings.Contains("eva finn", name) {
			list, err := h.web.Market.SpotChecks(context.Background(), h.memberID(name))
			ok(t, err)
			for _, d := range list {
				if d.Kind == appraisal.KindWork {
					t.Errorf("%s is asked about their own work", name)
				}
			}
		}
		b := h.browse(name)
		b.get("/").says("You were drawn to compare")
		wellFormed(t, b.get("/spot-checks").says("Which of the two deserves more?", "Step back").keepsQuiet("Baseline", "thousandths of"))
		list, err := h.web.Market.SpotChecks(context.Background(), h.memberID(name))
		ok(t, err)
		for _, d := range list {
			b.post("/spot-checks/"+d.ID, url.Values{"answer": {"both"}}).is(http.StatusUnprocessableEntity).says("Say left, right or same")
			b.post("/spot-checks/"+d.ID, url.Values{"answer": {"same"}}).is(http.StatusOK).says("Your answer is in", "neither deserves more")
			b.post("/spot-checks/"+d.ID, url.Values{"answer": {"left"}}).is(http.StatusConflict)
		}
		b.get("/").keepsQuiet("You were drawn to compare")
	}
	wellFormed(t, eva.get("/judges").says("Nothing is being tried", "Members were asked about", "It is sealed when all have answered"))
	var set struct {
		State string
		Asked int
		Open  []json.RawMessage
	}
	h.read("eva", "GET", "/v1/periods/P0001/calibration", "", http.StatusOK, &set)
	if set.State != "asking" || set.Asked == 0 || set.Open == nil {
		t.Errorf("%+v", set)
	}
	h.clock.Advance(20 * 24 * time.Hour)
	h.until(func() bool { // nobody votes, so the formula alone pays
		h.clock.Advance(24 * time.Hour)
		_, err := h.web.Market.Settle(t.Context(), h.memberID("bea"), "P0001")
		return err == nil
	})
	h.until(func() bool {
		h.clock.Advance(6 * time.Hour)
		h.read("eva", "GET", "/v1/periods/P0001/calibration", "", http.StatusOK, &set)
		return set.State == "sealed"
	})
	wellFormed(t, eva.get("/judges").says("Download the record of P0001"))
	_, token := h.member("eva")
	for name, text := range map[string][]byte{"the page": []byte(eva.get("/judges/sets/P0001").is(http.StatusOK).text),
		"the API": h.call("GET", "/v1/periods/P0001/calibration/record", token, "").body} {
		d, err := spotcheck.ParseDocument(text)
		if err != nil {
			t.Fatalf("what %s hands out is not the document: %v: %s", name, err, text)
		}
		if drawn, err := d.Recompute(); err != nil || drawn.Checks == 0 || len(drawn.Passed) == 0 {
			t.Errorf("%s: %+v, %v", name, drawn, err)
		}
	}
}

// memberID finds a member by their name.
func (h *house) memberID(name string) coop.MemberID {
	h.t.Helper()
	c, _ := h.member(name)
	me, err := c.Me(context.Background())
	ok(h.t, err)
	return coop.MemberID(me.ID)
}

// read takes what the API answers a member.
func (h *house) read(name, method, path, body string, want int, into any) {
	h.t.Helper()
	_, token := h.member(name)
	a := h.call(method, path, token, body)
	if a.status != want {
		h.t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	if into != nil {
		ok(h.t, json.Unmarshal(a.body, into))
	}
}

// judgesOf sets up the models of a candidate.
func judgesOf(c coop.Candidate) (appraisal.Judge, error) {
	config := llm.Config{Seed: llm.NewSecret("sixteen bytes or more"), Prompt: c.Prompt}
	for _, m := range c.Judges {
		config.Families = append(config.Families, llm.Family{Name: m.Family, BaseURL: m.BaseURL, Model: m.Name})
	}
	return llm.New(config)
}

// A scripted model runs in shadow behind HTTP on a real server: it is asked, it
// moves nothing, and without a proof it is not put to the vote.
func TestAModelRunsInShadowBehindHTTP(t *testing.T) {
	h := openHouse(t)
	h.web.Market.Judge = kind{}
	bea, _ := h.member("bea")
	eva, _ := h.member("eva")
	model := testkit.NewModel(t)
	form, err := json.Marshal(lessons.CandidateDraft{Title: "A scripted model", Why: "To see what it makes of us.",
		Form: "[[judges]]\nfamily = \"scripted\"\nbase_url = \"" + model.BaseURL + "\"\nname = \"m\"\n"})
	ok(t, err)
	h.read("eva", "POST", "/v1/candidates", string(form), http.StatusForbidden, nil)
	h.read("bea", "POST", "/v1/candidates", `{"title":"T","why":"W","form":"[[judges]]\nfamily = \"far\"\nbase_url = \"https://models.example/v1\"\nname = \"m\""}`, http.StatusUnprocessableEntity, nil)
	var c lessons.Candidate
	h.read("bea", "POST", "/v1/candidates", string(form), http.StatusCreated, &c)
	work, err := eva.SubmitContribution(t.Context(), client.ContributionDraft{Kind: "document", Title: "Minutes", Text: "What was done: the minutes. There was a need.", Evidence: "sha256"})
	ok(t, err)
	_, err = bea.Review(t.Context(), work.ID, client.ReviewBody{Accept: true, Size: 2})
	ok(t, err)
	h.clock.Advance(time.Hour)
	_, err = bea.ClosePeriod(t.Context(), "P0001")
	ok(t, err)
	h.until(func() bool {
		h.read("eva", "GET", "/v1/candidates/"+c.ID, "", http.StatusOK, &c)
		return len(c.Runs) == 1 && c.Runs[0].State != "due"
	})
	if c.Runs[0].State != "done" || len(model.Turns()) == 0 || c.Answer != "" || c.Vote != nil || len(c.Comparison) > 0 {
		t.Fatalf("%+v", c)
	}
	var st client.StatementView
	h.read("eva", "GET", "/v1/periods/P0001/statement", "", http.StatusOK, &st)
	if strings.Contains(string(st.Bundle), "scripted") {
		t.Error("a model in shadow stands in the statement")
	}
	h.read("eva", "POST", "/v1/candidates/"+c.ID+"/offer", "", http.StatusConflict, nil)
	h.read("eva", "POST", "/v1/candidates/"+c.ID+"/ballots", `{"choice":"yes"}`, http.StatusNotFound, nil)
	b := h.browse("bea")
	b.get("/judges").says("A scripted model", "It has run in 1 period", "Runs in shadow", "Try other models")
	wellFormed(t, b.get("/judges/"+c.ID).says("P0001: it ran.", "There is none yet", "The server refuses it before").keepsQuiet("Put it to the vote"))
	b.post("/judges/"+c.ID+"/offer", url.Values{}).is(http.StatusConflict).says("does not say that this candidate is better")
	b.post("/steward/judges/"+c.ID+"/withdraw", url.Values{}).is(http.StatusOK).says("The candidate is withdrawn", "Withdrawn")
}
