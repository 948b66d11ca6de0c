package testkit

import (
	"encoding/json"
	"html"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"distributed.ai/datacoop/internal/language"
)

// Shouted is a folder with one catalogue, for the language "de", that says every
// message in the brackets ⟦⟧.
func Shouted(t testing.TB) fs.FS {
	t.Helper()
	data, err := language.English()
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Language string            `json:"language"`
		Name     string            `json:"name"`
		Messages map[string]string `json:"messages"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	file.Language, file.Name = "de", "Geklammert"
	for english := range file.Messages {
		file.Messages[english] = "⟦" + english + "⟧"
	}
	if data, err = json.Marshal(file); err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{"de.json": {Data: data}}
}

var (
	unseen  = regexp.MustCompile(`(?s)<head>.*?</head>|<(pre|code|textarea)\b[^>]*>.*?</(pre|code|textarea)>`)
	spans   = regexp.MustCompile(`</?(a|abbr|b|br|code|dfn|em|i|kbd|q|small|span|strong|time)\b[^>]*>`)
	blocks  = regexp.MustCompile(`<[^>]*>`)
	shouted = regexp.MustCompile(`⟦[^⟦⟧]*⟧`)
)

// Running are the texts of a page that people read, one for each block. What
// stands in <pre>, <code> or <textarea> is for programs.
func Running(page string) []string {
	var out []string
	for _, text := range blocks.Split(spans.ReplaceAllString(unseen.ReplaceAllString(page, ""), ""), -1) {
		if text = strings.Join(strings.Fields(html.UnescapeString(text)), " "); text != "" {
			out = append(out, text)
		}
	}
	return out
}

// Shouts reports whether a text holds something that a Shouted catalogue says.
func Shouts(text string) bool { return shouted.MatchString(text) }

// Unsaid are the texts of a page that a Shouted catalogue did not say.
func Unsaid(page string) []string {
	var out []string
	for _, text := range Running(page) {
		for Shouts(text) {
			text = shouted.ReplaceAllString(text, " ")
		}
		if text = strings.TrimSpace(text); strings.IndexFunc(text, unicode.IsLetter) >= 0 {
			out = append(out, text)
		}
	}
	return out
}
