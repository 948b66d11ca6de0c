package web_test

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/web/client"
)

// shared opens a house in which eva, finn and gül share wearables data that a
// university has asked for, and bea has closed the first period.
func shared(t *testing.T, changes ...func(*house)) (h *house, eva client.Dataset) {
	h = openHouse(t, changes...)
	ctx := context.Background()
	for seed, who := range []string{"finn", "guel", "eva"} {
		c, _ := h.member(who)
		eva = h.share(c, uint64(seed))
	}
	r, recipient, _ := h.researcher()
	_, err := r.SubmitRequest(ctx, client.RequestDraft{Pool: "wearables", Title: "Sleep & steps", DUO: "DUO:0000042",
		DPV: "AcademicResearch", RetentionDays: 30, Recipient: recipient.ID})
	ok(t, err)
	bea, _ := h.member("bea")
	_, err = bea.ClosePeriod(ctx, "P0001")
	ok(t, err)
	return h, eva
}

// narrow is the law in force with one rule more.
func narrow() string {
	return string(policies.Default()) + `
# METADATA
# title: Universities only
# description: Only universities get data.
forbid contains {
	"code": "coop-universities-only",
	"sentence": "The co-op releases data only to universities.",
} if {
	input.request.requester.kind != "university"
}
`
}

// ours are the scripts that a page may have: files of the islands.
var ours = regexp.MustCompile(`<script src="/islands/[0-9a-f]+/(?:add|own)\.js" defer></script>`)

var h1 = regexp.MustCompile(`<h1[ >]`)

// wellFormed checks what every page owes its reader and the content policy.
func wellFormed(t *testing.T, v visited) {
	t.Helper()
	if n := len(h1.FindAllString(v.text, -1)); n != 1 {
		t.Errorf("%s has %d main headings", v.path, n)
	}
	text := ours.ReplaceAllString(v.text, "")
	for _, bad := range []string{"<script", " style=", "<style", "ZgotmplZ", "<no value>", "%!", " onclick=", "http-equiv"} {
		if strings.Contains(text, bad) {
			t.Errorf("%s holds %q", v.path, bad)
		}
	}
	for _, good := range []string{`<html lang="en">`, `href="#main"`, `<main id="main"`, "<footer", "<title>"} {
		if !strings.Contains(v.text, good) {
			t.Errorf("%s lacks %q", v.path, good)
		}
	}
	if csp := v.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("%s: content policy %q", v.path, csp)
	}
	if got := v.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("%s: cache control %q", v.path, got)
	}
}

// sentences are the pages of a member and something that each says.
func sentences(dataset string) map[string]string {
	return map[string]string{
		"/":                             "Hello, Eva",
		"/about":                        "call back copies that researchers",
		"/pools":                        "Wearables",
		"/pools/wearables":              "steps",
		"/researchers":                  "Get vetted",
		"/data":                         "Shared as you allow",
		"/data/" + dataset:              "Example University (university, DE) asked for your Wearables data for: Sleep & steps",
		"/data/" + dataset + "/consent": "What may this dataset be used for?",
		"/data/" + dataset + "/revoke":  "cannot be called back",
		"/consent":                      "You have given no answer",
		"/consent/wearables":            "Choose an answer",
		"/uses":                         "Asked and allowed",
		"/money":                        "P0001",
		"/money/P0001":                  "Where all the money went",
		"/money/account":                "You have named no account",
		"/votes":                        "Nothing has been proposed yet",
		"/votes/new":                    "Propose a rule",
		"/votes/split":                  "You have not said anything yet",
		"/work":                         "No work has been handed in yet",
		"/tokens":                       "Access tokens",
		"/invite":                       "Invite somebody",
	}
}

// pagesOf are the paths of a member's pages, in order.
func pagesOf(dataset string) []string { return slices.Sorted(maps.Keys(sentences(dataset))) }

func TestEveryPageRendersForAMember(t *testing.T) {
	h, d := shared(t)
	b := h.browse("eva")
	for path, sentence := range sentences(d.ID) {
		page := b.get(path).is(http.StatusOK)
		wellFormed(t, page)
		page.says(sentence)
	}
	if bundle := b.get("/money/P0001/bundle").is(http.StatusOK); appraisal.Verify([]byte(bundle.text)) != nil {
		t.Error("the bundle cannot be computed again")
	}
	for subject, path := range map[string]string{"ada": "vetting", "bea": "treasury", "dan": "appeals"} {
		wellFormed(t, h.browse(subject).get("/steward/"+path).is(http.StatusOK))
	}
	for _, path := range []string{"/", "/about", "/pools", "/researchers"} {
		wellFormed(t, h.stranger().get(path).is(http.StatusOK))
	}
}

func TestPagesOfMembersNeedTheirSession(t *testing.T) {
	h := openHouse(t)
	s := h.stranger()
	s.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, path := range []string{"/data", "/uses?before=x", "/votes/new", "/money", "/tokens", "/steward/vetting", "/data/" + unknownID} {
		page := s.get(path).is(http.StatusSeeOther)
		if want := "/login?return=" + url.QueryEscape(path); page.header.Get("Location") != want {
			t.Errorf("%s leads to %s, want %s", path, page.header.Get("Location"), want)
		}
	}
	_, token := h.member("eva")
	s.get("/data", "Authorization", "Bearer "+token).is(http.StatusSeeOther)
	for _, path := range []string{"/pause", "/votes/new", "/tokens", "/data/" + unknownID + "/revoke"} {
		wellFormed(t, s.post(path, url.Values{"sure": {"yes"}}).is(http.StatusUnauthorized).says("nothing was saved"))
	}
}

func TestPagesOfStewardsLookLikeNoPageToOthers(t *testing.T) {
	h := openHouse(t)
	eva, ada := h.browse("eva"), h.browse("ada")
	for _, path := range []string{"/steward/vetting", "/steward/treasury", "/steward/appeals", "/steward/periods/P0001/payout.xml", "/steward/none"} {
		eva.get(path).is(http.StatusNotFound).says("There is no such")
		eva.post(path, nil).keepsQuiet("office")
	}
	ada.get("/steward/treasury").is(http.StatusNotFound)
	ada.post("/steward/periods/P0001/close", url.Values{"sure": {"yes"}}).is(http.StatusNotFound)
	if strings.Contains(eva.get("/").text, "/steward/") {
		t.Error("the menu offers a steward's page to a member")
	}
}

func TestAStrangersDatasetIsNotFound(t *testing.T) {
	h, d := shared(t)
	finn := h.browse("finn")
	for _, path := range []string{"/data/" + d.ID, "/data/" + d.ID + "/consent", "/data/" + d.ID + "/revoke", "/data/" + d.ID + "/receipt",
		"/data/x", "/data/" + unknownID, "/consent/nowhere", "/pools/nowhere", "/votes/x", "/votes/" + unknownID, "/work/x", "/money/P9999"} {
		wellFormed(t, finn.get(path).is(http.StatusNotFound))
	}
	finn.post("/data/"+d.ID+"/revoke", url.Values{"sure": {"yes"}}).is(http.StatusNotFound)
	finn.post("/data/"+d.ID+"/withdraw", nil).is(http.StatusNotFound)
	finn.post("/data/"+d.ID+"/consent", url.Values{"preset": {"none"}, "step": {"save"}}).is(http.StatusNotFound)
	h.browse("eva").get("/data/"+d.ID).is(http.StatusOK).says("Shared as you allow", "You allow any kind of research")
}

func TestRevokingAsksFirstAndGivesAReceipt(t *testing.T) {
	h, d := shared(t)
	b := h.browse("eva")
	wellFormed(t, b.post("/data/"+d.ID+"/revoke", nil).is(http.StatusUnprocessableEntity).says("Say that you are sure"))
	b.get("/data/" + d.ID).says("Shared as you allow")
	done := b.post("/data/"+d.ID+"/revoke", url.Values{"sure": {"yes"}}).is(http.StatusOK)
	wellFormed(t, done.says("revoked and destroyed", "The dataset's own key is deleted", "cannot be called back"))
	receipt := b.get("/data/" + d.ID + "/receipt").is(http.StatusOK)
	if !strings.Contains(receipt.header.Get("Content-Disposition"), "attachment") || !strings.Contains(receipt.text, `"signature"`) {
		t.Errorf("not a receipt to keep: %s", receipt.text)
	}
	if back := b.get("/data/"+d.ID+"/revoke").is(http.StatusOK).says("This dataset is revoked already", "Receipt of the revocation"); back.path != "/data/"+d.ID {
		t.Errorf("the back button leads to %s", back.path)
	}
	b.post("/data/"+d.ID+"/revoke", url.Values{"sure": {"yes"}}).is(http.StatusOK)
	b.post("/data/"+d.ID+"/consent", url.Values{"preset": {"any"}, "step": {"save"}}).is(http.StatusGone)
}
