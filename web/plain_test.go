package web_test

import (
	"flag"
	"fmt"
	"html"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/web/portal/glossary"
)

// readable is the highest reading age of a page, in years.
const readable = 12

var (
	article = regexp.MustCompile(`(?s)<main.*</main>`)
	// quoted is what people wrote themselves: titles of requests, reasons, reports.
	// Nobody is asked to write for twelve-year-olds.
	quoted   = regexp.MustCompile(`(?s)<q>.*?</q>|<(p|dd|div) class="prose[^>]*>.*?</(?:p|dd|div)>`)
	listed   = regexp.MustCompile(`(?s)<details class="glossary">.*?</details>`)
	defined  = regexp.MustCompile(`<dt>([^<]*)</dt>`)
	one      = regexp.MustCompile(`(?:^|[^0-9.,:/])1 ([a-z]+s)\b`)
	many     = regexp.MustCompile(`(?:^|[^0-9.,:/])(?:[2-9]|[1-9][0-9]+) (dataset|member|request|researcher|day|hour|minute|row|column|vote|unit|period|panel|pair|question|proposal|dispute|appeal|file|copy|steward|ballot|statement|line|month|report|review|entry)\b`)
	singular = []string{"diabetes", "does", "has", "is", "was", "yes"}
	machine  = regexp.MustCompile(`\b[a-z]+_[a-z_]+\b|\b[0-9a-f]{8}-[0-9a-f]{4}-|\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b|\b[0-9a-f]{32,}\b`)
	typed    = regexp.MustCompile(`["“][^"”]*["”]|such as [0-9.]+`) // what somebody wrote or shall write
	bare     = regexp.MustCompile(`(?:^|[ (])-?[0-9]+\.[0-9]{2}\b(?:[^0-9.]|$)`)
	currency = regexp.MustCompile(`[0-9]+\.[0-9]{2} EUR`)
)

// running are the texts of a page's main part, one for each block. What stands in
// <pre>, <code> or <textarea> is for programs: laws in Rego, commands, identifiers.
func running(page string) []string {
	return testkit.Running(article.FindString(page))
}

// unplain is what a page says that people do not: sentences for readers of more
// than twelve years, words of ours that it does not explain, counts that disagree
// with their nouns, and what only programs say.
func unplain(page string) []string {
	var out []string
	if age := testkit.ReadingAge(running(quoted.ReplaceAllString(page, "it"))); age > readable {
		out = append(out, fmt.Sprintf("is for readers of %.1f years", age))
	}
	return append(append(out, unexplained(page)...), garbled(page)...)
}

// plain checks that a page in English can be read, and notes that it was.
func (v visited) plain() {
	v.t.Helper()
	if !strings.HasPrefix(v.header.Get("Content-Type"), "text/html") || !strings.Contains(v.text, `<html lang="en">`) {
		return
	}
	path, _, _ := strings.Cut(v.path, "?")
	readPages.Store(path, true)
	for _, complaint := range unplain(v.text) {
		v.t.Errorf("%s %s", path, complaint)
	}
}

// unexplained are the words of the co-op that stand on a page without what they mean.
func unexplained(page string) []string {
	var known, out []string
	for _, m := range defined.FindAllStringSubmatch(page, -1) {
		known = append(known, html.UnescapeString(m[1]))
	}
	for _, e := range glossary.In(listed.ReplaceAllString(article.FindString(page), "")) {
		if !slices.Contains(known, e.Word) && !(e.Word == "Passkey" && strings.Contains(page, "fingerprint, face or PIN")) {
			out = append(out, "does not explain “"+e.Word+"”")
		}
	}
	return out
}

// garbled is what is no English: "1 days", an enum's name, a date or a number as
// machines write it.
func garbled(page string) []string {
	var out []string
	for _, text := range running(quoted.ReplaceAllString(page, "it")) {
		text = typed.ReplaceAllString(text, "it")
		for _, m := range one.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(singular, m[1]) {
				out = append(out, "says “1 "+m[1]+"”: "+text)
			}
		}
		if m := many.FindString(text); m != "" {
			out = append(out, "says “"+m+"”: "+text)
		}
		if m := machine.FindString(text); m != "" && !strings.Contains(page, "<code>"+m+"</code>") { // a column is named in what is said of others
			out = append(out, "says “"+m+"”: "+text)
		}
		if m := bare.FindString(currency.ReplaceAllString(text, "")); m != "" {
			out = append(out, "names no currency: "+text)
		}
	}
	return out
}

// What the tests of this package have read, and all addresses there are.
var readPages, routes sync.Map

// unread are addresses of pages that no test has read. What is for programs or
// only leads elsewhere is no page.
func unread() []string {
	var out []string
	routes.Range(func(route, _ any) bool {
		method, path, _ := strings.Cut(route.(string), " ")
		found := method != "GET" || noPage.MatchString(path)
		readPages.Range(func(read, _ any) bool {
			found = found || pattern(path).MatchString(read.(string))
			return !found
		})
		if !found {
			out = append(out, path)
		}
		return true
	})
	slices.Sort(out)
	return out
}

var noPage = regexp.MustCompile(`^/(v1|oauth|islands|static|log|schemas|\.well-known|ga4gh)\b|\.(txt|yaml|csv|xml|json)$|^/(livez|readyz|docs)$|/(bundle|receipt|comparison)$|^/judges/sets/`)

// TestMain demands of a whole run that some test has read every page: each answer
// to a browser is checked where it arrives, see plain.
func TestMain(m *testing.M) {
	code := m.Run()
	only := flag.Lookup("test.run").Value.String() + flag.Lookup("test.skip").Value.String() + flag.Lookup("test.list").Value.String()
	if missed := unread(); code == 0 && only == "" && !testing.Short() && len(missed) > 0 {
		fmt.Println("FAIL: nobody reads", strings.Join(missed, ", "))
		code = 1
	}
	os.Exit(code)
}

var followed = regexp.MustCompile(`<a\b[^>]*\bhref="(/[^"#]*)[^"]*"[^>]*>`)

// walk follows every link from some pages, to one page of each kind.
func (b *browser) walk(paths ...string) (n int) {
	b.h.t.Helper()
	seen := map[string]bool{}
	for len(paths) > 0 {
		path := html.UnescapeString(paths[0])
		paths = paths[1:]
		kind := oneThing.ReplaceAllString(strings.SplitN(path, "?", 2)[0], "*")
		if seen[kind] || noPage.MatchString(strings.SplitN(path, "?", 2)[0]) {
			continue
		}
		seen[kind] = true
		n++
		for _, link := range followed.FindAllStringSubmatch(b.get(path).text, -1) {
			if !strings.Contains(link[0], " download") {
				paths = append(paths, link[1])
			}
		}
	}
	return n
}

var oneThing = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|P[0-9]{4}|[0-9a-f]{64}|\b20[0-9]{2}\b`)

// A child of twelve can read every page: nobody's, members', stewards' and
// researchers'. Other tests read what only a doing leads to, and are held to the same.
func TestEveryPageIsWrittenPlainly(t *testing.T) {
	h, d := shared(t)
	n := h.stranger().walk("/", "/console", "/nowhere", "/goodbye/nobody", "/join/nobody")
	for _, subject := range []string{"eva", "ada", "bea", "dan"} {
		n += h.browse(subject).walk("/", "/approvals", "/disputes", "/inbox/email", "/steward/judges", "/data/"+unknownID)
	}
	b := h.browse("eva")
	for _, path := range append(pagesOf(d.ID), "/data/"+d.ID+"/open") {
		b.get(path).is(http.StatusOK)
	}
	if t.Logf("%d pages read", n); n < 150 {
		t.Errorf("only %d pages were read", n)
	}
}

// The checks find what they look for.
func TestWhatIsNotPlainIsFound(t *testing.T) {
	for page, want := range map[string]string{
		`<main><p>Notwithstanding contractual obligations, participants may discontinue participation irrespective of remuneration.</p></main>`: "years",
		`<main><h1>My datasets</h1></main>`:                                         "does not explain “Dataset”",
		`<main><p>It was kept for 1 days.</p></main>`:                               "“1 days”",
		`<main><p>It was read by 12 <strong>member</strong> of us.</p></main>`:      "12 member",
		`<main><p>The state is in_review now.</p></main>`:                           "in_review",
		`<main><p>It ends on 2026-03-02 at noon.</p></main>`:                        "2026-03-02",
		`<main><p>Number 01a2057d-ff38-7cbf-a7e0-6d97ab1105cd is yours.</p></main>`: "01a2057d-ff38-",
		`<main><p>You are owed 12.50 for it.</p></main>`:                            "names no currency",
	} {
		if got := strings.Join(unplain(page), "; "); !strings.Contains(got, want) {
			t.Errorf("%s: %q, not %q", page, got, want)
		}
	}
	fine := `<main><p>You are owed 12.50 EUR for 1 day, and <code>in_review</code> is for programs.</p><p>It is what you said: <q>my 1 days</q></p></main>`
	if got := unplain(fine); len(got) > 0 {
		t.Errorf("%s: %q", fine, got)
	}
}
