package portal

import (
	"bytes"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/web/portal/consenting"
)

// What a content policy would refuse in the browser is refused here first.
var forbidden = regexp.MustCompile(`(?i)<script|<style|\sstyle=|\son[a-z]+=|javascript:|//[a-z0-9.-]+\.[a-z]+/|href="http|src="http`)

// ours are the scripts that a page may have: files of the islands, and what they
// say in another language.
var ours = regexp.MustCompile(`<script src="\{\{\.Data\.Folder\}\}/(?:add|own)\.js" defer></script>|\{\{- with \.Script\}\}\n<script src="\{\{\.\}\}" defer></script>\n\{\{- end\}\}`)

func TestTemplatesCarryNothingThePolicyRefuses(t *testing.T) {
	names, err := fs.Glob(templates, "templates/*.html")
	if err != nil || len(names) < 20 {
		t.Fatalf("%d templates, %v", len(names), err)
	}
	for _, name := range names {
		text, err := templates.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text = ours.ReplaceAll(text, nil)
		if found := forbidden.Find(text); found != nil {
			t.Errorf("%s holds %s", name, found)
		}
	}
}

func TestEveryFieldAtFaultHasAPlace(t *testing.T) {
	all := ""
	names, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := templates.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all += string(text)
	}
	for code, field := range fields {
		if !strings.Contains(all, `id="`+field+`"`) {
			t.Errorf("%s points at %s, which no page has", code, field)
		}
	}
}

// Every field that an answer can have is on the form.
func TestTheFormHasAFieldForEverythingThatCanBeAnswered(t *testing.T) {
	said := consent.Terms{Effect: consent.Given, Commercial: true, MinPrice: 1, KeepMonths: 1}
	page, err := fs.ReadFile(templates, "templates/_answers.html")
	if err != nil {
		t.Fatal(err)
	}
	for name := range consenting.Fill(said, "EUR") {
		if !bytes.Contains(page, []byte(`name="`+name+`"`)) {
			t.Errorf("the form has no field for %s", name)
		}
	}
}
