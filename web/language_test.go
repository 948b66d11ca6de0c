package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/web/client"
)

// A second language is one file: with a catalogue that says everything in
// brackets, nothing on any page is without them but what people and machines
// have named.
func TestASecondLanguageIsOneFile(t *testing.T) {
	h, d := shared(t, func(h *house) { h.languages = testkit.Shouted(t) })
	b := h.browse("eva")
	for _, path := range append(pagesOf(d.ID), "/nowhere") {
		page := b.get(path, "Accept-Language", "fr, de;q=0.9, en;q=0.5")
		if !strings.Contains(page.text, `<html lang="de">`) {
			t.Errorf("%s does not say which language it is in", path)
		}
		for _, text := range testkit.Unsaid(page.text) {
			if !named.MatchString(text) {
				t.Errorf("%s says %q in English", path, text)
			}
		}
	}
}

// named is what people and machines have named: members, the co-op and its pools
// (the charter's words), languages, sums of money, sizes, units, and what rule
// documents are written in.
var named = regexp.MustCompile(`^(Eva|P[0-9]{4}|Riverside Data Cooperative|English|Geklammert|demo|` +
	`(Wearables|Sport|What people watch and hear|Home energy|Health records|Glucose|Bank movements|Genotype|Days on the move|Web browsing)[\s,0-9]*(\([0-9a-f]{8}\))?|` +
	`[0-9.]+ (EUR|bytes|kB)|(the .*)?\(.*\)(: .*)?)$`)

var (
	tables  = regexp.MustCompile(`(?s)<table>.*?</table>`)                                                        // of data
	figures = regexp.MustCompile(`^[0-9.,\s·:–()-]*(MB|kB|[0-9]{1,2}\. \p{L}+ [0-9]{4}.*)?$|^[0-9A-Z]{5} [1-7]$`) // and groups of a sheet
)

// TestScriptsSpeakTheLanguageOfThePage: what the scripts, their Worker, the
// reducer in it and the server behind them say is in the one file too.
func TestScriptsSpeakTheLanguageOfThePage(t *testing.T) {
	chromium(t)
	file := testkit.Fixture(t, "02-fitbit-cohort/dailyActivity_merged.csv")
	h := openHouse(t, func(h *house) { h.builtIn, h.languages = true, testkit.Shouted(t) })
	last := h.play("language", told{"login": "eva", "language": "de", "files": []string{file}}, nil)
	pages, _ := last.Told["pages"].(map[string]any)
	if len(pages) != 8 {
		t.Errorf("%d pages were looked at", len(pages))
	}
	for name, page := range pages {
		for _, text := range testkit.Unsaid(tables.ReplaceAllString(fmt.Sprint(page), "")) {
			if !named.MatchString(text) && !figures.MatchString(text) {
				t.Errorf("%s says %q in English", name, text)
			}
		}
	}
	for name, text := range last.Told {
		if said := fmt.Sprint(text); name != "pages" && !testkit.Shouts(said) {
			t.Errorf("%s: %q is English", name, said)
		}
	}
	last.says(t, map[string]string{"refused": "⟦You stopped, or it took too long.", "sheet": "⟦It opens your key on any device:", "notTyped": "⟦What you typed does not stand",
		"short": "⟦The code has 35 characters. You typed 30.⟧", "unknown": "⟦", "noPurpose": "⟦Say which purposes are allowed"})
	if heads, _ := last.Told["heads"].([]any); len(heads) < 3 {
		t.Errorf("%d columns", len(heads))
	} else {
		for _, head := range heads {
			if !testkit.Shouts(fmt.Sprint(head)) {
				t.Errorf("a column is described as %q", head)
			}
		}
	}
}

// TestTheSignInSpeaksTheLanguageOfThePortal: as the browser asks for, or as was
// chosen in the portal.
func TestTheSignInSpeaksTheLanguageOfThePortal(t *testing.T) {
	h := openHouse(t, builtIn, func(h *house) { h.languages = testkit.Shouted(t) })
	spoken := func(page visited, also ...string) {
		t.Helper()
		if !strings.Contains(page.text, `<html lang="de">`) {
			t.Errorf("%s does not say which language it is in", page.path)
		}
		for _, text := range testkit.Unsaid(page.text) {
			if !named.MatchString(text) && !slices.Contains(also, text) {
				t.Errorf("%s says %q in English", page.path, text)
			}
		}
	}
	b := h.stranger()
	asked := []string{"Accept-Language", "de"}
	link := h.browse("ada").invite()
	for _, path := range []string{"/login", "/oauth/recover", "/oauth/join", "/oauth/authorize", strings.TrimPrefix(link, h.base)} {
		spoken(b.get(path, asked...))
	}
	wrong := url.Values{"form": {b.get("/login", asked...).hidden("form")}, "account": {"eva"}, "password": {"wrong"}}
	spoken(b.post("/oauth/login", wrong, asked...).is(http.StatusForbidden))
	spoken(b.post("/oauth/login", url.Values{"form": {"no"}}, asked...).is(http.StatusBadRequest))
	spoken(b.post("/oauth/recover", url.Values{"form": {b.get("/oauth/recover", asked...).hidden("form")}, "code": {"AAAA"}}, asked...).is(http.StatusForbidden))
	b.post("/language", url.Values{"language": {"de"}})
	spoken(b.get("/oauth/recover"))
	if page := h.stranger().get("/oauth/recover"); !strings.Contains(page.text, `<html lang="en">`) || strings.Contains(page.text, "⟦") {
		t.Error("nobody asked for another language")
	}
}

// TestProblemsAreToldInTheLanguageOfWhoReads: to pages' scripts and to programs
// that ask for it, and in English to all others.
func TestProblemsAreToldInTheLanguageOfWhoReads(t *testing.T) {
	h := openHouse(t, func(h *house) { h.languages = testkit.Shouted(t) })
	b := h.browse("eva")
	for _, path := range []string{"/v1/me/consents/records/x", "/v1/datasets/x", "/v1/uploads/x", "/v1/me/approvals?limit=x", "/v1/nothing"} {
		var said, plain client.Problem
		ok(t, json.Unmarshal([]byte(b.get(path).text), &plain))
		ok(t, json.Unmarshal([]byte(b.get(path, "Accept-Language", "de").text), &said))
		if plain.Title == "" || strings.Contains(plain.Title, "⟦") || said.Title != "⟦"+plain.Title+"⟧" || said.Type != plain.Type || said.Status != plain.Status {
			t.Errorf("%s: %+v is said %+v", path, plain, said)
		}
	}
}

// TestTheScriptsMessagesAreServedOnce: under a name that changes with them, and
// to no page that speaks English.
func TestTheScriptsMessagesAreServedOnce(t *testing.T) {
	h := openHouse(t, func(h *house) { h.languages = testkit.Shouted(t) })
	b := h.browse("eva")
	address := regexp.MustCompile(`<script src="(/languages/de\.[0-9a-f]{16}\.js)" defer></script>\s*<script src="/islands/`)
	for _, path := range []string{"/key", "/data/add"} {
		if strings.Contains(b.get(path).text, "/languages/") {
			t.Errorf("%s loads messages in English", path)
		}
		found := address.FindStringSubmatch(b.get(path, "Accept-Language", "de").text)
		if found == nil {
			t.Fatalf("%s loads no messages before its script", path)
		}
		script := h.stranger().get(found[1], "Accept-Encoding", "identity").is(http.StatusOK)
		if !strings.HasPrefix(script.text, `globalThis.messages={"`) || !strings.Contains(script.text, "⟦No passkey was used.") || strings.Contains(script.text, "Skip to the content") {
			t.Errorf("the messages are %.80s", script.text)
		}
		if script.header.Get("Cache-Control") != "public, max-age=31536000, immutable" || !strings.HasPrefix(script.header.Get("Content-Type"), "text/javascript") {
			t.Error(script.header)
		}
		if packed := h.stranger().get(found[1], "Accept-Encoding", "gzip"); packed.text == script.text {
			t.Error("it is not packed")
		}
	}
	b.get("/languages/de.0123456789abcdef.js").is(http.StatusNotFound)
	b.get("/languages/en.js").is(http.StatusNotFound)
}

func TestALanguageIsAskedForOrChosen(t *testing.T) {
	h := openHouse(t, func(h *house) { h.languages = testkit.Shouted(t) })
	b := h.stranger()
	speaks := func(page visited, language string) {
		t.Helper()
		if !strings.Contains(page.is(http.StatusOK).text, `<html lang="`+language+`">`) {
			t.Errorf("the page is not in %s", language)
		}
	}
	speaks(b.get("/about"), "en")
	speaks(b.get("/about", "Accept-Language", "fr"), "en")
	speaks(b.get("/about", "Accept-Language", "de-AT, en;q=0.7"), "de")
	speaks(b.post("/language", url.Values{"language": {"de"}}), "de")
	speaks(b.get("/about", "Accept-Language", "en"), "de")
	speaks(b.post("/language", url.Values{"language": {"en\r\nx"}}), "en")
	if page := openHouse(t).stranger().get("/about"); strings.Contains(page.text, `action="/language"`) {
		t.Error("there is a choice between one language")
	}
}
