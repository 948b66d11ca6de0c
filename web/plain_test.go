package web_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/testkit"
)

// readable is the highest reading age of a page, in years.
const readable = 12

var article = regexp.MustCompile(`(?s)<main.*</main>`)

// running are the texts of a page's main part, one for each block.
func running(page string) []string {
	page = spans.ReplaceAllString(unseen.ReplaceAllString(article.FindString(page), ""), "")
	var out []string
	for _, text := range blocks.Split(page, -1) {
		if text = strings.TrimSpace(html.UnescapeString(text)); text != "" {
			out = append(out, text)
		}
	}
	return out
}

// A child of twelve can read every page that members read.
func TestEveryPageIsWrittenPlainly(t *testing.T) {
	h, d := shared(t)
	b := h.browse("eva")
	for _, path := range pagesOf(d.ID) {
		age := testkit.ReadingAge(running(b.get(path).is(http.StatusOK).text))
		t.Logf("%-50s %.1f years", path, age)
		if age > readable {
			t.Errorf("%s is for readers of %.1f years", path, age)
		}
	}
}
