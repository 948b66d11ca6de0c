package templates

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/testkit"
)

// shown is every page with everything on it that can be.
var shown = map[string][]map[string]any{
	"login": {
		{"Demo": true, "BuiltIn": true, "Open": true, "Message": "Account name and password do not fit together. Please try again.", "Coop": "Aa",
			"Accounts": []map[string]any{{"Subject": "ada", "Name": "Aa", "Link": "/x"}}},
		{"BuiltIn": true, "Again": true, "Coop": "Aa"}, {"Demo": true},
	},
	"join":    {{"Coop": "Aa", "Adult": 18, "Message": "Please give a name of at most 80 characters."}},
	"recover": {{"Message": "This recovery code is not known. It may have been mistyped, or used already."}},
	"renew":   {{"Name": "Aa", "Message": "This passkey is in use already. Please make a new one."}},
	"welcome": {{"New": true, "Name": "Aa", "Code": "BBBB"}, {"New": false, "Code": "BBBB"}},
	"problem": {{"Message": Failed}},
}

var titled = regexp.MustCompile(`<title>(.*)</title>`)

// TestEveryPageIsInTheLanguageThatWasAskedFor: with a catalogue that says
// everything in brackets, nothing but names is without them.
func TestEveryPageIsInTheLanguageThatWasAskedFor(t *testing.T) {
	pages, err := Read(testkit.Shouted(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(pages.set[nil]) != len(shown) {
		t.Errorf("%d pages are tried, and there are %d", len(shown), len(pages.set[nil]))
	}
	for name, views := range shown {
		for _, view := range views {
			page := written(t, pages, "de", name, view)
			if !strings.Contains(page, `<html lang="de">`) || !testkit.Shouts(titled.FindString(page)) {
				t.Errorf("%s: its language or title is another: %s", name, titled.FindString(page))
			}
			for _, text := range slices.Concat(testkit.Unsaid(page), testkit.Unsaid(titled.FindString(page))) {
				if text != "Aa" {
					t.Errorf("%s says %q in English", name, text)
				}
			}
			if english := written(t, pages, "fr", name, view); !strings.Contains(english, `<html lang="en">`) || testkit.Shouts(english) {
				t.Errorf("%s is not in English for who asks for French", name)
			}
		}
	}
}

func written(t *testing.T, pages *Pages, asked, name string, view any) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	r.Header.Set("Accept-Language", asked)
	w := httptest.NewRecorder()
	if pages.Write(w, r, http.StatusOK, name, "form-action 'none'", view); w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", name, w.Code, w.Body)
	}
	return w.Body.String()
}

// TestTheScriptFindsWhatItSays: every name that it looks for has a sentence.
func TestTheScriptFindsWhatItSays(t *testing.T) {
	pages, err := Read(nil)
	if err != nil {
		t.Fatal(err)
	}
	page := written(t, pages, "en", "renew", shown["renew"][0])
	asked := regexp.MustCompile(`said\("(\w+)"\)`).FindAllStringSubmatch(string(pages.script), -1)
	if len(asked) < 2 {
		t.Fatalf("the script says %q", asked)
	}
	for _, name := range asked {
		if !strings.Contains(page, `data-for="`+name[1]+`"`) {
			t.Errorf("the page has no sentence for %s", name[1])
		}
	}
}
