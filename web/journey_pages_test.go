package web_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unlinked are pages that no link leads to without a doing: answers to forms,
// errors, pages of one person's link or of a thing that this house has none of,
// a researcher's own, and what is for programs.
var unlinked = regexp.MustCompile(`^/(v1|oauth|islands|static|log|schemas|\.well-known|auth|ga4gh|confirm|goodbye|join)\b|^/ways/link$|\.(txt|yaml|csv|xml|json)$|^/(livez|readyz|docs|login)$|/(bundle|receipt|appeals)$|` +
	`^/(console/.*|email/(confirm|stop)/:id|judges/:id|steward/vetting/requests/:id|work/:id)$`)

// TestEveryPageInTheBrowserIsForEverybody follows every link, as nobody, as a member and as
// each steward, and shows each page to axe-core in both themes and at both
// widths. With DATACOOP_SHOTS it keeps pictures there for people.
func TestEveryPageInTheBrowserIsForEverybody(t *testing.T) {
	chromium(t)
	h, _ := shared(t)
	s := h.play("pages", told{"logins": []string{"eva", "ada", "bea", "dan"}, "also": []string{"/approvals", "/disputes", "/inbox/email", "/steward/judges"}, "shots": os.Getenv("DATACOOP_SHOTS")}, nil)
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

// pattern is what the addresses of a route look like.
func pattern(route string) *regexp.Regexp {
	return regexp.MustCompile("^" + regexp.MustCompile(`:[a-z]+`).ReplaceAllString(strings.TrimSuffix(route, "{$}"), `[^/]+`) + "$")
}
