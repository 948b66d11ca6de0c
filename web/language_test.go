package web_test

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
)

// shouted is a catalogue that says every message in brackets.
func shouted(t *testing.T) fstest.MapFS {
	t.Helper()
	data, err := os.ReadFile("../internal/language/languages/en.json")
	ok(t, err)
	var file struct {
		Language string            `json:"language"`
		Name     string            `json:"name"`
		Messages map[string]string `json:"messages"`
	}
	ok(t, json.Unmarshal(data, &file))
	file.Language, file.Name = "de", "Geklammert"
	for english := range file.Messages {
		file.Messages[english] = "⟦" + english + "⟧"
	}
	data, err = json.Marshal(file)
	ok(t, err)
	return fstest.MapFS{"de.json": {Data: data}}
}

var (
	unseen  = regexp.MustCompile(`(?s)<head>.*?</head>|<(pre|code|textarea)\b[^>]*>.*?</(pre|code|textarea)>`)
	spans   = regexp.MustCompile(`</?(a|abbr|b|br|code|dfn|em|i|kbd|q|small|span|strong|time)\b[^>]*>`)
	blocks  = regexp.MustCompile(`<[^>]*>`)
	bracket = regexp.MustCompile(`⟦[^⟦⟧]*⟧`)
)

// unsaid are the texts of a page that no catalogue has.
func unsaid(page string) []string {
	page = spans.ReplaceAllString(unseen.ReplaceAllString(page, ""), "")
	for bracket.MatchString(page) {
		page = bracket.ReplaceAllString(page, " ")
	}
	var out []string
	for _, text := range blocks.Split(page, -1) {
		text = strings.TrimSpace(html.UnescapeString(text))
		if strings.IndexFunc(text, unicode.IsLetter) >= 0 {
			out = append(out, text)
		}
	}
	return out
}

// A second language is one file: with a catalogue that says everything in
// brackets, nothing on any page is without them but what people and machines
// have named.
func TestASecondLanguageIsOneFile(t *testing.T) {
	h, d := shared(t, func(h *house) { h.languages = shouted(t) })
	b := h.browse("eva")
	for _, path := range append(pagesOf(d.ID), "/nowhere") {
		page := b.get(path, "Accept-Language", "fr, de;q=0.9, en;q=0.5")
		if !strings.Contains(page.text, `<html lang="de">`) {
			t.Errorf("%s does not say which language it is in", path)
		}
		for _, text := range unsaid(page.text) {
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

func TestALanguageIsAskedForOrChosen(t *testing.T) {
	h := openHouse(t, func(h *house) { h.languages = shouted(t) })
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
