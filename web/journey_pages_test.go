package web_test

import (
	"context"
	"io"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/governance/inbox"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/web/client"
)

// unlinked are pages that no link leads to without a doing: answers to forms,
// errors, pages of one person's link or of a thing that this house has none of,
// a researcher's own, and what is for programs.
var unlinked = regexp.MustCompile(`^/(v1|oauth|islands|languages|static|log|schemas|languages|\.well-known|auth|ga4gh|confirm|join)\b|\.(txt|yaml|csv|xml|json)$|^/(livez|readyz|docs|login)$|/(bundle|receipt|appeals)$|` +
	`^/(console/.*|email/stop/:id|judges/sets/:id|judges/:id/comparison)$`)

// TestEveryPageInTheBrowserIsForEverybody follows every link, as nobody, as a member and as
// each steward, and shows each page to axe-core in both themes and at both
// widths. With DATACOOP_SHOTS it keeps pictures there for people.
func TestEveryPageInTheBrowserIsForEverybody(t *testing.T) {
	chromium(t)
	post := testkit.Mail(t)
	h, _ := shared(t, func(h *house) {
		h.mail = &inbox.Server{Address: post.Addr, Roots: post.Roots, From: mail.Address{Address: "post@coop.example"}}
	})
	also := append(h.busy(post), "/approvals", "/disputes", "/inbox/email", "/steward/judges", "/ways/link", "/nowhere")
	s := h.play("pages", told{"logins": []string{"eva", "ada", "bea", "dan"}, "also": also, "wrong": told{"eva": "/work"}, "shots": os.Getenv("DATACOOP_SHOTS")}, nil)
	var missed []string
	for _, route := range h.web.Routes() {
		method, path, _ := strings.Cut(route, " ")
		if method == "GET" && !unlinked.MatchString(path) && !slices.ContainsFunc(s.Pages, pattern(path).MatchString) {
			missed = append(missed, path)
		}
	}
	slices.Sort(missed)
	if len(missed) > 0 {
		t.Errorf("no link leads to %s", strings.Join(slices.Compact(missed), ", "))
	}
	t.Logf("%d pages looked at, each four times: %s", len(s.Pages), strings.Join(s.Pages, " "))
}

// busy makes in a house what is not always there: work, a request that a steward
// reviews, other models, an address to confirm and a closed account. It answers
// the links that somebody has of it.
func (h *house) busy(post *testkit.MailServer) []string {
	h.t.Helper()
	ctx := context.Background()
	people := map[string]*client.Client{}
	for _, who := range []string{"eva", "finn", "guel"} {
		people[who], _ = h.member(who)
		terms := *agree()
		terms.Conditions = []string{"DUO:0000021"} // a steward reads what the ethics board wrote
		d, err := first(people[who].Datasets(ctx))
		ok(h.t, err)
		_, err = people[who].SetConsent(ctx, client.DatasetScope(d.ID), terms)
		ok(h.t, err)
	}
	r, recipient, _ := h.researcher()
	_, err := r.SubmitRequest(ctx, client.RequestDraft{Pool: "wearables", Title: "Walks at noon", DUO: "DUO:0000042", DPV: "AcademicResearch",
		RetentionDays: 30, Recipient: recipient.ID, Study: client.Study{Ethics: true}})
	ok(h.t, err)
	_, err = people["finn"].SubmitContribution(ctx, client.ContributionDraft{Kind: "document", Title: "Minutes", Text: "What was said in March.", Evidence: "sha256"})
	ok(h.t, err)
	h.web.Market.Judge = kind{}
	form := `{"title":"More care","why":"To see what it makes of us.","form":"[[judges]]\nfamily = \"scripted\"\nbase_url = \"` + testkit.NewModel(h.t).BaseURL + `\"\nname = \"m\""}`
	h.read("bea", "POST", "/v1/candidates", form, http.StatusCreated, nil)
	h.browse("finn").post("/inbox/email", url.Values{"address": {"finn@home.example"}, "cadence": {"daily"}, "topic": {"security"}}).is(http.StatusOK)
	h.eventually("the letter", func() bool { return len(post.Letters()) > 0 })
	letter, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(post.Letters()[0].Text)))
	ok(h.t, err)
	closing, err := people["guel"].CloseAccount(ctx, "", false)
	ok(h.t, err)
	return []string{regexp.MustCompile(`/email/confirm/\S+`).FindString(string(letter)), "/goodbye/" + closing.Code}
}

// pattern is what the addresses of a route look like.
func pattern(route string) *regexp.Regexp {
	return regexp.MustCompile("^" + regexp.MustCompile(`:[a-z]+`).ReplaceAllString(strings.TrimSuffix(route, "{$}"), `[^/]+`) + "$")
}
